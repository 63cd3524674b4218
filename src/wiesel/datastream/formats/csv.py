"""CSV, in messages and in files (``pyflink.datastream.formats.csv``)."""

from __future__ import annotations

from wiesel.formats.csv import CsvRowDeserializationSchema, CsvRowSerializationSchema
from wiesel.formats.csv_files import CsvBulkWriters, CsvReaderFormat
from wiesel.formats.csv_schema import CsvSchema, CsvSchemaBuilder

__all__ = [
    "CsvBulkWriters",
    "CsvReaderFormat",
    "CsvRowDeserializationSchema",
    "CsvRowSerializationSchema",
    "CsvSchema",
    "CsvSchemaBuilder",
]
