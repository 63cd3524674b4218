"""What a script declares a type to be."""

from __future__ import annotations

from typing import Any

from wiesel.core.arguments import expect_type
from wiesel.core.types.base import TypeInformation
from wiesel.core.types.composite import RowTypeInfo


def declared_type(value: Any, call: str) -> TypeInformation | None:
    """Return a type that a script declares: a list of types is a row of them, None is no declaration.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, list):
        return RowTypeInfo(value)
    expect_type(value, call)
    declared: TypeInformation | None = value
    return declared
