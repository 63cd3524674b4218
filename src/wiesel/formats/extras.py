"""Libraries that only some formats need: imported when such a format is used, and asked for by the extra's name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from wiesel.core.errors import ConfigurationError


def require(module: str, extra: str, what: str) -> Any:
    """Return a module.

    Args:
        module: its name.
        extra: the extra of Wiesel that installs it.
        what: what needs it, for the message.

    Raises:
        ConfigurationError: it is not installed; says how to.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise ConfigurationError(
            f"{what} needs {module.partition('.')[0]}, which is not installed: pip install 'wiesel[{extra}]'."
        ) from None
