"""Process functions that keyed streams are composed of: running reduce and the aggregations by field."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from wiesel.core.elements import MAX_WATERMARK
from wiesel.core.functions import Function, KeyedProcessFunction, ReduceFunction, RuntimeContext, method_or_callable
from wiesel.core.row import Row
from wiesel.core.state import ValueStateDescriptor
from wiesel.core.types import TypeInformation


class RunningReduce(KeyedProcessFunction):
    """Emits the fold so far for each record, the first one unchanged (``KeyedStream.reduce``).

    Args:
        function: a ``ReduceFunction`` or a callable of two values.
        state_type: type of the values.
        final_only: emit only the last fold of each key, at the end of the input (BATCH runtime mode).
    """

    def __init__(self, function: Any, state_type: TypeInformation, final_only: bool) -> None:
        self._function = function
        self._type = state_type
        self._final_only = final_only

    def open(self, runtime_context: RuntimeContext) -> None:
        """Register the state."""
        if isinstance(self._function, Function):
            self._function.open(runtime_context)
        self._reduce = method_or_callable(self._function, ReduceFunction, "reduce")
        self._state = runtime_context.get_state(ValueStateDescriptor("_reduce_state", self._type))

    def close(self) -> None:
        """Close the function."""
        if isinstance(self._function, Function):
            self._function.close()

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        """Fold one value in."""
        previous = self._state.value()
        if previous is not None:
            value = self._reduce(previous, value)
        self._state.update(value)
        if not self._final_only:
            return (value,)
        if previous is None:
            ctx.timer_service().register_event_time_timer(MAX_WATERMARK)
        return None

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        """Emit the last fold."""
        return (self._state.value(),)


class FieldAggregation(ReduceFunction):
    """``sum``, ``min``, ``max``, ``min_by`` and ``max_by`` of one field (PyFlink's rules).

    The plain kinds keep the other fields of the first record, the ``_by`` kinds return a whole record, the first of
    equal ones. A value without fields has only field 0, itself.

    Args:
        kind: name of the aggregation.
        position: index or name of the field.
    """

    def __init__(self, kind: str, position: int | str) -> None:
        if not isinstance(position, int | str):
            raise TypeError(
                "The field position must be of int or str type to locate the value to calculate for min, max, "
                f"min_by, max_by and sum. The given type is: {type(position)}"
            )
        self._kind = kind
        self._position: Any = position

    def reduce(self, value1: Any, value2: Any) -> Any:
        """Combine the fold so far with a new value."""
        if self._kind.endswith("_by"):
            if isinstance(value2, tuple | list | Row):
                first, second = value1[self._position], value2[self._position]
            else:
                first, second = value1, value2
            better = second < first if self._kind == "min_by" else second > first
            return value2 if better else value1
        combine = _COMBINE[self._kind]
        if isinstance(value2, tuple):
            fields = list(value1)
            fields[self._position] = combine(value1[self._position], value2[self._position])
            return tuple(fields)
        if isinstance(value2, list | Row):
            changed = copy(value1)  # the fold so far was emitted, and its reader may still hold it
            changed[self._position] = combine(value1[self._position], value2[self._position])
            return changed
        if self._position != 0:
            raise TypeError(
                f"The {self._position} field selected on a basic type. A field expression on a basic type can only "
                f"select the 0th field (which means selecting the entire basic type)."
            )
        return combine(value1, value2)


_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda first, second: first + second,
    "min": lambda first, second: second if second < first else first,
    "max": lambda first, second: second if second > first else first,
}
