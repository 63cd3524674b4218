"""File sources and sinks (``pyflink.datastream.connectors.file_system``; Flink docs: "FileSystem connector")."""

from __future__ import annotations

from wiesel.connectors.files.buckets import BucketAssigner
from wiesel.connectors.files.compaction import FileCompactor, FileCompactStrategy
from wiesel.connectors.files.output_file_config import OutputFileConfig
from wiesel.connectors.files.rolling import DefaultRollingPolicy, OnCheckpointRollingPolicy, RollingPolicy
from wiesel.core.file_formats import BulkFormat, StreamFormat
from wiesel.datastream.connectors.file_sink import FileSink, StreamingFileSink
from wiesel.datastream.connectors.file_source import (
    FileEnumeratorProvider,
    FileSource,
    FileSourceBuilder,
    FileSplitAssignerProvider,
)

__all__ = [
    "BucketAssigner",
    "BulkFormat",
    "DefaultRollingPolicy",
    "FileCompactStrategy",
    "FileCompactor",
    "FileEnumeratorProvider",
    "FileSink",
    "FileSource",
    "FileSourceBuilder",
    "FileSplitAssignerProvider",
    "OnCheckpointRollingPolicy",
    "OutputFileConfig",
    "RollingPolicy",
    "StreamFormat",
    "StreamingFileSink",
]
