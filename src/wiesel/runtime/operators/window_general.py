"""Windows of any assigner and trigger, one element at a time (Flink: ``WindowOperator``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wiesel.core.contracts import Emit, InternalState, KeyedStateBackend
from wiesel.core.elements import MAX_WATERMARK
from wiesel.core.triggers import Trigger, TriggerResult
from wiesel.core.window_assigners import WindowAssigner
from wiesel.core.windows import namespace_to_window, window_to_namespace
from wiesel.runtime.operators.window_contexts import AssignerContext, TriggerContext
from wiesel.runtime.operators.window_folding import Folding
from wiesel.runtime.operators.window_functions import Evaluate

if TYPE_CHECKING:
    from wiesel.runtime.operators.base import Operator

_CONTINUE: Final = TriggerResult.CONTINUE
_FIRE: Final = TriggerResult.FIRE
_PURGE: Final = TriggerResult.PURGE
_FIRE_AND_PURGE: Final = TriggerResult.FIRE_AND_PURGE


@dataclass(frozen=True, slots=True)
class WindowParts:
    """What every way of running windows is made of.

    Args:
        operator: knows the event time and the clock.
        backend: holds contents and timers of the current key.
        assigner: puts elements into windows.
        trigger: says when a window fires.
        contents: contents by namespace.
        folding: how contents grow.
        evaluate: emits the results of a window.
        clear_function: tells the function that a window is dropped, if it wants to know.
        allowed_lateness_ms: how long after its end a window still takes elements.
        emit_late: takes an element that is too late.
        evicts: whether contents are pairs of element and timestamp, and ``evaluate`` may change them.
    """

    operator: Operator
    backend: KeyedStateBackend
    assigner: WindowAssigner[Any, Any]
    trigger: Trigger[Any, Any]
    contents: InternalState
    folding: Folding
    evaluate: Evaluate
    clear_function: Callable[[Any], None] | None
    allowed_lateness_ms: int
    emit_late: Emit
    evicts: bool = False


class GeneralWindows:
    """Asks the assigner for each element, and the trigger for each element and timer."""

    def __init__(self, parts: WindowParts) -> None:
        self._operator = parts.operator
        self._assigner = parts.assigner
        self._trigger = parts.trigger
        self._contents = parts.contents
        self._first = parts.folding.first
        self._add = parts.folding.add
        self._evaluate = parts.evaluate
        self._clear_function = parts.clear_function
        self._lateness = parts.allowed_lateness_ms
        self._emit_late = parts.emit_late
        self._evicts = parts.evicts
        self._timers = parts.backend.timers()
        self._by_event_time = parts.assigner.is_event_time()
        self._trigger_context = TriggerContext(parts.operator, parts.backend)
        self._assigner_context = AssignerContext(parts.operator)

    def process(self, value: Any, timestamp: int) -> None:
        """Add an element to its windows, and let the trigger say what happens."""
        taken = False
        for window in self._assigner.assign_windows(value, timestamp, self._assigner_context):
            if not self._is_late(window):
                taken = True
                namespace = window_to_namespace(window)
                self._take(value, timestamp, window, namespace, namespace)
        if not taken:
            self._skip(value, timestamp)

    def _take(self, value: Any, timestamp: int, window: Any, namespace: Any, state_namespace: Any) -> None:
        element = (value, timestamp) if self._evicts else value
        contents = self._contents.get(state_namespace)
        self._contents.put(state_namespace, self._first(element) if contents is None else self._add(contents, element))
        context = self._trigger_context
        context.namespace = namespace
        result = self._trigger.on_element(value, timestamp, window, context)
        if result is not _CONTINUE:
            self._act(result, window, state_namespace, timestamp)
        self._clean_up_at(namespace, self._cleanup_time(window))

    def _clean_up_at(self, namespace: Any, cleanup_time: int) -> None:
        if cleanup_time == MAX_WATERMARK:
            return
        if self._by_event_time:
            self._timers.register_event_time(namespace, cleanup_time)
        else:
            self._timers.register_processing_time(namespace, cleanup_time)

    def _act(self, result: TriggerResult, window: Any, state_namespace: Any, timestamp: int) -> None:
        if result is _FIRE or result is _FIRE_AND_PURGE:
            contents = self._contents.get(state_namespace)
            if contents is not None:
                self._evaluate(window, contents, timestamp)
                if self._evicts:
                    self._contents.put(state_namespace, contents)
        if result is _PURGE or result is _FIRE_AND_PURGE:
            self._contents.remove(state_namespace)
        elif result is not _FIRE and result is not _CONTINUE:
            raise TypeError(f"{type(self._trigger).__name__} must return a TriggerResult, got {result!r}.")

    def _skip(self, value: Any, timestamp: int) -> None:
        # An element may also be in no window because the assigner gave it none: that alone does not make it late.
        if self._by_event_time and timestamp + self._lateness <= self._operator.current_watermark:
            self._emit_late(value, timestamp)

    def on_event_timer(self, timestamp: int, namespace: Any) -> None:
        """Tell the trigger that an event-time timer is due, and drop a window whose time is up."""
        self._on_timer(timestamp, namespace, self._trigger.on_event_time, self._by_event_time)

    def on_processing_timer(self, timestamp: int, namespace: Any) -> None:
        """Tell the trigger that a processing-time timer is due, and drop a window whose time is up."""
        self._on_timer(timestamp, namespace, self._trigger.on_processing_time, not self._by_event_time)

    def _on_timer(
        self, timestamp: int, namespace: Any, ask: Callable[[int, Any, Any], TriggerResult], may_be_cleanup: bool
    ) -> None:
        window = namespace_to_window(namespace)
        state_namespace = self._state_namespace(window)
        if state_namespace is None:
            self._on_outgrown(namespace)
            return
        self._trigger_context.namespace = namespace
        result = ask(timestamp, window, self._trigger_context)
        if result is not _CONTINUE:
            self._act(result, window, state_namespace, timestamp)
        if may_be_cleanup:
            cleanup_time = self._cleanup_time(window)
            if timestamp == cleanup_time:
                self._drop(window, namespace, state_namespace)
            elif timestamp < cleanup_time:
                # Restored from a program that allowed less lateness, the window has no timer for its cleanup yet.
                self._clean_up_at(namespace, cleanup_time)

    def _drop(self, window: Any, namespace: Any, state_namespace: Any) -> None:
        self._contents.remove(state_namespace)
        self._trigger_context.namespace = namespace
        self._trigger.clear(window, self._trigger_context)
        if self._clear_function is not None:
            self._clear_function(window)

    def _state_namespace(self, window: Any) -> Any:
        """Return where the contents of ``window`` are, None when it is no longer in flight."""
        return window_to_namespace(window)

    def _on_outgrown(self, namespace: Any) -> None:
        """A timer of a window that is no longer in flight was due."""

    def _is_late(self, window: Any) -> bool:
        return self._by_event_time and self._cleanup_time(window) <= self._operator.current_watermark

    def _cleanup_time(self, window: Any) -> int:
        end: int = window.max_timestamp()
        return min(end + self._lateness, MAX_WATERMARK) if self._by_event_time else end
