"""What belongs to the user rather than to a job: where it lies, and secrets that are made once."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from wiesel.core.disk import OsDisk


def data_directory() -> Path:
    """Return where this user's data are, by the XDG Base Directory Specification; it need not exist yet."""
    data_home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data_home) / "wiesel"


def create_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, durably, unless there is one.

    Of several processes that do so at the same time one wins, and all read the same afterwards.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    OsDisk().make_directory(path.parent)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
