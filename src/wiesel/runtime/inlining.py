"""Writes the path of a record through a chain as one Python function.

A call costs more than what most operators do with a record. So an operator whose work is a line or two gives these
lines (``Inline``), and those of a whole chain become one function; the other operators are called from it. No record is
treated differently for it, and no setting turns it on.
"""

from __future__ import annotations

import linecache
import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any, Final

from wiesel.core.contracts import Emit

#: Under this name a generated function's globals hold, for each of its lines, whose it is and which variable holds the
#: record that it works on, for error messages.
OWNERS: Final = "__owners__"

#: Nested blocks after which the rest becomes a function of its own; Python allows 20 nested loops.
_MAX_BLOCKS: Final = 12
_FOLDER: Final = f"{Path(__file__).parent}{os.sep}"
_HEADS: Final = {
    False: ("def emit(value0, timestamp):",),
    True: ("def run(values, timestamps):", "    for value0, timestamp in zip(values, timestamps, strict=True):"),
}

#: Takes the values of a batch and their timestamps.
Run = Callable[[Iterable[Any], Iterable[int]], None]


@dataclass(frozen=True, slots=True)
class Inline:
    """What an operator does with one record, in lines of Python.

    Args:
        lines: with ``{value}`` for the record's variable, ``{result}`` for the variable of what is emitted,
            ``{results}`` for one of their own, the variable ``timestamp``, and the names of ``names`` in braces. What
            comes downstream follows the last line, inside of it when it opens a block.
        names: what the lines use.
        emits: what goes downstream at the record's timestamp: "{result}", "{value}", or None when the lines emit
            everything themselves.
    """

    lines: Sequence[str]
    names: Mapping[str, Any]
    emits: str | None = "{result}"


@dataclass(frozen=True, slots=True)
class Step:
    """An operator that is inlined, and what comes after it.

    Args:
        name: the operator's name.
        inline: what it does.
        targets: its downstreams.
    """

    name: str
    inline: Inline
    targets: Sequence[Target]


#: A downstream: inlined, or called.
Target = Step | Emit


def emit_function(targets: Sequence[Target], owner: str) -> Emit:
    """Return one function of value and timestamp for any number of downstreams of the operator called ``owner``."""
    if len(targets) == 1 and not isinstance(targets[0], Step):
        return targets[0]
    function: Emit = _Text(batch=False).function(targets, owner)
    return function


def run_function(targets: Sequence[Target], owner: str) -> Run:
    """Return the loop that hands each record of a batch to all ``targets``."""
    function: Run = _Text(batch=True).function(targets, owner)
    return function


class _Text:
    """A function being written: its lines, whose they are, and the names they use."""

    def __init__(self, batch: bool) -> None:
        self._lines = list(_HEADS[batch])
        self._indent = len(self._lines)
        self._owners: list[tuple[str, str] | None] = [None] * self._indent
        self._names: dict[str, Any] = {}
        self._variables = 0

    def function(self, targets: Sequence[Target], owner: str) -> Any:
        self._targets(targets, "value0", self._indent, owner)
        names = {**self._names, OWNERS: self._owners}
        exec(_compiled("\n".join(self._lines) + "\n"), names)  # noqa: S102 - the text is ours, with nothing of the user's in it
        return names["run" if "run" in names else "emit"]

    def _targets(self, targets: Sequence[Target], value: str, indent: int, owner: str) -> None:
        if not targets:
            self._line("pass", indent, None)
        for target in targets:
            if isinstance(target, Step) and indent < _MAX_BLOCKS:
                self._step(target, value, indent)
            else:
                emit = emit_function([target], owner) if isinstance(target, Step) else target
                self._line(f"{self._named('emit', emit)}({value}, timestamp)", indent, (owner, value))

    def _step(self, step: Step, value: str, indent: int) -> None:
        self._variables += 1
        variables = {"value": value, "result": f"value{self._variables}", "results": f"results{self._variables}"}
        names = {name: self._named(name, thing) for name, thing in step.inline.names.items()}
        for line in step.inline.lines:
            text = line.format(**variables, **names)
            self._line(text, indent, (step.name, value))
        emits = step.inline.emits
        if emits is not None:
            last = self._lines[-1]
            depth = (len(last) - len(last.lstrip())) // 4 + last.endswith(":")
            self._targets(step.targets, emits.format(**variables), depth, step.name)

    def _named(self, name: str, thing: Any) -> str:
        unique = f"{name}{len(self._names)}"
        self._names[unique] = thing
        return unique

    def _line(self, text: str, indent: int, owner: tuple[str, str] | None) -> None:
        self._lines.append("    " * indent + text)
        self._owners.append(owner)


@lru_cache(maxsize=256)  # the subtasks of an operator have the same text
def _compiled(text: str) -> CodeType:
    name = f"{_FOLDER}<generated {zlib.crc32(text.encode()):08x}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return compile(text, name, "exec", dont_inherit=True)
