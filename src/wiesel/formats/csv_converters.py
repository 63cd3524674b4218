"""Values of each type to and from the text of a CSV field, as Flink's CSV formats convert them."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from wiesel.core.errors import RecordError
from wiesel.core.java_text import sql_timestamp_text
from wiesel.core.row import Row, named_row
from wiesel.core.types import (
    BasicArrayTypeInfo,
    BasicType,
    BasicTypeInfo,
    DateTypeInfo,
    ListTypeInfo,
    LocalTimeTypeInfo,
    ObjectArrayTypeInfo,
    PrimitiveArrayTypeInfo,
    RowTypeInfo,
    TimestampTypeInfo,
    TimeTypeInfo,
    TypeInformation,
)
from wiesel.formats.csv_dialect import count_mismatch

Parse = Callable[[str], Any]
Format = Callable[[Any], str]

_ARRAYS = (BasicArrayTypeInfo, ListTypeInfo, ObjectArrayTypeInfo, PrimitiveArrayTypeInfo)


def _whole(bits: int, name: str) -> Parse:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high or "_" in text:
            raise ValueError(f"{text!r} is no {name}")
        return value

    return parse


def _number(text: str) -> float:
    if "_" in text:
        raise ValueError(f"{text!r} is no number")
    return float(text)


_PARSE: dict[BasicType, Parse] = {
    BasicType.STRING: str,
    BasicType.CHAR: lambda text: text[0],
    BasicType.BOOLEAN: lambda text: text.strip().lower() == "true",
    BasicType.BYTE: _whole(8, "BYTE"),
    BasicType.SHORT: _whole(16, "SHORT"),
    BasicType.INT: _whole(32, "INT"),
    BasicType.LONG: _whole(64, "LONG"),
    BasicType.BIG_INT: int,
    BasicType.FLOAT: _number,
    BasicType.DOUBLE: _number,
    BasicType.BIG_DEC: lambda text: Decimal(text.strip()),
}


def parser(kind: TypeInformation, separator: str, null_literal: str | None, lenient: bool) -> Parse:
    """Return the function from a field's text to its value.

    Args:
        kind: type of the value.
        separator: between the elements of an array or nested row.
        null_literal: the text that is None; None for no such text.
        lenient: whether what cannot be parsed is None.
    """
    parse = _parser(kind, separator, null_literal, lenient)

    def parse_nullable(text: str) -> Any:
        if text == null_literal:
            return None
        try:
            return parse(text)
        except (ValueError, ArithmeticError, IndexError, RecordError):
            if lenient:
                return None
            raise

    return parse_nullable


def _parser(kind: TypeInformation, separator: str, null_literal: str | None, lenient: bool) -> Parse:
    if isinstance(kind, BasicTypeInfo) and kind.basic_type in _PARSE:
        return _PARSE[kind.basic_type]
    if isinstance(kind, DateTypeInfo) or _is_local(kind, LocalTimeTypeInfo.TimeType.LOCAL_DATE):
        return lambda text: datetime.date.fromisoformat(text.strip())
    if isinstance(kind, TimeTypeInfo) or _is_local(kind, LocalTimeTypeInfo.TimeType.LOCAL_TIME):
        return lambda text: datetime.time.fromisoformat(text.strip())
    if isinstance(kind, TimestampTypeInfo) or _is_local(kind, LocalTimeTypeInfo.TimeType.LOCAL_DATE_TIME):
        return lambda text: datetime.datetime.fromisoformat(_with_microseconds(text.strip()))
    if isinstance(kind, PrimitiveArrayTypeInfo) and kind.holds_bytes:
        return lambda text: base64.b64decode(text, validate=True)
    if isinstance(kind, _ARRAYS):
        element = parser(kind.element_type, separator, null_literal, lenient)
        if not separator:
            return lambda text: [element(text)]
        return lambda text: [element(part) for part in text.split(separator)] if text else []
    if isinstance(kind, RowTypeInfo):
        return _row_parser(kind, separator, null_literal, lenient)
    raise TypeError(f"CSV has no values of {kind}; use texts, numbers, dates, times, arrays and one level of ROW")


def _row_parser(kind: RowTypeInfo, separator: str, null_literal: str | None, lenient: bool) -> Parse:
    names = kind.get_field_names()
    fields = [parser(field, separator, null_literal, lenient) for field in kind.get_field_types()]

    def parse(text: str) -> Row:
        return named_row(names, parse_fields(fields, names, text.split(separator), lenient))

    return parse


def parse_fields(fields: list[Parse], names: list[str], texts: list[str], lenient: bool) -> list[Any]:
    """Return the values of a row's texts, one for each field; missing ones are None when lenient.

    Raises:
        RecordError: too few or too many texts, or one that cannot be parsed; says which.
    """
    if len(texts) != len(fields):
        if not lenient or len(texts) > len(fields):
            raise count_mismatch(len(fields), texts)
        return [parse(text) for parse, text in zip(fields, texts, strict=False)] + [None] * (len(fields) - len(texts))
    try:
        return [parse(text) for parse, text in zip(fields, texts, strict=True)]
    except (ValueError, ArithmeticError, IndexError):
        for name, parse, text in zip(names, fields, texts, strict=True):
            try:
                parse(text)
            except (ValueError, ArithmeticError, IndexError) as error:
                raise RecordError(f"Fail to deserialize at field: {name}: {text!r}: {error}") from None
        raise


def _is_local(kind: TypeInformation, time_type: LocalTimeTypeInfo.TimeType) -> bool:
    return isinstance(kind, LocalTimeTypeInfo) and kind.time_type is time_type


def _with_microseconds(text: str) -> str:
    head, point, fraction = text.partition(".")
    return f"{head}.{fraction[:6].ljust(6, '0')}" if point else head


def formatter(kind: TypeInformation, separator: str, null_literal: str, text: Callable[[str], str]) -> Format:
    """Return the function from a coerced value to a field.

    Args:
        kind: type of the value.
        separator: between the elements of an array or nested row.
        null_literal: what None is written as.
        text: puts a text in quotes where it needs them; numbers and truth values never do.
    """
    format_value = _formatter(kind, separator, null_literal)
    raw = isinstance(kind, BasicTypeInfo) and kind.basic_type not in (BasicType.STRING, BasicType.CHAR)
    if raw:
        return lambda value: null_literal if value is None else format_value(value)
    return lambda value: null_literal if value is None else text(format_value(value))


def _formatter(kind: TypeInformation, separator: str, null_literal: str) -> Format:
    if isinstance(kind, BasicTypeInfo):
        return _plain_decimal if kind.basic_type is BasicType.BIG_DEC else kind.text
    if isinstance(kind, TimestampTypeInfo) or _is_local(kind, LocalTimeTypeInfo.TimeType.LOCAL_DATE_TIME):
        return lambda value: _without_zero_fraction(sql_timestamp_text(value))
    if isinstance(kind, (DateTypeInfo, TimeTypeInfo, LocalTimeTypeInfo)):
        return kind.text
    if isinstance(kind, PrimitiveArrayTypeInfo) and kind.holds_bytes:
        return lambda value: base64.b64encode(value).decode()
    if isinstance(kind, _ARRAYS):
        element = _nullable(_formatter(kind.element_type, separator, null_literal), null_literal)
        return lambda value: separator.join(map(element, value))
    if isinstance(kind, RowTypeInfo):
        fields = [_nullable(_formatter(f, separator, null_literal), null_literal) for f in kind.get_field_types()]
        return lambda row: separator.join(write(value) for write, value in zip(fields, row, strict=True))
    raise TypeError(f"CSV has no values of {kind}; use texts, numbers, dates, times, arrays and one level of ROW")


def _nullable(write: Format, null_literal: str) -> Format:
    return lambda value: null_literal if value is None else write(value)


def _plain_decimal(value: Decimal) -> str:
    return str(value)


def _without_zero_fraction(text: str) -> str:
    return text.removesuffix(".0")
