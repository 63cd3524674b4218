"""Numbers, texts and booleans (Flink: ``BasicTypeInfo``)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from wiesel.core import java_hash, java_text
from wiesel.core.time import Instant
from wiesel.core.types.base import Coercer, TypeInformation, mismatch, overflow
from wiesel.core.types.codec import (
    Codec,
    Reader,
    Writer,
    bytes_reader,
    bytes_writer,
    fixed_reader,
    fixed_writer,
    framed_codec,
    utf8,
)


class BasicType(Enum):
    """Java's name of each basic type."""

    STRING = "String"
    BYTE = "Byte"
    BOOLEAN = "Boolean"
    SHORT = "Short"
    INT = "Integer"
    LONG = "Long"
    FLOAT = "Float"
    DOUBLE = "Double"
    CHAR = "Char"
    BIG_INT = "BigInteger"
    BIG_DEC = "BigDecimal"
    INSTANT = "Instant"


# PyFlink carries BigInteger as 64 bits too, so a larger one overflows on both.
_INTEGER_BITS = {
    BasicType.BYTE: 8,
    BasicType.SHORT: 16,
    BasicType.INT: 32,
    BasicType.LONG: 64,
    BasicType.BIG_INT: 64,
}

_FORMATS = {
    BasicType.BYTE: struct.Struct(">b"),
    BasicType.SHORT: struct.Struct(">h"),
    BasicType.INT: struct.Struct(">i"),
    BasicType.LONG: struct.Struct(">q"),
    BasicType.BIG_INT: struct.Struct(">q"),
    BasicType.FLOAT: struct.Struct(">f"),
    BasicType.DOUBLE: struct.Struct(">d"),
    BasicType.BOOLEAN: struct.Struct(">?"),
    BasicType.INSTANT: struct.Struct(">qi"),
}

_FLOAT = _FORMATS[BasicType.FLOAT]


class BasicTypeInfo(TypeInformation):
    """A number, a text or a boolean."""

    def __init__(self, basic_type: BasicType) -> None:
        super().__init__()
        self._basic_type = basic_type

    @property
    def basic_type(self) -> BasicType:
        """Which of the basic types it is."""
        return self._basic_type

    @property
    def struct_format(self) -> struct.Struct | None:
        """How values are packed, where they have a fixed width."""
        return _FORMATS.get(self._basic_type)

    def coercer(self) -> Coercer:
        """See the base class."""
        return _COERCERS[self._basic_type]

    def writer(self) -> Writer:
        """See the base class."""
        form = self.struct_format
        if form is not None:
            return fixed_writer(form)
        return bytes_writer(_decimal_bytes if self._basic_type is BasicType.BIG_DEC else utf8)

    def reader(self) -> Reader:
        """See the base class."""
        form = self.struct_format
        if form is not None:
            return fixed_reader(form)
        return bytes_reader(_decimal_from_bytes if self._basic_type is BasicType.BIG_DEC else bytes.decode)

    def _make_codec(self) -> Codec:
        if self._basic_type is not BasicType.STRING:
            return framed_codec(self.coercer(), self.writer(), self.reader())
        return Codec(lambda value: utf8(_coerce_string(value)), bytes.decode)

    def java_hash(self, value: Any) -> int:
        """See the base class."""
        return _HASHES[self._basic_type](value)

    def text(self, value: Any) -> str:
        """See the base class."""
        return _TEXTS.get(self._basic_type, str)(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BasicTypeInfo) and self._basic_type is other._basic_type

    __hash__ = TypeInformation.__hash__

    def __repr__(self) -> str:
        return self._basic_type.value


class InstantTypeInfo(BasicTypeInfo):
    """An ``Instant``."""

    def need_conversion(self) -> bool:
        """See the base class."""
        return True

    def to_internal_type(self, obj: Any) -> Any:
        """Return microseconds since 1970."""
        return obj.to_epoch_milli() * 1000

    def from_internal_type(self, obj: Any) -> Any:
        """Return the instant so many microseconds after 1970."""
        return Instant.of_epoch_milli(obj // 1000)

    def writer(self) -> Writer:
        """See the base class."""
        pack = _FORMATS[BasicType.INSTANT].pack

        def write(value: Any, out: bytearray) -> None:
            out += pack(value.seconds, value.nanos)

        return write

    def reader(self) -> Reader:
        """See the base class."""
        form = _FORMATS[BasicType.INSTANT]

        def read(data: bytes, position: int) -> tuple[Any, int]:
            return Instant(*form.unpack_from(data, position)), position + form.size

        return read

    def text(self, value: Any) -> str:
        """Return ISO-8601 text with as many groups of three digits as needed, as Java does."""
        return java_text.instant_text(value.seconds, value.nanos)


def integer_coercer(kind: BasicType) -> Coercer:
    """Return the coercer of a whole number: fractions are cut off, what is out of range is an error."""
    bits = _INTEGER_BITS[kind]
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    expected = f"a whole number of {bits} bits for {kind.name}"

    def coerce(value: Any) -> Any:
        if type(value) is not int:
            # A text is no number, even where int() would read it.
            if not hasattr(type(value), "__int__") and not hasattr(type(value), "__index__"):
                raise mismatch(expected, value)
            try:
                value = int(value)
            except (OverflowError, ValueError):  # infinity and NaN
                raise overflow(expected, value) from None
        if low <= value <= high:
            return value
        raise overflow(expected, value)

    return coerce


def _coerce_string(value: Any) -> Any:
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise mismatch("a str for STRING", value)


def _coerce_char(value: Any) -> Any:
    if isinstance(value, str) and len(value) == 1:
        return str.__str__(value)
    raise mismatch("a str of one character for CHAR", value)


def _coerce_boolean(value: Any) -> Any:
    if value is True or value is False:
        return value
    if not hasattr(type(value), "__int__"):
        raise mismatch("a bool for BOOLEAN", value)
    return bool(_coerce_unsigned_byte(value))


def _coerce_unsigned_byte(value: Any) -> int:
    number = int(value)
    if 0 <= number <= 255:
        return number
    raise overflow("a bool for BOOLEAN", value)


def _as_float(value: Any, name: str) -> float:
    if not hasattr(type(value), "__float__") and not hasattr(type(value), "__index__"):
        raise mismatch(f"a number for {name}", value)
    try:
        return float(value)
    except OverflowError:
        raise overflow(f"a number for {name}", value) from None


def _coerce_double(value: Any) -> Any:
    return value if type(value) is float else _as_float(value, "DOUBLE")


def _coerce_float(value: Any) -> Any:
    number = _as_float(value, "FLOAT")
    try:
        return _FLOAT.unpack(_FLOAT.pack(number))[0]
    except OverflowError:  # beyond 32 bits it is infinite, as a cast in C and Java makes it
        return math.copysign(math.inf, number)


def _coerce_decimal(value: Any) -> Any:
    if type(value) is Decimal and value.is_finite():
        return value or value.copy_abs()  # Java's BigDecimal knows no -0
    try:
        # By way of its text, as PyFlink sends it: 0.1 becomes exactly 0.1.
        number = Decimal(str(value))
    except InvalidOperation:
        raise mismatch("a decimal number for BIG_DEC", value) from None
    if not number.is_finite():
        raise overflow("a finite decimal number for BIG_DEC", value)
    return number or number.copy_abs()


def _coerce_instant(value: Any) -> Any:
    if isinstance(value, Instant):
        return value
    raise mismatch("an Instant for INSTANT", value)


def _decimal_bytes(value: Decimal) -> bytes:
    return str(value).encode()


def _decimal_from_bytes(data: bytes) -> Decimal:
    return Decimal(data.decode())


_COERCERS: dict[BasicType, Coercer] = {
    **{kind: integer_coercer(kind) for kind in _INTEGER_BITS},
    BasicType.STRING: _coerce_string,
    BasicType.CHAR: _coerce_char,
    BasicType.BOOLEAN: _coerce_boolean,
    BasicType.FLOAT: _coerce_float,
    BasicType.DOUBLE: _coerce_double,
    BasicType.BIG_DEC: _coerce_decimal,
    BasicType.INSTANT: _coerce_instant,
}

_HASHES: dict[BasicType, Callable[[Any], int]] = {
    BasicType.STRING: java_hash.string_hash,
    BasicType.CHAR: java_hash.string_hash,
    BasicType.BOOLEAN: java_hash.boolean_hash,
    BasicType.BYTE: java_hash.int_hash,
    BasicType.SHORT: java_hash.int_hash,
    BasicType.INT: java_hash.int_hash,
    BasicType.LONG: java_hash.long_hash,
    BasicType.FLOAT: java_hash.float_hash,
    BasicType.DOUBLE: java_hash.double_hash,
    BasicType.BIG_INT: java_hash.big_integer_hash,
    BasicType.BIG_DEC: java_hash.big_decimal_hash,
    BasicType.INSTANT: lambda value: java_hash.instant_hash(value.seconds, value.nanos),
}

_TEXTS: dict[BasicType, Callable[[Any], str]] = {
    BasicType.BOOLEAN: java_text.boolean_text,
    BasicType.FLOAT: java_text.float_text,
    BasicType.DOUBLE: java_text.double_text,
}

__all__ = [
    "BasicType",
    "BasicTypeInfo",
    "InstantTypeInfo",
    "integer_coercer",
]
