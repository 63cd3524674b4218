"""Durable files, injected so that the simulator can tear, lose and refuse them.

Only what checkpoints need: append and make durable, publish by rename, make a directory durable.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final, Protocol

from wiesel.core import failpoints

_COPIED_AT_ONCE: Final = 1 << 20


class AppendFile(Protocol):
    """A new file that grows."""

    def write(self, data: bytes) -> None:
        """Append ``data``."""

    def sync_and_close(self) -> None:
        """Make the content durable and close the file."""

    def close(self) -> None:
        """Close without waiting for the disk."""


class Disk(Protocol):
    """A directory tree on a local filesystem."""

    def create(self, path: Path) -> AppendFile:
        """Create a new file, private to the user; an existing one or a link there is an error."""

    def read(self, path: Path) -> bytes:
        """Return a file's content."""

    def adopt(self, outside: Path, path: Path) -> None:
        """Make ``path`` a file with the content of ``outside``, a durable one that nobody changes any more."""

    def rename(self, old: Path, new: Path) -> None:
        """Move within a directory, replacing ``new``; durable after ``sync_directory``."""

    def sync_directory(self, path: Path) -> None:
        """Make the names in a directory durable."""

    def make_directory(self, path: Path) -> None:
        """Create a directory and its parents, private to the user and durable; an existing one is fine."""

    def list(self, path: Path) -> list[str]:
        """Return the names in a directory; empty when there is none."""

    def exists(self, path: Path) -> bool:
        """Whether there is such a file or directory."""

    def remove(self, path: Path) -> None:
        """Remove a file or a whole directory; nothing happens when it is missing."""


class OsAppendFile:
    """An ``AppendFile`` on the real disk."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._path = path
        self._fd = os.open(path, flags, 0o600)

    def write(self, data: bytes) -> None:
        """Append ``data``; a short write goes on until the disk refuses."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.fspath(self._path)) from error  # the system names no file

    def sync_and_close(self) -> None:
        """Make the content durable and close; after a failed fsync the file must not be trusted."""
        try:
            os.fsync(self._fd)
        finally:
            self.close()

    def close(self) -> None:
        """Close once."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


class OsDisk:
    """The real disk."""

    def create(self, path: Path) -> AppendFile:
        """Create a new file, mode 0600."""
        return OsAppendFile(path)

    def read(self, path: Path) -> bytes:
        """Return a file's content; links are not followed."""
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            return file.read()

    def adopt(self, outside: Path, path: Path) -> None:
        """Link the file, or copy it from another filesystem."""
        try:
            os.link(outside, path)
        except OSError:
            copy = self.create(path)
            try:
                with outside.open("rb") as source:
                    while part := source.read(_COPIED_AT_ONCE):
                        copy.write(part)
                copy.sync_and_close()
            finally:
                copy.close()

    def rename(self, old: Path, new: Path) -> None:
        """Move, replacing ``new``."""
        old.replace(new)

    def sync_directory(self, path: Path) -> None:
        """Make the names in a directory durable."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def make_directory(self, path: Path) -> None:
        """Create missing directories, mode 0700, and make each durable in its parent."""
        missing = []
        current = path
        while not current.exists():
            missing.append(current)
            current = current.parent
        for directory in reversed(missing):
            directory.mkdir(mode=0o700, exist_ok=True)
            self.sync_directory(directory.parent)

    def list(self, path: Path) -> list[str]:
        """Return the names in a directory, sorted."""
        return sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []

    def exists(self, path: Path) -> bool:
        """Whether there is such a file or directory."""
        return path.exists()

    def remove(self, path: Path) -> None:
        """Remove a file or a whole directory."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def write_durably(disk: Disk, path: Path, content: bytes) -> None:
    """Replace a file so that after a crash it holds either the old content or the new, whole.

    The order matters: content, then its name, then the directory.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    disk.remove(temporary)
    file = disk.create(temporary)
    try:
        file.write(content)
    except BaseException:
        file.close()
        raise
    file.sync_and_close()
    failpoints.hit("P3")
    disk.rename(temporary, path)
    failpoints.hit("P3")
    disk.sync_directory(path.parent)
