"""Windows, assigners and triggers of one's own, with merging: what a program may bring to Flink, it may bring here."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from tests.unit.window_harness import WindowHarness, window_spec
from wiesel.common import Time, Types
from wiesel.core.errors import ConfigurationError
from wiesel.core.functions import ProcessWindowFunction
from wiesel.core.state import ListStateDescriptor
from wiesel.datastream.window import (
    CountTrigger,
    EventTimeSessionWindows,
    EventTimeTrigger,
    MergingWindowAssigner,
    NeverTrigger,
    ProcessingTimeTrigger,
    PurgingTrigger,
    TimeWindow,
    TimeWindowSerializer,
    Trigger,
    TriggerResult,
    Window,
)


class Visit(Window):
    """A stay that ends ``length`` after its begin, however many elements it has; hashable, comparable, picklable."""

    def __init__(self, start: int, end: int, guests: int = 1) -> None:
        self.start, self.end, self.guests = start, end, guests

    def max_timestamp(self) -> int:
        return self.end - 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Visit) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.start, self.end, self.guests))

    def __repr__(self) -> str:
        return f"Visit({self.start}, {self.end}, {self.guests})"


class Visits(MergingWindowAssigner[Any, Visit]):
    """Windows of 10 ms that merge when they overlap; the value "leave" ends a visit where it is.

    Args:
        shrink: let merged windows end too early, which an assigner must not do.
    """

    def __init__(self, by_event_time: bool = True, shrink: bool = False) -> None:
        self._by_event_time, self._shrink = by_event_time, shrink

    def assign_windows(self, element: Any, timestamp: int, context: Any) -> list[Visit]:
        start = timestamp if self._by_event_time else context.get_current_processing_time()
        return [Visit(start, start + (1 if element == "leave" else 10))]

    def merge_windows(self, windows: Any, callback: Any) -> None:
        group: list[Visit] = []
        for window in [*sorted(windows, key=lambda window: window.start), None]:
            if group and (window is None or window.start >= max(member.end for member in group)):
                if len(group) > 1:
                    end = group[0].start + 1 if self._shrink else max(member.end for member in group)
                    guests = sum(member.guests for member in group)
                    callback.merge(group, Visit(group[0].start, end, guests))
                group = []
            if window is not None:
                group.append(window)

    def get_default_trigger(self, env: Any) -> Trigger:
        return EventTimeTrigger.create() if self._by_event_time else ProcessingTimeTrigger.create()

    def get_window_serializer(self) -> Any:
        return TimeWindowSerializer()

    def is_event_time(self) -> bool:
        return self._by_event_time


class Contents(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield key, context.window(), sorted(elements)


def test_windows_of_an_own_assigner_merge_and_keep_what_they_know() -> None:
    windows = WindowHarness(window_spec(Visits(), function=Contents()))
    for key, value, timestamp in [("a", "x", 0), ("a", "y", 15), ("b", "z", 3), ("a", "w", 8), ("a", "leave", 16)]:
        windows.process(key, value, timestamp)
        windows.restart()
    windows.watermark(23)
    assert windows.take() == [("b", Visit(3, 13, 1), ["z"])]
    windows.watermark(24)
    assert windows.take() == [("a", Visit(0, 25, 4), ["leave", "w", "x", "y"])]
    assert windows.backend.number_of_keys() == 0


def test_an_own_assigner_goes_by_the_clock() -> None:
    windows = WindowHarness(window_spec(Visits(by_event_time=False), function=Contents()), now=100)
    windows.process("a", "x")
    windows.advance(106)
    windows.process("a", "y")
    windows.advance(115)
    assert windows.take() == []
    windows.advance(116)
    assert windows.take() == [("a", Visit(100, 116, 2), ["x", "y"])]


def test_late_elements_reopen_an_own_window_within_allowed_lateness() -> None:
    windows = WindowHarness(window_spec(Visits(), function=Contents(), allowed_lateness_ms=5))
    windows.process("a", "x", 0)
    windows.watermark(9)
    windows.process("a", "y", 4)
    windows.watermark(30)
    windows.process("a", "z", 6)
    assert windows.take() == [("a", Visit(0, 10, 1), ["x"]), ("a", Visit(0, 14, 2), ["x", "y"])]
    assert windows.dropped == 1


@pytest.mark.parametrize(("by_event_time", "time"), [(True, "event-time"), (False, "processing-time")])
def test_windows_may_not_end_in_the_past_by_merging(by_event_time: bool, time: str) -> None:
    windows = WindowHarness(window_spec(Visits(by_event_time, shrink=True), function=Contents()), now=100)
    windows.process("a", "x", 100)
    windows.watermark(104)
    windows.advance(104)
    with pytest.raises(ConfigurationError, match=f"The end timestamp of an? {time} window cannot become earlier"):
        windows.process("a", "y", 105)


class AtThree(Trigger[Any, Any]):
    """Fires when a window has three elements, and at its end; what it counts merges with its windows."""

    def __init__(self) -> None:
        self._elements: ListStateDescriptor[Any] = ListStateDescriptor("elements", Types.PICKLED_BYTE_ARRAY())

    def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
        ctx.register_event_time_timer(window.max_timestamp())
        elements = ctx.get_partitioned_state(self._elements)
        elements.add(element)
        return TriggerResult.FIRE if len(list(elements.get())) == 3 else TriggerResult.CONTINUE

    def on_processing_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.FIRE_AND_PURGE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: Any, ctx: Any) -> None:
        ctx.merge_partitioned_state(self._elements)
        ctx.register_event_time_timer(window.max_timestamp())

    def clear(self, window: Any, ctx: Any) -> None:
        ctx.get_partitioned_state(self._elements).clear()
        ctx.delete_event_time_timer(window.max_timestamp())


@pytest.mark.parametrize("assigner", [EventTimeSessionWindows.with_gap(Time.milliseconds(10)), Visits()])
def test_state_of_an_own_trigger_merges_with_the_windows_of_any_assigner(assigner: Any) -> None:
    windows = WindowHarness(window_spec(assigner, function=Contents(), trigger=AtThree()))
    for value, timestamp in [("x", 0), ("y", 18), ("z", 9)]:  # the third joins both
        windows.process("a", value, timestamp)
        windows.restart()
    assert [elements for _, _, elements in windows.take()] == [["x", "y", "z"]]
    windows.finish()
    assert [elements for _, _, elements in windows.take()] == [["x", "y", "z"]]
    assert windows.backend.number_of_keys() == 0


@pytest.mark.parametrize("trigger", [NeverTrigger(), PurgingTrigger.of(NeverTrigger())])
def test_windows_that_merge_need_a_trigger_that_merges(trigger: Trigger) -> None:
    keyed = environment().from_collection([1]).key_by(lambda value: value)
    sessions = keyed.window(EventTimeSessionWindows.with_gap(Time.milliseconds(1)))
    with pytest.raises(TypeError, match=r"does not support merging: \w+\.can_merge\(\) returns False"):
        sessions.trigger(trigger)
    with pytest.raises(TypeError, match="does not support merging"):
        keyed.window_all(Visits()).trigger(trigger)
    assert sessions.trigger(CountTrigger.of(1)) is sessions


def test_an_own_assigner_runs_as_a_program() -> None:
    stream = environment(2).from_collection([("a", 1), ("b", 2), ("a", 3)])
    rows = collect(
        stream.key_by(lambda row: row[0]).window(OneWindow()).trigger(CountTrigger.of(2)).process(Contents())
    )
    assert [(key, sorted(elements)) for key, _, elements in rows] == [("a", [("a", 1), ("a", 3)])]


class OneWindow(Visits):
    """Everything in one window, by the clock."""

    def __init__(self) -> None:
        super().__init__(by_event_time=False)

    def assign_windows(self, element: Any, timestamp: int, context: Any) -> list[Visit]:
        return [Visit(0, 2**62)]

    def merge_windows(self, windows: Any, callback: Any) -> None:
        groups = Counter(windows)
        assert set(groups) == {Visit(0, 2**62)}


def test_a_time_window_covers_what_it_intersects() -> None:
    window = TimeWindow(0, 10)
    assert window.intersects(TimeWindow(10, 20)) and not window.intersects(TimeWindow(11, 20))
    assert window.cover(TimeWindow(5, 20)) == TimeWindow(0, 20)
