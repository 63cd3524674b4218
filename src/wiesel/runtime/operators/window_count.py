"""Count windows that fire when they are full, without trigger state.

A window's contents go with its evaluation: no later element can belong to it. (Flink keeps them for ever; the results
are the same.)
"""

from __future__ import annotations

from typing import Any

from wiesel.core.contracts import Emit
from wiesel.core.count_windows import CountSlidingWindowAssigner, CountTumblingWindowAssigner
from wiesel.core.triggers import CountTrigger
from wiesel.core.windows import CountWindow
from wiesel.runtime.operators.window_general import WindowParts


def is_count(parts: WindowParts) -> bool:
    """Whether ``CountWindows`` does what ``parts`` ask for; depends on what the program says, not on data."""
    return (
        isinstance(parts.assigner, CountTumblingWindowAssigner | CountSlidingWindowAssigner)
        and type(parts.assigner) in (CountTumblingWindowAssigner, CountSlidingWindowAssigner)
        and type(parts.trigger) is CountTrigger
        and parts.trigger.window_size == parts.assigner.window_size
    )


class CountWindows:
    """Numbers the elements of a key; ``process`` is a closure made for the assigner."""

    def __init__(self, parts: WindowParts) -> None:
        self._parts = parts
        assigner = parts.assigner
        self.process: Emit
        if isinstance(assigner, CountTumblingWindowAssigner):
            self.process = self._tumbling(assigner)
        elif isinstance(assigner, CountSlidingWindowAssigner):
            self.process = self._sliding(assigner)

    def _tumbling(self, assigner: CountTumblingWindowAssigner) -> Emit:
        parts, size = self._parts, assigner.window_size
        count = parts.backend.state(assigner.count_descriptor)
        get, put, remove = parts.contents.get, parts.contents.put, parts.contents.remove
        first, add, evaluate = parts.folding.first, parts.folding.add, parts.evaluate

        def process(value: Any, timestamp: int) -> None:
            number = count.value() or 0
            count.update(number + 1)
            window, place = divmod(number, size)
            contents = get(window)
            contents = first(value) if contents is None else add(contents, value)
            if place < size - 1:
                put(window, contents)
            else:
                remove(window)
                evaluate(CountWindow(window), contents, timestamp)

        return process

    def _sliding(self, assigner: CountSlidingWindowAssigner) -> Emit:
        parts, size, slide = self._parts, assigner.window_size, assigner.window_slide
        window_ids = assigner.window_ids
        count = parts.backend.state(assigner.count_descriptor)
        get, put, remove = parts.contents.get, parts.contents.put, parts.contents.remove
        first, add, evaluate = parts.folding.first, parts.folding.add, parts.evaluate

        def process(value: Any, timestamp: int) -> None:
            number = count.value() or 0
            count.update(number + 1)
            for window in window_ids(number):
                contents = get(window)
                contents = first(value) if contents is None else add(contents, value)
                if number - window * slide < size - 1:
                    put(window, contents)
                else:
                    remove(window)
                    evaluate(CountWindow(window), contents, timestamp)

        return process

    def on_event_timer(self, timestamp: int, namespace: Any) -> None:
        """Count windows have no timers."""

    on_processing_timer = on_event_timer
