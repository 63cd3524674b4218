"""Keys of a database: ``table (2 bytes) | key group (2 bytes) | key | namespace``, all big-endian.

One table's entries lie together, and within it one key group's, so that a group can be read and moved as a range. The
bytes of a key are as good as the key: two that state holds to be one are the same bytes, and the other way round.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from wiesel.core.state_key import PickledKey, canonical_pickle, original_key
from wiesel.core.windows import TimeWindow

#: Bytes before the key.
PREFIX: Final = 4
_PREFIX: Final = struct.Struct(">HH")
_LENGTH: Final = struct.Struct(">I")
_WINDOW: Final = struct.Struct(">qq")


def table_prefix(table_id: int) -> bytes:
    """Return what the keys of a table begin with."""
    return table_id.to_bytes(2, "big")


def key_group_in(raw: bytes) -> int:
    """Return the key group in a database key."""
    return int.from_bytes(raw[2:PREFIX], "big")


def key_encoder(table_id: int, key_group_of: Callable[[Any], int], namespaced: bool) -> Callable[[Any], bytes]:
    """Return the function from an entry's key in a table to its key in the database.

    Args:
        table_id: the table's number in the database.
        key_group_of: key group of a user key.
        namespaced: an entry's key is a pair of the key and a namespace.
    """

    def encode(key: Any) -> bytes:
        return _PREFIX.pack(table_id, key_group_of(original_key(key))) + _atom(key)

    def encode_namespaced(pair: Any) -> bytes:
        key, namespace = pair
        text = _atom(key)
        group = key_group_of(original_key(key))
        return _PREFIX.pack(table_id, group) + _LENGTH.pack(len(text)) + text + _atom(namespace)

    return encode_namespaced if namespaced else encode


def _atom(value: Any) -> bytes:
    kind, data = type(value), b""
    if kind is str:
        data = b"s" + value.encode("utf-8", "surrogatepass")
    elif kind is int:
        data = b"i%d" % value
    elif kind is TimeWindow:
        data = b"w" + _WINDOW.pack(value.start, value.end)
    elif kind is PickledKey:
        data = b"k" + value.data
    else:
        data = b"p" + canonical_pickle(value)
    return data
