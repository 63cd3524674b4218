"""Map, flat map, filter and process: one closure each, bound to the downstream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wiesel.core.contracts import Emit
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
from wiesel.runtime.operators.base import Operator, bind_process
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

    def bind(self, input_index: int) -> Emit:
        """Return ``value → out(f(value))``."""
        out = self.out
        function = method_or_callable(self._function, MapFunction, "map")

        def map_one(value: Any, timestamp: int) -> None:
            out(function(value), timestamp)

        return map_one


class FlatMapOperator(FunctionOperator):
    """``FlatMapSpec``."""

    def __init__(self, spec: FlatMapSpec) -> None:
        super().__init__(spec.function)

    def bind(self, input_index: int) -> Emit:
        """Return a callable that passes on every element of ``f(value)``."""
        out = self.out
        function = method_or_callable(self._function, FlatMapFunction, "flat_map")

        def flat_map_one(value: Any, timestamp: int) -> None:
            for result in function(value):
                out(result, timestamp)

        return flat_map_one


class FilterOperator(FunctionOperator):
    """``FilterSpec``."""

    def __init__(self, spec: FilterSpec) -> None:
        super().__init__(spec.function)

    def bind(self, input_index: int) -> Emit:
        """Return a callable that passes ``value`` on when ``f(value)`` is true."""
        out = self.out
        function: Callable[[Any], Any] = method_or_callable(self._function, FilterFunction, "filter")

        def filter_one(value: Any, timestamp: int) -> None:
            if function(value):
                out(value, timestamp)

        return filter_one


class ProcessOperator(FunctionOperator):
    """``ProcessSpec``: a ``ProcessFunction`` that is not keyed."""

    def __init__(self, spec: ProcessSpec) -> None:
        super().__init__(spec.function)
        self._function: ProcessFunction

    def bind(self, input_index: int) -> Emit:
        """Return a callable that emits all results of ``process_element``."""
        return bind_process(self._function.process_element, ProcessContext(self), self.out, self.context.side_outputs)
