"""What ``execute_and_collect`` hands to the script of a record."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from wiesel.core.java_text import shortest_float_digits
from wiesel.core.types import (
    BasicArrayTypeInfo,
    BasicType,
    BasicTypeInfo,
    ListTypeInfo,
    MapTypeInfo,
    ObjectArrayTypeInfo,
    PrimitiveArrayTypeInfo,
    RowTypeInfo,
    TupleTypeInfo,
    TypeInformation,
)

Convert = Callable[[Any], Any]


def short_floats(type_info: TypeInformation) -> Convert | None:
    """Return what makes each 32-bit float the number that its shortest text says, None if the type has no such float.

    PyFlink hands results over as Java's text, so 0.1 that was a FLOAT is collected as 0.1, and arrives in a function as
    0.10000000149011612.
    """
    if isinstance(type_info, BasicTypeInfo):
        return _shortest if type_info == BasicTypeInfo(BasicType.FLOAT) else None
    if isinstance(type_info, RowTypeInfo | TupleTypeInfo):
        fields = {i: convert for i, part in enumerate(type_info.get_field_types()) if (convert := short_floats(part))}
        return _of_fields(fields, isinstance(type_info, RowTypeInfo)) if fields else None
    if isinstance(type_info, MapTypeInfo):
        key, value = short_floats(type_info._key_type_info), short_floats(type_info._value_type_info)
        return _of_entries(key or _same, value or _same) if key or value else None
    if isinstance(type_info, ListTypeInfo):
        return _of_elements(short_floats(type_info.elem_type))
    if isinstance(type_info, BasicArrayTypeInfo | PrimitiveArrayTypeInfo | ObjectArrayTypeInfo):
        return _of_elements(short_floats(type_info._element_type))
    return None


def _shortest(value: Any) -> Any:
    return float(shortest_float_digits(value)) if value is not None and math.isfinite(value) else value


def _same(value: Any) -> Any:
    return value


def _of_fields(converts: dict[int, Convert], rows: bool) -> Convert:
    def convert(value: Any) -> Any:
        if value is None:
            return None
        parts = value if rows else list(value)  # a row is the script's own by now
        for place, of_part in converts.items():
            parts[place] = of_part(parts[place])
        return parts if rows else tuple(parts)

    return convert


def _of_entries(of_key: Convert, of_value: Convert) -> Convert:
    return lambda value: value and {of_key(key): of_value(entry) for key, entry in value.items()}


def _of_elements(of_element: Convert | None) -> Convert | None:
    return of_element and (lambda value: value and [of_element(element) for element in value])
