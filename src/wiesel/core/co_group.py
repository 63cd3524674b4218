"""What window joins are composed of: two streams become one of ``TaggedUnion``, which a window takes apart again.

Flink composes ``join`` and ``coGroup`` in the same way, so there is no operator for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from wiesel.core.functions import (
    Function,
    KeySelector,
    MapFunction,
    RuntimeContext,
    WindowFunction,
    method_or_callable,
)
from wiesel.core.join_functions import CoGroupFunction, FlatJoinFunction, JoinFunction
from wiesel.core.shipping import ShippedFunction
from wiesel.core.tagged_union import TaggedUnion
from wiesel.core.types import TypeInformation

#: All elements of the first stream and all of the second to results, or None.
CoGroup = Callable[[list[Any], list[Any]], Iterable[Any] | None]


class Tagger(MapFunction):
    """Marks the elements of one stream.

    Args:
        first: whether it is the first stream.
        type_info: its type, which acts here: behind the union there is only one for both.
    """

    def __init__(self, first: bool, type_info: TypeInformation) -> None:
        self._first = first
        self._type = type_info

    def open(self, runtime_context: RuntimeContext) -> None:
        """Take the type's coercion."""
        self._coerce = self._type.coercer()

    def map(self, value: Any) -> TaggedUnion:
        """Return the marked element."""
        return TaggedUnion(self._first, self._coerce(value))


class _Loaded(Function):
    """Loads functions of the user's where they run, and opens and closes them.

    Args:
        shipped: the functions.
    """

    def __init__(self, *shipped: ShippedFunction) -> None:
        self._shipped = shipped
        self._opened: list[Function] = []

    def _load(self, runtime_context: RuntimeContext) -> list[Any]:
        functions = [shipped.load() for shipped in self._shipped]
        for function in functions:
            if isinstance(function, Function):
                function.open(runtime_context)
                self._opened.append(function)
        return functions

    def close(self) -> None:
        """Close those that were opened."""
        while self._opened:
            self._opened.pop().close()


class TaggedKeySelector(_Loaded, KeySelector):
    """Takes an element's key as its own stream's selector says.

    Args:
        first, second: a ``KeySelector`` or a callable each.
    """

    def __init__(self, first: ShippedFunction, second: ShippedFunction) -> None:
        super().__init__(first, second)

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open both."""
        first, second = self._load(runtime_context)
        self._key_of_first = method_or_callable(first, KeySelector, "get_key")
        self._key_of_second = method_or_callable(second, KeySelector, "get_key")

    def get_key(self, value: TaggedUnion) -> Any:
        """Return the key."""
        return self._key_of_first(value[1]) if value[0] else self._key_of_second(value[1])


class _Joining(_Loaded, WindowFunction[Any, Any, Any, Any]):
    """Sorts a window's elements by stream, and hands both groups on.

    Args:
        function: the user's.
    """

    def __init__(self, function: ShippedFunction) -> None:
        super().__init__(function)

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open the user's function."""
        (function,) = self._load(runtime_context)
        self._co_group = self._to_co_group(function)

    def _to_co_group(self, function: Any) -> CoGroup:
        """Return the user's function as one of both groups."""
        raise NotImplementedError

    def apply(self, key: Any, window: Any, inputs: Iterable[TaggedUnion]) -> Iterable[Any] | None:
        """Return the results of the window."""
        first: list[Any] = []
        second: list[Any] = []
        for is_first, value in inputs:
            (first if is_first else second).append(value)
        return self._co_group(first, second)


class CoGroupWindowFunction(_Joining):
    """Windows of ``co_group``: the user's function sees both groups."""

    def _to_co_group(self, function: Any) -> CoGroup:
        return method_or_callable(function, CoGroupFunction, "co_group")


class JoinWindowFunction(_Joining):
    """Windows of ``join``: the user's function sees each pair of the two groups."""

    def _to_co_group(self, function: Any) -> CoGroup:
        if isinstance(function, FlatJoinFunction):
            return _flat_pairs(function.join)
        return _pairs(method_or_callable(function, JoinFunction, "join"))


def _pairs(join: Callable[[Any, Any], Any]) -> CoGroup:
    def co_group(first: list[Any], second: list[Any]) -> Iterator[Any]:
        return (join(one, two) for one in first for two in second)

    return co_group


def _flat_pairs(join: Callable[[Any, Any], Iterable[Any] | None]) -> CoGroup:
    def co_group(first: list[Any], second: list[Any]) -> Iterator[Any]:
        for one in first:
            for two in second:
                results = join(one, two)
                if results is not None:
                    yield from results

    return co_group
