"""What to say when a function of the user's cannot be called, or returned what an operator cannot use.

Python raises its TypeError in the engine's frame then, in words that name neither what was expected nor, for a lambda,
which function. Both are read from the line that failed, so that calling a function costs nothing more.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

_ENGINE: Final = str(Path(__file__).parents[1])
_NOT_ITERABLE: Final = re.compile(r"'(\w+)' object is not iterable")
#: Results are gone through a line or two behind the call that returned them.
_LINES_BACK: Final = 3


def expected_and_got(error: BaseException) -> str:
    """Return what to append to a TypeError about a function that the engine called; nothing for any other error."""
    trace = error.__traceback__
    if type(error) is not TypeError or trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame, line = trace.tb_frame, trace.tb_lineno
    if not frame.f_code.co_filename.startswith(_ENGINE):
        return ""  # raised inside the user's own code, whose words they are
    not_iterable = _NOT_ITERABLE.fullmatch(str(error))
    if not_iterable:
        return _of_results(frame, line, "None" if not_iterable[1] == "NoneType" else f"type {not_iterable[1]}")
    return _of_arguments(frame, line) if "argument" in str(error) else ""


def _of_results(frame: FrameType, line: int, got: str) -> str:
    for number in range(line, line - _LINES_BACK, -1):
        for function, _ in _calls(frame, number):
            called = f" from {_name(function)}"
            return f". Expected an iterable of results{called} (yield them, or return a list, [] for none), got {got}"
    return f". Expected an iterable of results (yield them, or return a list, [] for none), got {got}"


def _of_arguments(frame: FrameType, line: int) -> str:
    for function, arguments in _calls(frame, line):
        signature = _signature(function)
        if signature is None:
            continue
        try:
            signature.bind(*range(arguments))
        except TypeError:
            plural = "" if arguments == 1 else "s"
            names = ", ".join(str(p.replace(annotation=p.empty)) for p in signature.parameters.values())
            return f". Expected a function of {arguments} argument{plural}, got {_name(function)}({names})"
    return ""


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except Exception:  # builtins may have none, and an object of the user's may answer anything
        return None


def _calls(frame: FrameType, line: int) -> Iterator[tuple[Callable[..., Any], int]]:
    """The functions that a line of this frame calls, the inner ones last, and with how many arguments."""
    text = linecache.getline(frame.f_code.co_filename, line).strip()
    try:
        tree = ast.parse(f"{text} pass" if text.endswith(":") else text)
    except SyntaxError:  # one of several lines of a statement
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not node.keywords:
            function = _value(node.func, {**frame.f_globals, **frame.f_locals})
            if callable(function):
                yield function, len(node.args)


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, names), node.attr, None)
    return None


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__name__).rpartition("<locals>.")[2]
