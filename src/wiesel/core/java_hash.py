"""Java's ``hashCode`` of the values that Flink uses as keys, so that a key goes to the subtask it goes to on Flink.

Every function returns the hash as an unsigned 32-bit number: the arithmetic that follows is modulo 2**32 anyway.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import mul

MASK = 0xFFFFFFFF

# 31**(n-1) .. 31**0 modulo 2**32 for a block of units: one sum of products replaces a Python loop.
_BLOCK = 1024
_POWERS = [pow(31, _BLOCK - 1 - i, MASK + 1) for i in range(_BLOCK)]
_NEXT_BLOCK = pow(31, _BLOCK, MASK + 1)

TRUE_HASH = 1231
FALSE_HASH = 1237


def _polynomial(units: Sequence[int]) -> int:
    length = len(units)
    if length <= _BLOCK:
        total: int = sum(map(mul, units, _POWERS[_BLOCK - length :]))
        return total & MASK
    # The first block is the short one, so that every further one multiplies by the same power.
    first = length % _BLOCK
    total = _polynomial(units[:first]) if first else 0
    for start in range(first, length, _BLOCK):
        total = (total * _NEXT_BLOCK + sum(map(mul, units[start : start + _BLOCK], _POWERS))) & MASK
    return total


def string_hash(text: str) -> int:
    """Return ``String.hashCode``: a polynomial over UTF-16 code units."""
    if text.isascii():
        return _polynomial(text.encode("ascii"))
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    return _polynomial(units)


def bytes_hash(data: bytes) -> int:
    """Return ``Arrays.hashCode(byte[])``, which sees bytes as signed."""
    return (_polynomial(memoryview(data).cast("b")) + pow(31, len(data), MASK + 1)) & MASK


def int_hash(value: int) -> int:
    """Return ``Integer.hashCode``, which is also that of ``Short``, ``Byte`` and ``Character``."""
    return value & MASK


def long_hash(value: int) -> int:
    """Return ``Long.hashCode``."""
    value &= 0xFFFFFFFFFFFFFFFF
    return (value ^ value >> 32) & MASK


def boolean_hash(value: bool) -> int:
    """Return ``Boolean.hashCode``."""
    return TRUE_HASH if value else FALSE_HASH


def float_hash(value: float) -> int:
    """Return ``Float.hashCode`` of a value that fits 32 bits; all NaNs are one, 0.0 and -0.0 are two."""
    if value != value:
        return 0x7FC00000
    bits: int = struct.unpack(">I", struct.pack(">f", value))[0]
    return bits


def double_hash(value: float) -> int:
    """Return ``Double.hashCode``; all NaNs are one, 0.0 and -0.0 are two."""
    if value != value:
        return 0x7FF80000
    bits: int = struct.unpack(">Q", struct.pack(">d", value))[0]
    return (bits ^ bits >> 32) & MASK


def big_integer_hash(value: int) -> int:
    """Return ``BigInteger.hashCode``: a polynomial over 32-bit words of the magnitude, times the sign."""
    magnitude, words = abs(value), []
    while magnitude:
        words.append(magnitude & MASK)
        magnitude >>= 32
    result = 0
    for word in reversed(words):
        result = (31 * result + word) & MASK
    return -result & MASK if value < 0 else result


def big_decimal_hash(value: Decimal) -> int:
    """Return ``BigDecimal.hashCode``, in which 1.0 and 1.00 differ."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} has no BigDecimal")
    unscaled = int("".join(map(str, digits)))
    return (31 * big_integer_hash(-unscaled if sign else unscaled) - exponent) & MASK


def instant_hash(seconds: int, nanos: int) -> int:
    """Return ``java.time.Instant.hashCode``."""
    return (long_hash(seconds) + 51 * nanos) & MASK


def local_date_hash(value: datetime.date) -> int:
    """Return ``java.time.LocalDate.hashCode``."""
    year = value.year
    return (year & 0xFFFFF800) ^ ((year << 11) + (value.month << 6) + value.day)


def local_time_hash(value: datetime.time) -> int:
    """Return ``java.time.LocalTime.hashCode``."""
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return long_hash(seconds * 1_000_000_000 + value.microsecond * 1000)


def date_hash(millis: int) -> int:
    """Return the hash of ``java.util.Date`` and its children in ``java.sql`` at so many milliseconds since 1970."""
    return long_hash(millis)


def list_hash(hashes: Iterable[int]) -> int:
    """Return ``Arrays.hashCode`` or ``List.hashCode`` of elements with the given hashes."""
    result = 1
    for item in hashes:
        result = 31 * result + item
    return result & MASK


def tuple_hash(hashes: Iterable[int]) -> int:
    """Return the hash of Flink's ``Tuple1`` to ``Tuple25``, which starts from the first field."""
    result = 0
    for item in hashes:
        result = 31 * result + item
    return result & MASK


def row_hash(kind: int, hashes: Iterable[int]) -> int:
    """Return the hash of Flink's positional ``Row``: ``kind`` is ``RowKind.toByteValue``."""
    return (31 * kind + list_hash(hashes)) & MASK
