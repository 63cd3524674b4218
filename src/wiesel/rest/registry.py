"""Where the sockets of running jobs are: one private directory a user, one socket a job (docs/adr/0013).

A socket's name says whose it is: a digest of the machine's name, the process, and a number inside of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wiesel.core.user_files import data_directory

_NAME: Final = re.compile(r"([0-9a-f]{8})-(\d+)-(\d+)\.sock")
#: Bytes that the address of a Unix socket may have everywhere.
_LONGEST_ADDRESS: Final = 100
_BACKLOG: Final = 64
# On macOS, where the module has no names for them.
_SOL_LOCAL: Final = 0
_LOCAL_PEERCRED: Final = 1

_numbers = itertools.count(1)


class RegistryError(Exception):
    """The directory of sockets cannot be used; the text says why."""


def directories() -> list[Path]:
    """Return the directories in which this user's jobs may be; a new one goes to the first."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    found = [runtime / "wiesel"] if os.access(runtime, os.W_OK | os.X_OK) else []
    return [*found, data_directory() / "run"]


def listen() -> tuple[socket.socket, Path]:
    """Return a new listening socket of this process and where it is.

    Raises:
        RegistryError: its directory is not private to us, or cannot be made.
    """
    directory = directories()[0]
    path = directory / f"{_machine()}-{os.getpid()}-{next(_numbers)}.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _make_private(directory)
        path.unlink(missing_ok=True)  # of a process that had our pid
        with _address(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise RegistryError(f"{path} cannot be made: {error.strerror or error}") from error
    except BaseException:
        listener.close()
        raise
    return listener, path


def sockets() -> Iterator[tuple[Path, int]]:
    """Yield the sockets of this machine's jobs with the pid of each; some may be left over from dead processes."""
    for directory in directories():
        if not directory.is_dir():
            continue
        _check_private(directory)
        for path in sorted(directory.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is not None and match[1] == _machine():
                yield path, int(match[2])


def connect(path: Path, timeout: float) -> socket.socket:
    """Return a connection to a job's socket.

    Raises:
        OSError: nobody listens, or not within ``timeout`` seconds.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        with _address(path) as address:
            connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def remove_if_dead(path: Path, pid: int) -> None:
    """Remove a socket that a killed process has left."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        path.unlink(missing_ok=True)
    except PermissionError:
        pass


def peer_uid(connection: socket.socket) -> int:
    """Return the user at the other end of a Unix socket, as the kernel knows it."""
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        uid: int = struct.unpack("3i", credentials)[1]
    else:
        uid = struct.unpack("=2I", connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)[:8])[1]
    return uid


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_private(directory)


def _check_private(directory: Path) -> None:
    """Whoever can write into the directory could put a socket of his own there."""
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise RegistryError(f"{directory} must be a directory of yours with mode 0700: chmod 700 it, or remove it.")


def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """The path as a socket's address; a long one goes by way of its open directory, where the system can do that."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS or sys.platform != "linux":
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
