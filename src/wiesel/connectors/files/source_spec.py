"""The file source as inert data of the job graph (Flink: ``FileSource``)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from wiesel.connectors.files.enumerator import FileEnumerator, is_hidden
from wiesel.connectors.files.reader import FileReader
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Json, SourceContext
from wiesel.core.errors import ConfigurationError
from wiesel.core.shipping import ShippedFunction
from wiesel.core.types import TypeInformation

_log = logging.getLogger("wiesel.connectors.files")


@dataclass(frozen=True, slots=True)
class FileSourceSpec:
    """Reads files and the files below folders.

    Args:
        paths: files and folders, absolute.
        file_format: a ``FileFormat``, pickled by value because it may be the script's own.
        discovery_interval_ms: how often to look for new files; None for a bounded source.
        type_info: type of the records.
    """

    paths: tuple[Path, ...]
    file_format: ShippedFunction
    discovery_interval_ms: int | None
    type_info: TypeInformation

    @property
    def bounded(self) -> bool:
        """Whether the files are listed once."""
        return self.discovery_interval_ms is None

    def preflight(self, configuration: Configuration) -> None:
        """Check that every path exists."""
        for path in self.paths:
            if not path.exists():
                raise ConfigurationError(f"FileSource: there is no {path}.")
            if is_hidden(path):
                _log.warning("FileSource: %s is hidden by its name, so Flink reads nothing of it; nor do we.", path)

    def create_enumerator(self, context: SourceContext, state: Json | None) -> FileEnumerator:
        """Return the enumerator."""
        return FileEnumerator(self.paths, context.parallelism, self.discovery_interval_ms, state)

    def create_reader(self, context: SourceContext) -> FileReader:
        """Return a reader without files."""
        return FileReader(self.file_format.load())
