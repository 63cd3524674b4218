"""``ParameterTool``: a program's parameters from its arguments, a file or the environment (Java:
``org.apache.flink.util.ParameterTool``). PyFlink has no such name, so a script that uses it runs here and not on Flink.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError

__all__ = ["ParameterTool"]

#: The value of a key without one, such as ``--verbose``.
_NO_VALUE: Final = "__NO_VALUE_KEY"


class ParameterTool:
    """Parameters by name, all of them text until they are asked for as something else.

    Args:
        values: names and values.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self._asked: set[str] = set()

    @staticmethod
    def from_args(args: Sequence[str] | None = None) -> ParameterTool:
        """Return the parameters of ``--key value`` and ``-key value``; a key without a value is a flag.

        Args:
            args: the arguments; those of this program when None.

        Raises:
            ConfigurationError: an argument that is no key and follows none.
        """
        arguments = list(sys.argv[1:] if args is None else args)
        values: dict[str, str] = {}
        position = 0
        while position < len(arguments):
            argument = arguments[position]
            key = argument.removeprefix("--") if argument.startswith("--") else argument.removeprefix("-")
            if key == argument or not key:
                raise ConfigurationError(
                    f"Expected a key such as --input at {argument!r}; keys begin with '--' or '-', values follow them."
                )
            following = arguments[position + 1] if position + 1 < len(arguments) else None
            if following is None or (following.startswith("-") and not _is_number(following)):
                values[key] = _NO_VALUE
                position += 1
            else:
                values[key] = following
                position += 2
        return ParameterTool(values)

    @staticmethod
    def from_map(values: Mapping[str, str]) -> ParameterTool:
        """Return the parameters of a mapping."""
        return ParameterTool(values)

    @staticmethod
    def from_system_properties() -> ParameterTool:
        """Return the environment's variables, which are here what system properties are to Java."""
        import os

        return ParameterTool(os.environ)

    @staticmethod
    def from_properties_file(path: str) -> ParameterTool:
        """Return the parameters of a file of ``key=value`` or ``key: value`` lines; ``#`` and ``!`` begin comments."""
        values = {}
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            text = line.strip()
            if text and text[0] not in "#!":
                cut = min((text.find(sign) for sign in "=:" if sign in text), default=len(text))
                values[text[:cut].strip()] = text[cut + 1 :].strip()
        return ParameterTool(values)

    def get(self, key: str, default_value: str | None = None) -> str | None:
        """Return a parameter's text, ``default_value`` when it was not given."""
        self._asked.add(key)
        return self._values.get(key, default_value)

    def get_required(self, key: str) -> str:
        """Return a parameter's text.

        Raises:
            ConfigurationError: it was not given.
        """
        value = self.get(key)
        if value is None:
            raise ConfigurationError(f"No data for required key '{key}': give --{key} VALUE.")
        return value

    def get_int(self, key: str, default_value: int | None = None) -> int:
        """Return a parameter as a whole number; without a default it is required."""
        text = self._text(key, default_value)
        try:
            return default_value if text is None else int(text)  # type: ignore[return-value]
        except ValueError:
            raise ConfigurationError(f"--{key} must be a whole number, got {text!r}.") from None

    get_long = get_int
    get_short = get_int

    def get_float(self, key: str, default_value: float | None = None) -> float:
        """Return a parameter as a number; without a default it is required."""
        text = self._text(key, default_value)
        try:
            return default_value if text is None else float(text)  # type: ignore[return-value]
        except ValueError:
            raise ConfigurationError(f"--{key} must be a number, got {text!r}.") from None

    get_double = get_float

    def get_boolean(self, key: str, default_value: bool | None = None) -> bool:
        """Return whether a parameter is ``true``; a flag without a value is."""
        text = self._text(key, default_value)
        if text is None:
            return bool(default_value)
        return text == _NO_VALUE or text.lower() == "true"

    def _text(self, key: str, default_value: object) -> str | None:
        return self.get_required(key) if default_value is None else self.get(key)

    def has(self, key: str) -> bool:
        """Whether a parameter was given."""
        self._asked.add(key)
        return key in self._values

    def get_number_of_parameters(self) -> int:
        """Return how many parameters were given."""
        return len(self._values)

    def get_unrequested_parameters(self) -> set[str]:
        """Return the names that were given and never asked for: often misspelled ones."""
        return self._values.keys() - self._asked

    def merge_with(self, other: ParameterTool) -> ParameterTool:
        """Return both sets of parameters; those of ``other`` win."""
        merged = ParameterTool(self._values | other._values)
        merged._asked = self._asked | other._asked
        return merged

    def to_map(self) -> dict[str, str]:
        """Return names and values."""
        return dict(self._values)

    def get_configuration(self) -> Configuration:
        """Return the parameters as a configuration."""
        configuration = Configuration()
        for key, value in self._values.items():
            configuration.set_string(key, value)
        return configuration


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
