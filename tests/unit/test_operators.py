"""Operators one by one, driven through a real task."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.tasks import TaskHarness
from wiesel.common import Duration, Types, WatermarkStrategy
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.core.elements import MAX_WATERMARK, MIN_TIMESTAMP, Batch, EndOfInput, Watermark, WatermarkStatus
from wiesel.core.errors import StateAccessError
from wiesel.datastream import (
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    OutputTag,
    ProcessFunction,
    RuntimeContext,
)
from wiesel.datastream.state import MapStateDescriptor, ValueStateDescriptor
from wiesel.runtime.chain import OperatorRestore

TAG = OutputTag("side", Types.STRING())
OTHER = OutputTag("nobody reads it", Types.STRING())
RULES: MapStateDescriptor[Any, Any] = MapStateDescriptor("rules", Types.STRING(), Types.LONG())


def alone(build: Callable[[Any], Any]) -> TaskHarness:
    """The operators that ``build`` adds, in a task between two others."""
    return TaskHarness(lambda env: build(env.from_collection([]).rebalance()).rebalance().print(), 1)


def two_inputs(build: Callable[[Any, Any], Any], **options: Any) -> TaskHarness:
    return TaskHarness(
        lambda env: build(env.from_collection([]), env.from_collection([])).disable_chaining().print(), 2, **options
    )


# ------------------------------------------------------------------------------------------------- stateless


@pytest.mark.parametrize(
    ("build", "values", "expected"),
    [
        (lambda s: s.map(lambda v: v + 1), [1, 2], [2, 3]),
        (lambda s: s.filter(lambda v: v % 2), [1, 2, 3], [1, 3]),
        (lambda s: s.flat_map(lambda v: [v] * v), [0, 1, 2], [1, 2, 2]),
        (lambda s: s.flat_map(lambda v: "ab"), [1], ["a", "b"]),
        (lambda s: s.map(lambda v: None), [1], [None]),
    ],
)
def test_stateless_functions(build: Callable[[Any], Any], values: list[Any], expected: list[Any]) -> None:
    harness = alone(build)
    harness.records(*values)
    harness.settle()
    assert harness.values() == expected


def test_a_record_keeps_its_timestamp_through_a_chain() -> None:
    harness = alone(lambda s: s.map(lambda v: v).filter(lambda v: True).flat_map(lambda v: [v, v]))
    harness.put(Batch(["a", "b"], [5, MIN_TIMESTAMP]))
    harness.settle()
    batch = harness.outputs[0].poll()
    assert isinstance(batch, Batch)
    assert (batch.values, batch.timestamps) == (["a", "a", "b", "b"], [5, 5, MIN_TIMESTAMP, MIN_TIMESTAMP])


class Split(ProcessFunction):
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Iterator[Any]:
        yield TAG, f"side {value}"
        yield OTHER, "lost"
        yield value
        yield ("an", "ordinary pair")


@pytest.mark.parametrize("chained", [True, False])
def test_a_side_output_is_what_is_yielded_with_its_tag(chained: bool) -> None:
    def build(env: Any) -> None:
        split = env.from_collection([]).rebalance().process(Split())
        split.map(lambda v: v).disable_chaining().print()
        side = split.get_side_output(TAG)
        (side.map(lambda v: v.upper()).disable_chaining() if not chained else side.rebalance().map(lambda v: v)).print()

    harness = TaskHarness(build, 1)
    harness.records(1)
    harness.settle()
    assert harness.values(0) == [1, ("an", "ordinary pair")]
    assert harness.values(1) == ["side 1"]


def test_without_a_reader_of_side_outputs_a_pair_with_a_tag_is_an_ordinary_result() -> None:
    harness = alone(lambda s: s.process(Split()))
    harness.records(1)
    harness.settle()
    assert harness.values()[2] == 1
    assert len(harness.values()) == 0


def test_timers_and_state_off_a_keyed_stream_are_refused() -> None:
    class Timer(ProcessFunction):
        def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Any:
            ctx.timer_service().register_event_time_timer(1)

    harness = alone(lambda s: s.process(Timer()))
    harness.records(1)
    with pytest.raises(StateAccessError, match="key_by"):
        harness.task.step()


# -------------------------------------------------------------------------------------------------- timestamps


class Value(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value)


def stamped(**idle: Any) -> TaskHarness:
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(10)).with_timestamp_assigner(Value())
    if idle:
        strategy = strategy.with_idleness(Duration.of_millis(500))
    return alone(lambda s: s.assign_timestamps_and_watermarks(strategy))


def test_watermarks_follow_the_highest_timestamp_at_each_interval() -> None:
    harness = stamped()
    harness.records(100, 50)
    harness.settle()
    assert harness.values() == [100, 50]
    harness.clock.advance(200)
    harness.settle()
    assert harness.emitted() == [Watermark(89)]
    harness.records(70)
    harness.settle()
    harness.clock.advance(200)
    harness.settle()
    assert harness.emitted() == [70], "a watermark never goes back, nor is it repeated"


def test_upstream_watermarks_end_where_timestamps_are_assigned_but_for_the_last() -> None:
    harness = stamped()
    harness.put(Watermark(1000), WatermarkStatus(idle=True), Watermark(MAX_WATERMARK), EndOfInput())
    harness.settle()
    assert harness.emitted()[0] == Watermark(MAX_WATERMARK)


def test_an_assigner_without_records_goes_idle_and_comes_back_with_the_next() -> None:
    harness = stamped(idle=True)
    harness.records(100)
    for _ in range(5):
        harness.clock.advance(200)
        harness.settle()
    assert harness.emitted() == [100, Watermark(89), WatermarkStatus(idle=True)]
    harness.records(200)
    harness.clock.advance(200)
    harness.settle()
    harness.clock.advance(200)
    harness.settle()
    assert harness.emitted() == [200, WatermarkStatus(idle=False), Watermark(189)]


# -------------------------------------------------------------------------------------------------- two inputs


class Maps(CoMapFunction):
    def map1(self, value: Any) -> Any:
        return "one", value

    def map2(self, value: Any) -> Any:
        return "two", value


class FlatMaps(CoFlatMapFunction):
    def flat_map1(self, value: Any) -> Any:
        return [("one", value)]

    def flat_map2(self, value: Any) -> Any:
        return None if value == 0 else [("two", value)]


class Processes(CoProcessFunction):
    def process_element1(self, value: Any, ctx: CoProcessFunction.Context) -> Any:
        yield "one", value

    def process_element2(self, value: Any, ctx: CoProcessFunction.Context) -> Any:
        yield "two", value


@pytest.mark.parametrize(
    "build",
    [
        lambda a, b: a.connect(b).map(Maps()),
        lambda a, b: a.connect(b).flat_map(FlatMaps()),
        lambda a, b: a.connect(b).process(Processes()),
    ],
)
def test_each_input_has_its_method(build: Callable[[Any, Any], Any]) -> None:
    harness = two_inputs(build)
    harness.records(1, edge=0)
    harness.records(2, edge=1)
    harness.settle()
    assert harness.values() == [("one", 1), ("two", 2)]


class Join(KeyedCoProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.seen = runtime_context.get_state(ValueStateDescriptor("seen", Types.LONG()))

    def process_element1(self, value: Any, ctx: KeyedCoProcessFunction.Context) -> Any:
        self.seen.update(value)
        ctx.timer_service().register_event_time_timer(value)

    def process_element2(self, value: Any, ctx: KeyedCoProcessFunction.Context) -> Any:
        yield ctx.get_current_key(), self.seen.value(), value

    def on_timer(self, timestamp: int, ctx: KeyedCoProcessFunction.OnTimerContext) -> Any:
        yield "timer", timestamp, ctx.get_current_key()


def test_two_keyed_inputs_share_state_and_timers_by_key() -> None:
    harness = two_inputs(lambda a, b: a.key_by(lambda v: v).connect(b.key_by(lambda v: v)).process(Join()))
    harness.records(10, keys=["k"], edge=0)
    harness.settle()
    harness.records(1, 2, keys=["k", "other"], edge=1)
    harness.put(Watermark(20), edge=0)
    harness.put(Watermark(15), edge=1)
    harness.settle()
    assert harness.emitted() == [("k", 10, 1), ("other", None, 2), ("timer", 10, "k"), Watermark(15)]


class Apply(BroadcastProcessFunction):
    def process_element(self, value: Any, ctx: BroadcastProcessFunction.ReadOnlyContext) -> Any:
        yield value, ctx.get_broadcast_state(RULES).get(value)

    def process_broadcast_element(self, value: Any, ctx: BroadcastProcessFunction.Context) -> Any:
        ctx.get_broadcast_state(RULES).put(*value)


def test_broadcast_state_is_seen_by_the_other_side_and_restored_from_a_checkpoint() -> None:
    def build(a: Any, b: Any) -> Any:
        return a.connect(b.broadcast(RULES)).process(Apply()).uid("rules")

    harness = two_inputs(build)
    harness.records(("x", 1), edge=1)
    harness.settle()
    harness.records("x", "y", edge=0)
    harness.settle()
    assert harness.values() == [("x", 1), ("y", None)]
    state = harness.chain.operators[0].snapshot_state()
    restored = two_inputs(build, restore={"rules": OperatorRestore([state], [], rescaled=False)})
    restored.records("x", edge=0)
    restored.settle()
    assert restored.values() == [("x", 1)]


class Forbidden(KeyedBroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        ctx.get_broadcast_state(RULES).put("x", 1)

    def process_broadcast_element(self, value: Any, ctx: Any) -> Any:
        ctx.get_broadcast_state(MapStateDescriptor("unknown", Types.STRING(), Types.LONG()))


def test_broadcast_state_is_written_on_its_own_side_only_and_must_be_declared() -> None:
    harness = two_inputs(lambda a, b: a.key_by(lambda v: v).connect(b.broadcast(RULES)).process(Forbidden()))
    harness.records(1, keys=[1], edge=0)
    with pytest.raises(StateAccessError, match="read-only"):
        harness.task.step()
    harness.records(1, edge=1)
    with pytest.raises(StateAccessError, match="'unknown'"):
        harness.task.step()


# ------------------------------------------------------------------------------------------------------ keyed


class Sees(KeyedProcessFunction):
    """Keeps the element's context to look at it in ``on_timer``."""

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        self.kept = ctx
        ctx.timer_service().register_event_time_timer(100)
        ctx.timer_service().register_event_time_timer(100)
        ctx.timer_service().register_event_time_timer(200)
        ctx.timer_service().delete_event_time_timer(200)
        yield ctx.get_current_key(), ctx.timestamp(), ctx.timer_service().current_watermark()

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        yield timestamp, ctx.get_current_key(), ctx.timestamp(), self.kept.timestamp()


def test_a_keyed_function_sees_key_time_and_a_timer_once() -> None:
    harness = TaskHarness(
        lambda env: env.from_collection([]).key_by(lambda v: v).process(Sees()).disable_chaining().print(), 1
    )
    harness.put(Batch(["v"], [7], [[1]]), Watermark(300))
    harness.settle()
    assert harness.emitted() == [([1], 7, MIN_TIMESTAMP), (100, [1], 100, 7), Watermark(300)]


@pytest.mark.parametrize("build", [lambda s: s.map(lambda v: v), lambda s: s.filter(bool), lambda s: s.flat_map(list)])
def test_a_function_on_a_keyed_stream_may_have_state(build: Callable[[Any], Any]) -> None:
    harness = TaskHarness(lambda env: build(env.from_collection([]).key_by(lambda v: v)).disable_chaining().print(), 1)
    assert harness.chain.backend is not None
