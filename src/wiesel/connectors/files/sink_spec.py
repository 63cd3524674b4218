"""The file sink as inert data of the job graph (Flink: ``FileSink``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from wiesel.connectors.files.committer import FileCommitter
from wiesel.connectors.files.compaction import FileCompactor, FileCompactStrategy
from wiesel.connectors.files.writer import FileWriter, FileWriterOptions
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import CommitterContext, JobFacts, Json, SinkContext
from wiesel.core.errors import ConfigurationError
from wiesel.core.serialization import BulkWriterFactory, Encoder
from wiesel.core.shipping import ShippedFunction
from wiesel.core.types import TypeInformation


@dataclass(frozen=True, slots=True)
class FileSinkSpec:
    """Writes part files and publishes them with checkpoints.

    Args:
        options: the writer's options, pickled by value because a bucket assigner may be the script's own.
        encoder: writes records of a row format; None for a bulk format.
        bulk_factory: makes the writers of a bulk format; None for a row format.
        type_info: the stream's type.
        compaction: how small files are put together; None to leave them.
    """

    options: ShippedFunction
    encoder: ShippedFunction | None
    bulk_factory: ShippedFunction | None
    type_info: TypeInformation
    compaction: tuple[FileCompactStrategy, FileCompactor] | None = None

    @property
    def transactional(self) -> bool:
        """Files are published by a committer."""
        return True

    @property
    def identity(self) -> str | None:
        """Nothing: files carry their folder with them."""
        return None

    def preflight(self, configuration: Configuration, job: JobFacts) -> None:
        """Check that the base path is a folder that can be written, or can be made one."""
        options: FileWriterOptions = self.options.load()
        path = options.base_path
        if path.exists() and not path.is_dir():
            raise ConfigurationError(f"FileSink writes into a folder, and {path} is a file.")
        existing = path
        while not existing.exists():
            existing = existing.parent
        if not os.access(existing, os.W_OK | os.X_OK):
            raise ConfigurationError(f"FileSink cannot write to {path}: no permission on {existing}.")

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> FileWriter:
        """Return a writer that goes on with the files in progress of ``state``."""
        return FileWriter(self.options.load(), self._open_writer(), context, state)

    def create_committer(self, context: CommitterContext) -> FileCommitter:
        """Return the committer."""
        return FileCommitter(self.compaction)

    def _open_writer(self) -> Callable[[BinaryIO], tuple[Callable[[Any], object], Callable[[], None]]]:
        if self.encoder is not None:
            encoder: Encoder = self.encoder.load()
            return lambda stream: (encoder.bind(self.type_info, stream), _nothing_more)
        assert self.bulk_factory is not None
        factory: BulkWriterFactory = self.bulk_factory.load()

        def open_bulk(stream: BinaryIO) -> tuple[Callable[[Any], object], Callable[[], None]]:
            writer = factory.create(stream)
            return writer.add_element, writer.finish

        return open_bulk


def _nothing_more() -> None:
    """A row format has no footer."""
