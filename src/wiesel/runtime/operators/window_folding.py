"""How a window's elements become its contents, and the contents what a window function sees.

``reduce`` and ``aggregate`` keep one value a window, a window function alone keeps all elements. Contents that are None
are no contents, as in Flink's state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wiesel.core.errors import ConfigurationError
from wiesel.core.functions import AggregateFunction, ReduceFunction, method_or_callable
from wiesel.core.operator_specs import WindowSpec


@dataclass(frozen=True, slots=True)
class Folding:
    """How contents grow, merge and are handed on.

    Args:
        first: a window's first value to its contents.
        add: ``(contents, value)`` to new contents, which may be the same object changed.
        merge: ``(contents, contents)`` to the contents of both.
        output: contents to what is handed on: the result, or a list of elements of its own.
        keeps_elements: whether the contents are the elements themselves.
    """

    first: Callable[[Any], Any]
    add: Callable[[Any, Any], Any]
    merge: Callable[[Any, Any], Any]
    output: Callable[[Any], Any]
    keeps_elements: bool = False


def folding_of(spec: WindowSpec) -> Folding:
    """Return the folding that ``spec`` asks for.

    Raises:
        ConfigurationError: the spec neither folds nor has a function.
    """
    if spec.reduce is not None:
        reduce = method_or_callable(spec.reduce.load(), ReduceFunction, "reduce")
        return Folding(_itself, reduce, reduce, _itself)
    if spec.aggregate is not None:
        return _aggregating(spec.aggregate.load())
    if spec.function is None:
        raise ConfigurationError("A window needs reduce, aggregate, apply or process to have a result.")
    return keeping()


def keeping() -> Folding:
    """Return the folding that keeps the elements in the order in which they came."""
    return Folding(lambda value: [value], _append, list.__add__, list, keeps_elements=True)


def _aggregating(function: AggregateFunction) -> Folding:
    create, add = function.create_accumulator, function.add
    return Folding(
        lambda value: add(value, create()),
        lambda contents, value: add(value, contents),
        function.merge,
        function.get_result,
    )


def _append(contents: list[Any], value: Any) -> list[Any]:
    contents.append(value)
    return contents


def _itself(contents: Any) -> Any:
    return contents
