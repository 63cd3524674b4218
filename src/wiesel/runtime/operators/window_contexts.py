"""What triggers, window assigners and window functions see while one window of one key is at hand.

There is one context of each kind an operator; ``enter`` turns it to another window, as in Flink.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from wiesel.core.contracts import KeyedStateBackend
from wiesel.core.errors import StateAccessError
from wiesel.core.functions import ProcessAllWindowFunction, ProcessWindowFunction, RuntimeContext
from wiesel.core.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    ValueStateDescriptor,
)
from wiesel.core.triggers import Trigger
from wiesel.core.window_assigners import WindowAssigner
from wiesel.core.windows import window_to_namespace

if TYPE_CHECKING:
    from wiesel.core.metrics import MetricGroup
    from wiesel.runtime.operators.base import Operator


class StateStore:
    """States of one scope of names, made once (Flink: ``KeyedStateStore``).

    Args:
        backend: holds the states.
        scope: put before each name, so that trigger, window and global state may share one.
        namespace: tells the current namespace; None for state of the key alone.
    """

    def __init__(self, backend: KeyedStateBackend, scope: str, namespace: Callable[[], Any] | None) -> None:
        self._backend = backend
        self._scope = scope
        self._namespace = namespace
        self._states: dict[str, Any] = {}

    def get_state(self, state_descriptor: StateDescriptor[Any]) -> Any:
        """Return the state that ``state_descriptor`` names."""
        state = self._states.get(state_descriptor.name)
        if state is None:
            scoped = copy.copy(state_descriptor)
            scoped.name = self._scope + scoped.name
            state = self._states[state_descriptor.name] = self._backend.state(scoped, self._namespace)
        return state

    get_list_state = get_state
    get_map_state = get_state
    get_reducing_state = get_state
    get_aggregating_state = get_state


class NoWindowState:
    """Stands where a merging window has no state of its own."""

    def get_state(self, state_descriptor: StateDescriptor[Any]) -> Any:
        """Refuse."""
        raise StateAccessError(
            "Per-window state is not allowed when using merging windows. Use context.global_state() instead."
        )

    get_list_state = get_state
    get_map_state = get_state
    get_reducing_state = get_state
    get_aggregating_state = get_state


class _AggregatingTriggerState:
    """An ``AggregatingState`` whose accumulator can be reached, so that it can be merged."""

    def __init__(self, accumulator: Any, function: Any) -> None:
        self.accumulator = accumulator
        self.function = function

    def get(self) -> Any:
        """Return the result so far, or None."""
        accumulator = self.accumulator.value()
        return None if accumulator is None else self.function.get_result(accumulator)

    def add(self, value: Any) -> None:
        """Fold one value in."""
        accumulator = self.accumulator.value()
        if accumulator is None:
            accumulator = self.function.create_accumulator()
        self.accumulator.update(self.function.add(value, accumulator))

    def merge(self, accumulator: Any) -> None:
        """Merge an accumulator in."""
        own = self.accumulator.value()
        self.accumulator.update(accumulator if own is None else self.function.merge(own, accumulator))

    def clear(self) -> None:
        """Forget everything."""
        self.accumulator.clear()


class TriggerContext(Trigger.OnMergeContext):
    """Time, timers and state for the trigger."""

    def __init__(self, operator: Operator, backend: KeyedStateBackend) -> None:
        self.namespace: Any = None
        self.merged_windows: Sequence[Any] = ()
        self._operator = operator
        self._clock = operator.context.clock
        self._timers = backend.timers()
        self._states = StateStore(backend, "_trigger.", lambda: self.namespace)
        self._aggregating: dict[str, _AggregatingTriggerState] = {}

    def get_current_processing_time(self) -> int:
        """Return the wall clock."""
        return self._clock.now_ms()

    def get_metric_group(self) -> MetricGroup:
        """Return the operator's metric group."""
        return self._operator.context.runtime_context.get_metrics_group()

    def get_current_watermark(self) -> int:
        """Return the operator's event time."""
        return self._operator.current_watermark

    def register_processing_time_timer(self, time: int) -> None:
        """Register for the current key and window."""
        self._timers.register_processing_time(self.namespace, time)

    def register_event_time_timer(self, time: int) -> None:
        """Register for the current key and window."""
        self._timers.register_event_time(self.namespace, time)

    def delete_processing_time_timer(self, time: int) -> None:
        """Forget the timer."""
        self._timers.delete_processing_time(self.namespace, time)

    def delete_event_time_timer(self, time: int) -> None:
        """Forget the timer."""
        self._timers.delete_event_time(self.namespace, time)

    def get_partitioned_state(self, state_descriptor: StateDescriptor[Any]) -> Any:
        """Return state of the current key and window."""
        if not isinstance(state_descriptor, AggregatingStateDescriptor):
            return self._states.get_state(state_descriptor)
        state = self._aggregating.get(state_descriptor.name)
        if state is None:
            accumulator: ValueStateDescriptor[Any] = ValueStateDescriptor(
                state_descriptor.name, state_descriptor.type_info
            )
            state = _AggregatingTriggerState(self._states.get_state(accumulator), state_descriptor.get_agg_function())
            self._aggregating[state_descriptor.name] = state
        return state

    def merge_partitioned_state(self, state_descriptor: StateDescriptor[Any]) -> None:
        """Move the state of the merged windows into that of the current one."""
        state = self.get_partitioned_state(state_descriptor)
        take, give = _merging(state_descriptor, state)
        target, parts = self.namespace, []
        for window in self.merged_windows:
            self.namespace = window_to_namespace(window)
            part = take()
            if part is not None:
                parts.append(part)
                state.clear()
        self.namespace = target
        for part in parts:
            give(part)


def _merging(descriptor: StateDescriptor[Any], state: Any) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """Return how to take out what ``state`` holds, None when nothing, and how to add that elsewhere."""
    if isinstance(descriptor, ListStateDescriptor):
        return lambda: list(state.get()) or None, state.add_all
    if isinstance(descriptor, ReducingStateDescriptor):
        return state.get, state.add
    if isinstance(state, _AggregatingTriggerState):
        return state.accumulator.value, state.merge
    raise StateAccessError(
        f"The given state descriptor does not refer to a mergeable state (MergingState): {descriptor.name!r} is a "
        f"{type(descriptor).__name__}; use list, reducing or aggregating state in on_merge."
    )


class AssignerContext(WindowAssigner.WindowAssignerContext):
    """Time and place for the window assigner."""

    def __init__(self, operator: Operator) -> None:
        self._context = operator.context

    def get_current_processing_time(self) -> int:
        """Return the wall clock."""
        return self._context.clock.now_ms()

    def get_runtime_context(self) -> RuntimeContext:
        """Return where the operator runs, with the key's state."""
        return self._context.runtime_context


class FunctionContext(ProcessWindowFunction.Context[Any], ProcessAllWindowFunction.Context[Any]):
    """Time and state for process window functions."""

    def __init__(self, operator: Operator, backend: KeyedStateBackend, merging: bool) -> None:
        self.current_window: Any = None
        self._operator = operator
        self._window_state: StateStore | NoWindowState = (
            NoWindowState()
            if merging
            else StateStore(backend, "_window.", lambda: window_to_namespace(self.current_window))
        )
        self._global_state = StateStore(backend, "", None)

    def window(self) -> Any:
        """Return the window that is evaluated."""
        return self.current_window

    def current_processing_time(self) -> int:
        """Return the wall clock."""
        return self._operator.context.clock.now_ms()

    def current_watermark(self) -> int:
        """Return the operator's event time."""
        return self._operator.current_watermark

    def window_state(self) -> Any:
        """Return state of this key and window."""
        return self._window_state

    def global_state(self) -> Any:
        """Return state of this key over all windows."""
        return self._global_state
