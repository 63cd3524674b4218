"""What functions may ask while they run: where they are, time, timers, keys, state, broadcast state."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import Time, Types, WatermarkStrategy
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.core.errors import JobExecutionError
from wiesel.datastream import (
    AggregateFunction,
    BroadcastProcessFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
    ProcessWindowFunction,
    RuntimeContext,
    TimeDomain,
)
from wiesel.datastream.functions import ProcessAllWindowFunction
from wiesel.datastream.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)
from wiesel.datastream.window import CountTrigger, GlobalWindows, TimeWindow, TumblingEventTimeWindows
from wiesel.runtime.operators.base import Operator
from wiesel.runtime.operators.contexts import KeyedTimerService
from wiesel.state.heap.backend import HeapKeyedStateBackend

END = 2**63 - 1
START = -(2**63)
RULES: MapStateDescriptor[str, int] = MapStateDescriptor("rules", Types.STRING(), Types.INT())


class Second(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value) * 1000


def stamped(values: list[int]) -> Any:
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
    return environment().from_collection(values, Types.INT()).assign_timestamps_and_watermarks(strategy)


# ------------------------------------------------------------------------------------------- where it runs


class Here(MapFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.context = runtime_context

    def map(self, value: Any) -> Any:
        context = self.context
        return (
            context.get_task_name(),
            context.get_task_name_with_subtasks(),
            context.get_index_of_this_subtask(),
            context.get_number_of_parallel_subtasks(),
            context.get_max_number_of_parallel_subtasks(),
            context.get_attempt_number(),
            context.get_job_parameter("colour", "none"),
            context.get_job_parameter("size", "none"),
        )


def test_a_function_knows_where_it_runs() -> None:
    env = environment()
    env.set_max_parallelism(32)
    env.get_config().set_global_job_parameters({"colour": "red"})
    stream = env.from_collection([1]).rebalance().map(Here()).name("here").set_parallelism(1)
    [(name, with_subtasks, *rest)] = collect(stream)
    assert "here" in name
    assert with_subtasks == f"{name} (1/1)#0"
    assert rest == [0, 1, 32, 0, "red", "none"]


# ----------------------------------------------------------------------------------------- state of each kind


class Average(AggregateFunction):
    def create_accumulator(self) -> tuple[int, int]:
        return 0, 0

    def add(self, value: int, accumulator: tuple[int, int]) -> tuple[int, int]:
        return accumulator[0] + value, accumulator[1] + 1

    def get_result(self, accumulator: tuple[int, int]) -> float:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]


class AllStates(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        context = runtime_context
        self.value = context.get_state(ValueStateDescriptor("value", Types.INT()))
        self.list = context.get_list_state(ListStateDescriptor("list", Types.INT()))
        self.map = context.get_map_state(MapStateDescriptor("map", Types.STRING(), Types.INT()))
        self.sum = context.get_reducing_state(ReducingStateDescriptor("sum", lambda a, b: a + b, Types.INT()))
        self.mean = context.get_aggregating_state(
            AggregatingStateDescriptor("mean", Average(), Types.PICKLED_BYTE_ARRAY())
        )

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Any:
        if value == 0:
            for state in (self.value, self.list, self.map, self.sum, self.mean):
                state.clear()
        else:
            self.value.update(value)
            self.list.add(value)
            self.map.put(str(value), value)
            self.sum.add(value)
            self.mean.add(value)
        yield self.value.value(), list(self.list.get()), dict(self.map.items()), self.sum.get(), self.mean.get()


def test_every_kind_of_keyed_state_remembers_and_forgets() -> None:
    stream = environment().from_collection([1, 3, 0]).key_by(lambda value: "k")
    assert collect(stream.process(AllStates())) == [
        (1, [1], {"1": 1}, 1, 1.0),
        (3, [1, 3], {"1": 1, "3": 3}, 4, 2.0),
        (None, [], {}, None, None),
    ]


class MapAndList(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.map = runtime_context.get_map_state(MapStateDescriptor("map", Types.STRING(), Types.INT()))
        self.list = runtime_context.get_list_state(ListStateDescriptor("list", Types.INT()))
        self.mean = runtime_context.get_aggregating_state(
            AggregatingStateDescriptor("mean", Average(), Types.PICKLED_BYTE_ARRAY())
        )

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        yield self.map.is_empty(), self.map.get("a"), self.map.contains("a")
        self.map.put("a", 1)
        self.map.put_all({"b": 2, "c": 3})
        self.map["d"] = 4
        yield self.map.is_empty(), self.map.get("a"), self.map["b"], self.map.contains("c"), "d" in self.map
        self.map.remove("a")
        self.map.remove("missing")
        del self.map["b"]
        yield sorted(self.map.keys()), sorted(self.map.values()), sorted(self.map.items()), sorted(self.map)
        self.map.clear()
        yield list(self.map.keys())
        yield list(self.list.get())
        self.list.add_all([1, 2])
        self.list.add(3)
        yield list(self.list.get())
        self.list.update([9])
        yield list(self.list.get())
        self.list.clear()
        yield list(self.list.get())
        self.mean.add(4)
        self.mean.add(None)  # PyFlink: forgets everything
        yield self.mean.get()


def test_maps_and_lists_behave_as_pyflinks() -> None:
    stream = environment().from_collection([0]).key_by(lambda value: "k")
    assert collect(stream.process(MapAndList())) == [
        (True, None, False),
        (False, 1, 2, True, True),
        (["c", "d"], [3, 4], [("c", 3), ("d", 4)], ["c", "d"]),
        [],
        [],
        [1, 2, 3],
        [9],
        [],
        None,
    ]


def test_descriptors_tell_their_names() -> None:
    assert ValueStateDescriptor("v", Types.INT()).get_name() == "v"
    assert ListStateDescriptor("l", Types.INT()).get_name() == "l"
    assert MapStateDescriptor("m", Types.INT(), Types.INT()).get_name() == "m"
    assert ReducingStateDescriptor("r", max, Types.INT()).get_name() == "r"
    assert AggregatingStateDescriptor("a", Average(), Types.INT()).get_name() == "a"


# ------------------------------------------------------------------------------------------------- time and timers


class Timers(KeyedProcessFunction):
    """Registers timers, deletes some, and tells which fire."""

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Any:
        service = ctx.timer_service()
        for timestamp in (1500, 1600):
            service.register_event_time_timer(timestamp)
        service.delete_event_time_timer(1600)
        past = service.current_processing_time() - 10
        service.register_processing_time_timer(past)
        service.register_processing_time_timer(past - 1)
        service.delete_processing_time_timer(past - 1)
        yield "record", ctx.get_current_key(), ctx.timestamp(), service.current_watermark()

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        if ctx.time_domain() is TimeDomain.EVENT_TIME:
            now = ctx.timer_service().current_watermark()
            yield "timer", ctx.get_current_key(), timestamp, ctx.timestamp(), now


def test_a_keyed_function_has_time_and_timers() -> None:
    assert collect(stamped([1]).key_by(lambda value: "k").process(Timers())) == [
        ("record", "k", 1000, START),
        ("timer", "k", 1500, 1500, END),
    ]


class CoTimers(KeyedCoProcessFunction):
    def process_element1(self, value: Any, ctx: KeyedCoProcessFunction.Context) -> Any:
        ctx.timer_service().register_event_time_timer(7)
        yield "first", ctx.get_current_key(), ctx.timestamp()

    def process_element2(self, value: Any, ctx: KeyedCoProcessFunction.Context) -> Any:
        yield "second", ctx.get_current_key(), ctx.timer_service().current_watermark()

    def on_timer(self, timestamp: int, ctx: KeyedCoProcessFunction.OnTimerContext) -> Any:
        yield "timer", ctx.get_current_key(), timestamp, ctx.timestamp(), ctx.time_domain().name
        ctx.timer_service().register_event_time_timer(timestamp + 1) if timestamp < 8 else None


def test_a_keyed_function_of_two_inputs_has_time_and_timers() -> None:
    env = environment()
    first = env.from_collection([1]).key_by(lambda value: value)
    second = env.from_collection([1]).key_by(lambda value: value)
    assert sorted(collect(first.connect(second).process(CoTimers()))) == [
        ("first", 1, START),
        ("second", 1, START),
        ("timer", 1, 7, 7, "EVENT_TIME"),
        ("timer", 1, 8, 8, "EVENT_TIME"),
    ]


def test_a_timer_that_was_deleted_is_not_due() -> None:
    backend = HeapKeyedStateBackend(lambda key: 0)
    backend.set_current_key("k")
    timers = KeyedTimerService(Operator(), backend)
    timers.register_processing_time_timer(5)
    timers.register_processing_time_timer(6)
    timers.delete_processing_time_timer(5)
    timers.register_event_time_timer(7)
    timers.register_event_time_timer(8)
    timers.delete_event_time_timer(7)
    assert [due[0] for due in backend.pop_processing_timers(10, 9)] == [6]
    assert [due[0] for due in backend.pop_event_timers(10, 9)] == [8]


class NoTimers(ProcessFunction):
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Any:
        ctx.timer_service().register_event_time_timer(1)


def test_timers_off_a_keyed_stream_are_refused() -> None:
    with pytest.raises(JobExecutionError, match="only supported on a keyed"):
        collect(environment().from_collection([1]).process(NoTimers()))


# ------------------------------------------------------------------------------------------------------- broadcast


class Broadcast(BroadcastProcessFunction):
    def process_broadcast_element(self, value: Any, ctx: BroadcastProcessFunction.Context) -> Any:
        rules = ctx.get_broadcast_state(RULES)
        before = rules.is_empty(), rules.contains("a"), rules.get("a")
        rules.put("a", 1)
        rules.put_all({"b": 2, "c": 3})
        rules.remove("b")
        after = rules.is_empty(), rules.contains("a"), rules.get("a"), sorted(rules.items())
        listed = sorted(rules.keys()), sorted(rules.values())
        rules.clear()
        times = ctx.timestamp(), ctx.current_watermark(), ctx.current_processing_time() > 0
        yield before, after, listed, rules.is_empty(), times
        rules.put("left", 5)

    def process_element(self, value: Any, ctx: BroadcastProcessFunction.ReadOnlyContext) -> Any:
        ctx.get_broadcast_state(RULES)
        yield "element", ctx.timestamp(), ctx.current_watermark(), ctx.current_processing_time() > 0


def test_broadcast_state_is_written_by_the_broadcast_side() -> None:
    env = environment()
    rules = env.from_collection(["r"]).broadcast(RULES)
    results = collect(env.from_collection([1]).connect(rules).process(Broadcast()))
    assert sorted(results, key=len) == [
        ("element", START, START, True),
        (
            (True, False, None),
            (False, True, 1, [("a", 1), ("c", 3)]),
            (["a", "c"], [1, 3]),
            True,
            (START, START, True),
        ),
    ]


class KeyedBroadcast(KeyedBroadcastProcessFunction):
    def process_broadcast_element(self, value: Any, ctx: KeyedBroadcastProcessFunction.Context) -> Any:
        ctx.get_broadcast_state(RULES).put(value, 5)
        yield "rule", ctx.timestamp(), ctx.current_watermark(), ctx.current_processing_time() > 0

    def process_element(self, value: Any, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> Any:
        ctx.timer_service().register_event_time_timer(END)
        times = ctx.timestamp(), ctx.current_watermark(), ctx.current_processing_time() > 0
        yield "element", ctx.get_current_key(), times

    def on_timer(self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext) -> Any:
        rules = ctx.get_broadcast_state(RULES)
        seen = rules.get("r"), rules.contains("r"), sorted(rules.keys()), sorted(rules.values()), rules.is_empty()
        times = ctx.timestamp(), ctx.current_watermark(), ctx.current_processing_time() > 0
        yield "timer", ctx.get_current_key(), ctx.time_domain().name, seen, sorted(rules.items()), times
        if ctx.timer_service().current_watermark() == END:
            yield ("end",)


def test_the_keyed_side_reads_broadcast_state_and_has_timers() -> None:
    env = environment()
    rules = env.from_collection(["r"]).broadcast(RULES)
    keyed = env.from_collection([1]).key_by(lambda value: value)
    assert sorted(collect(keyed.connect(rules).process(KeyedBroadcast())), key=str) == sorted(
        [
            ("rule", START, START, True),
            ("element", 1, (START, START, True)),
            ("timer", 1, "EVENT_TIME", (5, True, ["r"], [5], False), [("r", 5)], (END, END, True)),
            ("end",),
        ],
        key=str,
    )


class WritesFromTheWrongSide(BroadcastProcessFunction):
    def process_broadcast_element(self, value: Any, ctx: Any) -> Any:
        return ()

    def process_element(self, value: Any, ctx: Any) -> Any:
        ctx.get_broadcast_state(RULES).clear()


def test_broadcast_state_is_read_only_on_the_other_side() -> None:
    env = environment()
    rules = env.from_collection(["r"]).broadcast(RULES)
    with pytest.raises(JobExecutionError, match="read-only"):
        collect(env.from_collection([1]).connect(rules).process(WritesFromTheWrongSide()))


# --------------------------------------------------------------------------------------------------------- windows


class Seen(ProcessWindowFunction):
    """Counts the firings of a window and of a key, and forgets the window's count when the window goes."""

    cleared: ClassVar[list[TimeWindow]] = []

    def process(self, key: Any, context: ProcessWindowFunction.Context, elements: Any) -> Any:
        counts = []
        for store in (context.window_state(), context.global_state()):
            count = store.get_state(ValueStateDescriptor("count", Types.INT()))
            count.update((count.value() or 0) + 1)
            counts.append(count.value())
        times = context.current_watermark(), context.current_processing_time() > 0
        yield key, context.window(), list(elements), *counts, times

    def clear(self, context: ProcessWindowFunction.Context) -> None:
        context.window_state().get_state(ValueStateDescriptor("count", Types.INT())).clear()
        Seen.cleared.append(context.window())


def test_a_process_window_function_sees_its_window_and_two_kinds_of_state() -> None:
    Seen.cleared.clear()
    windows = stamped([1, 2, 12]).key_by(lambda value: "k").window(TumblingEventTimeWindows.of(Time.seconds(10)))
    assert collect(windows.process(Seen())) == [
        ("k", TimeWindow(0, 10_000), [1, 2], 1, 1, (END, True)),
        ("k", TimeWindow(10_000, 20_000), [12], 1, 2, (END, True)),
    ]
    assert Seen.cleared == [TimeWindow(0, 10_000), TimeWindow(10_000, 20_000)]


class SeenByAll(ProcessAllWindowFunction):
    cleared: ClassVar[list[TimeWindow]] = []

    def process(self, context: ProcessAllWindowFunction.Context, elements: Any) -> Any:
        counts = []
        for store in (context.window_state(), context.global_state()):
            count = store.get_state(ValueStateDescriptor("count", Types.INT()))
            count.update((count.value() or 0) + 1)
            counts.append(count.value())
        yield context.window(), list(elements), *counts

    def clear(self, context: ProcessAllWindowFunction.Context) -> None:
        context.window_state().get_state(ValueStateDescriptor("count", Types.INT())).clear()
        SeenByAll.cleared.append(context.window())


def test_a_process_all_window_function_sees_its_window_and_two_kinds_of_state() -> None:
    SeenByAll.cleared.clear()
    windows = stamped([1, 2, 12]).window_all(TumblingEventTimeWindows.of(Time.seconds(10)))
    assert collect(windows.process(SeenByAll())) == [
        (TimeWindow(0, 10_000), [1, 2], 1, 1),
        (TimeWindow(10_000, 20_000), [12], 1, 2),
    ]
    assert SeenByAll.cleared == [TimeWindow(0, 10_000), TimeWindow(10_000, 20_000)]


def test_windowed_streams_know_their_environment_and_type() -> None:
    stream = environment().from_collection([1], Types.INT())
    for windowed in (
        stream.key_by(lambda value: value).window(GlobalWindows.create()),
        stream.window_all(GlobalWindows.create()),
    ):
        assert windowed.get_execution_environment() is stream.get_execution_environment()
        assert windowed.get_input_type() == Types.INT()
        assert windowed.trigger(CountTrigger.of(1)).allowed_lateness(5) is windowed
