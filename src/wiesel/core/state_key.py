"""The identity of keys: which keys are the same key, and the bytes that stand for a key without a declared type.

Python says ``1 == True == 1.0`` and ``0.0 == -0.0``; PyFlink compares the pickles of untyped keys and tells all of them
apart, and it accepts keys that Python cannot hash. A pickle alone would be too sharp, though: it depends on whether two
equal strings are one object. ``canonical_pickle`` does not.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import types
from typing import Any

from wiesel.core.pickling import PICKLE_PROTOCOL

__all__ = ["PickledKey", "canonical_pickle", "is_plain_key", "original_key", "state_key"]

#: Types whose values are equal only to values of the same type, so that Python's own equality is the right one.
_PLAIN = frozenset({str, int, bytes, type(None)})
_are_plain = _PLAIN.issuperset

# Pickled by value each time they occur, so their identity leaves no trace.
_ATOMS = frozenset({int, float, bool, type(None)})
_NAMED = (type, types.FunctionType, types.BuiltinFunctionType)


class PickledKey:
    """Stands for a key that Python would mix up with others, or cannot hash: equal when the pickles are.

    Args:
        key: the key as the user's function returned it.
    """

    __slots__ = ("_hash", "data", "key")

    def __init__(self, key: Any) -> None:
        self.key = key
        self.data = canonical_pickle(key)
        self._hash = hash(self.data)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PickledKey) and self.data == other.data

    def __repr__(self) -> str:
        return f"PickledKey({self.key!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return PickledKey, (self.key,)


def state_key(key: Any) -> Any:
    """Return the hashable identity under which state of ``key`` is kept.

    Texts, whole numbers, bytes, None and tuples of only these are themselves; everything else becomes a
    ``PickledKey``. A key with a declared type is coerced by it first. ``original_key`` is the inverse.
    """
    kind = type(key)
    if kind in _PLAIN or (kind is tuple and (_are_plain(map(type, key)) or is_plain_key(key))):
        return key
    return PickledKey(key)


def original_key(identity: Any) -> Any:
    """Return the key that ``state_key`` made ``identity`` of."""
    return identity.key if type(identity) is PickledKey else identity


def is_plain_key(key: Any) -> bool:
    """Whether a key is its own identity."""
    return type(key) in _PLAIN or (type(key) is tuple and all(map(is_plain_key, key)))


def canonical_pickle(value: Any) -> bytes:
    """Return the pickle of ``value`` in which equal texts and bytes are always shared, and nothing else is.

    For texts, numbers and collections of them it is what PyFlink sends to the JVM. It is never unpickled.
    """
    if type(value) in _ATOMS or type(value) in _PLAIN:
        return pickle.dumps(value, PICKLE_PROTOCOL)
    shared: dict[Any, Any] = {}
    buffer = io.BytesIO()
    _KeyPickler(buffer, shared).dump(_shared(value, shared))
    return buffer.getvalue()


class _KeyPickler(pickle.Pickler):
    """Shares what objects of other classes reduce to, and names classes of the script instead of looking them up.

    A worker does not hold the script's classes in its ``__main__``, so a reference could not be checked there.
    """

    def __init__(self, buffer: io.BytesIO, shared: dict[Any, Any]) -> None:
        super().__init__(buffer, PICKLE_PROTOCOL)
        self._shared = shared

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, _NAMED):
            cannot_be_found = obj.__module__ == "__main__" or "<locals>" in obj.__qualname__
            return (str, (f"{obj.__module__}.{obj.__qualname__}",)) if cannot_be_found else NotImplemented
        reduce = copyreg.dispatch_table.get(type(obj))
        reduction = obj.__reduce_ex__(PICKLE_PROTOCOL) if reduce is None else reduce(obj)
        if isinstance(reduction, str):
            return NotImplemented
        function, arguments, *rest = reduction
        parts = [part if part is None else _shared_part(part, self._shared) for part in rest]
        return (function, _shared(arguments, self._shared), *parts)


def _shared_part(part: Any, shared: dict[Any, Any]) -> Any:
    # A reduction's items come as iterators, its state as a value.
    return (_shared(item, shared) for item in part) if hasattr(part, "__next__") else _shared(part, shared)


def _shared(value: Any, shared: dict[Any, Any]) -> Any:
    """Return an equal object in which equal leaves are one object and no two containers are."""
    kind = type(value)
    if kind is str or kind is bytes:
        return shared.setdefault(value, value)
    if kind in _ATOMS or isinstance(value, _NAMED):
        return value
    if kind is tuple or kind is list:
        return kind([_shared(item, shared) for item in value])
    if kind is dict:
        return {_shared(key, shared): _shared(item, shared) for key, item in value.items()}
    if kind is set or kind is frozenset:
        # Sets have no order that would survive a process; their elements' pickles have one.
        return kind.__name__, sorted(canonical_pickle(item) for item in value)
    buffer = io.BytesIO()
    _KeyPickler(buffer, {}).dump(value)
    return shared.setdefault((kind, buffer.getvalue()), value)
