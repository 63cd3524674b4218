"""The files of deploy/ are what Kubernetes, systemd and Flink's operator accept, and agree with one another."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from wiesel.core import exit_codes
from wiesel.flink.environment import FLINK_VERSION

DEPLOY = Path(__file__).parents[2] / "deploy"


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()))


def stateful_set() -> dict[str, Any]:
    return next(document for document in documents("wiesel.yaml") if document["kind"] == "StatefulSet")


@pytest.mark.parametrize("document", documents("wiesel.yaml"), ids=lambda document: document["kind"])
def test_kubernetes_knows_every_field_and_its_type(document):
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_a_field_that_kubernetes_does_not_know_is_noticed():
    wrong = stateful_set()
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="livenessProb"):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_only_one_pod_can_ever_have_the_volume():
    spec = stateful_set()["spec"]
    assert spec["replicas"] == 1
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_every_mounted_volume_is_there():
    spec = stateful_set()["spec"]
    pod = spec["template"]["spec"]
    there = {volume["name"] for volume in (*pod["volumes"], *(c["metadata"] for c in spec["volumeClaimTemplates"]))}
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == there


def test_the_operators_deployment_names_the_flink_that_scripts_are_checked_against():
    (deployment,) = documents("flink.yaml")
    assert (deployment["apiVersion"], deployment["kind"]) == ("flink.apache.org/v1beta1", "FlinkDeployment")
    spec = deployment["spec"]
    major, minor, _ = FLINK_VERSION.split(".")
    assert spec["flinkVersion"] == f"v{major}_{minor}"
    assert spec["job"]["jarURI"] == f"local:///opt/flink/opt/flink-python-{FLINK_VERSION}.jar"
    assert all(isinstance(value, str) for value in spec["flinkConfiguration"].values()), "the operator wants text"
    assert spec["job"]["upgradeMode"] in {"stateless", "last-state", "savepoint"}
    for role in ("jobManager", "taskManager"):
        assert re.fullmatch(r"\d+[mg]", spec[role]["resource"]["memory"])


def test_the_image_for_flink_has_the_versions_that_the_command_line_uses():
    text = (DEPLOY / "container" / "Containerfile.flink").read_text()
    connector = (Path(sys.modules["wiesel.flink"].__path__[0]) / f"connectors-{FLINK_VERSION}.lock").read_text()
    (version,) = re.findall(r"flink-sql-connector-kafka:(\S+)", connector)
    assert f"FROM flink:{FLINK_VERSION}-java17" in text
    assert f"apache-flink=={FLINK_VERSION}" in text
    assert f"flink-sql-connector-kafka-{version}.jar" in text


def test_the_images_user_is_the_pods():
    text = (DEPLOY / "container" / "Containerfile").read_text()
    context = stateful_set()["spec"]["template"]["spec"]["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in text


def test_systemd_starts_again_exactly_what_a_start_can_mend():
    unit = (DEPLOY / "systemd" / "wiesel@.service").read_text()
    (never,) = re.findall(r"^RestartPreventExitStatus=(.*)$", unit, re.MULTILINE)
    hopeless = {exit_codes.USAGE, exit_codes.STATE, exit_codes.OWNED_BY_ANOTHER, exit_codes.CANCELED}
    assert set(map(int, never.split())) == hopeless
    assert f"SuccessExitStatus={exit_codes.TERMINATED}" in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_the_unit(tmp_path):
    unit = (DEPLOY / "systemd" / "wiesel@.service").read_text()
    copy = tmp_path / "wiesel@orders.service"
    # What it starts is not installed here.
    copy.write_text(unit.replace("/opt/wiesel/bin/wiesel", sys.executable))
    answer = subprocess.run(
        ["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60, check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")
