"""Encrypts payloads: AES-GCM around any schema, with key ids so that keys can be changed.

An encrypted payload is a version (1 byte), the length of the key id (1), the key id, a random nonce (12) and the
ciphertext with its tag (16). All of it is authenticated, and so is the context that the user gives, such as a topic's
name: a payload that is changed, cut, or moved to another context cannot be decrypted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from wiesel.core.errors import RecordError
from wiesel.core.functions import MapFunction, RuntimeContext
from wiesel.core.serialization import DeserializationSchema, SerializationSchema
from wiesel.core.types import TypeInformation, Types
from wiesel.formats.extras import require
from wiesel.formats.keys import KeyRing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION: Final = 1
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class PayloadCipher:
    """Encrypts and decrypts bytes.

    Args:
        keys: the first one encrypts, each decrypts what names it.
        context: what the payload belongs to; only the same context decrypts it.
    """

    def __init__(self, keys: KeyRing, context: str = "") -> None:
        self._keys = keys
        self._context = context.encode()
        self._ciphers: dict[str, AESGCM] = {}
        self._header = b""
        self._primary = ""

    def encrypt(self, payload: bytes) -> bytes:
        """Return ``payload`` encrypted by the first key; twice the same payload gives two different results.

        A key should encrypt no more than 2^32 payloads: change keys before.
        """
        if not self._header:
            self._primary, key = self._keys.primary()
            self._ciphers[self._primary] = _aes_gcm(key)
            name = self._primary.encode()
            self._header = bytes((_VERSION, len(name))) + name
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self._primary]
        return self._header + nonce + cipher.encrypt(nonce, payload, self._header + self._context)

    def decrypt(self, payload: bytes) -> bytes:
        """Return what was encrypted.

        Raises:
            RecordError: it is no encrypted payload, of a key that the ring has not, of another context, or changed.
        """
        from cryptography.exceptions import InvalidTag

        header_end = 2 + payload[1] if len(payload) > 1 else 0
        if payload[:1] != bytes((_VERSION,)) or len(payload) < header_end + _NONCE_BYTES + _TAG_BYTES:
            raise RecordError("it is no encrypted payload")
        header, nonce_end = payload[:header_end], header_end + _NONCE_BYTES
        key_id = header[2:].decode(errors="replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            key = self._keys.key(key_id)
            if key is None:
                raise RecordError(f"it was encrypted by key {key_id!r}, which {self._keys!r} has not")
            cipher = self._ciphers[key_id] = _aes_gcm(key)
        try:
            return cipher.decrypt(payload[header_end:nonce_end], payload[nonce_end:], header + self._context)
        except InvalidTag:
            raise RecordError(
                f"it cannot be decrypted by key {key_id!r}: it was changed, belongs to another context, or the key is "
                "another one of that id"
            ) from None

    def __getstate__(self) -> dict[str, Any]:
        """Return the reference to the keys; a cipher holds a key."""
        return {"_keys": self._keys, "_context": self._context, "_ciphers": {}, "_header": b"", "_primary": ""}

    def __repr__(self) -> str:
        return f"PayloadCipher({self._keys!r})"


def _aes_gcm(key: bytes) -> AESGCM:
    aead = require("cryptography.hazmat.primitives.ciphers.aead", "crypto", "Encryption")
    cipher: AESGCM = aead.AESGCM(key)
    return cipher


class EncryptingSchema(SerializationSchema):
    """Encrypts what another schema makes. PyFlink has no such schema.

    Args:
        schema: for the plain payload; its None (a tombstone) stays None.
        keys: the first one encrypts.
        context: what the payload belongs to, see ``PayloadCipher``.
    """

    def __init__(self, schema: SerializationSchema, keys: KeyRing, context: str = "") -> None:
        super().__init__()
        self._schema = schema
        self._cipher = PayloadCipher(keys, context)

    def open(self) -> None:
        """See the base class; a ring without keys is found here, before the first record."""
        self._schema.open()
        self._cipher.encrypt(b"")

    def serialize(self, value: Any) -> bytes | None:
        """See the base class."""
        payload = self._schema.serialize(value)
        return None if payload is None else self._cipher.encrypt(payload)


class DecryptingSchema(DeserializationSchema):
    """Decrypts payloads for another schema; those that cannot be decrypted are bad records. PyFlink has no such schema.

    Args:
        schema: for the plain payload; it sees None (a tombstone) as None.
        keys: those that may have encrypted.
        context: what the payload belongs to, see ``PayloadCipher``.
    """

    def __init__(self, schema: DeserializationSchema, keys: KeyRing, context: str = "") -> None:
        super().__init__()
        self._schema = schema
        self._keys = keys
        self._cipher = PayloadCipher(keys, context)

    def open(self) -> None:
        """See the base class; a ring without keys is found here, before the first record."""
        self._schema.open()
        self._keys.primary()

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return self._schema.produced_type()

    def deserialize(self, data: bytes | None) -> Any:
        """See the base class."""
        return self._schema.deserialize(None if data is None else self._cipher.decrypt(data))


class EncryptFunction(MapFunction):
    """Encrypts bytes, as a map function; ``output_type`` is ``OUTPUT_TYPE``.

    Args:
        keys: the first one encrypts.
        context: see ``PayloadCipher``.
    """

    OUTPUT_TYPE = Types.PRIMITIVE_ARRAY(Types.BYTE())

    def __init__(self, keys: KeyRing, context: str = "") -> None:
        self._cipher = PayloadCipher(keys, context)

    def open(self, runtime_context: RuntimeContext) -> None:
        """See the base class."""
        self._cipher.encrypt(b"")

    def map(self, value: bytes) -> bytes:
        """See the base class."""
        return self._cipher.encrypt(value)


class DecryptFunction(MapFunction):
    """Decrypts bytes, as a map function.

    Args:
        keys: those that may have encrypted.
        context: see ``PayloadCipher``.
    """

    OUTPUT_TYPE = Types.PRIMITIVE_ARRAY(Types.BYTE())

    def __init__(self, keys: KeyRing, context: str = "") -> None:
        self._cipher = PayloadCipher(keys, context)

    def map(self, value: bytes) -> bytes:
        """See the base class."""
        return self._cipher.decrypt(value)
