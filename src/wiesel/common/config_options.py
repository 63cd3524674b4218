"""``ConfigOptions``, the builder of configuration options (mirrors ``pyflink.common.config_options``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from wiesel.core.options import ConfigOption, parse_boolean

__all__ = ["ConfigOption", "ConfigOptions"]

T = TypeVar("T")


class ConfigOptions:
    """Builds options: ``ConfigOptions.key("a.b").int_type().default_value(1)``."""

    @staticmethod
    def key(key: str) -> ConfigOptions.OptionBuilder:
        """Start an option with this key."""
        return ConfigOptions.OptionBuilder(key)

    class OptionBuilder:
        """Knows the key and asks for the type.

        Args:
            key: the option's key.
        """

        def __init__(self, key: str) -> None:
            self._key = key

        def boolean_type(self) -> ConfigOptions.TypedConfigOptionBuilder[bool]:
            """Values are true or false."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, parse_boolean, "true or false")

        def int_type(self) -> ConfigOptions.TypedConfigOptionBuilder[int]:
            """Values are whole numbers of 32 bits."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, int, "a whole number")

        def long_type(self) -> ConfigOptions.TypedConfigOptionBuilder[int]:
            """Values are whole numbers of 64 bits."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, int, "a whole number")

        def float_type(self) -> ConfigOptions.TypedConfigOptionBuilder[float]:
            """Values are numbers."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, float, "a number")

        def double_type(self) -> ConfigOptions.TypedConfigOptionBuilder[float]:
            """Values are numbers."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, float, "a number")

        def string_type(self) -> ConfigOptions.TypedConfigOptionBuilder[str]:
            """Values are text."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, str, "text")

    class TypedConfigOptionBuilder(Generic[T]):
        """Knows key and type and asks for the default.

        Args:
            key: the option's key.
            parse: turns text into a value.
            expected: what a value must be, for messages.
        """

        def __init__(self, key: str, parse: Callable[[str], T], expected: str) -> None:
            self._key, self._parse, self._expected = key, parse, expected

        def default_value(self, value: T) -> ConfigOption[T]:
            """Return the option with a default."""
            return self._build(str(value))

        def no_default_value(self) -> ConfigOption[T]:
            """Return the option without a default."""
            return self._build(None)

        def _build(self, default: str | None) -> ConfigOption[Any]:
            return ConfigOption(self._key, self._parse, self._expected, default, "an option of the script's own")
