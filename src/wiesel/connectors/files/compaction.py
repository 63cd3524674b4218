"""Puts the small files of one checkpoint together before they appear (Flink: ``FileCompactStrategy``)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from wiesel.connectors.files.part_file import PendingFile
from wiesel.core.disk import OsDisk
from wiesel.core.errors import ConfigurationError, UnsupportedError


class FileCompactStrategy:
    """How many small files become one; made by its builder.

    Args:
        size_threshold: bytes at which a compacted file is large enough; -1 for no limit.
        every_checkpoints: checkpoints whose files are put together; files appear with their own checkpoint here, so it
            only has to be given.
    """

    def __init__(self, size_threshold: int = -1, every_checkpoints: int = -1) -> None:
        self.size_threshold = size_threshold
        self.every_checkpoints = every_checkpoints

    @staticmethod
    def builder() -> FileCompactStrategy.Builder:
        """Return a builder."""
        return FileCompactStrategy.Builder()

    def get_java_object(self) -> NoReturn:
        """Raise: there is no Java object behind it here."""
        raise UnsupportedError("There is no Java here; pass the FileCompactStrategy itself.")

    class Builder:
        """Builds a strategy; needs a size or a number of checkpoints."""

        def __init__(self) -> None:
            self._size_threshold = -1
            self._every_checkpoints = -1

        def enable_compaction_on_checkpoint(
            self, num_checkpoints_before_compaction: int
        ) -> FileCompactStrategy.Builder:
            """Compact at least every so many checkpoints; here it happens at every one, so output appears earlier."""
            if num_checkpoints_before_compaction <= 0:
                raise ConfigurationError("enable_compaction_on_checkpoint takes a number above 0.")
            self._every_checkpoints = num_checkpoints_before_compaction
            return self

        def set_size_threshold(self, size_threshold: int) -> FileCompactStrategy.Builder:
            """Close a compacted file once it has so many bytes."""
            self._size_threshold = size_threshold
            return self

        def set_num_compact_threads(self, num_compact_threads: int) -> FileCompactStrategy.Builder:
            """Set how many threads compact; one is enough to copy files here, so it has no effect."""
            if num_compact_threads <= 0:
                raise ConfigurationError("set_num_compact_threads takes a number above 0.")
            return self

        def build(self) -> FileCompactStrategy:
            """Return the strategy."""
            if self._size_threshold < 0 and self._every_checkpoints < 0:
                raise ConfigurationError(
                    "FileCompactStrategy needs set_size_threshold(...) or enable_compaction_on_checkpoint(...)."
                )
            return FileCompactStrategy(self._size_threshold, self._every_checkpoints)


class FileCompactor:
    """How files are put together; made by its static methods.

    Args:
        delimiter: written between two files; None to leave every file on its own.
    """

    def __init__(self, delimiter: bytes | None) -> None:
        self.delimiter = delimiter

    @staticmethod
    def concat_file_compactor(file_delimiter: bytes | None = None) -> FileCompactor:
        """Return the compactor that writes files one behind the other."""
        return FileCompactor(file_delimiter or b"")

    @staticmethod
    def identical_file_compactor() -> FileCompactor:
        """Return the compactor that leaves every file as it is, under a compacted file's name."""
        return FileCompactor(None)

    def get_java_object(self) -> NoReturn:
        """Raise: there is no Java object behind it here."""
        raise UnsupportedError("There is no Java here; pass the FileCompactor itself.")


def groups(
    strategy: FileCompactStrategy, compactor: FileCompactor, files: Iterable[PendingFile]
) -> list[list[PendingFile]]:
    """Return which files become one: of one folder and one checkpoint, in order, up to the size.

    It depends on nothing else, so that a committer that died in between finds the same groups again.
    """
    by_place: dict[tuple[str, int], list[PendingFile]] = {}
    for file in files:
        by_place.setdefault((file.folder, file.checkpoint_id), []).append(file)
    found: list[list[PendingFile]] = []
    for placed in by_place.values():
        size = 0
        for number, file in enumerate(placed):
            full = 0 <= strategy.size_threshold <= size
            if number == 0 or full or compactor.delimiter is None:
                found.append([])
                size = 0
            found[-1].append(file)
            size += file.size
    return found


def compact(compactor: FileCompactor, group: Sequence[PendingFile]) -> bool:
    """Publish a group of pending files as one; doing it again changes nothing.

    Returns False when neither the group's files nor the compacted one are there.
    """
    folder = Path(group[0].folder)
    target = folder / f"compacted-{group[0].name}"
    hidden = [folder / file.hidden for file in group]
    if not target.exists():
        if not all(path.exists() for path in hidden):
            return False
        temporary = folder / f".{target.name}.inprogress"
        with temporary.open("wb") as output:
            for number, path in enumerate(hidden):
                output.write((compactor.delimiter or b"") if number else b"")
                with path.open("rb") as part:
                    shutil.copyfileobj(part, output)
            output.flush()
            os.fsync(output.fileno())
        temporary.rename(target)
        # The parts go only after the name of the whole is durable.
        OsDisk().sync_directory(folder)
    for path in hidden:
        path.unlink(missing_ok=True)
    return True
