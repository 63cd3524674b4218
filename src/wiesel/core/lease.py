"""Rule 6 of the exactly-once protocol: one incarnation of a job at a time (docs/adr/0001)."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Final, Protocol

from wiesel.core import failpoints
from wiesel.core.errors import LeaseLostError

#: What the system says of a path at which there is nothing, or that leads into a filesystem that is gone.
_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)


class Lease(Protocol):
    """The right to a directory."""

    #: What a process inherits that is to hold the lease too.
    descriptor: int

    def is_in_place(self) -> bool:
        """Whether the locked file is still the one that its path names: false once its directory is not there."""

    def close(self) -> None:
        """Give it up."""


class FileLease:
    """A ``flock``, which the kernel frees when all processes that hold its descriptor are gone.

    Args:
        path: the file to lock; created when missing.

    Raises:
        LeaseLostError: another process holds it.
    """

    def __init__(self, path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if not failpoints.ablated("rule6"):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(fd, 32).decode(errors="replace").strip()
            os.close(fd)
            error = LeaseLostError(
                f"Another copy of this job is running{f' (pid {owner})' if owner else ''}: it holds {path}. "
                f"Stop it first, or give this one another --job-id."
            )
            error.owner = int(owner) if owner.isdecimal() else None
            raise error from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self.descriptor = fd
        self._path = path

    def is_in_place(self) -> bool:
        """Compare device and inode; as long as the file is open nobody else can have both.

        Raises:
            OSError: a disk that cannot say it now may do so later.
        """
        try:
            found = self._path.stat(follow_symlinks=False)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return False
            raise
        return os.path.samestat(found, os.fstat(self.descriptor))

    def close(self) -> None:
        """Give up the lock."""
        if self.descriptor >= 0:
            fd, self.descriptor = self.descriptor, -1
            os.close(fd)
