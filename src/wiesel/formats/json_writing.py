"""Compiles a row type into a function from a row to JSON bytes.

Most rows hold exactly what their type says and are written as they are; all others are coerced field by field first.

A DOUBLE is the same number as Flink writes, not always in the same notation (``1e21`` where Java has ``1.0E21``).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from wiesel.core.errors import TypeMismatchError
from wiesel.core.java_text import float_text
from wiesel.core.row import Row
from wiesel.core.types import (
    BasicArrayTypeInfo,
    BasicType,
    BasicTypeInfo,
    DateTypeInfo,
    ListTypeInfo,
    LocalTimeTypeInfo,
    MapTypeInfo,
    ObjectArrayTypeInfo,
    PrimitiveArrayTypeInfo,
    RowTypeInfo,
    TimestampTypeInfo,
    TimeTypeInfo,
    TypeInformation,
)
from wiesel.core.types.as_is import AS_IS, AsIs

Converter = Callable[[Any], Any]

# Infinity and NaN are DOUBLEs, but JSON has no numbers for them; some other types need a text of their own.
_AS_IS = {
    kind: rule if kind is not BasicType.DOUBLE else AsIs(float, -sys.float_info.max, sys.float_info.max)
    for kind, rule in AS_IS.items()
}


def row_writer(row_type: RowTypeInfo) -> Callable[[Any], bytes]:
    """Return the function from a row to JSON. It raises ``TypeMismatchError`` for what the type does not hold."""
    coerce, convert = row_type.coercer(), _row_converter(row_type)
    encode = msgspec.json.Encoder(decimal_format="number").encode
    names, types = row_type.get_field_names(), row_type.get_field_types()

    def write_coerced(row: Any) -> bytes:
        if type(row) is Row and set(getattr(row, "_fields", names)) != set(names):
            # Flink's encoder takes fields by their place; what the row calls them does not matter to it.
            row = Row(*row._values)
        value = coerce(row)
        try:
            return encode(convert(value))
        except UnicodeEncodeError as error:
            raise TypeMismatchError(f"Expected text, got a lone surrogate: {error.reason}") from None

    return _as_is_writer(names, types, encode, write_coerced) if names else write_coerced


def _as_is_writer(
    names: list[str],
    types: list[TypeInformation],
    encode: Callable[[Any], bytes],
    write_coerced: Callable[[Any], bytes],
) -> Callable[[Any], bytes]:
    """Return a function that writes rows that are what their type says at once, and leaves all others to another.

    It is generated: looking at each field by name costs a third of a loop over checks.
    """
    variables = [f"v{index}" for index in range(len(names))]
    properties = ", ".join(f"{name!r}: {variable}" for name, variable in zip(names, variables, strict=True))
    text = f"""
def write(row):
    if type(row) is Row and getattr(row, '_fields', names) == names:
        values = row._values
        if len(values) == {len(names)}:
            {"".join(f"{variable}, " for variable in variables)} = values
            if {" and ".join(map(_as_is_test, variables, types))}:
                try:
                    return encode({{{properties}}})
                except UnicodeEncodeError:
                    pass
    return write_coerced(row)
"""
    made: dict[str, Any] = {"Row": Row, "names": names, "encode": encode, "write_coerced": write_coerced}
    exec(text, made)  # noqa: S102 - the text is ours; names of fields are in it as literals
    write: Callable[[Any], bytes] = made["write"]
    return write


def _as_is_test(variable: str, kind: TypeInformation) -> str:
    rule = _AS_IS.get(kind.basic_type) if isinstance(kind, BasicTypeInfo) else None
    if rule is None:
        return f"{variable} is None"
    test = f"type({variable}) is {rule.kind.__name__}"
    if rule.low < rule.high:
        # Written this way round because NaN is within no bounds.
        test += f" and {rule.low!r} <= {variable} <= {rule.high!r}"
    return f"({test} or {variable} is None)"


def _converter(kind: TypeInformation) -> Converter | None:
    """Return the function from a coerced value to what msgspec writes rightly; None where that is the value itself."""
    if isinstance(kind, BasicTypeInfo) and kind.basic_type is not BasicType.INSTANT:
        return _BASIC.get(kind.basic_type)
    if type(kind) in _TEMPORAL:
        return _TEMPORAL[type(kind)]
    if isinstance(kind, LocalTimeTypeInfo):
        return _LOCAL[kind.time_type]
    if isinstance(kind, RowTypeInfo):
        return _row_converter(kind)
    if isinstance(kind, MapTypeInfo):
        return _map_converter(kind)
    if isinstance(kind, (BasicArrayTypeInfo, ListTypeInfo, ObjectArrayTypeInfo, PrimitiveArrayTypeInfo)):
        return _array_converter(kind.element_type)
    raise TypeError(f"JSON has no values of {kind}; use ROW, MAP, arrays, texts, numbers, dates and times")


def _row_converter(kind: RowTypeInfo) -> Converter:
    names = kind.get_field_names()
    converters = [_converter(field) for field in kind.get_field_types()]
    changing = [(i, convert) for i, convert in enumerate(converters) if convert is not None]

    def convert_row(row: Any) -> Any:
        values = row._values
        for index, convert in changing:
            if values[index] is not None:
                values[index] = convert(values[index])
        return dict(zip(names, values, strict=True))

    return convert_row


def _map_converter(kind: MapTypeInfo) -> Converter:
    convert = _converter(kind.value_type) or _same
    text = kind.key_type.text

    def convert_map(value: Any) -> Any:
        return {text(key): None if item is None else convert(item) for key, item in value.items()}

    return convert_map


def _array_converter(element: TypeInformation) -> Converter | None:
    convert = _converter(element)
    if convert is None:
        return None  # bytes too, which msgspec writes as base64
    return lambda value: [None if item is None else convert(item) for item in value]


def _same(value: Any) -> Any:
    return value


def _double(value: float) -> Any:
    return value if math.isfinite(value) else _non_finite(value)


def _float(value: float) -> Any:
    return msgspec.Raw(float_text(value).encode()) if math.isfinite(value) else _non_finite(value)


def _non_finite(value: float) -> str:
    # JSON has no such numbers; Jackson writes their names as text.
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _time(value: Any) -> str:
    return f"{_without_zeros(value.isoformat())}Z"


def _sql_time(value: Any) -> str:
    return f"{value.replace(microsecond=0).isoformat()}Z"


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


_BASIC: dict[BasicType, Converter] = {BasicType.DOUBLE: _double, BasicType.FLOAT: _float}

_TEMPORAL: dict[type, Converter] = {
    DateTypeInfo: str,
    TimeTypeInfo: _sql_time,
    TimestampTypeInfo: _time,
}

_LOCAL: dict[LocalTimeTypeInfo.TimeType, Converter] = {
    LocalTimeTypeInfo.TimeType.LOCAL_DATE: str,
    LocalTimeTypeInfo.TimeType.LOCAL_TIME: _time,
    LocalTimeTypeInfo.TimeType.LOCAL_DATE_TIME: _time,
}
