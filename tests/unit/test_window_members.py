"""What assigners and triggers answer when they are asked directly, as custom ones that build on them do."""

from __future__ import annotations

from typing import Any

import pytest

from wiesel.common import Time
from wiesel.core.metrics import TaskMetricGroup
from wiesel.datastream.window import (
    ContinuousEventTimeTrigger,
    ContinuousProcessingTimeTrigger,
    CountSlidingWindowAssigner,
    CountTrigger,
    CountTumblingWindowAssigner,
    CountWindow,
    CountWindowSerializer,
    DynamicEventTimeSessionWindows,
    DynamicProcessingTimeSessionWindows,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindows,
    GlobalWindowSerializer,
    MergingWindowAssigner,
    NeverTrigger,
    ProcessingTimeSessionWindows,
    ProcessingTimeTrigger,
    PurgingTrigger,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TimeWindow,
    TimeWindowSerializer,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
    Window,
    WindowAssigner,
)
from wiesel.runtime.operators.contexts import TaskRuntimeContext
from wiesel.state.heap.backend import HeapKeyedStateBackend

SECOND = Time.seconds(1)


class GapOf(SessionWindowTimeGapExtractor):
    def extract(self, element: Any) -> int:
        return int(element)


class AssignerContext(WindowAssigner.WindowAssignerContext):
    """It is 12:34 ms."""

    def get_current_processing_time(self) -> int:
        return 12_034

    def get_runtime_context(self) -> Any:
        raise AssertionError("nobody asks")


ASSIGNERS: list[tuple[WindowAssigner, bool, type, type[Trigger]]] = [
    (TumblingEventTimeWindows.of(SECOND), True, TimeWindowSerializer, EventTimeTrigger),
    (TumblingProcessingTimeWindows.of(SECOND), False, TimeWindowSerializer, ProcessingTimeTrigger),
    (SlidingEventTimeWindows.of(SECOND, SECOND), True, TimeWindowSerializer, EventTimeTrigger),
    (SlidingProcessingTimeWindows.of(SECOND, SECOND), False, TimeWindowSerializer, ProcessingTimeTrigger),
    (EventTimeSessionWindows.with_gap(SECOND), True, TimeWindowSerializer, EventTimeTrigger),
    (ProcessingTimeSessionWindows.with_gap(SECOND), False, TimeWindowSerializer, ProcessingTimeTrigger),
    (EventTimeSessionWindows.with_dynamic_gap(GapOf()), True, TimeWindowSerializer, EventTimeTrigger),
    (ProcessingTimeSessionWindows.with_dynamic_gap(GapOf()), False, TimeWindowSerializer, ProcessingTimeTrigger),
    (DynamicEventTimeSessionWindows.with_dynamic_gap(GapOf()), True, TimeWindowSerializer, EventTimeTrigger),
    (
        DynamicProcessingTimeSessionWindows.with_dynamic_gap(GapOf()),
        False,
        TimeWindowSerializer,
        ProcessingTimeTrigger,
    ),
    (GlobalWindows.create(), False, GlobalWindowSerializer, NeverTrigger),
]


@pytest.mark.parametrize(
    ("assigner", "is_event_time", "serializer", "trigger"), ASSIGNERS, ids=lambda part: type(part).__name__
)
def test_an_assigner_tells_its_time_its_serializer_and_its_trigger(
    assigner: WindowAssigner, is_event_time: bool, serializer: type, trigger: type[Trigger]
) -> None:
    assert assigner.is_event_time() is is_event_time
    assert type(assigner.get_window_serializer()) is serializer
    assert type(assigner.get_default_trigger(None)) is trigger


@pytest.mark.parametrize("assigner", [CountTumblingWindowAssigner.of(2), CountSlidingWindowAssigner.of(2, 1)])
def test_count_assigners_are_not_in_event_time(assigner: WindowAssigner) -> None:
    assert assigner.is_event_time() is False
    assert type(assigner.get_window_serializer()) is CountWindowSerializer
    assert isinstance(assigner.get_default_trigger(None), Trigger)


@pytest.mark.parametrize(
    ("assigner", "element", "expected"),
    [
        (TumblingProcessingTimeWindows.of(SECOND), 0, [TimeWindow(12_000, 13_000)]),
        (
            SlidingProcessingTimeWindows.of(Time.seconds(2), SECOND),
            0,
            [TimeWindow(12_000, 14_000), TimeWindow(11_000, 13_000)],
        ),
        (ProcessingTimeSessionWindows.with_gap(SECOND), 0, [TimeWindow(12_034, 13_034)]),
        (ProcessingTimeSessionWindows.with_dynamic_gap(GapOf()), 7, [TimeWindow(12_034, 12_041)]),
        (DynamicProcessingTimeSessionWindows.with_dynamic_gap(GapOf()), 7, [TimeWindow(12_034, 12_041)]),
        (DynamicEventTimeSessionWindows.with_dynamic_gap(GapOf()), 7, [TimeWindow(500, 507)]),
        (EventTimeSessionWindows.with_dynamic_gap(GapOf()), 9, [TimeWindow(500, 509)]),
        (TumblingEventTimeWindows.of(SECOND), 0, [TimeWindow(0, 1000)]),
    ],
)
def test_elements_are_put_into_windows_of_their_time(
    assigner: WindowAssigner, element: Any, expected: list[TimeWindow]
) -> None:
    assert list(assigner.assign_windows(element, 500, AssignerContext())) == expected


class CountingContext(AssignerContext):
    """Keeps the count of a key in heap state."""

    def __init__(self) -> None:
        self.backend = HeapKeyedStateBackend(lambda key: 0)
        self.backend.set_current_key("k")

    def get_runtime_context(self) -> Any:
        return TaskRuntimeContext(
            task_name="window",
            subtask=0,
            parallelism=1,
            max_parallelism=128,
            attempt=0,
            job_parameters={},
            metrics=TaskMetricGroup(),
            backend=self.backend,
        )


def test_count_assigners_number_the_elements_of_a_key() -> None:
    context = CountingContext()
    tumbling = CountTumblingWindowAssigner.of(2)
    assert [list(tumbling.assign_windows("e", 0, context)) for _ in range(3)] == [
        [CountWindow(0)],
        [CountWindow(0)],
        [CountWindow(1)],
    ]
    context = CountingContext()
    sliding = CountSlidingWindowAssigner.of(2, 1)
    assert [len(list(sliding.assign_windows("e", 0, context))) for _ in range(3)] == [1, 2, 2]


def test_assigners_are_made_by_their_static_methods() -> None:
    assert type(DynamicEventTimeSessionWindows.with_dynamic_gap(GapOf())) is DynamicEventTimeSessionWindows
    assert type(DynamicProcessingTimeSessionWindows.with_dynamic_gap(GapOf())) is DynamicProcessingTimeSessionWindows
    assert type(SlidingProcessingTimeWindows.of(SECOND, SECOND)) is SlidingProcessingTimeWindows


class Merged(MergingWindowAssigner.MergeCallback):
    def __init__(self) -> None:
        self.merges: list[tuple[Any, Any]] = []

    def merge(self, to_be_merged: Any, merge_result: Any) -> None:
        self.merges.append((sorted(to_be_merged), merge_result))


@pytest.mark.parametrize(
    "assigner",
    [
        DynamicEventTimeSessionWindows.with_dynamic_gap(GapOf()),
        DynamicProcessingTimeSessionWindows.with_dynamic_gap(GapOf()),
        EventTimeSessionWindows.with_gap(SECOND),
        ProcessingTimeSessionWindows.with_gap(SECOND),
    ],
    ids=lambda assigner: type(assigner).__name__,
)
def test_sessions_that_touch_are_merged(assigner: MergingWindowAssigner) -> None:
    callback = Merged()
    windows = [TimeWindow(0, 10), TimeWindow(5, 20), TimeWindow(30, 40)]
    assigner.merge_windows(windows, callback)
    assert callback.merges == [([TimeWindow(0, 10), TimeWindow(5, 20)], TimeWindow(0, 20))]


class Context(Trigger.OnMergeContext):
    """Time stands still; timers and state are in the open."""

    def __init__(self, watermark: int = 0, processing_time: int = 0) -> None:
        self.watermark = watermark
        self.processing_time = processing_time
        self.timers: set[tuple[str, int]] = set()
        self.merged: list[str] = []
        self.states: dict[str, Any] = {}

    def get_current_processing_time(self) -> int:
        return self.processing_time

    def get_metric_group(self) -> Any:
        raise AssertionError("nobody asks")

    def get_current_watermark(self) -> int:
        return self.watermark

    def register_processing_time_timer(self, time: int) -> None:
        self.timers.add(("processing", time))

    def register_event_time_timer(self, time: int) -> None:
        self.timers.add(("event", time))

    def delete_processing_time_timer(self, time: int) -> None:
        self.timers.discard(("processing", time))

    def delete_event_time_timer(self, time: int) -> None:
        self.timers.discard(("event", time))

    def get_partitioned_state(self, state_descriptor: Any) -> Any:
        from wiesel.state.heap.backend import HeapKeyedStateBackend

        if not self.states:
            backend = HeapKeyedStateBackend(lambda key: 0)
            backend.set_current_key("k")
            self.states["backend"] = backend
        return self.states["backend"].state(state_descriptor)

    def merge_partitioned_state(self, state_descriptor: Any) -> None:
        self.merged.append(state_descriptor.get_name())


WINDOW = TimeWindow(0, 1000)
TRIGGERS: list[tuple[Trigger, bool]] = [
    (EventTimeTrigger.create(), True),
    (ProcessingTimeTrigger.create(), True),
    (ContinuousEventTimeTrigger.of(SECOND), True),
    (ContinuousProcessingTimeTrigger.of(SECOND), True),
    (CountTrigger.of(2), True),
    (NeverTrigger(), False),
    (PurgingTrigger.of(EventTimeTrigger.create()), True),
]


@pytest.mark.parametrize(("trigger", "merges"), TRIGGERS, ids=lambda part: type(part).__name__)
def test_a_trigger_says_whether_its_windows_may_merge(trigger: Trigger, merges: bool) -> None:
    assert trigger.can_merge() is merges


@pytest.mark.parametrize(
    ("trigger", "method"),
    [
        (EventTimeTrigger.create(), "on_processing_time"),
        (ProcessingTimeTrigger.create(), "on_event_time"),
        (ContinuousEventTimeTrigger.of(SECOND), "on_processing_time"),
        (ContinuousProcessingTimeTrigger.of(SECOND), "on_event_time"),
        (CountTrigger.of(2), "on_processing_time"),
        (CountTrigger.of(2), "on_event_time"),
        (NeverTrigger(), "on_processing_time"),
        (NeverTrigger(), "on_event_time"),
        (PurgingTrigger.of(EventTimeTrigger.create()), "on_processing_time"),
    ],
)
def test_a_timer_of_the_other_domain_does_nothing(trigger: Trigger, method: str) -> None:
    assert getattr(trigger, method)(999, WINDOW, Context()) is TriggerResult.CONTINUE


@pytest.mark.parametrize(
    ("trigger", "timer"),
    [
        (EventTimeTrigger.create(), ("event", 999)),
        (ProcessingTimeTrigger.create(), ("processing", 999)),
        (PurgingTrigger.of(EventTimeTrigger.create()), ("event", 999)),
        (PurgingTrigger.of(ProcessingTimeTrigger.create()), ("processing", 999)),
    ],
)
def test_a_merged_window_has_a_timer_and_a_cleared_one_has_none(trigger: Trigger, timer: tuple[str, int]) -> None:
    context = Context()
    trigger.on_merge(WINDOW, context)
    assert context.timers == {timer}
    trigger.clear(WINDOW, context)
    assert context.timers == set()


@pytest.mark.parametrize("trigger", [CountTrigger.of(2), PurgingTrigger.of(CountTrigger.of(2))])
def test_a_count_goes_along_when_windows_merge(trigger: Trigger) -> None:
    context = Context()
    trigger.on_merge(WINDOW, context)
    assert len(context.merged) == 1


def test_never_trigger_never_does_anything() -> None:
    trigger, context = NeverTrigger(), Context()
    assert trigger.on_element(1, 0, WINDOW, context) is TriggerResult.CONTINUE
    trigger.clear(WINDOW, context)
    assert context.timers == set()


def test_a_continuous_processing_trigger_takes_its_state_along() -> None:
    window = TimeWindow(0, 10_000)
    trigger, context = ContinuousProcessingTimeTrigger.of(SECOND), Context(processing_time=1500)
    trigger.on_element(1, 0, window, context)
    assert context.timers == {("processing", 2000)}
    context.timers.clear()
    trigger.on_merge(window, context)
    assert len(context.merged) == 1
    assert context.timers == {("processing", 2000)}


class Own(Trigger):
    """A trigger of the user's own that says nothing about merging."""

    def on_element(self, element: Any, timestamp: int, window: Window, ctx: Any) -> TriggerResult:
        return TriggerResult.FIRE

    def on_processing_time(self, time: int, window: Window, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: Window, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_merge(self, window: Window, ctx: Any) -> None: ...

    def clear(self, window: Window, ctx: Any) -> None: ...


def test_a_trigger_of_one_s_own_does_not_merge_unless_it_says_so() -> None:
    assert Own().can_merge() is False
