"""The operator harness drives real tasks: time, watermarks, side outputs, two inputs, snapshots, errors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import Job
from wiesel.common import Duration, Row, Time, Types, WatermarkStrategy
from wiesel.core.elements import MAX_WATERMARK, MIN_TIMESTAMP
from wiesel.core.errors import ConfigurationError, StateAccessError
from wiesel.core.watermarks import TimestampAssigner
from wiesel.datastream import (
    AsyncDataStream,
    AsyncFunction,
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    FilterFunction,
    FlatMapFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    MapFunction,
    OutputTag,
    ProcessFunction,
    ReduceFunction,
    StreamExecutionEnvironment,
)
from wiesel.datastream.state import MapStateDescriptor, ValueStateDescriptor
from wiesel.datastream.window import TumblingEventTimeWindows
from wiesel.testing import OperatorHarness, Snapshot, TimestampedValue, harness_of

ODD = OutputTag("odd", Types.LONG())
RULES: MapStateDescriptor[str, int] = MapStateDescriptor("rules", Types.STRING(), Types.LONG())


class Count(KeyedProcessFunction):
    """Counts per key; two timers tell the count."""

    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        self.count.update((self.count.value() or 0) + 1)
        ctx.timer_service().register_event_time_timer(100)
        ctx.timer_service().register_processing_time_timer(1000)
        yield ctx.get_current_key(), self.count.value()

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        yield ctx.time_domain().name, ctx.get_current_key(), self.count.value()


def count_harness(**options: Any) -> OperatorHarness:
    return harness_of(Count(), lambda value: value, **options)


def test_records_come_out_with_their_timestamps() -> None:
    with harness_of(MapDouble()) as harness:
        harness.process_element(2, 10)
        harness.process_element(3)
        assert harness.output == [4, 6]
        assert harness.output_records == [TimestampedValue(4, 10), TimestampedValue(6, MIN_TIMESTAMP)]
        assert harness.take_output() == [4, 6]
        assert harness.output == []


class MapDouble(MapFunction):
    def map(self, value: Any) -> Any:
        return value * 2


class Split(FlatMapFunction):
    def flat_map(self, value: Any) -> Any:
        return value.split()


class Positive(FilterFunction):
    def filter(self, value: Any) -> bool:
        return bool(value > 0)


class Add(ReduceFunction):
    def reduce(self, value1: Any, value2: Any) -> Any:
        return value1 + value2


class Sides(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        yield (ODD, value) if value % 2 else value


@pytest.mark.parametrize(
    ("function", "key_selector", "given", "expected"),
    [
        (MapDouble(), None, [1], [2]),
        (Split(), None, ["a b"], ["a", "b"]),
        (Positive(), None, [1, -1], [1]),
        (Add(), lambda value: 0, [1, 2, 3], [1, 3, 6]),
        (Count(), lambda value: value, ["a", "a"], [("a", 1), ("a", 2)]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_function_of_one_input_runs_as_its_kind_asks(
    function: Any, key_selector: Any, given: list[Any], expected: list[Any]
) -> None:
    with harness_of(function, key_selector) as harness:
        harness.process_elements([(value, None) for value in given])
        assert harness.output == expected


class BothMap(CoMapFunction):
    def map1(self, value: Any) -> Any:
        return 1, value

    def map2(self, value: Any) -> Any:
        return 2, value


class BothFlat(CoFlatMapFunction):
    def flat_map1(self, value: Any) -> Any:
        return [(1, value)]

    def flat_map2(self, value: Any) -> Any:
        return [(2, value)]


class BothProcess(CoProcessFunction):
    def process_element1(self, value: Any, ctx: Any) -> Any:
        return [(1, value)]

    def process_element2(self, value: Any, ctx: Any) -> Any:
        return [(2, value)]


class BothKeyed(KeyedCoProcessFunction):
    def process_element1(self, value: Any, ctx: Any) -> Any:
        return [(1, value)] if ctx.get_current_key() == "k" else []

    def process_element2(self, value: Any, ctx: Any) -> Any:
        return [(2, value)] if ctx.get_current_key() == "k" else []


@pytest.mark.parametrize(
    "function", [BothMap(), BothFlat(), BothProcess(), BothKeyed()], ids=lambda f: type(f).__name__
)
def test_two_inputs_are_told_apart(function: Any) -> None:
    selector = (lambda value: "k") if isinstance(function, KeyedCoProcessFunction) else None
    with harness_of(function, selector) as harness:
        harness.process_element("x")
        harness.process_element("y", input=1)
        assert harness.output == [(1, "x"), (2, "y")]


class Limit(BroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        limit = ctx.get_broadcast_state(RULES).get("limit")
        return [value] if limit is None or value <= limit else []

    def process_broadcast_element(self, value: Any, ctx: Any) -> Any:
        ctx.get_broadcast_state(RULES).put("limit", value)


class KeyedLimit(KeyedBroadcastProcessFunction):
    process_element = Limit.process_element
    process_broadcast_element = Limit.process_broadcast_element


@pytest.mark.parametrize("keyed", [False, True])
def test_the_second_input_may_be_broadcast_state(keyed: bool) -> None:
    function = KeyedLimit() if keyed else Limit()
    with harness_of(function, (lambda v: v) if keyed else None, broadcast_state=[RULES]) as harness:
        harness.process_element(5)
        harness.process_element(3, input=1)
        harness.process_element(4)
        snapshot = harness.snapshot()
        assert harness.output == [5]
    with harness_of(function, (lambda v: v) if keyed else None, broadcast_state=[RULES], restore=snapshot) as restored:
        restored.process_elements([(3, None), (4, None)])
        assert restored.output == [3]


def test_what_came_out_stays_as_it_was_when_the_function_goes_on_changing_it() -> None:
    class Growing(MapFunction):
        def open(self, runtime_context: Any) -> None:
            self.seen: list[Any] = []

        def map(self, value: Any) -> Any:
            self.seen.append(value)
            return self.seen

    with harness_of(Growing()) as harness:
        harness.process_elements([(1, None), (2, None)])
        assert harness.output == [[1], [1, 2]]


def test_event_time_is_as_far_as_the_test_lets_it_be() -> None:
    with count_harness() as harness:
        harness.process_element("a", 1)
        assert harness.current_watermark == MIN_TIMESTAMP
        harness.process_watermark(99)
        assert harness.take_output() == [("a", 1)]
        harness.process_watermark(100)
        assert harness.output_records == [TimestampedValue(("EVENT_TIME", "a", 1), 100)]
        assert harness.current_watermark == 100


def test_the_clock_stands_still_until_it_is_turned() -> None:
    with count_harness(processing_time=500) as harness:
        harness.process_element("a", 1)
        assert harness.processing_time == 500
        harness.set_processing_time(1000)
        assert harness.take_output() == [("a", 1)]
        harness.set_processing_time(1001)
        assert harness.output == [("PROCESSING_TIME", "a", 1)]
        with pytest.raises(ValueError, match="Time does not go back"):
            harness.set_processing_time(1000)


def test_the_end_of_the_input_fires_event_time_and_not_processing_time() -> None:
    with count_harness() as harness:
        harness.process_element("a", 1)
        harness.end_input()
        assert harness.output[1:] == [("EVENT_TIME", "a", 1)]
        assert harness.current_watermark == MAX_WATERMARK
        with pytest.raises(ConfigurationError, match="Input 0 has ended"):
            harness.process_element("b")


def test_the_slower_input_holds_event_time_back_unless_it_is_idle() -> None:
    with harness_of(BothProcess()) as harness:
        harness.process_watermark(10, input=0)
        assert harness.current_watermark == MIN_TIMESTAMP
        harness.process_watermark(5, input=1)
        assert harness.current_watermark == 5
        harness.process_watermark_status(idle=True, input=1)
        harness.process_watermark(20, input=0)
        assert harness.current_watermark == 20


def test_side_outputs_are_kept_when_asked_for() -> None:
    with harness_of(Sides(), side_outputs=[ODD]) as harness:
        harness.process_elements([(n, None) for n in range(5)])
        assert (harness.output, harness.side_output(ODD)) == ([0, 2, 4], [1, 3])
    with harness_of(Sides()) as harness, pytest.raises(ConfigurationError, match=r"side_outputs=\[tag\]"):
        harness.side_output(ODD)


@pytest.mark.parametrize("parallelism", [1, 3, 90])
def test_a_snapshot_goes_on_at_any_parallelism_and_is_one_moment(parallelism: int) -> None:
    with count_harness() as harness:
        harness.process_elements([(key, 1) for key in "abcab"])
        snapshot = harness.snapshot()
        harness.process_elements([(key, 1) for key in "abc"])
        later = harness.snapshot()
    with count_harness(restore=snapshot, parallelism=parallelism) as restored:
        restored.process_elements([(key, 1) for key in "abcd"])
        assert sorted(restored.take_output()) == [("a", 3), ("b", 3), ("c", 2), ("d", 1)]
        restored.process_watermark(100)
        assert sorted(restored.output)[0] == ("EVENT_TIME", "a", 3)
        restored.snapshot()
    with count_harness(restore=later) as restored:
        restored.process_element("a")
        assert restored.output == [("a", 4)]


def test_a_checkpoint_of_a_real_job_can_be_gone_on_from(tmp_path: Path) -> None:
    def program(env: StreamExecutionEnvironment) -> Any:
        return env.from_collection(list("abcab")).key_by(lambda v: v).process(Count()).uid("count").print()

    Job(tmp_path, program, settings={"execution.checkpointing.interval": "1 h"}).run()
    [checkpoint] = (tmp_path / "checkpoints" / "job").glob("chk-*")

    def counting(stream: Any) -> Any:
        return stream.key_by(lambda v: v).process(Count()).uid("count")

    snapshot = Snapshot.of(checkpoint)
    with OperatorHarness(counting, restore=snapshot, allow_non_restored_state=True, parallelism=2) as harness:
        harness.process_elements([("a", None), ("c", None), ("d", None)])
        assert sorted(harness.output) == [("a", 3), ("c", 2), ("d", 1)]


def test_a_small_program_runs_with_its_own_watermarks_and_windows() -> None:
    class Stamp(TimestampAssigner):
        def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
            return int(value[1])

    def program(stream: Any) -> Any:
        strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(0))
        stamped = stream.assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(Stamp()))
        windows = stamped.key_by(lambda v: v[0]).window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
        return windows.reduce(lambda a, b: (a[0], a[1] + b[1]))

    with OperatorHarness(program) as harness:
        harness.process_elements([(("a", 1), None), (("a", 2), None), (("b", 12), None)])
        assert harness.output == []
        harness.set_processing_time(200)  # the interval of periodic watermarks
        assert harness.take_output() == [("a", 3)]
        harness.process_element(("a", 3))
        assert (harness.output, harness.late_records_dropped) == ([], 1)
        assert harness.keyed_state_entries == 1


def test_a_typed_input_takes_what_from_collection_takes() -> None:
    row = Types.ROW_NAMED(["a"], [Types.INT()])
    with OperatorHarness(lambda stream: stream.map(lambda v: v), [row]) as harness:
        harness.process_elements([(Row(a=1.7), None), ((2,), None), ({"a": 3}, None)])
        assert harness.output == [Row(a=1), Row(a=2), Row(a=3)]


def test_a_user_s_error_comes_out_as_it_was_with_operator_and_record_in_a_note() -> None:
    with OperatorHarness(lambda stream: stream.map(lambda v: 1 // v).name("Divide")) as harness:
        with pytest.raises(ZeroDivisionError) as failure:
            harness.process_element(0)
        assert "operator 'Divide'" in failure.value.__notes__[0]
        assert "record 0" in failure.value.__notes__[0]


def test_an_error_of_open_comes_out_too() -> None:
    class Unkeyed(ProcessFunction):
        def open(self, runtime_context: Any) -> None:
            runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

        def process_element(self, value: Any, ctx: Any) -> Any:
            """Never reached."""

    with pytest.raises(StateAccessError, match="executed on a KeyedStream") as failure:
        harness_of(Unkeyed())
    assert "operator 'PROCESS'" in failure.value.__notes__[0]


def test_answers_of_async_functions_can_be_waited_for() -> None:
    class Ask(AsyncFunction):
        async def async_invoke(self, value: Any) -> Any:
            await asyncio.sleep(0)
            return [value + 1]

    def program(stream: Any) -> Any:
        return AsyncDataStream.unordered_wait(stream, Ask(), Time.seconds(10), 10, Types.INT())

    with OperatorHarness(program, [Types.INT()]) as harness:
        harness.process_elements([(n, None) for n in range(5)])
        harness.wait_for_async()
        assert sorted(harness.output) == [1, 2, 3, 4, 5]


def test_leaving_a_harness_closes_its_functions_once(tmp_path: Path) -> None:
    class Closing(MapFunction):
        def map(self, value: Any) -> Any:
            return value

        def close(self) -> None:
            with (tmp_path / "closed").open("a") as told:
                told.write("closed")

    with harness_of(Closing()) as harness:
        harness.process_element(1)
    harness.close()
    assert (tmp_path / "closed").read_text() == "closed"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (Count(), "give harness_of a key_selector"),
        (Limit(), "broadcast_state="),
        (lambda value: value, "Give OperatorHarness the program"),
    ],
)
def test_what_a_function_lacks_is_said(function: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        harness_of(function)


def test_mistakes_of_the_test_are_said() -> None:
    with pytest.raises(TypeError, match=r"build\(\) must return the stream"):
        OperatorHarness(lambda stream: stream.print())
    with harness_of(MapDouble()) as harness, pytest.raises(ConfigurationError, match="There is no input 1"):
        harness.process_element(1, input=1)
