"""The directory for what can be fetched or computed again, and the lock that lets several processes share it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wiesel.java.errors import JavaError


def cache_directory(*parts: str) -> Path:
    """`$XDG_CACHE_HOME/wiesel/<parts>` (by default under `~/.cache`), created private to the user (0700)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is invalid and to be ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    directory = root / "wiesel"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in parts:
            directory = directory / part
            directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise JavaError(
            f"cannot make the cache directory {directory}: {error.strerror}. XDG_CACHE_HOME chooses another place."
        ) from error
    return directory


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold the directory's lock: of several processes that start at once, one works and the others wait for it."""
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
