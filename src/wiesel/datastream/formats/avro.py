"""Avro, in messages and in files (``pyflink.datastream.formats.avro``)."""

from __future__ import annotations

from wiesel.common.io import InputFormat
from wiesel.datastream.connectors.file_source import FileSource
from wiesel.formats.avro import (
    AvroBulkWriters,
    AvroFileFormat,
    AvroRowDeserializationSchema,
    AvroRowSerializationSchema,
    GenericRecordAvroTypeInfo,
)
from wiesel.formats.avro_schema import AvroSchema

__all__ = [
    "AvroBulkWriters",
    "AvroInputFormat",
    "AvroRowDeserializationSchema",
    "AvroRowSerializationSchema",
    "AvroSchema",
    "GenericRecordAvroTypeInfo",
]


class AvroInputFormat(InputFormat):
    """Reads Avro files as generic records; for ``env.create_input``.

    Args:
        path: a file or folder.
        schema: the schema that records are read as.
    """

    def __init__(self, path: str, schema: AvroSchema) -> None:
        self._path = path
        self._schema = schema

    def get_produced_type(self) -> GenericRecordAvroTypeInfo:
        """Return the type of the records."""
        return GenericRecordAvroTypeInfo(self._schema)

    def to_source(self) -> FileSource:
        """Return the source that reads the files."""
        return FileSource.for_record_stream_format(AvroFileFormat(self._schema), self._path).build()
