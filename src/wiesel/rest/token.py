"""The token of the REST API over TCP: a file that only its owner can read, made at first use (docs/operations.md)."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from wiesel.core.user_files import create_secret, data_directory

_BYTES: Final = 32
#: Characters that an ``Authorization`` header can carry, and as many as nobody guesses.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{32,512}")


class TokenError(Exception):
    """The file holds no token that can be used; the text says what to do."""


def own_token_file() -> Path:
    """Return where this user's token is when no other file is named."""
    return data_directory() / "rest.token"


def make_token(path: Path) -> None:
    """Write a new token, unless there is one."""
    create_secret(path, f"{secrets.token_urlsafe(_BYTES)}\n".encode())


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
