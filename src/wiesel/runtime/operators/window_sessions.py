"""Sessions that fire once, at their end: the common case, without window, trigger or context objects for a record.

What Flink's default triggers and ``MergingWindowSet`` do for time windows is written out here. Contents, timers and the
set of windows in flight are those of ``MergingWindows``.
"""

from __future__ import annotations

from typing import Any

from wiesel.core.contracts import InternalState
from wiesel.core.session_windows import (
    DynamicEventTimeSessionWindows,
    DynamicProcessingTimeSessionWindows,
    EventTimeSessionWindows,
    ProcessingTimeSessionWindows,
)
from wiesel.core.triggers import EventTimeTrigger, ProcessingTimeTrigger
from wiesel.core.windows import TimeWindow
from wiesel.runtime.operators.window_general import WindowParts
from wiesel.runtime.operators.window_merging import OF_KEY

#: A window as state knows it: start and end.
Span = tuple[int, int]


def is_session(parts: WindowParts) -> bool:
    """Whether ``SessionWindows`` does what ``parts`` ask for; depends on what the program says, not on data."""
    assigner, trigger = type(parts.assigner), type(parts.trigger)
    if assigner in (EventTimeSessionWindows, DynamicEventTimeSessionWindows):
        return trigger is EventTimeTrigger and parts.allowed_lateness_ms == 0
    return (
        assigner in (ProcessingTimeSessionWindows, DynamicProcessingTimeSessionWindows)
        and trigger is ProcessingTimeTrigger
    )


class SessionWindows:
    """A key's sessions in flight never touch each other, so an element meets those around it and no others."""

    def __init__(self, parts: WindowParts, windows_in_flight: InternalState) -> None:
        timers = parts.backend.timers()
        self._parts = parts
        self._operator = parts.operator
        self._now_ms = parts.operator.context.clock.now_ms
        self._gap_of = parts.assigner.gap_of  # type: ignore[attr-defined]
        self._by_event_time = parts.assigner.is_event_time()
        self._contents = parts.contents
        self._first = parts.folding.first
        self._add = parts.folding.add
        self._in_flight = windows_in_flight
        self._register = timers.register_event_time if self._by_event_time else timers.register_processing_time
        self._delete = timers.delete_event_time if self._by_event_time else timers.delete_processing_time

    def process(self, value: Any, timestamp: int) -> None:
        """Add an element to the session that it falls into, extends, joins with others or begins."""
        start = timestamp if self._by_event_time else self._now_ms()
        end = start + self._gap_of(value)
        in_flight: dict[Span, Span] | None = self._in_flight.get(OF_KEY)
        touched = [span for span in in_flight if span[0] <= end and start <= span[1]] if in_flight else ()
        if not touched:
            if self._by_event_time and end - 1 <= self._operator.current_watermark:
                self._parts.emit_late(value, timestamp)
                return
            span = place = (start, end)
            self._register(span, end - 1)
            self._in_flight.put(OF_KEY, {**in_flight, span: place} if in_flight else {span: place})
        else:
            assert in_flight is not None
            span = touched[0]
            if len(touched) == 1 and span[0] <= start and end <= span[1]:
                place = in_flight[span]
            else:
                place = self._join(in_flight, touched, start, end)
        contents = self._contents.get(place)
        self._contents.put(place, self._first(value) if contents is None else self._add(contents, value))

    def _join(self, in_flight: dict[Span, Span], touched: list[Span], start: int, end: int) -> Span:
        """Make the touched sessions and the new span one, and return where its contents are."""
        remaining = in_flight.copy()  # a set that was put into state is not changed
        places = []
        for span in touched:
            self._delete(span, span[1] - 1)
            places.append(remaining.pop(span))
            start = min(start, span[0])
            end = max(end, span[1])
        joined, place = (start, end), places[0]
        self._register(joined, end - 1)
        remaining[joined] = place
        self._in_flight.put(OF_KEY, remaining)
        if len(places) > 1:
            self._move_contents(place, places[1:])
        return place

    def _move_contents(self, place: Span, others: list[Span]) -> None:
        contents = self._contents.get(place)
        for other in others:
            contents = self._parts.folding.merge(contents, self._contents.get(other))
            self._contents.remove(other)
        self._contents.put(place, contents)

    def on_event_timer(self, timestamp: int, namespace: Span) -> None:
        """Evaluate a session at its end, and drop it."""
        parts = self._parts
        in_flight: dict[Span, Span] = self._in_flight.get(OF_KEY) or {}
        place = in_flight.get(namespace)
        if place is None:
            return
        contents = self._contents.get(place)
        window = TimeWindow(*namespace)
        # A timer at another time is left from a program that allowed lateness: that window has fired already.
        if contents is not None and timestamp == window.end - 1:
            parts.evaluate(window, contents, timestamp)
        self._contents.remove(place)
        if parts.clear_function is not None:
            parts.clear_function(window)
        remaining = {span: its_place for span, its_place in in_flight.items() if span != namespace}
        if remaining:
            self._in_flight.put(OF_KEY, remaining)
        else:
            self._in_flight.remove(OF_KEY)

    on_processing_timer = on_event_timer
