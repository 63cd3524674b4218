"""The BATCH runtime mode: final results only, nothing is late, every source ends, one key after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import Configuration, Duration, Time, Types, WatermarkStrategy
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.connectors.collections.number_sequence import NumberSequenceSpec
from wiesel.core.elements import MAX_WATERMARK, MIN_TIMESTAMP
from wiesel.core.errors import ConfigurationError
from wiesel.datastream import AggregateFunction, DataStream, RuntimeExecutionMode, StreamExecutionEnvironment
from wiesel.datastream.connectors import Source
from wiesel.datastream.functions import BroadcastProcessFunction, KeyedCoProcessFunction, KeyedProcessFunction
from wiesel.datastream.state import MapStateDescriptor
from wiesel.datastream.window import TumblingEventTimeWindows, TumblingProcessingTimeWindows


def batch() -> StreamExecutionEnvironment:
    return environment().set_runtime_mode(RuntimeExecutionMode.BATCH)


class Stamp(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value)


class Endless(NumberSequenceSpec):
    """A source that says of itself that it never ends."""

    bounded = False


class Count(AggregateFunction):
    def create_accumulator(self) -> int:
        return 0

    def add(self, value: Any, accumulator: int) -> int:
        return accumulator + 1

    def get_result(self, accumulator: int) -> int:
        return accumulator

    def merge(self, acc_a: int, acc_b: int) -> int:
        return acc_a + acc_b


def test_each_key_has_one_result() -> None:
    pairs = batch().from_collection([("a", 1), ("b", 2), ("a", 3)])
    assert sorted(collect(pairs.key_by(lambda pair: pair[0]).sum(1))) == [("a", 4), ("b", 2)]


def test_nothing_is_late_because_event_time_stands_still() -> None:
    env = batch()
    env.get_config().set_auto_watermark_interval(1)
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(0)).with_timestamp_assigner(Stamp())
    numbers = env.from_collection([5000, *range(20_000, 60_000), 1], Types.INT())
    stamped = numbers.assign_timestamps_and_watermarks(strategy)
    keyed = stamped.key_by(lambda value: "k")
    counts = keyed.window(TumblingEventTimeWindows.of(Time.seconds(10))).aggregate(Count())
    assert sum(collect(counts)) == 40_002


@pytest.mark.parametrize(("end", "expected"), [(True, [("k", 3)]), (False, [("k", 1), ("k", 3)])])
def test_automatic_is_batch_when_every_source_ends(end: bool, expected: list[Any]) -> None:
    env = environment().set_runtime_mode(RuntimeExecutionMode.AUTOMATIC)
    pairs = env.from_collection([("k", 1), ("k", 2)])
    if not end:
        env.from_source(Source(Endless(1, 2)), WatermarkStrategy.no_watermarks(), "endless").print()
    assert env.is_batch() is end
    summed = pairs.key_by(lambda pair: pair[0]).sum(1)
    assert collect(summed) == expected


def test_a_source_that_never_ends_is_refused() -> None:
    env = batch()
    env.from_source(Source(Endless(1, 2)), WatermarkStrategy.no_watermarks(), "endless").print()
    with pytest.raises(ConfigurationError, match=r"UNBOUNDED source.*'Source: endless' never ends"):
        env.execute()


class Seen(KeyedProcessFunction):
    """Emits what it is called with, and the watermark; asks for one timer of each domain per key."""

    def process_element(self, value: Any, ctx: Any) -> Any:
        ctx.timer_service().register_event_time_timer(7)
        ctx.timer_service().register_processing_time_timer(8)
        yield ctx.get_current_key(), value, ctx.timer_service().current_watermark()

    def on_timer(self, timestamp: int, ctx: Any) -> Any:
        yield ctx.get_current_key(), f"timer {timestamp}", ctx.timer_service().current_watermark()


def stamped(env: StreamExecutionEnvironment, *values: int) -> DataStream:
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Stamp())
    return env.from_collection(values, Types.INT()).assign_timestamps_and_watermarks(strategy)


def is_odd(value: int) -> str:
    return "odd" if value % 2 else "even"


def test_a_keyed_function_sees_one_key_after_the_other_by_event_time_and_its_timers_at_the_end_of_each() -> None:
    seen = collect(stamped(batch(), 5, 4, 3, 2, 1).key_by(is_odd).process(Seen()))
    assert seen == [
        *(("odd", value, MIN_TIMESTAMP) for value in (1, 3, 5)),
        *(("odd", f"timer {time}", MAX_WATERMARK) for time in (7, 8)),
        *(("even", value, MIN_TIMESTAMP) for value in (2, 4)),
        *(("even", f"timer {time}", MAX_WATERMARK) for time in (7, 8)),
    ]


def test_records_without_event_time_keep_their_order_within_a_key() -> None:
    pairs = batch().from_collection([("b", 2), ("a", 9), ("b", 1), ("a", 3)])
    assert collect(pairs.key_by(lambda pair: pair[0]).map(str)) == ["('a', 9)", "('a', 3)", "('b', 2)", "('b', 1)"]


def test_both_inputs_of_a_keyed_function_are_sorted_as_one() -> None:
    class Both(KeyedCoProcessFunction):
        def process_element1(self, value: Any, ctx: Any) -> Any:
            yield "left", value

        def process_element2(self, value: Any, ctx: Any) -> Any:
            yield "right", value

    env = batch()
    left, right = stamped(env, 3, 1, 4).key_by(is_odd), stamped(env, 2, 5, 6).key_by(is_odd)
    assert collect(left.connect(right).process(Both())) == [
        ("left", 1), ("left", 3), ("right", 5), ("right", 2), ("left", 4), ("right", 6)
    ]  # fmt: skip


def test_a_broadcast_side_comes_before_everything_else() -> None:
    rules: MapStateDescriptor[str, int] = MapStateDescriptor("rules", Types.STRING(), Types.INT())

    class Apply(BroadcastProcessFunction):
        def process_element(self, value: Any, ctx: Any) -> Any:
            yield value + ctx.get_broadcast_state(rules).get("add")

        def process_broadcast_element(self, value: Any, ctx: Any) -> Any:
            ctx.get_broadcast_state(rules).put("add", value)

    env = batch()
    values = env.from_collection([3, 1, 2], Types.INT())  # read before the rules
    rule = env.from_collection(range(1, 2001), Types.INT())
    assert collect(values.connect(rule.broadcast(rules)).process(Apply())) == [2003, 2001, 2002]


def test_windows_of_processing_time_fire_at_the_end_of_a_batch() -> None:
    pairs = batch().from_collection([("a", 1), ("b", 2), ("a", 3)])
    windows = pairs.key_by(lambda pair: pair[0]).window(TumblingProcessingTimeWindows.of(Time.days(9999)))
    assert collect(windows.aggregate(Count())) == [2, 1]


def test_what_goes_through_files_comes_out_alike() -> None:
    def last_of_each(memory: str) -> list[Any]:
        env = batch()
        env.configure(Configuration().set_string("execution.sorted-inputs.memory", memory))
        return collect(stamped(env, *range(5000, 0, -1)).key_by(lambda value: value % 7).process(Seen()))

    assert last_of_each("64kb") == last_of_each("128mb")


def test_sorting_can_be_switched_off() -> None:
    env = batch()
    env.configure(Configuration().set_string("execution.sorted-inputs.enabled", "false"))
    seen = collect(stamped(env, 3, 2, 1).key_by(is_odd).process(Seen()))
    assert [value for _, value, _ in seen[:3]] == [3, 2, 1]


@pytest.mark.parametrize(("keyed", "expected"), [(True, None), (False, 50)])
def test_checkpoints_are_taken_only_where_nothing_waits_to_be_sorted(keyed: bool, expected: int | None) -> None:
    env = batch().enable_checkpointing(50)
    numbers: DataStream = env.from_collection([1, 2])
    (numbers.key_by(is_odd) if keyed else numbers).map(str).print()
    _, options, _ = env._prepare(None, handle_signals=False)
    assert options.checkpoint_settings().interval_ms == expected


def test_a_batch_that_fails_begins_anew_and_counts_nothing_twice(tmp_path: Path) -> None:
    failed = tmp_path / "failed"

    def fail_once(pair: Any) -> Any:
        if pair == ("b", 2) and not failed.exists():
            failed.touch()
            raise ValueError("once")
        return pair

    env = batch()
    env.configure(Configuration().set_string("restart-strategy.type", "fixed-delay"))
    env.configure(Configuration().set_string("restart-strategy.fixed-delay.delay", "1 ms"))
    pairs = env.from_collection([("a", 1), ("b", 2), ("a", 3)]).key_by(lambda pair: pair[0]).map(fail_once)
    assert collect(pairs.key_by(lambda pair: pair[0]).sum(1)) == [("a", 4), ("b", 2)]
    assert failed.exists()


def test_a_place_for_temporary_files_that_is_not_there_is_refused() -> None:
    env = batch()
    env.configure(Configuration().set_string("io.tmp.dirs", "/no/such/place"))
    with pytest.raises(ConfigurationError, match=r"io\.tmp\.dirs: there is no directory '/no/such/place'"):
        collect(env.from_collection([1]).key_by(is_odd).map(str))
