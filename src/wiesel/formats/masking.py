"""Masks fields: each value is replaced by a token that is the same for equal values and tells nothing of them.

A token is a keyed hash (HMAC-SHA-256), so joins, counts and keys still work on masked fields, and nobody without the
key can try values out. It is not reversible: keep the plain value encrypted (encryption.py) where it is needed again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, Final

from wiesel.core.errors import ConfigurationError, TypeMismatchError
from wiesel.core.functions import MapFunction, RuntimeContext
from wiesel.core.row import Row
from wiesel.formats.keys import KeyRing

#: 120 bits: among a billion values the chance of two with one token is 4 in 10^19.
_TOKEN_BYTES: Final = 15
#: A key that encrypts as well makes tokens under a key of their own.
_PURPOSE: Final = b"wiesel.mask.1"


class Masker:
    """Makes tokens.

    Args:
        keys: the first one makes them. Changing it changes all tokens, so masked data no longer joins with older data:
            the key's id stands in front of each token.
        purpose: fields with different purposes get different tokens for one value.
    """

    def __init__(self, keys: KeyRing, purpose: str = "") -> None:
        self._keys = keys
        self._purpose = purpose
        self._hash: Any = None
        self._prefix = ""

    def mask(self, value: str | bytes | int | None) -> str | None:
        """Return the token of a value; None stays None, a number has the token of its decimal digits.

        Raises:
            TypeMismatchError: a value of another type, of which equal ones may have different texts.
        """
        if value is None:
            return None
        if self._hash is None:
            key_id, key = self._keys.primary()
            self._prefix = f"{key_id}."
            self._hash = hmac.new(hmac.digest(key, _PURPOSE, "sha256"), self._purpose.encode() + b"\0", hashlib.sha256)
        if isinstance(value, bool) or not isinstance(value, (str, bytes, int)):
            raise TypeMismatchError(f"Only str, bytes and int can be masked, got {type(value).__name__}")
        mac = self._hash.copy()
        mac.update(value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass"))
        return self._prefix + base64.urlsafe_b64encode(mac.digest()[:_TOKEN_BYTES]).decode()

    def __getstate__(self) -> dict[str, Any]:
        """Return the reference to the keys; the hash holds one."""
        return {"_keys": self._keys, "_purpose": self._purpose, "_hash": None, "_prefix": ""}

    def __repr__(self) -> str:
        return f"Masker({self._keys!r})"


class MaskFields(MapFunction):
    """Masks fields of dicts and named rows; the record itself is not changed, a copy is.

    Args:
        keys: see ``Masker``.
        fields: names; ``customer.email`` is a field of a dict or row inside.
        purpose: see ``Masker``.
    """

    def __init__(self, keys: KeyRing, *fields: str, purpose: str = "") -> None:
        if not fields:
            raise ConfigurationError("MaskFields needs the names of fields.")
        self._masker = Masker(keys, purpose)
        self._paths = [field.split(".") for field in fields]

    def open(self, runtime_context: RuntimeContext) -> None:
        """See the base class; a ring without keys is found here, before the first record."""
        self._masker.mask("")

    def map(self, value: Any) -> Any:
        """See the base class.

        Raises:
            TypeMismatchError: a record without such a field: a misspelled name must not let values through.
        """
        for path in self._paths:
            value = self._masked(value, path, path)
        return value

    def _masked(self, value: Any, path: list[str], whole: list[str]) -> Any:
        if value is None and path is not whole:
            return None  # a part that is missing has nothing to hide
        name = path[0]
        fields = value if isinstance(value, dict) else getattr(value, "_fields", ()) if isinstance(value, Row) else ()
        if name not in fields:
            raise TypeMismatchError(f"The record has no field {'.'.join(whole)!r} to mask: {type(value).__name__}")
        new = self._masker.mask(value[name]) if len(path) == 1 else self._masked(value[name], path[1:], whole)
        if isinstance(value, dict):
            return {**value, name: new}
        copy = Row(**value.as_dict())
        copy.set_row_kind(value.get_row_kind())
        copy[name] = new
        return copy
