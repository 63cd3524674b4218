"""Holds what is first written into typed list and map state to its type, for whoever writes the program.

PyFlink finds such mistakes when it serialises state. Nothing is serialised here, and a check of every write would cost
every job; so the first ones are checked, by a class that then makes way for the plain one.
"""

from __future__ import annotations

from typing import Any, TypeVar

from wiesel.core.errors import TypeMismatchError
from wiesel.core.types import Coercer
from wiesel.core.types.base import inside
from wiesel.state.heap.table import Table

_S = TypeVar("_S")


def check_first_writes(state: _S, table: Table, coerce: Coercer, what: str) -> _S:
    """Return ``state``, a list or a map state, which checks what is written until enough was.

    Args:
        state: a handle of the table.
        table: counts how many writes are still to be checked, over all handles.
        coerce: raises ``TypeMismatchError`` for a list or a dictionary of another type.
        what: the state, for the message.
    """
    kind: Any = type(state)
    if not table.checks_left:
        return state

    def check(handle: Any, written: Any) -> None:
        if not table.checks_left:
            handle.__class__ = kind
            return
        table.checks_left -= 1
        try:
            coerce(written)
        except TypeMismatchError as error:
            raise inside(what, error) from None

    class Checked(kind):  # type: ignore[misc]
        __slots__ = ()

        def add(self, value: Any) -> None:
            check(self, [value])
            kind.add(self, value)

        def add_all(self, values: list[Any]) -> None:
            check(self, [*values])
            kind.add_all(self, values)

        def update(self, values: list[Any]) -> None:
            check(self, [*values])
            kind.update(self, values)

        def put(self, key: Any, value: Any) -> None:
            check(self, {key: value})
            kind.put(self, key, value)

        __setitem__ = put

    state.__class__ = Checked
    return state
