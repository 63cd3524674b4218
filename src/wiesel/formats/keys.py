"""Keys for encrypting and masking: named by a reference that is shipped, read from where they lie in each process.

A ``KeyRing`` in a job graph, a checkpoint, a log or an error holds the reference alone. The keys are read when they
are first used, are left out of pickles, and appear in no ``repr``.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from wiesel.core.errors import ConfigurationError

_LONGEST_ID: Final = 64
#: Bits of AES that there are; the key of a mask may be any of them as well.
_KEY_BYTES: Final = (16, 24, 32)


class KeyRing:
    """Keys by their ids; the first one encrypts and masks, all of them decrypt.

    The text that it reads has one key a line, ``id base64-of-the-key``; empty lines and lines that begin with ``#`` do
    not count. ``generate_key()`` makes a key.

    To rotate: add the new key in front, restart the job; remove the old key when nothing is left that it encrypted.

    Args:
        source: ``env:NAME`` or ``file:PATH``.
    """

    def __init__(self, source: str) -> None:
        kind, _, name = source.partition(":")
        if kind not in ("env", "file") or not name:
            raise ConfigurationError(
                "A key ring is read from env:NAME or file:PATH, and was given neither. Keys themselves do not belong "
                "into a program."
            )
        self._source = source
        self._keys: dict[str, bytes] | None = None

    @staticmethod
    def from_environment(name: str) -> KeyRing:
        """Return the ring in an environment variable; a comma ends a key as a line does."""
        return KeyRing(f"env:{name}")

    @staticmethod
    def from_file(path: str | Path) -> KeyRing:
        """Return the ring in a file, which only its owner should be able to read."""
        return KeyRing(f"file:{Path(path).absolute()}")

    def primary(self) -> tuple[str, bytes]:
        """Return id and bytes of the first key.

        Raises:
            ConfigurationError: there are no keys, or what is there are none.
        """
        return next(iter(self._loaded().items()))

    def key(self, key_id: str) -> bytes | None:
        """Return a key by its id; the ring is read again before the answer is None."""
        found = self._loaded().get(key_id)
        if found is None:
            self._keys = None
            found = self._loaded().get(key_id)
        return found

    def _loaded(self) -> dict[str, bytes]:
        if self._keys is None:
            self._keys = _parsed(_READERS[self._source.partition(":")[0]](self._source), self._source)
        return self._keys

    def __getstate__(self) -> dict[str, Any]:
        return {"_source": self._source, "_keys": None}

    def __repr__(self) -> str:
        return f"KeyRing({self._source!r})"


def generate_key() -> str:
    """Return a new 256-bit key as base64, for a line of a key ring."""
    return base64.b64encode(os.urandom(32)).decode()


def _of_environment(source: str) -> str:
    name = source.partition(":")[2]
    text = os.environ.get(name)
    if text is None:
        raise ConfigurationError(f"The environment variable {name}, which should hold keys, is not set.")
    return text.replace(",", "\n")


def _of_file(source: str) -> str:
    path = source.partition(":")[2]
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The key file {path} cannot be read: {type(error).__name__}.") from None


_READERS: Final[dict[str, Callable[[str], str]]] = {"env": _of_environment, "file": _of_file}


def _parsed(text: str, source: str) -> dict[str, bytes]:
    """Return the keys of a ring; no message shows what is in it."""
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        where = f"key {number} of {source}"
        if len(parts) != 2 or not 0 < len(parts[0].encode()) <= _LONGEST_ID:
            raise ConfigurationError(f"{where} is not of the form: id (1 to {_LONGEST_ID} bytes), blank, base64.")
        try:
            key = base64.b64decode(parts[1], validate=True)
        except binascii.Error:
            raise ConfigurationError(f"{where} is no base64.") from None
        if len(key) not in _KEY_BYTES:
            raise ConfigurationError(f"{where} has {len(key)} bytes; 16, 24 or 32 make a key (generate_key()).")
        if parts[0] in keys:
            raise ConfigurationError(f"{where} has an id that another key has.")
        keys[parts[0]] = key
    if not keys:
        raise ConfigurationError(f"{source} holds no keys.")
    return keys
