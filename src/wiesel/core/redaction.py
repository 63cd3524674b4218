"""Keeps secrets out of logs, errors and answers: what a secret's key looks like, and what stands in for its value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

#: What Flink shows instead of a secret.
HIDDEN: Final = "******"

_KEY_PARTS: Final = (
    r"passw(?:or)?d|passphrase|secret|token|sasl|jaas|key\.pem|oauth|authorization|auth-params|basic[._-]auth|"
    r"credential|api[._-]?key"
)
_SECRET_KEY: Final = re.compile(_KEY_PARTS, re.IGNORECASE)
# Part of every question about a failed login, and no secret.
_HARMLESS: Final = re.compile(r"([\w.\-]*\.)?sasl\.(mechanisms?|kerberos\.service\.name)", re.IGNORECASE)

# key=value, key: value, "key": "value", 'key': 'value'
_ASSIGNMENT: Final = re.compile(
    rf"""(?P<key>[\w.\-]*(?:{_KEY_PARTS})[\w.\-]*)
         (?P<between>["']?\s*[=:]\s*)
         (?P<value>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'
           | (?:(?:Bearer|Basic)\s+)?[^\s,;}})\]]+)""",
    re.IGNORECASE | re.VERBOSE,
)
# Values with blanks in them: a JAAS line up to its semicolon, a private key with its frame.
_JAAS: Final = re.compile(r"""(jaas\.config["']?\s*[=:]\s*)[^\s"'][^;\n]*;?""", re.IGNORECASE)
_LOGIN_MODULE: Final = re.compile(r"(LoginModule\s+\w+\s)[^;\n]*", re.IGNORECASE)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
# sasl_ssl://host:port is an address of a broker's.
_LISTENER: Final = re.compile(r"sasl_(plaintext|ssl)", re.IGNORECASE)
_USERINFO: Final = re.compile(r"(\b[a-z][a-z0-9+.\-]*://[^\s:/@]*):[^\s/@]+@", re.IGNORECASE)


def is_secret(key: str) -> bool:
    """Whether the value of a configuration key must not be shown."""
    return _SECRET_KEY.search(key) is not None and _HARMLESS.fullmatch(key) is None


def redact(text: str) -> str:
    """A text as it may be shown: the values of secret keys in it, and passwords in URLs, hidden."""
    text = _PRIVATE_KEY.sub(HIDDEN, text)
    text = _JAAS.sub(rf"\1{HIDDEN}", text)
    text = _LOGIN_MODULE.sub(rf"\1{HIDDEN}", text)
    text = _ASSIGNMENT.sub(_hide, text)
    return _USERINFO.sub(rf"\1:{HIDDEN}@", text)


def redact_value(key: str, value: str) -> str:
    """The value of a configuration key as it may be shown."""
    return HIDDEN if is_secret(key) else redact(value)


def redact_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy for showing: values under secret keys hidden, texts redacted, mappings inside likewise."""
    return {key: HIDDEN if is_secret(key) else _redact_any(value) for key, value in values.items()}


def _redact_any(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return redact_mapping(value)
    return value


def _hide(match: re.Match[str]) -> str:
    value = match["value"]
    if not is_secret(match["key"]) or (value.startswith("//") and _LISTENER.fullmatch(match["key"])):
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{match['key']}{match['between']}{quote}{HIDDEN}{quote}"
