"""The index of PyFlink's names, the manifest behind it and the status data beside it."""

import pytest

from wiesel.compat import manifest, names, status
from wiesel.compat.nearest import nearest
from wiesel.compat.status import Support


def test_the_index_holds_every_name_of_the_manifest() -> None:
    missing = {
        f"{module}.{name}"
        for module, entries in manifest.load().items()
        for name in entries
        if name not in names.names_of(module)
    }
    assert missing == set()


@pytest.mark.parametrize("module", ["common", "datastream", "datastream.window", "datastream.connectors.kafka"])
def test_the_index_adds_nothing_to_a_module_whose_public_names_the_manifest_lists(module: str) -> None:
    assert names.names_of(module) == manifest.load()[module].keys()


def test_the_homes_of_names_that_are_shown_elsewhere_exist() -> None:
    for module in names.all_modules():
        for home in names.homes_of(module).values():
            home_module, _, name = home.rpartition(".")
            assert names.has_name(home_module, name), home


def test_every_module_of_the_index_has_its_parent_in_it() -> None:
    assert [name for name in names.all_modules() if not names.is_module(name.rpartition(".")[0])] == []


def test_the_manifest_counts_what_it_is_said_to_hold() -> None:
    assert sum(len(entries) for entries in manifest.load().values()) >= 239
    assert "datastream.DataStream.map" in set(manifest.qualified_names())
    assert "key_by" in manifest.members_of("datastream.DataStream")
    assert manifest.members_of("common.ConfigOptions.OptionBuilder") >= {"int_type"}
    assert manifest.members_of("datastream.NoSuchClass") == frozenset()


def test_every_status_entry_names_something_of_pyflinks() -> None:
    known = set(manifest.qualified_names()) | set(names.all_modules())
    known |= {f"{module}.{name}" for module in names.all_modules() for name in names.names_of(module)}
    declared = status.declared_names()
    assert {name for name in declared if not name.startswith("*.")} - known == set()
    members = {name.rpartition(".")[2] for name in known}
    assert {name[2:] for name in declared if name.startswith("*.")} - members == set()


def test_an_entry_covers_what_is_inside_it_that_has_none_of_its_own() -> None:
    found = status.status_of("table.TableEnvironment.execute_sql")
    assert found is not None
    assert (found.support, found.declared_for) == (Support.UNSUPPORTED, "table")


def test_a_name_nobody_judged_has_no_status() -> None:
    assert status.status_of("metrics.NoSuchName") is None


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"status": "works"}, "status must be one of"),
        ({"status": "supported"}, "needs the test"),
        ({"status": "accepted"}, "needs a reason"),
        ({"status": "unsupported", "reason": "x", "why": "y"}, "unknown field"),
    ],
)
def test_a_status_entry_that_proves_or_explains_nothing_is_refused(entry: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        status.parse({"datastream.DataStream": entry}, {})


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("Datastream", "DataStream"), ("key_By", "key_by"), ("proces", "process"), ("zzz", None)],
)
def test_the_nearest_name_is_the_one_that_was_meant(slip: str, meant: str | None) -> None:
    assert nearest(slip, ["DataStream", "key_by", "process", "map"]) == meant


@pytest.mark.parametrize(
    "statement",
    [
        "from pyflink.datastream.connectors.kafka import DeliveryGuarantee",
        "from pyflink.datastream.connectors.file_system import DefaultRollingPolicy, OnCheckpointRollingPolicy",
        "from pyflink.datastream.functions import ValueState, MapStateDescriptor",
        "from pyflink.datastream.window import Time",
        "from pyflink.datastream.formats.orc import OrcBulkWriters",
    ],
)
def test_what_a_module_holds_beyond_its_public_names_can_be_imported_from_it(statement: str) -> None:
    from wiesel.compat import alias

    was_active = alias.is_active()
    alias.activate()
    try:
        exec(statement)
    finally:
        if not was_active:
            alias.deactivate()
