"""Triggers: those that come with Flink and the user's own, with timers, state and merging."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.window_harness import WindowHarness, window_spec
from wiesel.common import Time
from wiesel.core.errors import StateAccessError
from wiesel.core.functions import AggregateFunction, ProcessWindowFunction
from wiesel.core.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    ValueStateDescriptor,
)
from wiesel.core.types import Types
from wiesel.datastream.window import (
    ContinuousEventTimeTrigger,
    ContinuousProcessingTimeTrigger,
    CountTrigger,
    CountTumblingWindowAssigner,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindow,
    GlobalWindows,
    NeverTrigger,
    ProcessingTimeSessionWindows,
    ProcessingTimeTrigger,
    PurgingTrigger,
    TimeWindow,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

TEN = Time.milliseconds(10)


class Elements(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield context.window(), list(elements)


def plus(a: int, b: int) -> int:
    return a + b


def elements_of(windows: WindowHarness) -> list[Any]:
    return [elements for (_, elements), _ in windows.results]


def test_count_trigger_on_a_global_window_keeps_what_it_fired():
    windows = WindowHarness(window_spec(GlobalWindows.create(), trigger=CountTrigger.of(2), function=Elements()))
    for value in range(4):
        windows.process("a", value, value)
    assert windows.results == [((GlobalWindow(), [0, 1]), 1), ((GlobalWindow(), [0, 1, 2, 3]), 3)]


def test_purging_trigger_drops_what_it_fired():
    trigger = PurgingTrigger.of(CountTrigger.of(2))
    windows = WindowHarness(window_spec(GlobalWindows.create(), trigger=trigger, function=Elements()))
    for value in range(5):
        windows.process("a", value)
    assert elements_of(windows) == [[0, 1], [2, 3]]


def test_purging_trigger_around_event_time_starts_anew_within_allowed_lateness():
    spec = window_spec(
        TumblingEventTimeWindows.of(TEN),
        trigger=PurgingTrigger.of(EventTimeTrigger.create()),
        function=Elements(),
        allowed_lateness_ms=10,
    )
    windows = WindowHarness(spec)
    windows.process("a", 1, 1)
    windows.watermark(9)
    windows.process("a", 2, 2)
    windows.finish()
    assert elements_of(windows) == [[1], [2]]


def test_count_trigger_on_time_windows_fires_no_more_at_their_end():
    windows = WindowHarness(
        window_spec(TumblingEventTimeWindows.of(TEN), trigger=CountTrigger.of(2), function=Elements())
    )
    for value in range(3):
        windows.process("a", value, value)
    windows.finish()
    assert elements_of(windows) == [[0, 1]]
    assert windows.backend.number_of_keys() == 0


def test_count_trigger_of_another_size_on_count_windows_is_asked():
    windows = WindowHarness(
        window_spec(CountTumblingWindowAssigner.of(4), trigger=CountTrigger.of(2), function=Elements())
    )
    for value in range(6):
        windows.process("a", value)
    assert elements_of(windows) == [[0, 1], [0, 1, 2, 3], [4, 5]]


def test_never_trigger_silences_time_windows():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), trigger=NeverTrigger(), reduce=plus))
    windows.process("a", 1, 1)
    windows.finish()
    assert windows.results == []
    assert windows.backend.number_of_keys() == 0


def test_processing_time_trigger_on_event_time_windows_fires_by_the_clock():
    spec = window_spec(TumblingEventTimeWindows.of(TEN), trigger=ProcessingTimeTrigger.create(), function=Elements())
    windows = WindowHarness(spec)
    windows.process("a", 1, 1)
    windows.advance(10)
    assert elements_of(windows) == [[1]]
    # The timer at 9 was one of the clock: the window is dropped only when the watermark gets there.
    windows.process("a", 2, 2)
    windows.advance(11)
    assert elements_of(windows) == [[1], [1, 2]]
    windows.finish()
    assert len(windows.results) == 2
    assert windows.backend.number_of_keys() == 0


@pytest.mark.parametrize("step", [1, 1000])
def test_continuous_event_time_trigger_fires_at_each_interval_and_at_the_end(step):
    spec = window_spec(
        TumblingEventTimeWindows.of(TEN),
        trigger=ContinuousEventTimeTrigger.of(Time.milliseconds(4)),
        function=Elements(),
    )
    windows = WindowHarness(spec)
    windows.process("a", 1, 1)
    for watermark in range(0, 1001, step):
        windows.watermark(watermark)
    windows.watermark(1000)
    assert [timestamp for _, timestamp in windows.results] == [4, 8, 9]
    assert windows.backend.number_of_keys() == 0


def test_continuous_event_time_trigger_fires_for_each_late_element():
    spec = window_spec(
        TumblingEventTimeWindows.of(TEN),
        trigger=ContinuousEventTimeTrigger.of(Time.milliseconds(4)),
        function=Elements(),
        allowed_lateness_ms=10,
    )
    windows = WindowHarness(spec)
    windows.watermark(12)
    windows.process("a", 1, 1)
    windows.process("a", 2, 2)
    assert elements_of(windows) == [[1], [1, 2]]


def test_continuous_event_time_trigger_survives_a_merge():
    spec = window_spec(
        EventTimeSessionWindows.with_gap(TEN),
        trigger=ContinuousEventTimeTrigger.of(Time.milliseconds(8)),
        function=Elements(),
    )
    windows = WindowHarness(spec)
    windows.process("a", 1, 1)
    windows.process("a", 20, 20)
    windows.process("a", 10, 10)
    windows.watermark(1000)
    assert [timestamp for _, timestamp in windows.results] == [8, 16, 24, 29]
    assert windows.backend.number_of_keys() == 0


def test_continuous_processing_time_trigger_fires_at_each_interval():
    spec = window_spec(
        GlobalWindows.create(),
        trigger=ContinuousProcessingTimeTrigger.of(Time.milliseconds(5)),
        function=Elements(),
    )
    windows = WindowHarness(spec, now=102)
    windows.process("a", 1)
    windows.advance(105)
    assert windows.results == []
    windows.advance(106)
    windows.process("a", 2)
    windows.advance(111)
    assert windows.results == [((GlobalWindow(), [1]), 105), ((GlobalWindow(), [1, 2]), 110)]


def test_continuous_processing_time_trigger_works_with_sessions():
    spec = window_spec(
        ProcessingTimeSessionWindows.with_gap(TEN),
        trigger=ContinuousProcessingTimeTrigger.of(Time.milliseconds(5)),
        function=Elements(),
    )
    windows = WindowHarness(spec, now=100)
    windows.process("a", 1)
    windows.advance(104)
    windows.process("a", 2)
    for now in range(105, 130):
        windows.advance(now)
    assert [timestamp for _, timestamp in windows.results] == [105, 110, 113]
    assert windows.backend.number_of_keys() == 0


def test_continuous_trigger_refuses_an_interval_of_zero():
    with pytest.raises(ValueError, match="interval above 0"):
        ContinuousEventTimeTrigger.of(Time.milliseconds(0))


# -------------------------------------------------------------------------------------------------- the user's own


class OnStop(Trigger):
    """Fires at the value "stop", or 5 ms after an element by the clock, and says what it was told."""

    def on_element(self, element, timestamp, window, ctx):
        ctx.get_metric_group().counter("elements").inc()
        ctx.register_processing_time_timer(ctx.get_current_processing_time() + 5)
        if element == "stop":
            ctx.delete_processing_time_timer(ctx.get_current_processing_time() + 5)
            return TriggerResult.FIRE_AND_PURGE
        return TriggerResult.PURGE if element == "drop" else TriggerResult.CONTINUE

    def on_processing_time(self, time, window, ctx):
        return TriggerResult.FIRE

    def on_event_time(self, time, window, ctx):
        return TriggerResult.CONTINUE

    def on_merge(self, window, ctx):
        raise AssertionError("global windows do not merge")

    def clear(self, window, ctx):
        raise AssertionError("global windows are never dropped")


def test_trigger_of_the_user_decides():
    windows = WindowHarness(window_spec(GlobalWindows.create(), trigger=OnStop(), function=Elements()), now=100)
    windows.process("a", "x")
    windows.process("a", "drop")
    windows.process("a", "y")
    windows.advance(106)
    windows.process("a", "stop")
    windows.advance(200)
    windows.process("a", "z")
    windows.advance(300)
    assert elements_of(windows) == [["y"], ["y", "stop"], ["z"]]
    assert dict(windows.metrics.read())["elements",] == 5


class Sum(AggregateFunction):
    def create_accumulator(self):
        return 0

    def add(self, value, accumulator):
        return accumulator + value

    def get_result(self, accumulator):
        return -accumulator

    def merge(self, acc_a, acc_b):
        return acc_a + acc_b


class Remembering(Trigger):
    """Keeps each element in three kinds of state, merges them with the windows, and reports them at the end."""

    states: tuple[StateDescriptor[Any], ...] = (
        ListStateDescriptor("list", Types.INT()),
        ReducingStateDescriptor("reducing", plus, Types.INT()),
        AggregatingStateDescriptor("aggregating", Sum(), Types.INT()),
    )

    def on_element(self, element, timestamp, window, ctx):
        for descriptor in self.states:
            ctx.get_partitioned_state(descriptor).add(element)
        ctx.register_event_time_timer(window.max_timestamp())
        return TriggerResult.CONTINUE

    def on_processing_time(self, time, window, ctx):
        return TriggerResult.CONTINUE

    def on_event_time(self, time, window, ctx):
        elements, total, negative = (ctx.get_partitioned_state(descriptor).get() for descriptor in self.states)
        ctx.get_metric_group().gauge("seen", lambda: (window, sorted(elements), total, negative))
        return TriggerResult.FIRE

    def can_merge(self):
        return True

    def on_merge(self, window, ctx):
        for descriptor in self.states:
            ctx.merge_partitioned_state(descriptor)
        ctx.register_event_time_timer(window.max_timestamp())

    def clear(self, window, ctx):
        ctx.delete_event_time_timer(window.max_timestamp())
        for descriptor in self.states:
            ctx.get_partitioned_state(descriptor).clear()


def test_state_of_a_trigger_merges_with_its_windows():
    windows = WindowHarness(
        window_spec(EventTimeSessionWindows.with_gap(TEN), trigger=Remembering(), function=Elements())
    )
    windows.process("a", 1, 1)
    windows.process("a", 20, 20)
    windows.process("a", 10, 10)
    windows.finish()
    seen: Any = dict(windows.metrics.read())["seen",]
    assert seen == (TimeWindow(1, 30), [1, 10, 20], 31, -31)
    assert elements_of(windows) == [[1, 20, 10]]
    assert windows.backend.number_of_keys() == 0


class MergingValueState(Remembering):
    states: tuple[StateDescriptor[Any], ...] = (ValueStateDescriptor("value", Types.INT()),)

    def on_element(self, element, timestamp, window, ctx):
        return TriggerResult.CONTINUE


def test_value_state_cannot_be_merged():
    windows = WindowHarness(
        window_spec(EventTimeSessionWindows.with_gap(TEN), trigger=MergingValueState(), reduce=plus)
    )
    windows.process("a", 1, 1)
    with pytest.raises(StateAccessError, match="does not refer to a mergeable state"):
        windows.process("a", 2, 2)


class Undecided(OnStop):
    def on_element(self, element, timestamp, window, ctx):
        return None


def test_trigger_that_returns_no_result_is_told_so():
    windows = WindowHarness(window_spec(GlobalWindows.create(), trigger=Undecided(), reduce=plus))
    with pytest.raises(TypeError, match="Undecided must return a TriggerResult, got None"):
        windows.process("a", 1)


class Eager(EventTimeTrigger):
    """A subclass of a built-in trigger is asked, not replaced by the built-in behaviour."""

    def on_element(self, element, timestamp, window, ctx):
        return TriggerResult.FIRE


def test_subclass_of_a_default_trigger_is_asked():
    windows = WindowHarness(window_spec(TumblingEventTimeWindows.of(TEN), trigger=Eager(), function=Elements()))
    windows.process("a", 1, 1)
    assert elements_of(windows) == [[1]]


def test_default_trigger_given_by_name_is_the_same_as_none():
    for assigner, trigger in [
        (TumblingEventTimeWindows.of(TEN), EventTimeTrigger.create()),
        (TumblingProcessingTimeWindows.of(TEN), ProcessingTimeTrigger.create()),
    ]:
        windows = WindowHarness(window_spec(assigner, trigger=trigger, function=Elements()))
        windows.process("a", 1, 1)
        windows.advance(50)
        windows.finish()
        assert windows.results == [((TimeWindow(0, 10), [1]), 9)]
