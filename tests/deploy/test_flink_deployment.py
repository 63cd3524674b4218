"""The FlinkDeployment of deploy/ against the operator's own schema, as its release on Maven Central ships it."""

from __future__ import annotations

import copy
import zipfile
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from tests.deploy.test_manifests import documents
from wiesel.flink.environment import FLINK_VERSION
from wiesel.java.cache import cache_directory
from wiesel.java.jars import fetch_jars
from wiesel.java.lockfile import read_lock

_LOCK = Path(__file__).with_name("operator.lock")
_FILE = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    """The operator's CustomResourceDefinition."""
    (jar,) = fetch_jars(read_lock(_LOCK), cache_directory("flink-operator"), lambda *_: None)
    with zipfile.ZipFile(jar) as archive:
        found: dict[str, Any] = yaml.safe_load(archive.read(_FILE))
    return found


def deployment() -> dict[str, Any]:
    (found,) = documents("flink.yaml")
    return found


def errors(definition: dict[str, Any], document: dict[str, Any]) -> list[str]:
    (version,) = definition["spec"]["versions"]
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {}}
    found = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in found]


def strict(schema: Any) -> Any:
    """The schema without the API server's leniency, which drops unknown fields silently."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        inner.setdefault("additionalProperties", bool(schema.get("x-kubernetes-preserve-unknown-fields")))
    if schema.get("x-kubernetes-int-or-string"):
        inner.pop("type", None)
    return inner


def test_the_deployment_is_of_the_kind_that_the_operator_defines(definition):
    document = deployment()
    group, _, version = document["apiVersion"].partition("/")
    assert (group, document["kind"]) == (definition["spec"]["group"], definition["spec"]["names"]["kind"])
    assert version in {one["name"] for one in definition["spec"]["versions"]}


def test_the_operator_knows_every_field_and_its_type(definition):
    """All but Flink's version: that release's list ends before 2.3, and the file asks for an operator that knows it."""
    (of_version,) = errors(definition, deployment())
    assert of_version.startswith(f"spec.flinkVersion: 'v{'_'.join(FLINK_VERSION.split('.')[:2])}' is not one of")


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (["spec"], "flinkConfig", {}),
        (["spec", "job"], "parallelism", "4"),
        (["spec", "job"], "upgradeMode", "sometimes"),
        (["spec", "taskManager", "resource"], "memory", 4096),
    ],
)
def test_a_field_that_the_operator_does_not_take_is_noticed(definition, where, name, value):
    wrong = copy.deepcopy(deployment())
    place = wrong
    for step in where:
        place = place[step]
    place[name] = value
    assert any(name in error for error in errors(definition, wrong))
