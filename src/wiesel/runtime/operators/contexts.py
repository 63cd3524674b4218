"""Contexts and timer services that user functions see, over an operator and its keyed backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wiesel.core.contracts import KeyedStateBackend
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.errors import StateAccessError
from wiesel.core.functions import (
    CoProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    ProcessFunction,
    RuntimeContext,
    TimeDomain,
    TimerService,
)

if TYPE_CHECKING:
    from wiesel.core.metrics import MetricGroup
    from wiesel.core.state import (
        AggregatingState,
        AggregatingStateDescriptor,
        ListState,
        ListStateDescriptor,
        MapState,
        MapStateDescriptor,
        ReducingState,
        ReducingStateDescriptor,
        ValueState,
        ValueStateDescriptor,
    )
    from wiesel.runtime.operators.base import Operator


class ReadOnlyTimerService(TimerService):
    """Time off a keyed stream: it can be read, timers cannot be set."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def current_processing_time(self) -> int:
        """Return the wall clock in milliseconds."""
        return self._operator.context.clock.now_ms()

    def current_watermark(self) -> int:
        """Return the operator's event time."""
        return self._operator.current_watermark

    def register_processing_time_timer(self, timestamp: int) -> None:
        """Refuse."""
        raise _no_timers("Register timers is only supported on a keyed stream.")

    def register_event_time_timer(self, timestamp: int) -> None:
        """Refuse."""
        raise _no_timers("Register timers is only supported on a keyed stream.")

    def delete_processing_time_timer(self, timestamp: int) -> None:
        """Refuse."""
        raise _no_timers("Deleting timers is only supported on a keyed streams.")

    def delete_event_time_timer(self, timestamp: int) -> None:
        """Refuse."""
        raise _no_timers("Deleting timers is only supported on a keyed streams.")


def _no_timers(in_flink_s_words: str) -> StateAccessError:
    return StateAccessError(f"{in_flink_s_words} Call key_by() first.")


class KeyedTimerService(ReadOnlyTimerService):
    """Time and timers of the current key."""

    def __init__(self, operator: Operator, backend: KeyedStateBackend) -> None:
        super().__init__(operator)
        self._timers = backend.timers()

    def register_processing_time_timer(self, timestamp: int) -> None:
        """Register for the current key."""
        self._timers.register_processing_time(None, timestamp)

    def register_event_time_timer(self, timestamp: int) -> None:
        """Register for the current key."""
        self._timers.register_event_time(None, timestamp)

    def delete_processing_time_timer(self, timestamp: int) -> None:
        """Forget a timer of the current key."""
        self._timers.delete_processing_time(None, timestamp)

    def delete_event_time_timer(self, timestamp: int) -> None:
        """Forget a timer of the current key."""
        self._timers.delete_event_time(None, timestamp)


class ProcessContext(CoProcessFunction.Context):
    """Context of a process function that is not keyed; ``current_timestamp`` is set for each record."""

    __slots__ = ("_timer_service", "current_timestamp")

    def __init__(self, operator: Operator) -> None:
        self.current_timestamp = MIN_TIMESTAMP
        self._timer_service = ReadOnlyTimerService(operator)

    def timer_service(self) -> TimerService:
        """Return time."""
        return self._timer_service

    def timestamp(self) -> int:
        """Return the record's timestamp."""
        return self.current_timestamp


class KeyedContext(KeyedCoProcessFunction.OnTimerContext, KeyedCoProcessFunction.Context):
    """Context of a keyed process function, for records and for timers."""

    __slots__ = ("_domain", "_timer_service", "current_timestamp")

    def __init__(self, operator: Operator, backend: KeyedStateBackend) -> None:
        self.current_timestamp = MIN_TIMESTAMP
        self._domain = TimeDomain.EVENT_TIME
        self._timer_service = KeyedTimerService(operator, backend)
        self.get_current_key = backend.current_key  # type: ignore[method-assign]

    def at(self, timestamp: int, domain: TimeDomain) -> KeyedContext:
        """Return the context set for a timer that fired."""
        self.current_timestamp = timestamp
        self._domain = domain
        return self

    def get_current_key(self) -> Any:
        """Return the record's key (replaced per instance by the backend's own method)."""

    def timer_service(self) -> TimerService:
        """Return time and timers."""
        return self._timer_service

    def timestamp(self) -> int:
        """Return the timestamp of the record or timer."""
        return self.current_timestamp

    def time_domain(self) -> TimeDomain:
        """Return the kind of the timer that fired."""
        return self._domain


class TaskRuntimeContext(RuntimeContext):
    """Where a function runs, and its keyed state."""

    def __init__(
        self,
        *,
        task_name: str,
        subtask: int,
        parallelism: int,
        max_parallelism: int,
        attempt: int,
        job_parameters: dict[str, str],
        metrics: MetricGroup,
        backend: KeyedStateBackend | None,
    ) -> None:
        self._task_name = task_name
        self._subtask = subtask
        self._parallelism = parallelism
        self._max_parallelism = max_parallelism
        self._attempt = attempt
        self._job_parameters = job_parameters
        self._metrics = metrics
        self._backend = backend

    def get_task_name(self) -> str:
        """Return the name of the chained task."""
        return self._task_name

    def get_number_of_parallel_subtasks(self) -> int:
        """Return the parallelism."""
        return self._parallelism

    def get_max_number_of_parallel_subtasks(self) -> int:
        """Return the number of key groups."""
        return self._max_parallelism

    def get_index_of_this_subtask(self) -> int:
        """Return the subtask's index."""
        return self._subtask

    def get_attempt_number(self) -> int:
        """Return the attempt's number."""
        return self._attempt

    def get_task_name_with_subtasks(self) -> str:
        """Return name, subtask and attempt, as Flink writes them."""
        return f"{self._task_name} ({self._subtask + 1}/{self._parallelism})#{self._attempt}"

    def get_job_parameter(self, key: str, default_value: str) -> str:
        """Return a global job parameter."""
        return self._job_parameters.get(key, default_value)

    def get_metrics_group(self) -> MetricGroup:
        """Return the operator's metric group."""
        return self._metrics

    def _state(self, descriptor: Any) -> Any:
        if self._backend is None:
            raise StateAccessError("This state is only accessible by functions executed on a KeyedStream.")
        return self._backend.state(descriptor)

    def get_state(self, state_descriptor: ValueStateDescriptor[Any]) -> ValueState[Any]:
        """Return a value state."""
        state: ValueState[Any] = self._state(state_descriptor)
        return state

    def get_list_state(self, state_descriptor: ListStateDescriptor[Any]) -> ListState[Any]:
        """Return a list state."""
        state: ListState[Any] = self._state(state_descriptor)
        return state

    def get_map_state(self, state_descriptor: MapStateDescriptor[Any, Any]) -> MapState[Any, Any]:
        """Return a map state."""
        state: MapState[Any, Any] = self._state(state_descriptor)
        return state

    def get_reducing_state(self, state_descriptor: ReducingStateDescriptor[Any]) -> ReducingState[Any]:
        """Return a reducing state."""
        state: ReducingState[Any] = self._state(state_descriptor)
        return state

    def get_aggregating_state(self, state_descriptor: AggregatingStateDescriptor) -> AggregatingState[Any, Any]:
        """Return an aggregating state."""
        state: AggregatingState[Any, Any] = self._state(state_descriptor)
        return state


__all__ = [
    "KeyedContext",
    "KeyedProcessFunction",
    "KeyedTimerService",
    "ProcessContext",
    "ProcessFunction",
    "ReadOnlyTimerService",
    "TaskRuntimeContext",
]
