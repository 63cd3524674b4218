"""Tumbling and sliding time windows that fire once, at their end: the common case, without asking anybody.

What Flink's default triggers do is written out here: windows by arithmetic, no window, trigger or context object for
a record, and a timer only when a window gets its first element. Contents and timers are those of ``GeneralWindows``.
"""

from __future__ import annotations

from typing import Any

from wiesel.core.contracts import Emit
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.triggers import EventTimeTrigger, ProcessingTimeTrigger
from wiesel.core.window_assigners import (
    NO_TIMESTAMP,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)
from wiesel.core.windows import TimeWindow
from wiesel.runtime.operators.window_general import WindowParts


def is_fixed(parts: WindowParts) -> bool:
    """Whether ``FixedWindows`` does what ``parts`` ask for; depends on what the program says, not on data."""
    assigner, trigger = type(parts.assigner), type(parts.trigger)
    if assigner in (TumblingEventTimeWindows, SlidingEventTimeWindows):
        return trigger is EventTimeTrigger and parts.allowed_lateness_ms == 0
    # Lateness means nothing by the wall clock.
    return (
        assigner in (TumblingProcessingTimeWindows, SlidingProcessingTimeWindows) and trigger is ProcessingTimeTrigger
    )


class FixedWindows:
    """Windows by arithmetic; ``process`` is a closure made for the assigner."""

    def __init__(self, parts: WindowParts) -> None:
        self._parts = parts
        assigner = parts.assigner
        self.process: Emit
        if isinstance(assigner, TumblingEventTimeWindows):
            self.process = self._tumbling_by_event_time(assigner.size, assigner.offset)
        elif isinstance(assigner, SlidingEventTimeWindows):
            self.process = self._sliding_by_event_time(assigner)
        elif isinstance(assigner, TumblingProcessingTimeWindows):
            self.process = self._by_processing_time(assigner.size, assigner.size, assigner.offset)
        elif isinstance(assigner, SlidingProcessingTimeWindows):
            self.process = self._by_processing_time(assigner.size, assigner.slide, assigner.offset)

    def _tumbling_by_event_time(self, size: int, offset: int) -> Emit:
        parts = self._parts
        operator, late = parts.operator, parts.emit_late
        get, put = parts.contents.get, parts.contents.put
        first, add = parts.folding.first, parts.folding.add
        register = parts.backend.timers().register_event_time

        def process(value: Any, timestamp: int) -> None:
            if timestamp <= MIN_TIMESTAMP:
                raise ValueError(NO_TIMESTAMP)
            start = timestamp - (timestamp - offset) % size
            end = start + size
            if end <= operator.current_watermark + 1:
                late(value, timestamp)
                return
            window = (start, end)
            contents = get(window)
            if contents is None:
                register(window, end - 1)
                put(window, first(value))
            else:
                put(window, add(contents, value))

        return process

    def _sliding_by_event_time(self, assigner: SlidingEventTimeWindows) -> Emit:
        parts = self._parts
        operator, late = parts.operator, parts.emit_late
        size, slide, offset = assigner.size, assigner.slide, assigner.offset
        get, put = parts.contents.get, parts.contents.put
        first, add = parts.folding.first, parts.folding.add
        register = parts.backend.timers().register_event_time

        def process(value: Any, timestamp: int) -> None:
            if timestamp <= MIN_TIMESTAMP:
                raise ValueError(NO_TIMESTAMP)
            watermark = operator.current_watermark
            # Windows that end at or before the watermark are over; the latest comes first, so the rest is over too.
            earliest = max(timestamp - size, watermark + 1 - size)
            taken = False
            for start in range(timestamp - (timestamp - offset) % slide, earliest, -slide):
                taken = True
                window = (start, start + size)
                contents = get(window)
                if contents is None:
                    register(window, start + size - 1)
                    put(window, first(value))
                else:
                    put(window, add(contents, value))
            if not taken and timestamp <= watermark:
                late(value, timestamp)

        return process

    def _by_processing_time(self, size: int, slide: int, offset: int) -> Emit:
        parts = self._parts
        now_ms = parts.operator.context.clock.now_ms
        get, put = parts.contents.get, parts.contents.put
        first, add = parts.folding.first, parts.folding.add
        register = parts.backend.timers().register_processing_time

        def process(value: Any, timestamp: int) -> None:
            now = now_ms()
            for start in range(now - (now - offset) % slide, now - size, -slide):
                window = (start, start + size)
                contents = get(window)
                if contents is None:
                    register(window, start + size - 1)
                    put(window, first(value))
                else:
                    put(window, add(contents, value))

        return process

    def on_event_timer(self, timestamp: int, namespace: tuple[int, int]) -> None:
        """Evaluate a window at its end, and drop it."""
        parts = self._parts
        contents = parts.contents.get(namespace)
        window = TimeWindow(*namespace)
        # A timer at another time is left from a program that allowed lateness: that window has fired already.
        if contents is not None and timestamp == window.end - 1:
            parts.evaluate(window, contents, timestamp)
        parts.contents.remove(namespace)
        if parts.clear_function is not None:
            parts.clear_function(window)

    on_processing_timer = on_event_timer
