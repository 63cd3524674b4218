"""Encrypting and masking payloads. PyFlink has no such names: a script that uses them runs here and not on Flink."""

from __future__ import annotations

from wiesel.formats.encryption import (
    DecryptFunction,
    DecryptingSchema,
    EncryptFunction,
    EncryptingSchema,
    PayloadCipher,
)
from wiesel.formats.keys import KeyRing, generate_key
from wiesel.formats.masking import Masker, MaskFields

__all__ = [
    "DecryptFunction",
    "DecryptingSchema",
    "EncryptFunction",
    "EncryptingSchema",
    "KeyRing",
    "MaskFields",
    "Masker",
    "PayloadCipher",
    "generate_key",
]
