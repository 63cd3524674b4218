"""Confluent's wire format: a zero byte, the schema's id in four, for Protobuf the message's place, the payload."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from wiesel.core.errors import RecordError

_MAGIC: Final = 0
_HEADER: Final = struct.Struct(">bI")
HEADER_BYTES: Final = _HEADER.size
#: Deeper nesting than this is no message of anybody's, but another format.
_MOST_INDEXES: Final = 64


def header(schema_id: int) -> bytes:
    """Return the bytes in front of a payload."""
    return _HEADER.pack(_MAGIC, schema_id)


def schema_id_of(data: bytes) -> int:
    """Return the id of the schema that a record was written with.

    Raises:
        RecordError: the record is not in this format.
    """
    if len(data) < HEADER_BYTES:
        raise RecordError(f"{len(data)} bytes are too few for Confluent's wire format, whose header alone has 5.")
    magic, schema_id = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise RecordError(
            f"Confluent's wire format begins with a zero byte and not with {magic & 0xFF:#04x}: this record was not "
            "written by a serializer that uses a schema registry."
        )
    return int(schema_id)


def message_indexes(path: Sequence[int]) -> bytes:
    """Return a Protobuf message's place in its file: positions, the outermost message first.

    The first message of a file, which most are, is one zero byte.
    """
    if list(path) == [0]:
        return b"\x00"
    return b"".join(map(_zigzag, (len(path), *path)))


def read_message_indexes(data: bytes, position: int) -> tuple[tuple[int, ...], int]:
    """Return a Protobuf message's place in its file, and where the payload begins.

    Raises:
        RecordError: there is none.
    """
    count, position = _read_zigzag(data, position)
    if count == 0:
        return (0,), position
    if not 0 < count <= _MOST_INDEXES:
        raise RecordError(f"The record names a message at depth {count}: it is no Protobuf in Confluent's wire format.")
    path = []
    for _ in range(count):
        index, position = _read_zigzag(data, position)
        path.append(index)
    return tuple(path), position


def _zigzag(number: int) -> bytes:
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _read_zigzag(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise RecordError("The record ends, or goes wrong, where the place of its Protobuf message should be.")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), position
        shift += 7
