"""The keyed process operator: one user function with keyed state and timers."""

from __future__ import annotations

from typing import Any

from wiesel.core.functions import KeyedCoProcessFunction, KeyedProcessFunction, TimeDomain
from wiesel.core.operator_specs import KeyedCoProcessSpec, KeyedProcessSpec
from wiesel.runtime.inlining import Inline
from wiesel.runtime.operators.base import emitter, inline_process
from wiesel.runtime.operators.contexts import KeyedContext
from wiesel.runtime.operators.stateless import FunctionOperator


class KeyedOperator(FunctionOperator):
    """What keyed process functions of one and of two inputs share: the context and the timers."""

    def __init__(self, spec: KeyedProcessSpec | KeyedCoProcessSpec) -> None:
        super().__init__(spec.function)

    def open(self) -> None:
        """Make the context, then call the user's ``open``."""
        backend = self.context.require_keyed_backend()
        self._context = KeyedContext(self, backend)
        # A timer's context is one of its own: a function may keep the element's.
        self._timer_context = KeyedContext(self, backend)
        self._emit = emitter(self.out, self.context.side_outputs)
        super().open()

    def inline_function(self, function: Any) -> Inline:
        """Emit all results of ``function(value, context)``."""
        return inline_process(function, self._context, self.out, self.context.side_outputs)

    def on_event_timer(self, timestamp: int, namespace: Any) -> None:
        """Call ``on_timer`` and emit its results at the timer's time."""
        self._emit(
            self._function.on_timer(timestamp, self._timer_context.at(timestamp, TimeDomain.EVENT_TIME)), timestamp
        )

    def on_processing_timer(self, timestamp: int, namespace: Any) -> None:
        """Call ``on_timer`` and emit its results."""
        self._emit(
            self._function.on_timer(timestamp, self._timer_context.at(timestamp, TimeDomain.PROCESSING_TIME)),
            timestamp,
        )


class KeyedProcessOperator(KeyedOperator):
    """``KeyedProcessSpec``."""

    _function: KeyedProcessFunction

    def inline(self, input_index: int) -> Inline:
        """Emit all results of ``process_element``."""
        return self.inline_function(self._function.process_element)


class KeyedCoProcessOperator(KeyedOperator):
    """``KeyedCoProcessSpec``."""

    _function: KeyedCoProcessFunction

    def inline(self, input_index: int) -> Inline:
        """Emit all results of ``process_element1`` or ``process_element2``."""
        function = self._function
        return self.inline_function(function.process_element1 if input_index == 0 else function.process_element2)
