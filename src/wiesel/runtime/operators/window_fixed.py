"""Tumbling and sliding time windows with Flink's default triggers: the common case, without asking anybody.

What those triggers do is written out here: windows by arithmetic, no window, trigger or context object for a record,
and a timer only when a window gets its first element. Contents and timers mean the same as in ``GeneralWindows``.
"""

from __future__ import annotations

from typing import Any

from wiesel.core.contracts import Emit
from wiesel.core.elements import MAX_WATERMARK, MIN_TIMESTAMP
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
        return trigger is EventTimeTrigger
    return (
        assigner in (TumblingProcessingTimeWindows, SlidingProcessingTimeWindows) and trigger is ProcessingTimeTrigger
    )


class FixedWindows:
    """Windows by arithmetic; ``process`` is a closure made for the assigner."""

    def __init__(self, parts: WindowParts) -> None:
        timers = parts.backend.timers()
        assigner = parts.assigner
        self._parts = parts
        self._register = timers.register_event_time
        # Lateness means nothing by the wall clock.
        self._lateness = parts.allowed_lateness_ms if assigner.is_event_time() else 0
        self.process: Emit
        if isinstance(assigner, TumblingEventTimeWindows):
            self.process = self._tumbling_by_event_time(assigner.size, assigner.offset)
        elif isinstance(assigner, SlidingEventTimeWindows):
            self.process = self._sliding_by_event_time(assigner)
        else:
            self._register = timers.register_processing_time
            if isinstance(assigner, TumblingProcessingTimeWindows):
                self.process = self._by_processing_time(assigner.size, assigner.size, assigner.offset)
            elif isinstance(assigner, SlidingProcessingTimeWindows):
                self.process = self._by_processing_time(assigner.size, assigner.slide, assigner.offset)

    def _tumbling_by_event_time(self, size: int, offset: int) -> Emit:
        operator, register, take_after_end = self._parts.operator, self._register, self._take_after_end
        late = self._parts.emit_late
        get, put = self._parts.contents.get, self._parts.contents.put
        first, add = self._parts.folding.first, self._parts.folding.add

        def process(value: Any, timestamp: int) -> None:
            if timestamp <= MIN_TIMESTAMP:
                raise ValueError(NO_TIMESTAMP)
            start = timestamp - (timestamp - offset) % size
            end = start + size
            window = (start, end)
            if end <= operator.current_watermark + 1:
                if not take_after_end(value, timestamp, window):
                    late(value, timestamp)
                return
            contents = get(window)
            if contents is None:
                register(window, end - 1)
                put(window, first(value))
            else:
                put(window, add(contents, value))

        return process

    def _sliding_by_event_time(self, assigner: SlidingEventTimeWindows) -> Emit:
        operator, register, take_after_end = self._parts.operator, self._register, self._take_after_end
        late, lateness = self._parts.emit_late, self._lateness
        size, slide, offset = assigner.size, assigner.slide, assigner.offset
        get, put = self._parts.contents.get, self._parts.contents.put
        first, add = self._parts.folding.first, self._parts.folding.add

        def process(value: Any, timestamp: int) -> None:
            if timestamp <= MIN_TIMESTAMP:
                raise ValueError(NO_TIMESTAMP)
            over = operator.current_watermark + 1
            # The latest window comes first, so behind the first one that is too late there are only such.
            earliest = max(timestamp, over - lateness) - size
            taken = False
            for start in range(timestamp - (timestamp - offset) % slide, earliest, -slide):
                window = (start, start + size)
                if start + size <= over:
                    taken = take_after_end(value, timestamp, window) or taken
                    continue
                taken = True
                contents = get(window)
                if contents is None:
                    register(window, start + size - 1)
                    put(window, first(value))
                else:
                    put(window, add(contents, value))
            if not taken and timestamp + lateness < over:
                late(value, timestamp)

        return process

    def _take_after_end(self, value: Any, timestamp: int, window: tuple[int, int]) -> bool:
        """Add a late element and evaluate its window again; return whether it still was in time for that."""
        cleanup_time = self._cleanup_time(window)
        if cleanup_time <= self._parts.operator.current_watermark:
            return False
        contents = self._parts.contents.get(window)
        contents = self._parts.folding.first(value) if contents is None else self._parts.folding.add(contents, value)
        self._parts.contents.put(window, contents)
        self._clean_up_at(window, cleanup_time)
        self._parts.evaluate(TimeWindow(*window), contents, timestamp)
        return True

    def _by_processing_time(self, size: int, slide: int, offset: int) -> Emit:
        now_ms, register = self._parts.operator.context.clock.now_ms, self._register
        get, put = self._parts.contents.get, self._parts.contents.put
        first, add = self._parts.folding.first, self._parts.folding.add

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
        """Evaluate a window at its end, and drop it once no late element is waited for."""
        parts = self._parts
        window = TimeWindow(*namespace)
        # A timer at another time is that of the cleanup, or left from a program that allowed another lateness.
        if timestamp == window.end - 1:
            contents = parts.contents.get(namespace)
            if contents is not None:
                parts.evaluate(window, contents, timestamp)
        cleanup_time = self._cleanup_time(namespace)
        if timestamp < cleanup_time:
            self._clean_up_at(namespace, cleanup_time)
            return
        parts.contents.remove(namespace)
        if parts.clear_function is not None:
            parts.clear_function(window)

    on_processing_timer = on_event_timer

    def _cleanup_time(self, window: tuple[int, int]) -> int:
        return min(window[1] - 1 + self._lateness, MAX_WATERMARK)

    def _clean_up_at(self, window: tuple[int, int], cleanup_time: int) -> None:
        if cleanup_time < MAX_WATERMARK:
            self._register(window, cleanup_time)
