"""``KeyedStream``: running folds, and what a stream loses with its keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import Row, Types
from wiesel.core.errors import ConfigurationError
from wiesel.datastream import KeyedProcessFunction, KeyedStream, ReduceFunction, RuntimeContext, RuntimeExecutionMode
from wiesel.datastream.state import ValueStateDescriptor
from wiesel.datastream.window import CountTrigger, GlobalWindows


class Add(ReduceFunction):
    def reduce(self, value1: Any, value2: Any) -> Any:
        return value1[0], value1[1] + value2[1]


class Count(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        self.count.update((self.count.value() or 0) + 1)
        yield ctx.get_current_key(), self.count.value()


PAIRS = [("a", 3), ("b", 5), ("a", 1), ("a", 7)]


def keyed(batch: bool = False, values: Any = None) -> KeyedStream:
    env = environment()
    if batch:
        env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    return env.from_collection(PAIRS if values is None else values).key_by(lambda pair: pair[0])


def test_reduce_emits_the_fold_so_far_for_each_record() -> None:
    assert collect(keyed().reduce(Add())) == [("a", 3), ("b", 5), ("a", 4), ("a", 11)]
    assert collect(keyed().reduce(lambda x, y: (x[0], max(x[1], y[1]))))[-1] == ("a", 7)


def test_in_batch_mode_reduce_emits_the_last_fold_of_each_key() -> None:
    assert sorted(collect(keyed(batch=True).reduce(Add()))) == [("a", 11), ("b", 5)]
    assert sorted(collect(keyed(batch=True).sum(1))) == [("a", 11), ("b", 5)]


def test_aggregations_by_field() -> None:
    assert collect(keyed().sum(1)) == [("a", 3), ("b", 5), ("a", 4), ("a", 11)]
    assert collect(keyed().min(1)) == [("a", 3), ("b", 5), ("a", 1), ("a", 1)]
    assert collect(keyed().max(1)) == [("a", 3), ("b", 5), ("a", 3), ("a", 7)]


THREES = [("a", 2, "first"), ("a", 1, "small"), ("a", 3, "large")]


def test_min_and_max_keep_the_first_record_s_other_fields_and_the_by_kinds_whole_records() -> None:
    assert collect(keyed(values=THREES).min(1))[-1] == ("a", 1, "first")
    assert collect(keyed(values=THREES).max(1))[-1] == ("a", 3, "first")
    assert collect(keyed(values=THREES).min_by(1))[-1] == ("a", 1, "small")
    assert collect(keyed(values=THREES).max_by(1))[-1] == ("a", 3, "large")


def test_fields_of_rows_have_names() -> None:
    rows = environment().from_collection([Row(k="a", n=1), Row(k="a", n=2)])
    assert collect(rows.key_by(lambda row: row.k).sum("n"))[-1] == Row(k="a", n=3)


def test_a_process_function_has_a_key_and_state() -> None:
    assert collect(keyed().process(Count())) == [("a", 1), ("b", 1), ("a", 2), ("a", 3)]
    with pytest.raises(TypeError, match="KeyedProcessFunction is required"):
        keyed().process(3)


def test_count_windows_fire_at_every_full_count() -> None:
    assert collect(keyed().count_window(2).reduce(Add())) == [("a", 4)]
    assert collect(keyed().count_window(2, 1).reduce(Add())) == [("a", 4), ("a", 8)]


def test_a_window_may_have_a_trigger_of_one_s_own() -> None:
    fired = keyed().window(GlobalWindows.create()).trigger(CountTrigger.of(3)).reduce(Add())
    assert collect(fired) == [("a", 11)]


def test_key_by_again_takes_the_other_key() -> None:
    again = keyed().key_by(lambda pair: pair[1] % 2)
    assert collect(again.process(Count())) == [(1, 1), (1, 2), (1, 3), (1, 4)]


def test_without_its_keys_it_is_the_stream_that_it_was() -> None:
    stream = keyed()
    assert sorted(collect(stream.union(stream.get_execution_environment().from_collection([("c", 0)])))) == sorted(
        [*PAIRS, ("c", 0)]
    )
    assert sorted(collect(keyed().map(lambda pair: pair[1]))) == [1, 3, 5, 7]
    assert sorted(collect(keyed().filter(lambda pair: pair[1] > 3))) == [("a", 7), ("b", 5)]
    assert sorted(collect(keyed().flat_map(lambda pair: [pair[1]] * 2))) == [1, 1, 3, 3, 5, 5, 7, 7]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("name", ["n"]),
        ("get_name", []),
        ("uid", ["u"]),
        ("set_uid_hash", ["0" * 32]),
        ("set_parallelism", [2]),
        ("set_max_parallelism", [2]),
        ("set_description", ["d"]),
        ("force_non_parallel", []),
        ("set_buffer_timeout", [1]),
        ("start_new_chain", []),
        ("disable_chaining", []),
        ("slot_sharing_group", ["g"]),
        ("shuffle", []),
        ("rebalance", []),
        ("rescale", []),
        ("forward", []),
        ("broadcast", []),
        ("cache", []),
    ],
)
def test_what_needs_an_operator_is_refused_on_a_keyed_stream(method: str, arguments: list[Any]) -> None:
    with pytest.raises(ConfigurationError, match="for KeyedStream is not supported"):
        getattr(keyed(), method)(*arguments)
