"""Compiles a row type into a function from JSON bytes to a row.

Most records are what their type says, so msgspec decodes them straight into a struct made for the type. Whatever it
refuses is read again by the converters below, which are as lenient as Flink's: ``"12"`` is an INT, ``1`` a STRING.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Callable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Annotated, Any

import msgspec

from wiesel.core.java_text import boolean_text, double_text
from wiesel.core.row import Row, named_row
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

Converter = Callable[[Any], Any]

_INT = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
_LONG = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

# What msgspec checks as Flink would; every other type is decoded as it comes and goes through its converter.
_CHECKED: dict[BasicType, Any] = {
    BasicType.STRING: str,
    BasicType.BOOLEAN: bool,
    BasicType.INT: _INT,
    BasicType.LONG: _LONG,
    BasicType.DOUBLE: float,
}

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_encode = msgspec.json.Encoder(decimal_format="number").encode


def row_reader(
    row_type: RowTypeInfo, *, fail_on_missing_field: bool, ignore_parse_errors: bool
) -> Callable[[bytes], Row | None]:
    """Return the function from JSON to a row, None for null; it raises ``ValueError`` for what it cannot read."""
    reading = _Reading(fail_on_missing_field, ignore_parse_errors)
    convert = reading.converter(row_type)
    names, types = row_type.get_field_names(), row_type.get_field_types()
    # Flink reads every number of a schema that has a decimal somewhere as a decimal, so that no digit is lost.
    read_number = _stripped_decimal if _has_decimal(row_type) else float
    decode = msgspec.json.Decoder(_struct_for(names, types, fail_on_missing_field), float_hook=read_number).decode
    decode_any = msgspec.json.Decoder(float_hook=read_number).decode
    fields_of = msgspec.structs.astuple
    others = [(i, reading.nullable(kind, names[i])) for i, kind in enumerate(types) if _checked_type(kind) is None]

    def read(data: bytes) -> Row | None:
        try:
            values = [*fields_of(decode(data))]
        except msgspec.DecodeError:
            row: Row | None = convert(decode_any(data))
            return row
        for index, convert_field in others:
            if values[index] is not None:
                values[index] = convert_field(values[index])
        return named_row(names, values)

    return read


def _has_decimal(kind: TypeInformation) -> bool:
    if isinstance(kind, RowTypeInfo):
        return any(map(_has_decimal, kind.get_field_types()))
    if isinstance(kind, MapTypeInfo):
        return _has_decimal(kind.key_type) or _has_decimal(kind.value_type)
    if isinstance(kind, (BasicArrayTypeInfo, ListTypeInfo, ObjectArrayTypeInfo, PrimitiveArrayTypeInfo)):
        return _has_decimal(kind.element_type)
    return kind == BasicTypeInfo(BasicType.BIG_DEC)


def _stripped_decimal(text: str) -> Decimal:
    """Return the number without trailing zeros, as Jackson does: 1.50 is 1.5, 100.0 is 1E+2, -0.0 is 0."""
    return _EXACT.normalize(Decimal(text)) or Decimal(0)


def _checked_type(kind: TypeInformation) -> Any:
    return _CHECKED.get(kind.basic_type) if isinstance(kind, BasicTypeInfo) else None


def _struct_for(names: list[str], types: list[TypeInformation], required: bool) -> Any:
    fields: list[Any] = []
    for index, kind in enumerate(types):
        checked = _checked_type(kind)
        accepted = Any if checked is None else checked | None
        fields.append((f"f{index}", accepted) if required else (f"f{index}", accepted, None))
    rename = {f"f{index}": name for index, name in enumerate(names)}
    return msgspec.defstruct("JsonRow", fields, rename=rename, gc=False)


class _Reading:
    """The converters from decoded JSON to values, for one choice of leniency."""

    def __init__(self, fail_on_missing_field: bool, ignore_parse_errors: bool) -> None:
        self._fail_on_missing_field = fail_on_missing_field
        self._ignore_parse_errors = ignore_parse_errors

    def nullable(self, kind: TypeInformation, where: str) -> Converter:
        """Return the converter of a field, which lets None pass and says which field it is when it fails."""
        convert, ignore = self.converter(kind), self._ignore_parse_errors

        def convert_field(value: Any) -> Any:
            if value is None:
                return None
            try:
                return convert(value)
            except (ValueError, TypeError) as error:
                if ignore:
                    return None
                raise ValueError(f"{where}: {error}") from None

        return convert_field

    def converter(self, kind: TypeInformation) -> Converter:
        """Return the converter of a value that is not null."""
        if isinstance(kind, BasicTypeInfo) and kind.basic_type in _BASIC:
            return _BASIC[kind.basic_type]
        if isinstance(kind, LocalTimeTypeInfo):
            return _LOCAL[kind.time_type]
        if type(kind) in _TEMPORAL:
            return _TEMPORAL[type(kind)]
        if isinstance(kind, RowTypeInfo):
            return self._row_converter(kind)
        if isinstance(kind, MapTypeInfo):
            return self._map_converter(kind)
        if isinstance(kind, (BasicArrayTypeInfo, ListTypeInfo, ObjectArrayTypeInfo, PrimitiveArrayTypeInfo)):
            return self._array_converter(kind)
        raise TypeError(f"JSON has no values of {kind}; use ROW, MAP, arrays, texts, numbers, dates and times")

    def _row_converter(self, kind: RowTypeInfo) -> Converter:
        names = kind.get_field_names()
        fields = [(name, self.nullable(field, name)) for name, field in zip(names, kind.get_field_types(), strict=True)]
        required = self._fail_on_missing_field

        def convert(value: Any) -> Any:
            if value is None:
                return None
            if not isinstance(value, dict):
                raise ValueError(f"expected a JSON object, got {_shown(value)}")
            if required:
                missing = [name for name in names if name not in value]
                if missing:
                    raise ValueError(f"Could not find field with name '{missing[0]}'.")
            return named_row(names, [convert_field(value.get(name)) for name, convert_field in fields])

        return convert

    def _map_converter(self, kind: MapTypeInfo) -> Converter:
        convert_key, convert_item = self.nullable(kind.key_type, "key"), self.nullable(kind.value_type, "value")

        def convert(value: Any) -> Any:
            if not isinstance(value, dict):
                raise ValueError(f"expected a JSON object, got {_shown(value)}")
            return {convert_key(key): convert_item(item) for key, item in value.items()}

        return convert

    def _array_converter(self, kind: Any) -> Converter:
        element: TypeInformation = kind.element_type
        if isinstance(kind, PrimitiveArrayTypeInfo) and element == BasicTypeInfo(BasicType.BYTE):
            return _to_bytes
        convert_element, coerce = self.nullable(element, "element"), kind.coercer()

        def convert(value: Any) -> Any:
            if not isinstance(value, list):
                raise ValueError(f"expected a JSON array, got {_shown(value)}")
            return coerce([convert_element(item) for item in value])

        return convert


def _shown(value: Any) -> str:
    text = _encode(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"


def _text(value: Any) -> str:
    """Return a scalar's text as Jackson's ``asText`` gives it; a container has none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return boolean_text(value)
    if isinstance(value, float):
        return double_text(value)
    return str(value) if isinstance(value, (int, Decimal)) else ""


def _to_string(value: Any) -> Any:
    return _encode(value).decode() if isinstance(value, (dict, list)) else _text(value)


def _to_boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else _text(value).strip().lower() == "true"


def _whole_number(name: str, bits: int, *, cut: bool) -> Converter:
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1

    def convert(value: Any) -> Any:
        if cut and isinstance(value, (float, Decimal)) and low <= value <= high:
            return int(value)
        text = _text(value).strip()
        if re.fullmatch(r"[+-]?\d+", text) is None or not low <= (number := int(text)) <= high:
            raise ValueError(f"expected {name}, got {_shown(value)}")
        return number

    return convert


def _to_double(value: Any) -> Any:
    try:
        return value if type(value) is float else float(_text(value))
    except ValueError:
        raise ValueError(f"expected DOUBLE, got {_shown(value)}") from None


def _to_float(value: Any) -> Any:
    return BasicTypeInfo(BasicType.FLOAT).coerce(_to_double(value))


def _to_decimal(value: Any) -> Any:
    try:
        return Decimal(_text(value).strip())
    except InvalidOperation:
        raise ValueError(f"expected BIG_DEC, got {_shown(value)}") from None


def _to_char(value: Any) -> Any:
    return BasicTypeInfo(BasicType.CHAR).coerce(value)


def _to_bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return None  # Jackson's binaryValue of anything else
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(f"expected base64, got {_shown(value)} ({error})") from None


_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"(\d\d:\d\d:\d\d)(\.\d{1,9})?Z"


def _to_date(value: Any) -> Any:
    if re.fullmatch(_DATE, _text(value)):
        return datetime.date.fromisoformat(value)
    raise ValueError(f"expected a date such as 2024-02-29, got {_shown(value)}")


def _to_time(value: Any) -> Any:
    match = re.fullmatch(_TIME, _text(value))
    if match is None or match[2]:
        raise ValueError(f"expected a UTC time without a fraction such as 13:45:00Z, got {_shown(value)}")
    return datetime.time.fromisoformat(match[1])


def _to_timestamp(value: Any) -> Any:
    match = re.fullmatch(rf"({_DATE})T{_TIME}", _text(value))
    if match is None:
        raise ValueError(f"expected a UTC timestamp such as 2024-02-29T13:45:00.500Z, got {_shown(value)}")
    fraction = (match[3] or ".")[1:7]
    return datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}.{fraction.ljust(6, '0')}")


def _to_sql_timestamp(value: Any) -> Any:
    return TimestampTypeInfo().coerce(_to_timestamp(value))


_BASIC: dict[BasicType, Converter] = {
    BasicType.STRING: _to_string,
    BasicType.CHAR: _to_char,
    BasicType.BOOLEAN: _to_boolean,
    BasicType.BYTE: _whole_number("BYTE", 8, cut=False),
    BasicType.SHORT: _whole_number("SHORT", 16, cut=False),
    BasicType.INT: _whole_number("INT", 32, cut=True),
    BasicType.LONG: _whole_number("LONG", 64, cut=True),
    BasicType.FLOAT: _to_float,
    BasicType.DOUBLE: _to_double,
    BasicType.BIG_INT: _whole_number("BIG_INT", 64, cut=False),
    BasicType.BIG_DEC: _to_decimal,
}

_TEMPORAL: dict[type, Converter] = {
    DateTypeInfo: _to_date,
    TimeTypeInfo: _to_time,
    TimestampTypeInfo: _to_sql_timestamp,
}

_LOCAL: dict[LocalTimeTypeInfo.TimeType, Converter] = {
    LocalTimeTypeInfo.TimeType.LOCAL_DATE: _to_date,
    LocalTimeTypeInfo.TimeType.LOCAL_TIME: _to_time,
    LocalTimeTypeInfo.TimeType.LOCAL_DATE_TIME: _to_timestamp,
}
