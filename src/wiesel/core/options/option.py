"""One configuration option as data, and how its value is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.redaction import redact_value

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class ConfigOption(Generic[T]):
    """A configuration key with its type (Flink: ``ConfigOption``).

    Args:
        key: Flink's key.
        parse: turns the text of a value into the value; raises ``ValueError``.
        expected: what a value must be, for messages: ``a duration such as 10 s``.
        default: the default's text, as Flink's documentation writes it, or None.
        description: what it does, a sentence.
        aliases: older keys of the same option, newest first; the key itself wins over them.
        no_effect: why Wiesel accepts the option and does nothing with it; None for an option that works.
    """

    key: str
    parse: Callable[[str], T]
    expected: str
    default: str | None
    description: str
    aliases: tuple[str, ...] = ()
    no_effect: str | None = None

    def parse_value(self, text: str, key: str | None = None) -> T:
        """Return the value of ``text``.

        Raises:
            ConfigurationError: it is none; the message names the key, the value and what was expected.
        """
        try:
            return self.parse(text)
        except ValueError as error:
            key = key or self.key
            shown = redact_value(key, text)
            raise ConfigurationError(f"{key} must be {self.expected}, not {shown!r} ({error})") from None

    def default_value(self) -> T | None:
        """Return the default, or None when there is none."""
        return None if self.default is None else self.parse(self.default)


def value_of(configuration: Configuration, option: ConfigOption[T]) -> T:
    """Return the value of an option that has a default.

    Raises:
        ConfigurationError: the value is wrong, or it is missing and there is no default.
    """
    value = optional_value_of(configuration, option)
    if value is None:
        raise ConfigurationError(f"{option.key} is not set; it must be {option.expected}: {option.description}")
    return value


@overload
def optional_value_of(configuration: Configuration, option: ConfigOption[T]) -> T | None: ...
@overload
def optional_value_of(configuration: Configuration, option: ConfigOption[T], default: D) -> T | D: ...
def optional_value_of(configuration: Configuration, option: ConfigOption[T], default: Any = None) -> Any:
    """Return the value of an option, its own default, or else ``default``.

    Raises:
        ConfigurationError: the value is wrong.
    """
    text, key = _text_of(configuration, option)
    if text is not None:
        return option.parse_value(text, key)
    own = option.default_value()
    return default if own is None else own


def is_set(configuration: Configuration, option: ConfigOption[Any]) -> bool:
    """Whether an option was given a value, under its key or an older one."""
    return _text_of(configuration, option)[0] is not None


def _text_of(configuration: Configuration, option: ConfigOption[Any]) -> tuple[str | None, str]:
    for key in (option.key, *option.aliases):
        if configuration.contains_key(key):
            return configuration.get_string(key, ""), key
    return None, option.key
