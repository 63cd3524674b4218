"""CSV files, read by the file source and written by the file sink (mirrors ``pyflink.datastream.formats.csv``)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from wiesel.core.contracts import Json
from wiesel.core.errors import RecordError
from wiesel.core.file_formats import CountingReader, FileRecords, StreamFormat, open_decompressed
from wiesel.core.row import Row, matched, named_row
from wiesel.core.serialization import BulkWriter, BulkWriterFactory, RowDataBulkWriterFactory
from wiesel.core.types import TypeInformation
from wiesel.formats.csv import row_formatter
from wiesel.formats.csv_converters import parse_fields, parser
from wiesel.formats.csv_schema import CsvSchema

__all__ = ["CsvBulkWriters", "CsvReaderFormat"]


class CsvReaderFormat(StreamFormat):
    """Reads CSV files as named rows.

    Args:
        schema: columns and characters.
    """

    def __init__(self, schema: CsvSchema) -> None:
        self._schema = schema

    @staticmethod
    def for_schema(schema: CsvSchema) -> CsvReaderFormat:
        """Return the format for a schema."""
        return CsvReaderFormat(_checked(schema))

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return self._schema.row_type().type_info()

    def open_file(self, path: Path, position: Json | None) -> FileRecords:
        """See the base class."""
        text = io.TextIOWrapper(open_decompressed(path), "utf-8", newline="")
        return CountingReader(self._rows(text, path), text.close, position)

    def _rows(self, text: io.TextIOWrapper, path: Path) -> Iterator[Row]:
        schema, layout, literal = self._schema, self._schema.layout, self._schema.dialect.null_literal
        names = [column.field.name for column in schema.columns]
        fields = [
            parser(column.field.data_type.type_info(), column.array_separator, literal, lenient=False)
            for column in schema.columns
        ]
        rows = schema.dialect.rows(text)
        if layout.header:
            header = next(rows, None)
            if layout.strict_header and header is not None:
                _check_header(names, header, path)
        if layout.skip_first_row:
            next(rows, None)
        for number, texts in enumerate(rows, 1):
            try:
                yield named_row(names, parse_fields(fields, names, texts, lenient=False))
            except RecordError as error:
                raise RecordError(f"{path} row {number}: {error}") from None


def _check_header(names: list[str], header: list[str], path: Path) -> None:
    for number, (expected, actual) in enumerate(zip(names, header, strict=False), 1):
        if expected != actual:
            raise RecordError(f'{path}: mismatched header column #{number}: expected "{expected}", actual "{actual}"')
    if len(header) != len(names):
        raise RecordError(f"{path}: the header has {len(header)} columns, the schema {len(names)}")


class CsvBulkWriters:
    """Makes writers of CSV files."""

    @staticmethod
    def for_schema(schema: CsvSchema) -> BulkWriterFactory:
        """Return the factory for a schema; records are rows."""
        return _CsvBulkWriterFactory(_checked(schema))


class _CsvBulkWriterFactory(RowDataBulkWriterFactory):
    def __init__(self, schema: CsvSchema) -> None:
        super().__init__(schema.row_type())
        self._schema = schema

    def create(self, stream: BinaryIO) -> BulkWriter:
        """See the base class."""
        return _CsvBulkWriter(self._schema, stream)


class _CsvBulkWriter(BulkWriter):
    def __init__(self, schema: CsvSchema, stream: BinaryIO) -> None:
        row_type = schema.row_type().type_info()
        self._stream = stream
        self._coerce, self._names = row_type.collection_coercer(), row_type.get_field_names()
        self._format = row_formatter(row_type, [c.array_separator for c in schema.columns], schema.dialect)
        if schema.layout.header:
            names = (schema.dialect.text(column.field.name) for column in schema.columns)
            stream.write(schema.dialect.row(names).encode())

    def add_element(self, value: Any) -> None:
        self._stream.write(self._format(self._coerce(matched(value, self._names))).encode())

    def finish(self) -> None:
        self._stream.flush()


def _checked(schema: CsvSchema) -> CsvSchema:
    if not isinstance(schema, CsvSchema):
        raise TypeError(f"Expected a CsvSchema, got {schema!r}; make one with CsvSchema.builder()")
    return schema
