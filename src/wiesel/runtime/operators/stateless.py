"""Map, flat map, filter and process: a line or two each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wiesel.core.functions import (
    FilterFunction,
    FlatMapFunction,
    Function,
    MapFunction,
    ProcessFunction,
    method_or_callable,
)
from wiesel.core.operator_specs import FilterSpec, FlatMapSpec, MapSpec, ProcessSpec
from wiesel.core.shipping import ShippedFunction
from wiesel.runtime.inlining import Inline
from wiesel.runtime.operators.base import Operator, inline_process
from wiesel.runtime.operators.contexts import ProcessContext


class FunctionOperator(Operator):
    """An operator around one user function, opened and closed with it."""

    def __init__(self, shipped: ShippedFunction) -> None:
        self._function: Any = shipped.load()
        self._opened = False

    def open(self) -> None:
        """Call the user's ``open``."""
        if isinstance(self._function, Function) or hasattr(self._function, "open"):
            self._function.open(self.context.runtime_context)
        self._opened = True

    def close(self) -> None:
        """Call the user's ``close`` once, if ``open`` succeeded."""
        if self._opened:
            self._opened = False
            if hasattr(self._function, "close"):
                self._function.close()


class MapOperator(FunctionOperator):
    """``MapSpec``."""

    def __init__(self, spec: MapSpec) -> None:
        super().__init__(spec.function)

    def inline(self, input_index: int) -> Inline:
        """Emit ``f(value)``."""
        return inline_map(method_or_callable(self._function, MapFunction, "map"))


class FlatMapOperator(FunctionOperator):
    """``FlatMapSpec``."""

    def __init__(self, spec: FlatMapSpec) -> None:
        super().__init__(spec.function)

    def inline(self, input_index: int) -> Inline:
        """Emit every element of ``f(value)``."""
        function = method_or_callable(self._function, FlatMapFunction, "flat_map")
        return Inline(("for {result} in {function}({value}):",), {"function": function})


class FilterOperator(FunctionOperator):
    """``FilterSpec``."""

    def __init__(self, spec: FilterSpec) -> None:
        super().__init__(spec.function)

    def inline(self, input_index: int) -> Inline:
        """Emit ``value`` when ``f(value)`` is true."""
        function = method_or_callable(self._function, FilterFunction, "filter")
        return Inline(("if {function}({value}):",), {"function": function}, emits="{value}")


class ProcessOperator(FunctionOperator):
    """``ProcessSpec``: a ``ProcessFunction`` that is not keyed."""

    def __init__(self, spec: ProcessSpec) -> None:
        super().__init__(spec.function)
        self._function: ProcessFunction

    def inline(self, input_index: int) -> Inline:
        """Emit all results of ``process_element``."""
        return inline_process(self._function.process_element, ProcessContext(self), self.out, self.context.side_outputs)


def inline_map(function: Callable[[Any], Any]) -> Inline:
    """Return what emits ``function(value)``."""
    return Inline(("{result} = {function}({value})",), {"function": function})
