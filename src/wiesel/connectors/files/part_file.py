"""A part file on its way: in progress under a hidden name, pending, finished by a rename.

A name that begins with a dot is never taken for a finished file, so whatever a crash leaves behind is harmless.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from wiesel.core.contracts import Json
from wiesel.core.disk import OsDisk
from wiesel.core.errors import CheckpointCorruptError

#: Starts writing to an open file; returns the function that takes a record and the one that completes the content.
OpenWriter = Callable[[BinaryIO], tuple[Callable[[Any], object], Callable[[], None]]]

_BUFFER: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A complete, durable file under its hidden name.

    Args:
        folder: where it lies, absolute.
        hidden: its name now.
        name: its name when finished.
        size: its bytes.
        checkpoint_id: the checkpoint that publishes it.
    """

    folder: str
    hidden: str
    name: str
    size: int
    checkpoint_id: int = 0

    def to_json(self) -> dict[str, Json]:
        """Return it for a checkpoint."""
        return asdict(self)

    @staticmethod
    def from_json(data: Any) -> PendingFile:
        """Return what ``to_json`` gave."""
        return PendingFile(**data)


class CountedStream(io.BufferedWriter):
    """An open file that counts; ``tell`` would ask the operating system for every record.

    Args:
        raw: the file, at its end.
    """

    def __init__(self, raw: io.FileIO) -> None:
        super().__init__(raw, _BUFFER)
        self.count = raw.tell()

    def write(self, data: Any) -> int:
        """Write bytes and count them."""
        written = super().write(data)
        self.count += written
        return written


class PartFile:
    """One file of one bucket that records are written to.

    Args:
        folder: where it lies.
        hidden: its name while it is in progress.
        name: its name when finished.
        stream: the open file, at its end.
        open_writer: how records are written.
        now_ms: when it was begun.
    """

    def __init__(
        self, folder: Path, hidden: str, name: str, stream: CountedStream, open_writer: OpenWriter, now_ms: int
    ) -> None:
        self.folder = folder
        self.created_ms = now_ms
        self.updated_ms = now_ms
        self.persisted = False
        self._hidden = hidden
        self._name = name
        #: The open file; its ``count`` is the size so far, in bytes.
        self.stream = stream
        self.write, self._complete = open_writer(stream)

    @staticmethod
    def create(folder: Path, name: str, unique: str, open_writer: OpenWriter, now_ms: int) -> PartFile:
        """Begin a new file, and the folder when it is missing."""
        _make_folder(folder)
        hidden = f".{name}.inprogress.{unique}"
        stream = CountedStream(io.FileIO(folder / hidden, "xb"))
        return PartFile(folder, hidden, name, stream, open_writer, now_ms)

    @staticmethod
    def resume(state: Json, open_writer: OpenWriter) -> PartFile | None:
        """Go on with a file of a checkpoint: what was written behind the checkpoint is cut off.

        Returns None when the file was finished since by a run that this one takes back; its records are published.

        Raises:
            CheckpointCorruptError: the file is gone, or shorter than the checkpoint says.
        """
        folder, hidden, name = Path(state["folder"]), state["hidden"], state["name"]
        path = folder / hidden
        if not path.exists() and (folder / name).exists():
            return None
        size = path.stat().st_size if path.exists() else -1
        if size < state["size"]:
            raise CheckpointCorruptError(
                f"The checkpoint goes on with {path} at {state['size']} bytes, and "
                f"{'it is gone' if size < 0 else f'it has only {size}'}. Bring the file back, or start without the "
                f"checkpoint (--fresh); the records before the checkpoint that were not published are in it."
            )
        os.truncate(path, state["size"])
        raw = io.FileIO(path, "r+b")
        raw.seek(0, os.SEEK_END)
        part = PartFile(folder, hidden, name, CountedStream(raw), open_writer, state["created_ms"])
        part.updated_ms = state["updated_ms"]
        part.persisted = True
        return part

    def flush(self) -> None:
        """Hand everything written to the operating system."""
        self.stream.flush()

    def persist(self) -> dict[str, Json]:
        """Make what is written so far durable and return how to go on behind it."""
        self._sync()
        self.persisted = True
        return {
            "folder": str(self.folder),
            "hidden": self._hidden,
            "name": self._name,
            "size": self.stream.count,
            "created_ms": self.created_ms,
            "updated_ms": self.updated_ms,
        }

    def complete(self) -> PendingFile:
        """Write the last bytes, make them durable and close the file."""
        self._complete()
        self._sync()
        size = self.stream.count
        self.stream.close()
        return PendingFile(str(self.folder), self._hidden, self._name, size)

    def _sync(self) -> None:
        self.stream.flush()
        os.fsync(self.stream.fileno())

    def abandon(self) -> None:
        """Close the file without completing it; one that no checkpoint can know of is removed."""
        self.stream.close()
        if not self.persisted:
            (self.folder / self._hidden).unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Create missing folders for anybody to read, each durable in its parent."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    OsDisk().sync_directory(folder.parent)
