"""A ``core.disk.Disk`` in memory that loses in a ``crash`` what was not made durable, as a real disk may.

A file's bytes are durable after ``sync_and_close``, a name (also one that was moved or removed) after
``sync_directory`` of its directory. What a crash leaves of unsynced bytes is nothing or, with ``torn``, a part.
"""

from __future__ import annotations

import copy
import errno
from dataclasses import dataclass, field
from pathlib import Path
from random import Random


@dataclass(slots=True)
class _File:
    content: bytearray = field(default_factory=bytearray)
    durable: bytes = b""


@dataclass(slots=True)
class _Directory:
    """Names as processes see them, and as the disk would show them after a crash."""

    names: dict[str, _File | _Directory] = field(default_factory=dict)
    durable: dict[str, _File | _Directory] = field(default_factory=dict)


class MemoryAppendFile:
    """An ``AppendFile`` of a ``MemoryDisk``."""

    def __init__(self, disk: MemoryDisk, file: _File) -> None:
        self._disk = disk
        self._file = file
        self.closed = False

    def write(self, data: bytes) -> None:
        """Append ``data``."""
        assert not self.closed, "write to a closed file"
        self._disk.spend(len(data))
        self._file.content += data

    def sync_and_close(self) -> None:
        """Make the content durable and close."""
        self.close()
        self._disk.spend(0)
        self._file.durable = bytes(self._file.content)

    def close(self) -> None:
        """Close."""
        if not self.closed:
            self.closed = True
            self._disk.open_files -= 1


class MemoryDisk:
    """A directory tree; the root exists.

    Args:
        space: bytes that fit, None for no limit.
    """

    def __init__(self, space: int | None = None) -> None:
        self.space = space
        self.open_files = 0
        self._root = _Directory()

    # ------------------------------------------------------------------------------------------------- failing

    def spend(self, size: int) -> None:
        """Use up space; raises ``ENOSPC`` when there is none."""
        if self.space is not None:
            if self.space <= 0 or size > self.space:
                self.space = 0
                raise OSError(errno.ENOSPC, "No space left on device")
            self.space -= size

    def crash(self, torn: Random | None = None) -> None:
        """Go back to what is durable; with ``torn``, unsynced content may survive up to any byte."""
        self.open_files = 0
        self._forget(self._root, torn)

    def _forget(self, directory: _Directory, torn: Random | None) -> None:
        directory.names = dict(directory.durable)
        for entry in directory.names.values():
            if isinstance(entry, _Directory):
                self._forget(entry, torn)
            elif torn is not None and len(entry.content) > len(entry.durable):
                entry.content = entry.content[: torn.randint(len(entry.durable), len(entry.content))]
            else:
                entry.content = bytearray(entry.durable)

    def identity(self, path: Path) -> object | None:
        """Return what tells a file or directory from one that is put in its place, None when there is none."""
        return self._entry(path)

    def copy_of(self, path: Path) -> object:
        """Return a backup of a directory, for ``attach``."""
        return copy.deepcopy(self._directory(path))

    def detach(self, path: Path) -> object:
        """Take a directory away, durably, and return it for ``attach``."""
        found, parent = self._directory(path), self._directory(path.parent)
        del parent.names[path.name]
        parent.durable.pop(path.name, None)
        return found

    def attach(self, path: Path, directory: object) -> None:
        """Put a directory that was detached or copied somewhere, durably, in the place of what is there."""
        assert isinstance(directory, _Directory)
        parent = self._directory(path.parent)
        parent.names[path.name] = parent.durable[path.name] = directory

    def flip(self, path: Path, position: int = 0) -> None:
        """Change one bit of a file, as bad hardware does."""
        file = self._file(path)
        file.content[position] ^= 1
        file.durable = bytes(file.content)

    # ------------------------------------------------------------------------------------------------ the disk

    def create(self, path: Path) -> MemoryAppendFile:
        """Create a new file."""
        parent = self._directory(path.parent)
        if path.name in parent.names:
            raise FileExistsError(errno.EEXIST, "File exists", str(path))
        self.spend(0)
        file = parent.names[path.name] = _File()
        self.open_files += 1
        return MemoryAppendFile(self, file)

    def read(self, path: Path) -> bytes:
        """Return a file's content."""
        return bytes(self._file(path).content)

    def adopt(self, outside: Path, path: Path) -> None:
        """Make a file of one of the real disk."""
        file = self._directory(path.parent).names[path.name] = _File()
        file.durable = outside.read_bytes()
        file.content = bytearray(file.durable)

    def rename(self, old: Path, new: Path) -> None:
        """Move, replacing ``new``."""
        assert old.parent == new.parent, "moves are within a directory"
        names = self._directory(old.parent).names
        names[new.name] = names.pop(old.name)

    def sync_directory(self, path: Path) -> None:
        """Make the names durable."""
        directory = self._directory(path)
        directory.durable = dict(directory.names)

    def make_directory(self, path: Path) -> None:
        """Create a directory and its parents, durable."""
        directory = self._root
        for part in path.parts[1:]:
            found = directory.names.get(part)
            if found is None:
                found = _Directory()
                directory.names[part] = directory.durable[part] = found
            if not isinstance(found, _Directory):
                raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(path))
            directory = found

    def list(self, path: Path) -> list[str]:
        """Return the names in a directory."""
        entry = self._entry(path)
        return sorted(entry.names) if isinstance(entry, _Directory) else []

    def exists(self, path: Path) -> bool:
        """Whether there is such a file or directory."""
        return self._entry(path) is not None

    def remove(self, path: Path) -> None:
        """Remove a file or a whole directory."""
        parent = self._entry(path.parent)
        if isinstance(parent, _Directory):
            parent.names.pop(path.name, None)

    # --------------------------------------------------------------------------------------------------- walking

    def _entry(self, path: Path) -> _File | _Directory | None:
        entry: _File | _Directory | None = self._root
        for part in path.parts[1:]:
            entry = entry.names.get(part) if isinstance(entry, _Directory) else None
        return entry

    def _directory(self, path: Path) -> _Directory:
        entry = self._entry(path)
        if not isinstance(entry, _Directory):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return entry

    def _file(self, path: Path) -> _File:
        entry = self._entry(path)
        if not isinstance(entry, _File):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return entry
