"""``KeyedStream``: running folds, and what a stream loses with its keys."""

from __future__ import annotations

import queue
from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import Row, Types, WatermarkStrategy
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.connectors.collections.sinks import CollectSpec
from wiesel.core.errors import ConfigurationError
from wiesel.datastream import (
    CoMapFunction,
    ConnectedStreams,
    KeyedProcessFunction,
    KeyedStream,
    OutputTag,
    ProcessFunction,
    ReduceFunction,
    RuntimeContext,
    RuntimeExecutionMode,
    SinkFunction,
)
from wiesel.datastream.connectors import Sink
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


def test_a_keyed_stream_can_be_written_and_collected(capfd: pytest.CaptureFixture[str]) -> None:
    values: queue.Queue[Any] = queue.Queue()
    stream = keyed()
    stream.sink_to(Sink(CollectSpec(values, stream.get_type())))
    stream.add_sink(SinkFunction(CollectSpec(values, stream.get_type())))
    stream.print()
    stream.get_execution_environment().execute()
    assert sorted(values.get_nowait() for _ in range(8)) == sorted(PAIRS * 2)
    assert len(capfd.readouterr().out.splitlines()) == 4
    assert keyed().execute_and_collect(limit=1) == [("a", 3)]


def test_a_keyed_stream_can_be_windowed_projected_and_partitioned_as_a_whole() -> None:
    assert collect(keyed().window_all(GlobalWindows.create()).trigger(CountTrigger.of(4)).reduce(Add())) == [("a", 16)]
    tuples = environment().from_collection([("a", 1)], Types.TUPLE([Types.STRING(), Types.INT()]))
    assert collect(tuples.key_by(lambda pair: pair[0]).project(1)) == [(1,)]
    partitioned = keyed().partition_custom(lambda key, count: 0, lambda pair: pair[0])
    assert sorted(collect(partitioned.map(lambda pair: pair[1]))) == [1, 3, 5, 7]


class Stamp(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value[1])


class TimeOf(ProcessFunction):
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Any:
        yield ctx.timestamp()


def test_a_keyed_stream_can_be_stamped_and_knows_its_settings() -> None:
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Stamp())
    assert sorted(collect(keyed().assign_timestamps_and_watermarks(strategy).process(TimeOf()))) == [1, 3, 5, 7]
    assert keyed().get_execution_config().get_parallelism() == 1
    assert keyed().get_type() == Types.PICKLED_BYTE_ARRAY()


class Odd(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        yield OutputTag("side", Types.INT()), value[1]


def test_a_side_output_of_a_keyed_stream_is_that_of_its_operator() -> None:
    tag = OutputTag("side", Types.INT())
    sides = keyed().process(Odd())
    assert sorted(collect(sides.get_side_output(tag))) == [1, 3, 5, 7]
    again = environment().from_collection(PAIRS).key_by(lambda pair: pair[0]).process(Odd())
    assert sorted(collect(again.key_by(lambda value: value).get_side_output(tag))) == [1, 3, 5, 7]


class Both(CoMapFunction):
    def map1(self, value: Any) -> Any:
        return 1, value

    def map2(self, value: Any) -> Any:
        return 2, value


def test_connected_streams_can_be_keyed_together() -> None:
    env = environment()
    streams = env.from_collection([1]).connect(env.from_collection([2]))
    assert isinstance(streams, ConnectedStreams)
    connected = streams.key_by(lambda v: v, lambda v: v)
    assert isinstance(connected.stream1, KeyedStream)
    assert sorted(collect(connected.map(Both()))) == [(1, 1), (2, 2)]


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
