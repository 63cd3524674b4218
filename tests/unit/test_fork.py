"""A stream with several readers: each has its records for itself, of the declared type, though all are chained."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.datastream.collect import environment
from wiesel.common import Configuration, Types
from wiesel.core.errors import JobExecutionError
from wiesel.datastream import DataStream, OutputTag
from wiesel.datastream.functions import ProcessFunction

#: What the readers of a program saw; functions are copies, but a module's own list is one.
SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    SEEN.clear()


def spoil(value: Any) -> Any:
    SEEN.append(value["a"])
    value["a"] = "spoilt"
    return value


def keep(value: Any) -> Any:
    SEEN.append(value)
    return value


def is_the_first(value: Any) -> None:
    SEEN.append(value is SEEN[0])


def read_by(readers: int, stream: DataStream) -> list[Any]:
    for _ in range(readers):
        stream.map(spoil)
    stream.get_execution_environment().execute()
    return SEEN


def dictionaries(**settings: str) -> DataStream:
    env = environment()
    for key, value in settings.items():
        env.configure(Configuration().set_string(key.replace("__", ".").replace("_", "-"), value))
    return env.from_collection([1]).map(lambda number: {"a": number})


def test_what_one_reader_does_to_a_record_no_other_sees() -> None:
    assert read_by(3, dictionaries()) == [1, 1, 1]


def test_a_shuffle_beside_a_reader_sends_what_was_emitted() -> None:
    stream = dictionaries()
    stream.map(spoil)
    stream.rebalance().map(spoil)
    stream.get_execution_environment().execute()
    assert SEEN == [1, 1]


def test_a_source_may_have_several_readers_too() -> None:
    assert read_by(2, environment().from_collection([{"a": 1}])) == [1, 1]


def test_with_object_reuse_all_readers_share_the_object() -> None:
    assert read_by(2, dictionaries(pipeline__object_reuse="true")) == [1, "spoilt"]


def test_an_only_reader_gets_the_very_object() -> None:
    stream = dictionaries().map(keep)
    stream.map(is_the_first)
    stream.get_execution_environment().execute()
    assert SEEN[1:] == [True]


@pytest.mark.parametrize(("readers", "expected"), [(1, [0.1]), (2, [0.10000000149011612] * 2)])
def test_types_are_enforced_where_there_are_several_readers(readers: int, expected: list[float]) -> None:
    floats = environment().from_collection([0.1]).map(lambda value: value, Types.FLOAT())
    for _ in range(readers):
        floats.map(keep)
    floats.get_execution_environment().execute()
    assert expected == SEEN


def test_a_value_of_the_wrong_type_is_told_with_the_operator_that_emitted_it() -> None:
    texts = environment().from_collection([5]).map(lambda value: value, Types.STRING()).name("Texts")
    texts.map(str).print()
    texts.map(len).print()
    with pytest.raises(
        JobExecutionError, match=r"Expected a str for STRING, got int: 5 \[operator 'Texts'.*record 5\]"
    ):
        texts.get_execution_environment().execute()


TAG = OutputTag("side", Types.FLOAT())


class Split(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield value
        yield TAG, value


def test_a_side_output_is_made_its_tags_type_and_the_main_output_its_own() -> None:
    split = environment().from_collection([0.1]).process(Split(), Types.FLOAT())
    split.map(keep)
    split.get_side_output(TAG).map(keep)
    split.get_execution_environment().execute()
    assert SEEN == [0.10000000149011612] * 2


def test_the_readers_of_main_and_side_output_share_nothing() -> None:
    tag = OutputTag("untyped", Types.PICKLED_BYTE_ARRAY())

    class Both(ProcessFunction):
        def process_element(self, value: Any, ctx: Any) -> Any:
            yield value
            yield tag, value

    split = dictionaries().process(Both())
    split.map(spoil)
    split.get_side_output(tag).map(spoil)
    split.get_execution_environment().execute()
    assert SEEN == [1, 1]


def test_a_value_that_is_not_of_its_tags_type_is_told_with_the_operator_that_emitted_it() -> None:
    side = environment().from_collection(["x"]).process(Split()).name("Splits").get_side_output(TAG)
    side.map(keep)
    with pytest.raises(JobExecutionError, match=r"FLOAT, got str: 'x' \[operator 'Splits'.*record 'x'\]"):
        side.get_execution_environment().execute()
