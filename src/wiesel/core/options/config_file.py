"""Flink's ``config.yaml``: nested or flat keys, ``${NAME}`` filled in from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def load_config_file(path: Path, environment: Mapping[str, str] | None = None) -> Configuration:
    """Return the entries of a ``config.yaml``.

    Args:
        path: the file.
        environment: where ``${NAME}`` is looked up; the process's own environment when None.

    Raises:
        ConfigurationError: the file cannot be read, is no YAML, holds a key twice, or names an unset variable.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Cannot read the configuration file {path}: {error}") from None
    try:
        document = parse_yaml(text)
    except ValueError as error:
        raise ConfigurationError(f"{path} is no valid YAML: {error}") from None
    if document in (None, ""):
        return Configuration()
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} must hold keys and values, not a {type(document).__name__}")
    entries: dict[str, str] = {}
    _flatten("", document, entries, path)
    return Configuration.from_dict(
        {key: expand_variables(value, f"{path}: {key}", environment) for key, value in entries.items()}
    )


def expand_variables(text: str, where: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a value with every ``${NAME}`` replaced by the environment variable; what it holds is not expanded again.

    Raises:
        ConfigurationError: a variable is not set; ``where`` says where it is named.
    """
    variables = os.environ if environment is None else environment

    def value(match: re.Match[str]) -> str:
        found = variables.get(match[1])
        if found is None:
            raise ConfigurationError(f"{where} needs the environment variable {match[1]}, which is not set")
        return found

    return _VARIABLE.sub(value, text)


def parse_yaml(text: str) -> Any:
    """Return a YAML document of dicts, lists and text; numbers and booleans stay the text that was written.

    Raises:
        ValueError: it is no YAML, or holds a key twice.
    """
    import yaml

    try:
        # Composed, not loaded: scalars must not be interpreted (YAML reads 1:30 as ninety), nor objects made.
        return _plain(yaml.compose(text, Loader=yaml.BaseLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _plain(node: Any) -> Any:
    if node is None:
        return None
    if node.id == "mapping":
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                raise ValueError(f"line {key_node.start_mark.line + 1}: a key must be text")
            if key in result:
                raise ValueError(f"line {key_node.start_mark.line + 1}: {key} is there twice")
            result[key] = _plain(value_node)
        return result
    return [_plain(item) for item in node.value] if node.id == "sequence" else node.value


def _flatten(prefix: str, value: Any, entries: dict[str, str], path: Path) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _flatten(f"{prefix}.{key}" if prefix else key, item, entries, path)
        return
    if prefix in entries:
        raise ConfigurationError(f"{path}: {prefix} is there twice, once nested and once flat")
    entries[prefix] = ";".join(map(str, value)) if isinstance(value, list) else value
