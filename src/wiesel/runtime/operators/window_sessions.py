"""Sessions that fire once, at their end: the common case, without window, trigger or context objects for a record.

What Flink's default triggers and ``MergingWindowSet`` do for time windows is written out here. Contents and the set of
windows in flight are those of ``MergingWindows``. Timers are not quite: a session that grows keeps the timer that it
has, which is set anew when it is due, so that an element costs none; ``MergingWindows`` understands both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wiesel.core.contracts import Emit, InternalState
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
        self._by_event_time = parts.assigner.is_event_time()
        self._in_flight = windows_in_flight
        self._register = timers.register_event_time if self._by_event_time else timers.register_processing_time
        self.process = self._bind()

    def _bind(self) -> Emit:
        """Return what adds an element to the session that it falls into, extends, joins with others or begins."""
        by_event_time, now_ms = self._by_event_time, self._operator.context.clock.now_ms
        gap_of = self._parts.assigner.gap_of  # type: ignore[attr-defined]
        sessions_of_key, place_of = self._in_flight.get, self._place_of
        first, add = self._parts.folding.first, self._parts.folding.add
        get, put = self._parts.contents.get, self._parts.contents.put

        def process(value: Any, timestamp: int) -> None:
            start = timestamp if by_event_time else now_ms()
            end = start + gap_of(value)
            in_flight: dict[Span, Span] | None = sessions_of_key(OF_KEY)
            place = place_of(in_flight, start, end)
            if place is None:
                self._parts.emit_late(value, timestamp)
                return
            contents = get(place)
            put(place, first(value) if contents is None else add(contents, value))

        return process

    def _place_of(self, in_flight: dict[Span, Span] | None, start: int, end: int) -> Span | None:
        """Return where the contents of a new span's session are, which may begin with it; None when it is too late."""
        if in_flight is not None:
            if len(in_flight) == 1:
                ((span, place),) = in_flight.items()
                if span[0] <= start <= span[1]:
                    if end > span[1]:  # it grows at its end, as most do
                        self._grow(span, (span[0], end), {(span[0], end): place})
                    return place
            touched = [span for span in in_flight if span[0] <= end and start <= span[1]]
            if touched:
                return self._join(in_flight, touched, start, end)
        if self._by_event_time and end - 1 <= self._operator.current_watermark:
            return None
        place = (start, end)
        self._register(place, end - 1)
        self._in_flight.put(OF_KEY, {**in_flight, place: place} if in_flight else {place: place})
        return place

    def _grow(self, span: Span, grown: Span, in_flight: dict[Span, Span]) -> None:
        """Let a session become longer, without a timer: the one that it has finds it."""
        self._in_flight.put(OF_KEY, in_flight)
        if span[1] - 1 <= self._operator.current_watermark:
            # Restored from a program that allowed lateness, it has fired at its end and has no timer there.
            self._register(grown, grown[1] - 1)

    def _join(self, in_flight: dict[Span, Span], touched: list[Span], start: int, end: int) -> Span:
        """Make the touched sessions and the new span one, and return where its contents are."""
        remaining = in_flight.copy()  # a set that was put into state is not changed
        latest = max(touched, key=lambda span: span[1])
        joined = (min(start, *(span[0] for span in touched)), max(end, latest[1]))
        places = [remaining.pop(span) for span in touched]
        remaining[joined] = places[0]
        if joined not in in_flight:
            self._grow(latest, joined, remaining)
        if len(places) > 1:
            self._move_contents(places[0], places[1:])
        return places[0]

    def _move_contents(self, place: Span, others: list[Span]) -> None:
        state = self._parts.contents
        contents = state.get(place)
        for other in others:
            contents = self._parts.folding.merge(contents, state.get(other))
            state.remove(other)
        state.put(place, contents)

    def on_event_timer(self, timestamp: int, namespace: Span) -> None:
        """Evaluate a session at its end, and drop it; one that has grown meanwhile is waited for."""
        parts = self._parts
        in_flight: dict[Span, Span] = self._in_flight.get(OF_KEY) or {}
        span = session_of(namespace, in_flight)
        if span is None:
            return
        end = span[1]
        if timestamp < end - 1:
            self._register(span, end - 1)
            return
        place = in_flight[span]
        contents = parts.contents.get(place)
        window = TimeWindow(*span)
        # A timer at another time is left from a program that allowed lateness: that window has fired already.
        if contents is not None and timestamp == end - 1:
            parts.evaluate(window, contents, timestamp)
        parts.contents.remove(place)
        if parts.clear_function is not None:
            parts.clear_function(window)
        if len(in_flight) > 1:
            remaining = {other: its_place for other, its_place in in_flight.items() if other != span}
            self._in_flight.put(OF_KEY, remaining)
        else:
            self._in_flight.remove(OF_KEY)

    on_processing_timer = on_event_timer


def session_of(namespace: Span, in_flight: Iterable[Span]) -> Span | None:
    """Return the session that a timer's window has become part of, None when it is over.

    Sessions in flight do not touch, so there is one at most; and one that is over has left no timer that a later
    session could hold, since all of them were due by then.
    """
    start, end = namespace
    for span in in_flight:
        if span[0] <= start and end <= span[1]:
            return span
    return None
