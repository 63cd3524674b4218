"""Operators over two connected streams, and the broadcast state pattern."""

from __future__ import annotations

import pickle
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

from wiesel.core.contracts import Json
from wiesel.core.errors import StateAccessError
from wiesel.core.functions import (
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    KeyedBroadcastProcessFunction,
    TimeDomain,
    TimerService,
)
from wiesel.core.operator_specs import BroadcastProcessSpec, CoProcessSpec
from wiesel.core.state import MapStateDescriptor
from wiesel.core.state_schema import StateSchema, conversion, schema_of
from wiesel.runtime.inlining import Inline
from wiesel.runtime.operators.base import Operator, emitter, inline_process
from wiesel.runtime.operators.contexts import KeyedTimerService, ProcessContext, ReadOnlyTimerService
from wiesel.runtime.operators.stateless import FunctionOperator, inline_map


class CoProcessOperator(FunctionOperator):
    """``CoProcessSpec``: a ``CoMapFunction``, ``CoFlatMapFunction`` or ``CoProcessFunction``."""

    def __init__(self, spec: CoProcessSpec) -> None:
        super().__init__(spec.function)

    def inline(self, input_index: int) -> Inline:
        """Emit what the function of input 0 or 1 returns."""
        function = self._function
        if isinstance(function, CoMapFunction):
            return inline_map(function.map1 if input_index == 0 else function.map2)
        if isinstance(function, CoFlatMapFunction):
            return self._inline_flat_map(function.flat_map1 if input_index == 0 else function.flat_map2)
        assert isinstance(function, CoProcessFunction), "the API lets nothing else through"
        process = function.process_element1 if input_index == 0 else function.process_element2
        return inline_process(process, ProcessContext(self), self.out, self.context.side_outputs)

    @staticmethod
    def _inline_flat_map(function: Any) -> Inline:
        lines = ("{results} = {function}({value})", "if {results} is not None:", "    for {result} in {results}:")
        return Inline(lines, {"function": function})


class BroadcastMap:
    """One broadcast state of one subtask; every subtask holds the same."""

    def __init__(self, writable: bool, entries: dict[Any, Any]) -> None:
        self._entries = entries
        self._writable = writable

    def _write(self) -> dict[Any, Any]:
        if not self._writable:
            raise StateAccessError(
                "Broadcast state is read-only on the non-broadcast side; change it in process_broadcast_element()."
            )
        return self._entries

    def get(self, key: Any) -> Any:
        """Return the value of ``key``, or None."""
        return self._entries.get(key)

    def contains(self, key: Any) -> bool:
        """Whether ``key`` is there."""
        return key in self._entries

    def items(self) -> Iterable[tuple[Any, Any]]:
        """Return all pairs."""
        return list(self._entries.items())

    def keys(self) -> Iterable[Any]:
        """Return all keys."""
        return list(self._entries)

    def values(self) -> Iterable[Any]:
        """Return all values."""
        return list(self._entries.values())

    def is_empty(self) -> bool:
        """Whether nothing is there."""
        return not self._entries

    def put(self, key: Any, value: Any) -> None:
        """Set one entry."""
        self._write()[key] = value

    def put_all(self, dict_value: dict[Any, Any]) -> None:
        """Set several entries."""
        self._write().update(dict_value)

    def remove(self, key: Any) -> None:
        """Remove one entry."""
        self._write().pop(key, None)

    def clear(self) -> None:
        """Remove everything."""
        self._write().clear()

    __getitem__ = get
    __contains__ = contains
    __setitem__ = put
    __delitem__ = remove


class BroadcastContext(
    BroadcastProcessFunction.Context,
    KeyedBroadcastProcessFunction.OnTimerContext,
):
    """Context of either side: keyed or not, reading or writing."""

    def __init__(self, operator: BroadcastOperator, writable: bool) -> None:
        self._operator = operator
        self._writable = writable
        self._domain = TimeDomain.EVENT_TIME
        backend = operator.context.keyed_backend
        self._timer_service: TimerService = (
            ReadOnlyTimerService(operator) if backend is None else KeyedTimerService(operator, backend)
        )
        self.current_timestamp = 0

    def at(self, timestamp: int, domain: TimeDomain) -> BroadcastContext:
        """Return the context set for a timer that fired."""
        self.current_timestamp = timestamp
        self._domain = domain
        return self

    def timestamp(self) -> int:
        """Return the record's timestamp."""
        return self.current_timestamp

    def current_processing_time(self) -> int:
        """Return the wall clock in milliseconds."""
        return self._timer_service.current_processing_time()

    def current_watermark(self) -> int:
        """Return the operator's event time."""
        return self._timer_service.current_watermark()

    def timer_service(self) -> TimerService:
        """Return time and, on the keyed side, timers."""
        return self._timer_service

    def get_current_key(self) -> Any:
        """Return the record's key."""
        return self._operator.context.require_keyed_backend().current_key()

    def time_domain(self) -> TimeDomain:
        """Return the kind of the timer that fired."""
        return self._domain

    def get_broadcast_state(self, state_descriptor: MapStateDescriptor[Any, Any]) -> Any:
        """Return the broadcast state of that descriptor."""
        return BroadcastMap(self._writable, self._operator.entries(state_descriptor.get_name()))


class BroadcastOperator(FunctionOperator):
    """``BroadcastProcessSpec``: input 0 is the stream, keyed or not; input 1 is broadcast to every subtask."""

    def __init__(self, spec: BroadcastProcessSpec) -> None:
        super().__init__(spec.function)
        self._states: dict[str, dict[Any, Any]] = {d.get_name(): {} for d in spec.descriptors}
        self._schemas = {d.get_name(): schema_of(d) for d in spec.descriptors}
        #: States of the checkpoint that the program does not name: kept in case a later one does.
        self._unclaimed: dict[str, dict[Any, Any]] = {}

    def entries(self, name: str) -> dict[Any, Any]:
        """Return the entries of the broadcast state called ``name``."""
        if name not in self._states:
            raise StateAccessError(
                f"The requested state does not exist. Pass the descriptor of {name!r} to broadcast(...) first."
            )
        return self._states[name]

    def open(self) -> None:
        """Make the contexts, then call the user's ``open``."""
        self._emit = emitter(self.out, self.context.side_outputs)
        self._timer_context = BroadcastContext(self, writable=False)
        super().open()

    def inline(self, input_index: int) -> Inline:
        """Emit the results for the stream (0) or for the broadcast side (1)."""
        context = BroadcastContext(self, writable=input_index == 1)
        function = self._function.process_element if input_index == 0 else self._function.process_broadcast_element
        return inline_process(function, context, self.out, self.context.side_outputs)

    def on_event_timer(self, timestamp: int, namespace: Any) -> None:
        """Call ``on_timer`` and emit its results."""
        context = self._timer_context.at(timestamp, TimeDomain.EVENT_TIME)
        self._emit(self._function.on_timer(timestamp, context), timestamp)

    def on_processing_timer(self, timestamp: int, namespace: Any) -> None:
        """Call ``on_timer`` and emit its results."""
        context = self._timer_context.at(timestamp, TimeDomain.PROCESSING_TIME)
        self._emit(self._function.on_timer(timestamp, context), timestamp)

    def snapshot_state(self) -> Json | None:
        """Return all broadcast states, pickled: every subtask holds the same, so one would do on restore."""
        states = pickle.dumps(self._unclaimed | self._states, protocol=5)
        schemas = {name: [schema.kind, schema.type_descriptor] for name, schema in self._schemas.items()}
        return {"broadcast": b64encode(states).decode(), "schemas": schemas}

    def restore_state(self, states: Iterable[Json]) -> None:
        """Take over the broadcast state of the first instance.

        Raises:
            RestoreRefusedError: a state has become something else.
        """
        for state in states:
            saved = {name: StateSchema(*fields) for name, fields in state["schemas"].items()}
            for name, entries in pickle.loads(b64decode(state["broadcast"])).items():
                if name in self._states:
                    self._states[name].update(self._converted(name, saved[name], entries))
                else:
                    self._unclaimed[name], self._schemas[name] = entries, saved[name]
            return

    def _converted(self, name: str, saved: StateSchema, entries: dict[Any, Any]) -> dict[Any, Any]:
        what = f"Broadcast state {name!r} of operator {self.context.name!r} (uid {self.context.uid})"
        change = conversion(saved, self._schemas[name], what)
        converted: dict[Any, Any] = entries if change is None else change.of_stored(stamped=False)(entries)
        return converted


__all__ = ["BroadcastOperator", "CoProcessOperator", "Operator"]
