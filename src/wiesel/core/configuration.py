"""``Configuration``: keys and values as text, with typed getters and setters (PyFlink: ``pyflink.common``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wiesel.core.errors import ConfigurationError
from wiesel.core.java_text import boolean_text, double_text

__all__ = ["Configuration"]

T = TypeVar("T")

_BOOLEANS = {"true": True, "false": False}


class Configuration:
    """Keys and values. Values are text, or bytes where ``set_bytearray`` put them.

    Args:
        other: a configuration to copy.
        j_configuration: PyFlink's second parameter, a Java object; there is none here.
    """

    __slots__ = ("_values",)

    def __init__(self, other: Configuration | None = None, j_configuration: Any = None) -> None:
        if j_configuration is not None:
            raise ConfigurationError("There is no Java configuration here; give a Configuration or use from_dict().")
        self._values: dict[str, str | bytes] = {} if other is None else dict(other._values)

    @classmethod
    def from_dict(cls, map: dict[str, str]) -> Configuration:
        """Return a configuration with the entries of a dict; values that are no text become it."""
        configuration = cls()
        for key, value in map.items():
            configuration._values[key] = _as_text(value)
        return configuration

    def get_string(self, key: str, default_value: str) -> str:
        """Return the value of a key, or the default."""
        value = self._values.get(key)
        if value is None:
            return default_value
        return value if isinstance(value, str) else value.decode("latin-1")

    def set_string(self, key: str, value: str) -> Configuration:
        """Set a value and return this configuration."""
        if not isinstance(value, str):
            raise TypeError(f"{key} takes text, got {type(value).__name__}: {value!r}")
        self._values[key] = value
        return self

    def get_integer(self, key: str, default_value: int) -> int:
        """Return the value of a key as a whole number, or the default.

        Raises:
            ConfigurationError: the value is no whole number.
        """
        return self._parsed(key, int, "a whole number", default_value)

    def set_integer(self, key: str, value: int) -> Configuration:
        """Set a whole number and return this configuration."""
        self._values[key] = str(int(value))
        return self

    def get_boolean(self, key: str, default_value: bool) -> bool:
        """Return the value of a key as true or false, or the default.

        Raises:
            ConfigurationError: the value is neither.
        """
        return self._parsed(key, lambda text: _BOOLEANS[text.lower()], "true or false", default_value)

    def set_boolean(self, key: str, value: bool) -> Configuration:
        """Set true or false and return this configuration."""
        self._values[key] = boolean_text(value)
        return self

    def get_float(self, key: str, default_value: float) -> float:
        """Return the value of a key as a number, or the default.

        Raises:
            ConfigurationError: the value is no number.
        """
        return self._parsed(key, float, "a number", float(default_value))

    def set_float(self, key: str, value: float) -> Configuration:
        """Set a number and return this configuration."""
        self._values[key] = double_text(float(value))
        return self

    def get_bytearray(self, key: str, default_value: bytearray) -> bytearray:
        """Return the bytes that ``set_bytearray`` put at a key, or the default.

        Raises:
            ConfigurationError: the value was not set as bytes.
        """
        value = self._values.get(key)
        if isinstance(value, str):
            raise ConfigurationError(f"{key} is the text {value!r}, not bytes; set it by set_bytearray()")
        return bytearray(default_value if value is None else value)

    def set_bytearray(self, key: str, value: bytearray) -> Configuration:
        """Set bytes and return this configuration."""
        self._values[key] = bytes(value)
        return self

    def key_set(self) -> set[str]:
        """Return all keys."""
        return set(self._values)

    def add_all_to_dict(self, target_dict: dict[str, Any]) -> None:
        """Put all entries, as text, into a dict."""
        target_dict.update(self.to_dict())

    def add_all(self, other: Configuration, prefix: str | None = None) -> Configuration:
        """Take over all entries of another configuration, their keys behind ``prefix``."""
        self._values.update({f"{prefix or ''}{key}": value for key, value in other._values.items()})
        return self

    def contains_key(self, key: str) -> bool:
        """Whether a key is set."""
        return key in self._values

    def to_dict(self) -> dict[str, str]:
        """Return all entries as text."""
        return {key: _as_text(value) for key, value in self._values.items()}

    def remove_config(self, key: str) -> bool:
        """Remove a key; returns whether it was set."""
        return self._values.pop(key, None) is not None

    @staticmethod
    def parse_list_value(value: str) -> list[str]:
        """Return the items of a list written ``a;b`` or, as in YAML, ``[a, b]``."""
        if not value:
            return []
        if value.lstrip().startswith("["):
            from wiesel.core.options.config_file import parse_yaml

            items = parse_yaml(value)
            if isinstance(items, list):
                return items
        return value.split(";")

    def _parsed(self, key: str, parse: Callable[[str], T], expected: str, default: T) -> T:
        value = self._values.get(key)
        if value is None:
            return default
        try:
            return parse(value.strip() if isinstance(value, str) else value.decode())
        except (ValueError, KeyError):
            from wiesel.core.redaction import redact_value

            raise ConfigurationError(f"{key} must be {expected}, not {redact_value(key, str(value))!r}") from None

    def __deepcopy__(self, memodict: dict[int, Any] | None = None) -> Configuration:
        return Configuration(self)

    def __copy__(self) -> Configuration:
        return Configuration(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Configuration) and self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values))

    def __str__(self) -> str:
        from wiesel.core.redaction import redact_value

        return f"{{{', '.join(f'{key}={redact_value(key, value)}' for key, value in sorted(self.to_dict().items()))}}}"

    __repr__ = __str__


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return boolean_text(value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    return str(value)
