"""The BATCH runtime mode: final results only, nothing is late, every source ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import Duration, Time, Types, WatermarkStrategy
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.connectors.collections.number_sequence import NumberSequenceSpec
from wiesel.core.errors import ConfigurationError
from wiesel.datastream import AggregateFunction, RuntimeExecutionMode, StreamExecutionEnvironment
from wiesel.datastream.connectors import Source
from wiesel.datastream.window import TumblingEventTimeWindows


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
