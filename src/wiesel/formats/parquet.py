"""Parquet and ORC files through pyarrow (mirrors ``pyflink.datastream.formats.parquet`` and ``.orc``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from wiesel.core.contracts import Json
from wiesel.core.data_types import RowType, row_type_info
from wiesel.core.errors import RecordError, TypeMismatchError
from wiesel.core.file_formats import BulkFormat, CountingReader, FileRecords, StreamFormat
from wiesel.core.row import matched
from wiesel.core.serialization import BulkWriter, BulkWriterFactory, RowDataBulkWriterFactory
from wiesel.core.types import TypeInformation
from wiesel.formats.arrow_types import arrow_schema, avro_arrow_schema, from_arrow, to_arrow, utc_shift
from wiesel.formats.avro import GenericRecordAvroTypeInfo
from wiesel.formats.avro_schema import AvroSchema
from wiesel.formats.extras import require

__all__ = [
    "AvroParquetReaders",
    "AvroParquetWriters",
    "OrcBulkWriters",
    "ParquetBulkWriters",
    "ParquetColumnarRowInputFormat",
]

#: Records of a row group: held in memory until they are written.
_ROW_GROUP: Final = 64 * 1024


def _parquet() -> Any:
    return require("pyarrow.parquet", "parquet", "Parquet")


# -------------------------------------------------------------------------------------------------------- readers


class ParquetColumnarRowInputFormat(BulkFormat):
    """Reads Parquet files as named rows.

    Args:
        row_type: the columns to read; one that a file lacks is None.
        hadoop_config: PyFlink's settings of Hadoop, which has no part in reading here.
        batch_size: rows decoded at once.
        is_utc_timestamp: whether timestamps were written in UTC; else in this machine's time zone.
        is_case_sensitive: whether names of columns must be equal letter by letter.
    """

    def __init__(
        self,
        row_type: RowType,
        hadoop_config: Any = None,
        batch_size: int = 2048,
        is_utc_timestamp: bool = False,
        is_case_sensitive: bool = True,
    ) -> None:
        self._type_info = row_type_info(row_type, "ParquetColumnarRowInputFormat")
        self._row_type = row_type
        self._batch_size = batch_size
        self._is_utc = is_utc_timestamp
        self._is_case_sensitive = is_case_sensitive

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return self._type_info

    def open_file(self, path: Path, position: Json | None) -> FileRecords:
        """See the base class."""
        file = _open(path)
        return CountingReader(self._rows(file, path), file.close, position)

    def _rows(self, file: Any, path: Path) -> Iterator[Any]:
        names = self._row_type.names
        key = str if self._is_case_sensitive else str.lower
        stored = {key(name): name for name in file.schema_arrow.names}
        columns = [stored.get(key(name)) for name in names]
        convert = from_arrow(self._row_type, utc_shift(self._is_utc, reading=True))
        coerce = self._type_info.coercer()
        wanted = [column for column in columns if column is not None]
        for batch in file.iter_batches(self._batch_size, columns=wanted):
            for record in batch.to_pylist():
                values = [None if column is None else record[column] for column in columns]
                try:
                    yield coerce(convert(dict(zip(names, values, strict=True))))
                except TypeMismatchError as error:
                    raise RecordError(f"{path} does not fit {self._row_type}: {error}") from error


class AvroParquetReaders:
    """Makes formats that read Parquet files as generic records."""

    @staticmethod
    def for_generic_record(schema: AvroSchema) -> StreamFormat:
        """Return the format for dicts that follow an Avro schema."""
        return _AvroParquetFormat(schema)


class _AvroParquetFormat(StreamFormat):
    def __init__(self, schema: AvroSchema) -> None:
        self._type_info = GenericRecordAvroTypeInfo(schema)

    def produced_type(self) -> TypeInformation:
        return self._type_info

    def open_file(self, path: Path, position: Json | None) -> FileRecords:
        file = _open(path)
        return CountingReader(self._records(file), file.close, position)

    def _records(self, file: Any) -> Iterator[Any]:
        coerce = self._type_info.coercer()
        schema = avro_arrow_schema(self._type_info.schema)
        names = [name for name in schema.names if name in file.schema_arrow.names]
        for batch in file.iter_batches(columns=names):
            for record in batch.to_pylist(maps_as_pydicts="strict"):
                yield coerce(record)


def _open(path: Path) -> Any:
    parquet = _parquet()
    try:
        return parquet.ParquetFile(path, coerce_int96_timestamp_unit="us")
    except ValueError as error:  # pyarrow's ArrowInvalid
        raise RecordError(f"{path} is no Parquet file: {error}") from error


# -------------------------------------------------------------------------------------------------------- writers


class ParquetBulkWriters:
    """Makes writers of Parquet files for rows."""

    @staticmethod
    def for_row_type(row_type: RowType, hadoop_config: Any = None, utc_timestamp: bool = False) -> BulkWriterFactory:
        """Return the factory.

        Args:
            row_type: the columns.
            hadoop_config: PyFlink's settings of Hadoop, which has no part in writing here.
            utc_timestamp: whether timestamps are written in UTC; else in this machine's time zone.
        """
        return _RowFactory(row_type, _parquet_writer, "ParquetBulkWriters", utc_timestamp)


class OrcBulkWriters:
    """Makes writers of ORC files for rows."""

    @staticmethod
    def for_row_type(row_type: RowType, writer_properties: Any = None, hadoop_config: Any = None) -> BulkWriterFactory:
        """Return the factory.

        Args:
            row_type: the columns.
            writer_properties: settings of Java's writer, which has no part in writing here.
            hadoop_config: settings of Hadoop, likewise.
        """
        return _RowFactory(row_type, _orc_writer, "OrcBulkWriters", utc_timestamp=True)


class AvroParquetWriters:
    """Makes writers of Parquet files for generic records."""

    @staticmethod
    def for_generic_record(schema: AvroSchema) -> BulkWriterFactory:
        """Return the factory for dicts that follow an Avro schema."""
        return _RecordFactory(schema)


def _parquet_writer(stream: BinaryIO, schema: Any) -> Any:
    # Flink writes timestamps as INT96, which every reader of Parquet understands.
    return _parquet().ParquetWriter(stream, schema, use_deprecated_int96_timestamps=True)


def _orc_writer(stream: BinaryIO, schema: Any) -> Any:
    return require("pyarrow.orc", "parquet", "ORC").ORCWriter(stream)


class _RowFactory(RowDataBulkWriterFactory):
    def __init__(
        self, row_type: RowType, open_writer: Callable[[BinaryIO, Any], Any], where: str, utc_timestamp: bool
    ) -> None:
        self._type_info = row_type_info(row_type, where)
        super().__init__(row_type)
        self._open_writer = open_writer
        self._utc = utc_timestamp

    def create(self, stream: BinaryIO) -> BulkWriter:
        coerce, names = self._type_info.collection_coercer(), self._type_info.get_field_names()
        convert = to_arrow(self._row_type, utc_shift(self._utc, reading=False))
        return _ArrowWriter(
            stream,
            arrow_schema(self._row_type),
            self._open_writer,
            lambda value: convert(coerce(matched(value, names))),
        )


class _RecordFactory(BulkWriterFactory):
    def __init__(self, schema: AvroSchema) -> None:
        self._type_info = GenericRecordAvroTypeInfo(schema)

    def create(self, stream: BinaryIO) -> BulkWriter:
        schema = avro_arrow_schema(self._type_info.schema)
        return _ArrowWriter(stream, schema, _parquet_writer, self._type_info.coercer())


class _ArrowWriter(BulkWriter):
    """Collects records and writes them a row group at a time."""

    def __init__(
        self, stream: BinaryIO, schema: Any, open_writer: Callable[[BinaryIO, Any], Any], convert: Callable[[Any], Any]
    ) -> None:
        self._schema = schema
        self._convert = convert
        self._records: list[Any] = []
        self._writer = open_writer(stream, schema)
        self._written = False

    def add_element(self, value: Any) -> None:
        self._records.append(self._convert(value))
        if len(self._records) >= _ROW_GROUP:
            self._write()

    def _write(self) -> None:
        table = require("pyarrow", "parquet", "Parquet").Table.from_pylist(self._records, schema=self._schema)
        self._writer.write(table)
        self._records = []
        self._written = True

    def finish(self) -> None:
        if self._records or not self._written:
            self._write()
        self._writer.close()
