"""The bytes of typed values in state and between processes.

Layout, version 1. It holds no names and no type tags: what was written is known from the type's descriptor
(``descriptor.py``), which a snapshot stores once beside the values and from which old values are read and migrated.

- numbers: big-endian and fixed, as their Java width; BOOLEAN one byte; BIG_INT 64 bits
- STRING, CHAR, BIG_DEC (its decimal text), byte arrays, pickles: length as varint, then the bytes
- SQL_DATE and LOCAL_DATE: days since 1970 in 32 bits; SQL_TIME: milliseconds of the day in 32 bits; SQL_TIMESTAMP:
  milliseconds since 1970 in 64 bits; INSTANT: seconds in 64 bits, nanoseconds in 32; LOCAL_TIME: microseconds of the
  day in 64 bits; LOCAL_DATE_TIME: microseconds since 1970 in 64 bits
- TUPLE: its fields; ROW: one byte of kind, a bitmap of null fields (field 0 in the lowest bit), the other fields
- PRIMITIVE_ARRAY and LIST: count as varint, elements; BASIC_ARRAY and OBJECT_ARRAY: also a bitmap of null elements
- MAP: count as varint, then for each entry the key, one byte (1: the value is null), the value

A varint has seven bits a byte, lowest first. A STRING, byte array or pickle that is a whole value has no length.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wiesel.core.errors import TypeMismatchError

LAYOUT_VERSION = 1

#: Appends the bytes of a value.
Writer = Callable[[Any, bytearray], None]
#: Returns the value at a position and the position behind it.
Reader = Callable[[bytes, int], tuple[Any, int]]


@dataclass(frozen=True, slots=True)
class Codec:
    """Turns whole values into bytes and back.

    Args:
        encode: returns the bytes of a value; raises ``TypeMismatchError`` when it does not fit the type.
        decode: returns the value of such bytes; raises ``ValueError`` for bytes that nobody encoded.
    """

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


def framed_codec(coerce: Callable[[Any], Any], write: Writer, read: Reader) -> Codec:
    """Return the codec over a writer and a reader. Coercion always comes first: a wrong value must never be stored."""

    def encode(value: Any) -> bytes:
        out = bytearray()
        write(coerce(value), out)
        return bytes(out)

    def decode(data: bytes) -> Any:
        try:
            value, end = read(data, 0)
        except (struct.error, IndexError) as error:
            raise _corrupt(data) from error
        if end != len(data):
            raise _corrupt(data)
        return value

    return Codec(encode, decode)


def _corrupt(data: bytes) -> ValueError:
    return ValueError(f"{len(data)} bytes do not hold one value of this type: {data[:40]!r}")


def write_varint(number: int, out: bytearray) -> None:
    """Append a number that is not negative."""
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number at ``position`` and the position behind it."""
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7


def fixed_writer(form: struct.Struct) -> Writer:
    """Return the writer of a value that ``form`` packs."""
    pack = form.pack

    def write(value: Any, out: bytearray) -> None:
        out += pack(value)

    return write


def fixed_reader(form: struct.Struct) -> Reader:
    """Return the reader of a value that ``form`` unpacks."""
    unpack, size = form.unpack_from, form.size

    def read(data: bytes, position: int) -> tuple[Any, int]:
        return unpack(data, position)[0], position + size

    return read


def bytes_writer(to_bytes: Callable[[Any], bytes] | None = None) -> Writer:
    """Return the writer of a length and the bytes that ``to_bytes`` makes of the value."""

    def write(value: Any, out: bytearray) -> None:
        data = value if to_bytes is None else to_bytes(value)
        write_varint(len(data), out)
        out += data

    return write


def bytes_reader(from_bytes: Callable[[bytes], Any] | None = None) -> Reader:
    """Return the reader of a length and so many bytes, which ``from_bytes`` turns into the value."""

    def read(data: bytes, position: int) -> tuple[Any, int]:
        length, start = read_varint(data, position)
        end = start + length
        part = data[start:end]
        if len(part) != length:
            raise IndexError(end)
        return (part if from_bytes is None else from_bytes(part)), end

    return read


def converted_writer(convert: Callable[[Any], Any], write: Writer) -> Writer:
    """Return a writer that converts first."""
    return lambda value, out: write(convert(value), out)


def converted_reader(read: Reader, convert: Callable[[Any], Any]) -> Reader:
    """Return a reader that converts last."""

    def converted(data: bytes, position: int) -> tuple[Any, int]:
        value, position = read(data, position)
        return convert(value), position

    return converted


def write_nulls(values: Any, out: bytearray) -> None:
    """Append the bitmap of None among ``values``, the first in the lowest bit."""
    bits = 0
    for index, value in enumerate(values):
        if value is None:
            bits |= 1 << index
    out += bits.to_bytes((len(values) + 7) // 8, "little")


def read_nulls(count: int, data: bytes, position: int) -> tuple[int, int]:
    """Return the bitmap of ``count`` values as a number, and the position behind it."""
    end = position + (count + 7) // 8
    if end > len(data):
        raise IndexError(end)
    return int.from_bytes(data[position:end], "little"), end


def utf8(text: str) -> bytes:
    """Return UTF-8; a lone surrogate, which Flink cannot store either, is a mismatch."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise TypeMismatchError(f"Expected text, got a lone surrogate at position {error.start}") from None
