"""Names that only PyFlink 1.x had: they work, and importing one says what became of it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

import wiesel
from wiesel.compat import alias
from wiesel.compat.manifest import members_of
from wiesel.compat.old_spellings import OLD_MEMBERS, OLD_SPELLINGS
from wiesel.compat.placeholder import is_placeholder


@pytest.fixture
def active() -> Iterator[None]:
    was_active = alias.is_active()
    wiesel.activate()
    yield
    alias.deactivate()
    if was_active:
        alias.activate()


@pytest.mark.parametrize("name", sorted(OLD_SPELLINGS))
def test_an_old_name_works_with_a_deprecation_note(name: str, active: None) -> None:
    module, _, attribute = name.rpartition(".")
    with pytest.warns(DeprecationWarning, match=f"pyflink.{name} was "):
        found = getattr(importlib.import_module(f"pyflink.{module}"), attribute)
    assert not is_placeholder(found)


@pytest.mark.parametrize("name", sorted(OLD_MEMBERS))
def test_an_old_member_is_none_of_2_x_and_says_what_became_of_it(name: str) -> None:
    owner, _, member = name.rpartition(".")
    assert member not in members_of(f"datastream.{owner}")
    assert OLD_MEMBERS[name].startswith("removed in Flink 2.0: ")


def test_the_kafka_connectors_of_1_x_say_what_replaces_them(caplog: pytest.LogCaptureFixture) -> None:
    from wiesel.common import SimpleStringSchema
    from wiesel.datastream.connectors.kafka import FlinkKafkaConsumer, FlinkKafkaProducer

    properties = {"bootstrap.servers": "127.0.0.1:9", "group.id": "g"}
    FlinkKafkaConsumer("t", SimpleStringSchema(), properties)
    FlinkKafkaProducer("t", SimpleStringSchema(), properties)
    notes = [record.getMessage() for record in caplog.records]
    assert [note.rpartition("use ")[2] for note in notes] == [f"{new}, which runs on both." for new in _NEW]


_NEW = ("KafkaSource", "KafkaSink")


def test_a_script_for_1_x_finds_its_names(active: None) -> None:
    with pytest.warns(DeprecationWarning):
        from pyflink.datastream import ExternalizedCheckpointCleanup, FsStateBackend, TimeCharacteristic
        from pyflink.datastream.connectors import FlinkKafkaConsumer
    assert TimeCharacteristic.EventTime.name == "EventTime"
    assert ExternalizedCheckpointCleanup.RETAIN_ON_CANCELLATION.name == "RETAIN_ON_CANCELLATION"
    assert FsStateBackend("/a") is not None
    assert FlinkKafkaConsumer.__name__ == "FlinkKafkaConsumer"
