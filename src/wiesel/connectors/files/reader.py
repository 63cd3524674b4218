"""Reads files one after the other (Flink: ``FileSourceReader``)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wiesel.connectors.collections.bounded import BoundedReader
from wiesel.core.contracts import Json, SourceBatch, SourceSplit
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.errors import RecordError
from wiesel.core.file_formats import FileFormat, FileRecords


class FileReader(BoundedReader):
    """Reads the files given to it.

    Args:
        file_format: makes records of a file's content.
    """

    def __init__(self, file_format: FileFormat) -> None:
        super().__init__()
        self._format = file_format
        self._open: FileRecords | None = None
        self._paused: frozenset[str] = frozenset()

    def pause(self, split_ids: Iterable[str]) -> None:
        """Stop behind the last record of a file that is ahead of other sources."""
        self._paused = frozenset(split_ids)

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return the next records of the file being read, or begin the next file."""
        while self._splits and self._splits[0].split_id not in self._paused:
            split = self._splits[0]
            try:
                if self._open is None:
                    self._open = self._format.open_file(Path(split.split_id), split.position["at"])
                values = self._open.read(max_records)
                position = self._open.position()
            except FileNotFoundError as error:
                raise RecordError(
                    f"{split.split_id} was found before and is gone: files that are read must stay."
                ) from error
            if not values:
                self._finish_file()
                continue
            return self._batch(split, values, position)
        return None

    def _batch(self, split: SourceSplit, values: list[Any], position: Json) -> SourceBatch:
        path, first = split.split_id, split.position["records"]
        self._splits[0] = SourceSplit(path, {"at": position, "records": first + len(values)})
        return SourceBatch(path, values, [MIN_TIMESTAMP] * len(values), lambda i: f"{path} record {first + i + 1}")

    def _finish_file(self) -> None:
        self.close()
        self._finished.append(self._splits.popleft().split_id)

    def close(self) -> None:
        """Close the file being read."""
        if self._open is not None:
            self._open.close()
            self._open = None
