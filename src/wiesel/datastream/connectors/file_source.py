"""``FileSource`` and its builder."""

from __future__ import annotations

from typing import Any

from wiesel.connectors.files.paths import local_path
from wiesel.connectors.files.source_spec import FileSourceSpec
from wiesel.core.errors import ConfigurationError
from wiesel.core.file_formats import BulkFormat, FileFormat, StreamFormat
from wiesel.core.shipping import ship
from wiesel.core.time import Duration
from wiesel.core.types import TypeInformation
from wiesel.datastream.connectors.base import Source

__all__ = ["FileEnumeratorProvider", "FileSource", "FileSourceBuilder", "FileSplitAssignerProvider"]


class FileEnumeratorProvider:
    """How files are found; made by its static methods. Files are read whole here, whichever is chosen."""

    @staticmethod
    def default_splittable_file_enumerator() -> FileEnumeratorProvider:
        """Return the enumerator that lists files below folders; Flink would cut large files at block borders too."""
        return FileEnumeratorProvider()

    @staticmethod
    def default_non_splittable_file_enumerator() -> FileEnumeratorProvider:
        """Return the enumerator that lists files below folders and never cuts one."""
        return FileEnumeratorProvider()


class FileSplitAssignerProvider:
    """Which reader takes which file; made by its static method."""

    @staticmethod
    def locality_aware_split_assigner() -> FileSplitAssignerProvider:
        """Return the assigner for files that lie near a reader; all files lie on this machine, so it has no effect."""
        return FileSplitAssignerProvider()


class FileSource(Source):
    """Reads files, once or as they appear (Flink: ``FileSource``).

    Folders are read with everything below them; names that begin with ``.`` or ``_`` are left out.

    Example::

        source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), "input").build()
        lines = env.from_source(source, WatermarkStrategy.no_watermarks(), "files")

    Args:
        source: the spec that the builder made.
    """

    def __init__(self, source: Any) -> None:
        super().__init__(source)

    def produced_type(self) -> TypeInformation | None:
        """Return the type that the format says."""
        type_info: TypeInformation = self._spec.type_info
        return type_info

    @staticmethod
    def for_record_stream_format(stream_format: StreamFormat, *paths: str) -> FileSourceBuilder:
        """Return a builder for a format that is read record by record."""
        if not isinstance(stream_format, StreamFormat):
            raise TypeError(f"for_record_stream_format takes a StreamFormat, got {stream_format!r}")
        return FileSourceBuilder(stream_format, paths)

    @staticmethod
    def for_bulk_file_format(bulk_format: BulkFormat, *paths: str) -> FileSourceBuilder:
        """Return a builder for a format that is read many records at a time."""
        if not isinstance(bulk_format, BulkFormat):
            raise TypeError(f"for_bulk_file_format takes a BulkFormat, got {bulk_format!r}")
        return FileSourceBuilder(bulk_format, paths)


class FileSourceBuilder:
    """Builds a ``FileSource``; made by its ``for_…`` methods."""

    def __init__(self, file_format: FileFormat, paths: tuple[str, ...]) -> None:
        if not paths:
            raise ConfigurationError("FileSource needs at least one path of a file or a folder.")
        self._format = file_format
        self._paths = tuple(map(local_path, paths))
        self._discovery_interval_ms: int | None = None

    def monitor_continuously(self, discovery_interval: Duration) -> FileSourceBuilder:
        """Look for new files again and again: the source is unbounded.

        A file is read as it is when it is found, so move finished files into the folder instead of writing them there.
        """
        if not isinstance(discovery_interval, Duration):
            raise TypeError(f"monitor_continuously takes a Duration, got {discovery_interval!r}")
        interval = discovery_interval.to_millis()
        if interval <= 0:
            raise ConfigurationError("The interval of monitor_continuously must be above 0.")
        self._discovery_interval_ms = interval
        return self

    def process_static_file_set(self) -> FileSourceBuilder:
        """Read the files that are there at the start, and end (the default)."""
        self._discovery_interval_ms = None
        return self

    def set_file_enumerator(self, file_enumerator: FileEnumeratorProvider) -> FileSourceBuilder:
        """Set how files are found; both of PyFlink's ways find the same files."""
        if not isinstance(file_enumerator, FileEnumeratorProvider):
            raise TypeError(f"set_file_enumerator takes a FileEnumeratorProvider, got {file_enumerator!r}")
        return self

    def set_split_assigner(self, split_assigner: FileSplitAssignerProvider) -> FileSourceBuilder:
        """Set which reader takes which file; PyFlink's one way is the one here."""
        if not isinstance(split_assigner, FileSplitAssignerProvider):
            raise TypeError(f"set_split_assigner takes a FileSplitAssignerProvider, got {split_assigner!r}")
        return self

    def build(self) -> FileSource:
        """Return the source."""
        type_info = self._format.produced_type()
        return FileSource(FileSourceSpec(self._paths, ship(self._format), self._discovery_interval_ms, type_info))
