"""Calls the user's window function on the contents of a window that fires, and emits what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from wiesel.core.contracts import Emit
from wiesel.core.errors import ConfigurationError
from wiesel.core.functions import (
    AllWindowFunction,
    Function,
    ProcessAllWindowFunction,
    ProcessWindowFunction,
    WindowFunction,
)
from wiesel.runtime.operators.window_contexts import FunctionContext
from wiesel.runtime.operators.window_folding import Folding

#: ``(window, contents, timestamp of the results)``; the window is None where nobody asks for it.
Evaluate = Callable[[Any, Any, int], None]


def evaluator(
    function: Function | None,
    folding: Folding,
    current_key: Callable[[], Any],
    function_context: FunctionContext,
    out: Emit,
    emit: Callable[[Any, int], None],
) -> Evaluate:
    """Return what evaluates a fired window.

    Args:
        function: the user's window function; None hands the folded result on as it is.
        folding: how contents become what the function sees.
        current_key: returns the user's key.
        function_context: given to process functions.
        out: takes one result.
        emit: takes all that a function returns, None included.

    Raises:
        ConfigurationError: the function is of no kind that a window takes.
    """
    output = folding.output
    elements: Callable[[Any], list[Any]] = output if folding.keeps_elements else lambda contents: [output(contents)]

    if function is None:

        def pass_through(window: Any, contents: Any, timestamp: int) -> None:
            out(output(contents), timestamp)

        return pass_through

    if isinstance(function, WindowFunction):
        apply = function.apply

        def apply_keyed(window: Any, contents: Any, timestamp: int) -> None:
            emit(apply(current_key(), window, elements(contents)), timestamp)

        return apply_keyed

    if isinstance(function, AllWindowFunction):
        apply_to_all = function.apply

        def apply_all(window: Any, contents: Any, timestamp: int) -> None:
            emit(apply_to_all(window, elements(contents)), timestamp)

        return apply_all

    if isinstance(function, ProcessWindowFunction):
        process = function.process

        def process_keyed(window: Any, contents: Any, timestamp: int) -> None:
            function_context.current_window = window
            emit(process(current_key(), function_context, elements(contents)), timestamp)

        return process_keyed

    if isinstance(function, ProcessAllWindowFunction):
        process_every = function.process

        def process_all(window: Any, contents: Any, timestamp: int) -> None:
            function_context.current_window = window
            emit(process_every(function_context, elements(contents)), timestamp)

        return process_all

    raise ConfigurationError(
        f"window_function should be a WindowFunction or ProcessWindowFunction (or the All kind of one for "
        f"window_all), got {type(function).__name__}."
    )


def clear_hook(function: Function | None, function_context: FunctionContext) -> Callable[[Any], None] | None:
    """Return what tells the function that a window is dropped, or None when its ``clear`` does nothing."""
    if isinstance(function, ProcessWindowFunction):
        inherited = type(function).clear is ProcessWindowFunction.clear
    elif isinstance(function, ProcessAllWindowFunction):
        inherited = type(function).clear is ProcessAllWindowFunction.clear
    else:
        return None
    if inherited:
        return None
    clear = cast(Callable[[FunctionContext], None], function.clear)

    def clear_window(window: Any) -> None:
        function_context.current_window = window
        clear(function_context)

    return clear_window
