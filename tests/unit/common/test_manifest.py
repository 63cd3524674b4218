"""wiesel.common has every name of pyflink.common 2.3, with the same members, parameters and defaults."""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from wiesel.compat.manifest import load
from wiesel.compat.status import Support, status_of

MODULES = [name for name in load() if name.split(".")[0] == "common"]


def wanted(entries: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, entry in entries.items():
        status = status_of(f"{prefix}.{name}")
        if status is None or status.support is not Support.UNSUPPORTED:
            yield name, entry


CASES = [
    pytest.param(module, name, entry, id=f"{module}.{name}")
    for module in MODULES
    for name, entry in wanted(load()[module], module)
]


@pytest.mark.parametrize(("module", "name", "entry"), CASES)
def test_name_is_there_with_the_same_members_and_parameters(module: str, name: str, entry: Mapping[str, Any]) -> None:
    differences = list(compare(getattr(importlib.import_module(f"wiesel.{module}"), name), entry, name))
    assert differences == []


def compare(found: Any, entry: Mapping[str, Any], path: str) -> Iterator[str]:
    if "params" in entry:
        expected = [(p["name"], p["kind"], p["default"]) for p in entry["params"]]
        if parameters(found) != expected:
            yield f"{path}{parameters(found)} should be {expected}"
    for member, member_entry in entry.get("members", {}).items():
        if not hasattr(found, member):
            yield f"{path}.{member} is missing"
        else:
            yield from compare(getattr(found, member), member_entry, f"{path}.{member}")


def parameters(function: Any) -> list[tuple[str, str, bool]]:
    found = [
        (parameter.name, parameter.kind.name, parameter.default is not inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
    ]
    return found[1:] if found and found[0][0] == "self" else found


@pytest.mark.parametrize(
    "module",
    [
        "completable_future",
        "config_options",
        "configuration",
        "constants",
        "execution_config",
        "input_dependency_constraint",
        "io",
        "job_client",
        "job_execution_result",
        "job_id",
        "job_status",
        "restart_strategy",
        "serialization",
        "serializer",
        "time",
        "typeinfo",
        "types",
        "watermark_strategy",
    ],
)
def test_every_module_of_pyflink_common_is_there(module: str) -> None:
    importlib.import_module(f"wiesel.common.{module}")


def test_json_schemas_are_still_offered_by_the_package() -> None:
    common = importlib.import_module("wiesel.common")
    assert common.JsonRowSerializationSchema.builder() is not None
    assert common.JsonRowDeserializationSchema.builder() is not None
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = common.Nonsense


def test_everything_that_all_names_is_there() -> None:
    common = importlib.import_module("wiesel.common")
    assert [name for name in common.__all__ if not hasattr(common, name)] == []
