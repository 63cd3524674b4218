"""The installation's key: it seals checkpoints, so that only state written here is unpickled unasked."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import catalog, optional_value_of
from wiesel.core.user_files import create_secret, data_directory
from wiesel.runtime.checkpoint.manifest import SealKey

_BYTES: Final = 32


def load_seal_key(configuration: Configuration) -> SealKey:
    """Return the key of ``wiesel.checkpoint.key-file``, else the installation's own, made at first use.

    Raises:
        ConfigurationError: the named file cannot be read or is too short to be a key.
    """
    named = optional_value_of(configuration, catalog.CHECKPOINT_KEY_FILE)
    if named:
        return SealKey(_read(Path(named).expanduser()))
    path = data_directory() / "checkpoint.key"
    if not path.exists():
        create_secret(path, secrets.token_bytes(_BYTES))
    return SealKey(_read(path))


def _read(path: Path) -> bytes:
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The checkpoint key {path} cannot be read: {error.strerror}.") from error
    if len(secret) < _BYTES:
        raise ConfigurationError(f"The checkpoint key {path} is too short: it must hold at least {_BYTES} bytes.")
    return secret
