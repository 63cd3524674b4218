"""Avro messages and files (mirrors ``pyflink.datastream.formats.avro``).

Generic records are dicts whose dates and decimals are the numbers and bytes that Avro stores, as in PyFlink; the row
schemas convert them to Flink's types.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from wiesel.core.contracts import Json
from wiesel.core.errors import RecordError, TypeMismatchError, UnsupportedError
from wiesel.core.file_formats import CountingReader, FileRecords, StreamFormat
from wiesel.core.row import Row, matched, named_row
from wiesel.core.serialization import BulkWriter, BulkWriterFactory, DeserializationSchema, SerializationSchema
from wiesel.core.types import RowTypeInfo, TypeInformation
from wiesel.core.types.base import Coercer
from wiesel.core.types.codec import Reader, Writer
from wiesel.formats.avro_schema import AvroSchema, type_of, without_logical_types
from wiesel.formats.extras import require

__all__ = [
    "AvroBulkWriters",
    "AvroFileFormat",
    "AvroRowDeserializationSchema",
    "AvroRowSerializationSchema",
    "AvroSchema",
    "GenericRecordAvroTypeInfo",
]

_SHOWN = 200
_UTC = datetime.UTC


def _fastavro() -> Any:
    return require("fastavro", "avro", "Avro")


class GenericRecordAvroTypeInfo(TypeInformation):
    """The type of dicts that follow an Avro schema (Flink: ``GenericRecordAvroTypeInfo``).

    Args:
        schema: the schema.
    """

    def __init__(self, schema: AvroSchema) -> None:
        super().__init__()
        self.schema = _checked(schema)

    def coercer(self) -> Coercer:
        """See the base class; a value is what Avro's bytes of it are."""
        write, read = self.writer(), self.reader()

        def coerce(value: Any) -> Any:
            out = bytearray()
            write(value, out)
            return read(bytes(out), 0)[0]

        return coerce

    def writer(self) -> Writer:
        """See the base class."""
        schema, encode = self.schema.raw, _fastavro().schemaless_writer

        def write(value: Any, out: bytearray) -> None:
            stream = BytesIO()
            try:
                encode(stream, schema, value)
            except _encoding_errors() as error:
                raise TypeMismatchError(f"Expected a record of {self}, got {value!r:.{_SHOWN}}: {error!r}") from None
            out += stream.getvalue()

        return write

    def reader(self) -> Reader:
        """See the base class."""
        schema, decode = self.schema.raw, _fastavro().schemaless_reader

        def read(data: bytes, position: int) -> tuple[Any, int]:
            stream = BytesIO(data)
            stream.seek(position)
            return decode(stream, schema), stream.tell()

        return read

    def text(self, value: Any) -> str:
        """See the base class; JSON, as Avro's generic records print."""
        return json.dumps(value, default=str)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GenericRecordAvroTypeInfo) and self.schema == other.schema

    __hash__ = TypeInformation.__hash__

    def __repr__(self) -> str:
        return f"GenericRecord({json.dumps(self.schema.definition)})"


def _encoding_errors() -> tuple[type[Exception], ...]:
    # What fastavro raises for a value that does not fit, depending on the type.
    return (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError)


def _decoding_errors() -> tuple[type[Exception], ...]:
    return (*_encoding_errors(), EOFError)


# ------------------------------------------------------------------------------------------------------ messages


class AvroRowDeserializationSchema(DeserializationSchema):
    """Reads rows from Avro's binary messages (without a registry's header).

    Args:
        record_class: a Java class, which there is none of here.
        avro_schema_string: the schema as JSON; its top must be a record.
    """

    def __init__(self, record_class: str | None = None, avro_schema_string: str | None = None) -> None:
        super().__init__()
        self._schema, self._row_type = _row_schema(record_class, avro_schema_string)
        self._decode: Callable[[bytes], Row] | None = None

    def _compile(self) -> Callable[[bytes], Row]:
        schema, read = self._schema.parsed, _fastavro().schemaless_reader
        to_row = _to_flink(self._row_type)

        def decode(data: bytes) -> Row:
            stream = BytesIO(data)
            row: Row = to_row(read(stream, schema))
            if stream.tell() != len(data):
                raise ValueError(f"{len(data) - stream.tell()} bytes are left over")
            return row

        return decode

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return self._row_type

    def deserialize(self, data: bytes | None) -> Any:
        """See the base class; no bytes at all are skipped."""
        if data is None:
            return None
        decode = self._decode
        if decode is None:
            decode = self._decode = self._compile()
        try:
            return decode(data)
        except _decoding_errors() as error:
            raise RecordError(f"Failed to deserialize Avro record {data[:50]!r}: {error!r}") from error

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_decode": None}


class AvroRowSerializationSchema(SerializationSchema):
    """Writes rows as Avro's binary messages.

    Args:
        record_class: a Java class, which there is none of here.
        avro_schema_string: the schema as JSON; its top must be a record.
    """

    def __init__(self, record_class: str | None = None, avro_schema_string: str | None = None) -> None:
        super().__init__()
        self._schema, self._row_type = _row_schema(record_class, avro_schema_string)
        self._encode: Callable[[Any], bytes] | None = None

    def _compile(self) -> Callable[[Any], bytes]:
        schema, write = self._schema.parsed, _fastavro().schemaless_writer
        coerce, names = self._row_type.coercer(), self._row_type.get_field_names()

        def encode(value: Any) -> bytes:
            stream = BytesIO()
            write(stream, schema, _to_avro(coerce(matched(value, names))))
            return stream.getvalue()

        return encode

    def serialize(self, value: Any) -> bytes:
        """See the base class."""
        encode = self._encode
        if encode is None:
            encode = self._encode = self._compile()
        try:
            return encode(value)
        except _encoding_errors() as error:
            raise TypeMismatchError(f"Failed to serialize row {value!r:.{_SHOWN}}: {error}") from error

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_encode": None}


def _row_schema(record_class: str | None, schema_string: str | None) -> tuple[AvroSchema, RowTypeInfo]:
    if record_class is not None:
        raise UnsupportedError(f"{record_class} is a Java class, and there is no JVM here: give avro_schema_string.")
    if schema_string is None:
        raise TypeError("record_class or avro_schema_string should be specified.")
    schema = AvroSchema.parse_string(schema_string)
    row_type = type_of(schema.definition)
    if not isinstance(row_type, RowTypeInfo):
        raise TypeError(f"The Avro schema of rows must be a record, not {row_type}.")
    return schema, row_type


def _to_flink(kind: Any) -> Callable[[Any], Any]:
    """Return the function from fastavro's value to one of a Flink type."""
    if isinstance(kind, RowTypeInfo):
        names = kind.get_field_names()
        converters = [_to_flink(field) for field in kind.get_field_types()]

        def to_row(record: Any) -> Any:
            if record is None:
                return None
            return named_row(names, [convert(record[name]) for name, convert in zip(names, converters, strict=True)])

        return to_row
    if hasattr(kind, "element_type") and not kind.holds_bytes:
        element = _to_flink(kind.element_type)
        return lambda value: None if value is None else [element(item) for item in value]
    if hasattr(kind, "value_type"):
        convert = _to_flink(kind.value_type)
        return lambda value: None if value is None else {key: convert(item) for key, item in value.items()}
    return _naive


def _naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime.datetime) else value


def _to_avro(value: Any) -> Any:
    """Return the value as fastavro takes it: rows as dicts, times in UTC."""
    if isinstance(value, Row):
        return {name: _to_avro(item) for name, item in value.as_dict().items()}
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=_UTC)
    if isinstance(value, list):
        return [_to_avro(item) for item in value]
    if isinstance(value, dict):
        return {key: _to_avro(item) for key, item in value.items()}
    return value


# --------------------------------------------------------------------------------------------------------- files


class AvroFileFormat(StreamFormat):
    """Reads generic records from Avro container files, whatever schema they were written with.

    Args:
        schema: the schema that records are read as.
    """

    def __init__(self, schema: AvroSchema) -> None:
        self._schema = _checked(schema)

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return GenericRecordAvroTypeInfo(self._schema)

    def open_file(self, path: Path, position: Json | None) -> FileRecords:
        """See the base class."""
        stream = path.open("rb")
        return CountingReader(self._records(stream, path), stream.close, position)

    def _records(self, stream: BinaryIO, path: Path) -> Iterator[Any]:
        fastavro = _fastavro()
        try:
            blocks = fastavro.block_reader(stream)
            written = fastavro.parse_schema(without_logical_types(blocks.writer_schema))
            for block in blocks:
                for _ in range(block.num_records):
                    yield fastavro.schemaless_reader(block.bytes_, written, self._schema.raw)
        except (ValueError, EOFError, fastavro.read.SchemaResolutionError) as error:
            raise RecordError(f"{path} cannot be read as Avro: {error}") from error


class AvroBulkWriters:
    """Makes writers of Avro container files."""

    @staticmethod
    def for_generic_record(schema: AvroSchema) -> BulkWriterFactory:
        """Return the factory for dicts that follow a schema."""
        return _AvroBulkWriterFactory(_checked(schema))


class _AvroBulkWriterFactory(BulkWriterFactory):
    def __init__(self, schema: AvroSchema) -> None:
        self._schema = schema

    def create(self, stream: BinaryIO) -> BulkWriter:
        """See the base class."""
        return _AvroBulkWriter(self._schema, stream)


class _AvroBulkWriter(BulkWriter):
    def __init__(self, schema: AvroSchema, stream: BinaryIO) -> None:
        self._schema = schema
        self._writer = _fastavro().write.Writer(stream, schema.parsed)

    def add_element(self, value: Any) -> None:
        try:
            self._writer.write(value)
        except _encoding_errors() as error:
            raise TypeMismatchError(
                f"Expected a record of {self._schema}, got {value!r:.{_SHOWN}}: {error!r}"
            ) from error

    def finish(self) -> None:
        self._writer.flush()


def _checked(schema: AvroSchema) -> AvroSchema:
    if not isinstance(schema, AvroSchema):
        raise TypeError(f"Expected an AvroSchema, got {schema!r}; make one with AvroSchema.parse_string(json)")
    return schema
