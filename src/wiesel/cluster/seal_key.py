"""The installation's key: it seals checkpoints, so that only state written here is unpickled unasked."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from wiesel.core.configuration import Configuration
from wiesel.core.disk import OsDisk
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import catalog, optional_value_of
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
    data_home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    path = Path(data_home) / "wiesel" / "checkpoint.key"
    if not path.exists():
        _create(path)
    return SealKey(_read(path))


def _create(path: Path) -> None:
    """Write a new key so that of several starters one wins and all read the same."""
    OsDisk().make_directory(path.parent)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(secrets.token_bytes(_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _read(path: Path) -> bytes:
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The checkpoint key {path} cannot be read: {error.strerror}.") from error
    if len(secret) < _BYTES:
        raise ConfigurationError(f"The checkpoint key {path} is too short: it must hold at least {_BYTES} bytes.")
    return secret
