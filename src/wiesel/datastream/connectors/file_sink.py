"""``FileSink`` and ``StreamingFileSink`` with their builders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from wiesel.connectors.files.buckets import BucketAssigner, DateTimeBucketAssigner
from wiesel.connectors.files.compaction import FileCompactor, FileCompactStrategy
from wiesel.connectors.files.output_file_config import OutputFileConfig
from wiesel.connectors.files.paths import local_path
from wiesel.connectors.files.rolling import OnCheckpointRollingPolicy, RollingPolicy
from wiesel.connectors.files.sink_spec import FileSinkSpec
from wiesel.connectors.files.writer import FileWriterOptions
from wiesel.core.contracts import Sink as SinkContract
from wiesel.core.errors import ConfigurationError
from wiesel.core.serialization import BulkWriterFactory, Encoder
from wiesel.core.shipping import ship
from wiesel.core.types import TypeInformation
from wiesel.datastream.connectors.base import Sink, StreamTransformer, SupportsPreprocessing
from wiesel.datastream.functions import SinkFunction

__all__ = ["FileSink", "StreamingFileSink"]

_Self = TypeVar("_Self", bound="_Builder")


class _Plan:
    """What a builder has collected; becomes a spec when the stream's type is known."""

    def __init__(self, base_path: str, encoder: Encoder | None, bulk_factory: BulkWriterFactory | None) -> None:
        self.base_path: Path = local_path(base_path)
        self.encoder = encoder
        self.bulk_factory = bulk_factory
        self.bucket_assigner: BucketAssigner = DateTimeBucketAssigner("yyyy-MM-dd--HH", None)
        self.rolling_policy: RollingPolicy = (
            RollingPolicy.default_rolling_policy() if encoder is not None else OnCheckpointRollingPolicy()
        )
        self.bucket_check_interval_ms = 60_000
        self.file_config = OutputFileConfig("part", "")
        self.compaction: tuple[FileCompactStrategy, FileCompactor] | None = None

    def spec(self, type_info: TypeInformation) -> FileSinkSpec:
        options = FileWriterOptions(
            base_path=self.base_path,
            bucket_assigner=self.bucket_assigner,
            rolling_policy=self.rolling_policy,
            bucket_check_interval_ms=self.bucket_check_interval_ms,
            file_config=self.file_config,
            resumable=self.encoder is not None,
        )
        return FileSinkSpec(
            ship(options),
            None if self.encoder is None else ship(self.encoder),
            None if self.bulk_factory is None else ship(self.bulk_factory),
            type_info,
            self.compaction,
        )


class _Builder:
    """What all builders share."""

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan

    def with_bucket_check_interval(self: _Self, interval: int) -> _Self:
        """Set how often, in milliseconds, the age of files is looked at (every minute if not called)."""
        if interval <= 0:
            raise ConfigurationError(f"The bucket check interval must be above 0, got {interval}.")
        self._plan.bucket_check_interval_ms = interval
        return self

    def with_bucket_assigner(self: _Self, bucket_assigner: BucketAssigner) -> _Self:
        """Set which folder a record goes to: one an hour if not called."""
        self._plan.bucket_assigner = _checked("with_bucket_assigner", BucketAssigner, bucket_assigner)
        return self

    def with_output_file_config(self: _Self, output_file_config: OutputFileConfig) -> _Self:
        """Set how files are called."""
        self._plan.file_config = _checked("with_output_file_config", OutputFileConfig, output_file_config)
        return self

    def _set_rolling_policy(self, policy: RollingPolicy) -> None:
        wanted = RollingPolicy if self._plan.encoder is not None else OnCheckpointRollingPolicy
        self._plan.rolling_policy = _checked("with_rolling_policy", wanted, policy)


class FileSink(Sink, SupportsPreprocessing):
    """Writes files that appear, whole, with checkpoints: each record in exactly one (Flink: ``FileSink``).

    A file is in progress, then pending, both under a name that begins with a dot, then finished by a rename when the
    checkpoint that holds its last record is complete. Without checkpoints a bounded job finishes all files at its end.

    Example::

        sink = (
            FileSink.for_row_format("output", Encoder.simple_string_encoder())
            .with_output_file_config(OutputFileConfig.builder().with_part_suffix(".txt").build())
            .build()
        )
        stream.sink_to(sink)

    Args:
        sink: what the builder has collected.
    """

    commits = True

    def __init__(self, sink: Any) -> None:
        super().__init__(sink)

    def spec_for(self, type_info: TypeInformation) -> SinkContract:
        """See the base class."""
        return _spec(self._spec, type_info)

    def get_transformer(self) -> StreamTransformer | None:
        """Return None: rows need no change before they are written here."""
        return None

    @staticmethod
    def for_row_format(base_path: str, encoder: Encoder) -> FileSink.RowFormatBuilder:
        """Return a builder for files that grow record by record."""
        return FileSink.RowFormatBuilder(_Plan(base_path, _checked("for_row_format", Encoder, encoder), None))

    @staticmethod
    def for_bulk_format(base_path: str, writer_factory: BulkWriterFactory) -> FileSink.BulkFormatBuilder:
        """Return a builder for files of a bulk format, such as Parquet; each is complete at a checkpoint."""
        factory = _checked("for_bulk_format", BulkWriterFactory, writer_factory)
        return FileSink.BulkFormatBuilder(_Plan(base_path, None, factory))

    class BaseBuilder(_Builder):
        """What both builders share."""

        def with_rolling_policy(self: _Self, rolling_policy: RollingPolicy) -> _Self:
            """Set when a file is complete."""
            self._set_rolling_policy(rolling_policy)
            return self

        def enable_compact(self: _Self, strategy: FileCompactStrategy, compactor: FileCompactor) -> _Self:
            """Put the small files of a checkpoint together before they appear."""
            self._plan.compaction = (
                _checked("enable_compact", FileCompactStrategy, strategy),
                _checked("enable_compact", FileCompactor, compactor),
            )
            return self

        def disable_compact(self: _Self) -> _Self:
            """Let files appear as they were written (the default)."""
            self._plan.compaction = None
            return self

        def build(self) -> FileSink:
            """Return the sink."""
            return FileSink(self._plan)

    class RowFormatBuilder(BaseBuilder):
        """Builds a sink of a row format."""

    class BulkFormatBuilder(BaseBuilder):
        """Builds a sink of a bulk format; its one rolling policy is ``on_checkpoint_rolling_policy``."""


class StreamingFileSink(SinkFunction):
    """The file sink of the old kind, for ``stream.add_sink``; the same as ``FileSink`` but for compaction.

    Args:
        sink_func: what the builder has collected.
    """

    def __init__(self, sink_func: Any) -> None:
        super().__init__(sink_func)

    def spec_for(self, type_info: TypeInformation) -> SinkContract:
        """See the base class."""
        return _spec(self._spec, type_info)

    @staticmethod
    def for_row_format(base_path: str, encoder: Encoder) -> StreamingFileSink.DefaultRowFormatBuilder:
        """Return a builder for files that grow record by record."""
        plan = _Plan(base_path, _checked("for_row_format", Encoder, encoder), None)
        return StreamingFileSink.DefaultRowFormatBuilder(plan)

    @staticmethod
    def for_bulk_format(
        base_path: str, writer_factory: BulkWriterFactory
    ) -> StreamingFileSink.DefaultBulkFormatBuilder:
        """Return a builder for files of a bulk format."""
        factory = _checked("for_bulk_format", BulkWriterFactory, writer_factory)
        return StreamingFileSink.DefaultBulkFormatBuilder(_Plan(base_path, None, factory))

    class BaseBuilder(_Builder):
        """What both builders share."""

        def with_rolling_policy(self: _Self, policy: RollingPolicy) -> _Self:
            """Set when a file is complete."""
            self._set_rolling_policy(policy)
            return self

        def build(self) -> StreamingFileSink:
            """Return the sink."""
            return StreamingFileSink(self._plan)

    class DefaultRowFormatBuilder(BaseBuilder):
        """Builds a sink of a row format."""

    class DefaultBulkFormatBuilder(BaseBuilder):
        """Builds a sink of a bulk format; its one rolling policy is ``on_checkpoint_rolling_policy``."""


_T = TypeVar("_T")


def _checked(where: str, wanted: type[_T], value: Any) -> _T:
    if not isinstance(value, wanted):
        raise TypeError(f"{where} takes {wanted.__name__}, got {value!r}")
    return value


def _spec(plan: Any, type_info: TypeInformation) -> FileSinkSpec:
    spec: FileSinkSpec = plan.spec(type_info)
    return spec
