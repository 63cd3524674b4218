"""Keys of a whole batch: taken from the values and made what their declared type says, as a shuffle of Flink does.

``1``, ``True`` and ``1.7`` are one key to a key type of INT. Whole batches of texts or whole numbers, which nearly all
are, are checked without a call per key.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, Final

from wiesel.core.types import BasicType, BasicTypeInfo, TypeInformation

_NUMBER_CODES: Final = {BasicType.BYTE: "b", BasicType.SHORT: "h", BasicType.INT: "i", BasicType.LONG: "q"}
_ONLY_TEXT: Final = {str}

#: Takes the values of a batch and returns their keys.
KeysOf = Callable[[list[Any]], list[Any]]


def keys_function(key_of: Callable[[Any], Any], key_type: TypeInformation) -> KeysOf:
    """Return the function from values to keys; an error is raised in a frame that holds its record as ``value``."""
    coerce_all, coerce = _batch_coercer(key_type), _coercer(key_type)

    def keys_of(values: list[Any]) -> list[Any]:
        try:
            return coerce_all(list(map(key_of, values)))
        except Exception:  # noqa: S110  one by one then, so that it is seen which record it was
            pass
        return [coerce(key_of(value)) for value in values]

    return keys_of


def _coercer(key_type: TypeInformation) -> Callable[[Any], Any]:
    coerce = key_type.coercer()
    return lambda key: key if key is None else coerce(key)


def _batch_coercer(key_type: TypeInformation) -> Callable[[list[Any]], list[Any]]:
    if key_type.is_identity:
        return lambda keys: keys
    coerce = _coercer(key_type)

    def each(keys: list[Any]) -> list[Any]:
        return list(map(coerce, keys))

    kind = key_type.basic_type if isinstance(key_type, BasicTypeInfo) else None
    if kind is BasicType.STRING:
        return lambda keys: keys if set(map(type, keys)) == _ONLY_TEXT else each(keys)
    code = _NUMBER_CODES.get(kind) if kind is not None else None
    if code is None:
        return each

    def numbers(keys: list[Any]) -> list[Any]:
        try:
            return array(code, keys).tolist()
        except (TypeError, OverflowError):
            return each(keys)

    return numbers
