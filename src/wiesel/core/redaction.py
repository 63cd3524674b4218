"""Keeps secrets out of logs, errors and the REST API."""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "is_secret", "redact", "redact_text"]

#: What stands in the place of a secret.
HIDDEN = "******"

_WORDS = r"passw(?:or)?d|passphrase|secret|token|sasl|jaas|key\.pem|oauth|credential|api[-._]?key|auth-params|basic-auth"
_SECRET_KEY = re.compile(_WORDS, re.IGNORECASE)
# name = value, name: value, name="value" inside a longer text such as a JAAS line or a client's debug output.
_ASSIGNED = re.compile(rf"([\w.\-]*(?:{_WORDS})[\w.\-]*[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;}}\]]+)", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(\w+://[^/\s:@]+:)[^@/\s]+(?=@)")
_JAAS_ENTRY = re.compile(r"(LoginModule\s+\w+\s)[^;]*", re.IGNORECASE)
_PEM = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END|\Z)", re.DOTALL)


def is_secret(key: str) -> bool:
    """Whether the value of such a key may not be shown."""
    return _SECRET_KEY.search(key) is not None


def redact(key: str, value: str) -> str:
    """Return the value of a configuration key as it may be shown."""
    return HIDDEN if is_secret(key) else redact_text(value)


def redact_text(text: str) -> str:
    """Return a text in which the secrets that can be recognised are hidden."""
    text = _PEM.sub(rf"\1{HIDDEN}\2", text)
    text = _JAAS_ENTRY.sub(rf"\1{HIDDEN}", text)
    text = _URL_PASSWORD.sub(rf"\1{HIDDEN}", text)
    return _ASSIGNED.sub(rf"\1{HIDDEN}", text)
