"""The disk as one simulated process sees it: others run while it works, it may fail, and the process may die in it."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.scheduler import Scheduler
from wiesel.core.disk import AppendFile
from wiesel.testing.memory_disk import MemoryDisk


@dataclass(slots=True)
class DiskFaults:
    """How often an operation fails, from 0 to 1."""

    fsync: float = 0.0
    rename: float = 0.0
    write: float = 0.0


class _File:
    def __init__(self, disk: ProcessDisk, file: AppendFile) -> None:
        self._disk = disk
        self._file = file

    def write(self, data: bytes) -> None:
        self._disk.begin()
        if self._disk.fails(self._disk.faults.write):
            self._file.write(data[: int(len(data) * self._disk.scheduler.random.random())])  # a short write
            raise OSError(errno.ENOSPC, "No space left on device")
        self._file.write(data)

    def sync_and_close(self) -> None:
        self._disk.begin()
        if self._disk.fails(self._disk.faults.fsync):
            self._file.close()
            raise OSError(errno.EIO, "Input/output error")
        self._file.sync_and_close()

    def close(self) -> None:
        self._file.close()


class ProcessDisk:
    """A ``core.disk.Disk`` over the machine's ``MemoryDisk``.

    Args:
        scheduler: lets others run.
        disk: what is there.
        faults: how often it fails.
    """

    def __init__(self, scheduler: Scheduler, disk: MemoryDisk, faults: DiskFaults) -> None:
        self.scheduler = scheduler
        self.faults = faults
        self._disk = disk

    def begin(self) -> None:
        """Give way; raises ``ProcessDiedError`` in a process that is dead."""
        self.scheduler.give_way()

    def fails(self, chance: float) -> bool:
        """Whether this operation fails."""
        return chance > 0 and self.scheduler.random.random() < chance

    def identity(self, path: Path) -> object | None:
        """Return what tells a directory from one in its place; the kernel knows it at once."""
        return self._disk.identity(path)

    def create(self, path: Path) -> AppendFile:
        """Create a new file."""
        self.begin()
        return _File(self, self._disk.create(path))

    def read(self, path: Path) -> bytes:
        """Return a file's content."""
        self.begin()
        return self._disk.read(path)

    def adopt(self, outside: Path, path: Path) -> None:
        """Not on this disk: only backends with files of their own need it, and they are not simulated."""
        raise NotImplementedError(f"{outside} is on the real disk")

    def rename(self, old: Path, new: Path) -> None:
        """Move, replacing ``new``."""
        self.begin()
        if self.fails(self.faults.rename):
            raise OSError(errno.EIO, "Input/output error")
        self._disk.rename(old, new)

    def sync_directory(self, path: Path) -> None:
        """Make the names durable."""
        self.begin()
        if self.fails(self.faults.fsync):
            raise OSError(errno.EIO, "Input/output error")
        self._disk.sync_directory(path)

    def make_directory(self, path: Path) -> None:
        """Create a directory and its parents."""
        self.begin()
        self._disk.make_directory(path)

    def list(self, path: Path) -> list[str]:
        """Return the names in a directory."""
        self.begin()
        return self._disk.list(path)

    def exists(self, path: Path) -> bool:
        """Whether there is such a file or directory."""
        self.begin()
        return self._disk.exists(path)

    def remove(self, path: Path) -> None:
        """Remove a file or a whole directory."""
        self.begin()
        self._disk.remove(path)
