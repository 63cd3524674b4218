"""wiesel.common has the modules of pyflink.common (its names are compared in tests/unit/test_manifest.py)."""

import importlib

import pytest


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
