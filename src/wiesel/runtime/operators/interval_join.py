"""The interval join: an element meets those of the other side that are within reach (Flink: ``IntervalJoinOperator``).

Each side of a key is a buffer sorted by time, so what is within reach lies side by side and what nobody reaches any
more at the front. Only the earliest element has a timer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, Final

from wiesel.core.contracts import Emit, InternalState
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.join_functions import ProcessJoinFunction
from wiesel.core.operator_specs import IntervalJoinSpec
from wiesel.runtime.operators.base import emitter
from wiesel.runtime.operators.stateless import FunctionOperator

#: Names of the buffers; no user state begins with an underscore and these words.
_BUFFERS: Final = ("_interval-join-left", "_interval-join-right")

#: Times and elements of one side of one key, both in the order of time.
Buffer = tuple[list[int], list[Any]]


class JoinContext(ProcessJoinFunction.Context):
    """The pair at hand."""

    def __init__(self) -> None:
        self.left = self.right = MIN_TIMESTAMP

    def get_left_timestamp(self) -> int:
        """Return the event time of the left element."""
        return self.left

    def get_right_timestamp(self) -> int:
        """Return the event time of the right element."""
        return self.right

    def get_timestamp(self) -> int:
        """Return the later of the two."""
        return max(self.left, self.right)


class IntervalJoinOperator(FunctionOperator):
    """``IntervalJoinSpec``. Input 0 is the left side, input 1 the right one; timers of a side carry its number."""

    _function: ProcessJoinFunction

    def __init__(self, spec: IntervalJoinSpec) -> None:
        super().__init__(spec.function)
        # What a side reaches of the other: a right element sees the interval from its other end.
        self._reach = ((spec.lower_ms, spec.upper_ms), (-spec.upper_ms, -spec.lower_ms))
        # How long after its time an element may still be met.
        self._kept_ms = (max(spec.upper_ms, 0), max(-spec.lower_ms, 0))
        self._late_tags = (spec.left_late_tag, spec.right_late_tag)

    def open(self) -> None:
        """Register the buffers, then call the user's ``open``."""
        backend = self.context.require_keyed_backend()
        self._timers = backend.timers()
        self._buffers = tuple(backend.internal_state(name) for name in _BUFFERS)
        super().open()

    def bind(self, input_index: int) -> Emit:
        """Return the callable of the left (0) or the right (1) side."""
        own, other = self._buffers[input_index], self._buffers[1 - input_index]
        low, high = self._reach[input_index]
        kept_ms, late, join = self._kept_ms[input_index], self._late_output(input_index), self._joiner(input_index)
        register = self._timers.register_event_time

        def process(value: Any, timestamp: int) -> None:
            if timestamp <= MIN_TIMESTAMP:
                raise ValueError(
                    "Record has Java Long.MIN_VALUE timestamp (= no timestamp marker): elements of interval joins need "
                    "timestamps. Did you forget to call 'data_stream.assign_timestamps_and_watermarks(...)'?"
                )
            if timestamp < self.current_watermark:
                late(value, timestamp)
                return
            if _insert(own, value, timestamp):
                register(input_index, timestamp + kept_ms)
            buffer: Buffer | None = other.get(None)
            if buffer is not None:
                times, values = buffer
                for i in range(bisect_left(times, timestamp + low), bisect_right(times, timestamp + high)):
                    join(value, timestamp, values[i], times[i])

        return process

    def _joiner(self, input_index: int) -> Any:
        function, context = self._function.process_element, JoinContext()
        emit = emitter(self.out, self.context.side_outputs)

        def join_left(value: Any, timestamp: int, other: Any, other_timestamp: int) -> None:
            context.left, context.right = timestamp, other_timestamp
            emit(function(value, other, context), timestamp if timestamp > other_timestamp else other_timestamp)

        def join_right(value: Any, timestamp: int, other: Any, other_timestamp: int) -> None:
            context.left, context.right = other_timestamp, timestamp
            emit(function(other, value, context), timestamp if timestamp > other_timestamp else other_timestamp)

        return join_right if input_index else join_left

    def _late_output(self, input_index: int) -> Emit:
        tag = self._late_tags[input_index]
        if tag is None:
            dropped = self.context.late_dropped
            return lambda value, timestamp: dropped(1)
        side = self.context.side_outputs.get(tag)
        return side if side is not None else lambda value, timestamp: None

    def on_event_timer(self, timestamp: int, namespace: int) -> None:
        """Drop the elements of a side that nothing can meet any more, and wait for the next one's time."""
        state = self._buffers[namespace]
        buffer: Buffer | None = state.get(None)
        if buffer is None:
            return
        times, values = buffer
        kept_ms = self._kept_ms[namespace]
        # All that the watermark has passed go at once: no element comes in before they would by themselves.
        gone = bisect_right(times, self.current_watermark - kept_ms)
        if gone == len(times):
            state.remove(None)
        else:
            del times[:gone], values[:gone]
            state.put(None, buffer)
            self._timers.register_event_time(namespace, times[0] + kept_ms)


def _insert(state: InternalState, value: Any, timestamp: int) -> bool:
    """Put an element into a buffer, behind those of its own time; return whether it is the earliest now."""
    buffer: Buffer | None = state.get(None)
    if buffer is None:
        state.put(None, ([timestamp], [value]))
        return True
    times, values = buffer
    if timestamp >= times[-1]:
        place = len(times)
        times.append(timestamp)
        values.append(value)
    else:
        place = bisect_right(times, timestamp)
        times.insert(place, timestamp)
        values.insert(place, value)
    state.put(None, buffer)  # what was got may be a copy
    return place == 0
