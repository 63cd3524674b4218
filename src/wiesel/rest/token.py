"""The token of the REST API over TCP: a file that only its owner can read, made at first use (docs/operations.md)."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

_BYTES: Final = 32
#: Characters that an ``Authorization`` header can carry, and as many as nobody guesses.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{32,512}")


class TokenError(Exception):
    """The file holds no token that can be used; the text says what to do."""


def own_token_file() -> Path:
    """Return where this user's token is when no other file is named."""
    data_home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data_home) / "wiesel" / "rest.token"


def make_token(path: Path) -> None:
    """Write a new token, unless there is one; of several starters one wins and all read the same."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(f"{secrets.token_urlsafe(_BYTES)}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def read_token(path: Path) -> str:
    """Return the token of a file.

    Raises:
        TokenError: it cannot be read, others can, or what it holds is none.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(fd) as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid not in (os.getuid(), 0):
                raise TokenError(f"The token {path} must be a file of yours with mode 0600: chmod 600 {path}")
            token = file.read(1024).strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise TokenError(f"The token {path} cannot be read: {reason}.") from error
    if not _TOKEN.fullmatch(token):
        raise TokenError(
            f"{path} holds no token: that is one line of at least 32 letters and digits. Remove it, and the job makes "
            f"a new one at its next start."
        )
    return token
