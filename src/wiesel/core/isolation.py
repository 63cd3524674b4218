"""Copies of values that may still be changed: what one task hands to another must be its own.

PyFlink serialises every record between tasks, so a function that emits a list and goes on filling it has emitted the
list as it was. Inside one process nothing is serialised; what could change is copied instead, and what could not is
passed on as it is.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from wiesel.core.pickling import pickle_value, unpickle_value
from wiesel.core.row import Row, flat_copy
from wiesel.core.shipping import ShippedFunction
from wiesel.core.tagged_union import TaggedUnion

#: Types of which a reference is as good as a copy.
ATOMS: Final = frozenset({int, str, float, bool, type(None), bytes, complex})

#: Functions that make their result anew and keep nothing of it, by module.
_PARSERS: Final = (("json", "loads"), ("orjson", "loads"), ("msgspec._core", "json_decode"))


def gives_away(function: ShippedFunction) -> bool:
    """Whether what ``function`` returns is its caller's alone, so that a copy of it would only cost time."""
    if all(function.name != name for _, name in _PARSERS):
        return False
    loaded = function.load()
    module = getattr(loaded, "__module__", "")
    # What was put in their place, or around them, may keep what it returns.
    if (module, function.name) not in _PARSERS or hasattr(loaded, "__wrapped__"):
        return False
    return loaded is getattr(sys.modules[module], function.name, None)


def isolate(value: Any) -> Any:
    """Return ``value`` if nothing in it can change, else a copy that shares nothing with it.

    Raises:
        TypeError, AttributeError, pickle.PicklingError: it can change and cannot be pickled, so it cannot be copied.
    """
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind is tuple:
        for part in value:
            if type(part) not in ATOMS:
                break
        else:
            return value
    elif kind is dict:
        for part in value.values():
            if type(part) not in ATOMS:
                break
        else:
            return value.copy()  # its keys are hashable, which only an odd class of the user's makes changeable
    elif kind is list:
        for part in value:
            if type(part) not in ATOMS:
                break
        else:
            return value[:]
    elif kind is Row:
        for part in value._values:
            if type(part) not in ATOMS:
                break
        else:
            return flat_copy(value)
    elif kind is TaggedUnion:
        return TaggedUnion(value[0], isolate(value[1]))
    return unpickle_value(pickle_value(value))
