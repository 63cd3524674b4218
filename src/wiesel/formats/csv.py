"""Rows to and from messages of CSV (mirrors ``pyflink.datastream.formats.csv``, its schemas)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

from wiesel.core.errors import RecordError, TypeMismatchError
from wiesel.core.redaction import redact
from wiesel.core.row import Row, matched, named_row
from wiesel.core.serialization import DeserializationSchema, SerializationSchema
from wiesel.core.types import RowTypeInfo, TypeInformation
from wiesel.formats.csv_converters import formatter, parse_fields, parser
from wiesel.formats.csv_dialect import CsvDialect

__all__ = ["CsvRowDeserializationSchema", "CsvRowSerializationSchema"]

_SHOWN = 200


class CsvRowDeserializationSchema(DeserializationSchema):
    """Reads one row from each message; made by its ``Builder``.

    Args:
        row_type: the rows' type; fields are read in its order.
        dialect: the characters.
        array_separator: between elements of arrays and nested rows.
        ignore_parse_errors: a field that cannot be read is None, and a message that is no row is skipped.
    """

    def __init__(
        self, row_type: RowTypeInfo, dialect: CsvDialect, array_separator: str, ignore_parse_errors: bool
    ) -> None:
        super().__init__()
        self._row_type = row_type
        self._dialect = dialect
        self._array_separator = array_separator
        self._ignore = ignore_parse_errors
        self._read: Callable[[bytes], Row] | None = None
        self._compile()

    def _compile(self) -> Callable[[bytes], Row]:
        names = self._row_type.get_field_names()
        literal = self._dialect.null_literal
        fields = [
            parser(kind, self._array_separator, literal, self._ignore) for kind in self._row_type.get_field_types()
        ]

        def read(data: bytes) -> Row:
            text = data.decode("utf-8")
            texts = next(self._dialect.rows(StringIO(text, newline="")), None)
            if texts is None:
                raise RecordError("there is no row in it")
            return named_row(names, parse_fields(fields, names, texts, self._ignore))

        return read

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return self._row_type

    def deserialize(self, data: bytes | None) -> Any:
        """See the base class; no bytes at all are skipped."""
        if data is None:
            return None
        read = self._read
        if read is None:
            read = self._read = self._compile()
        try:
            return read(data)
        except (RecordError, ValueError, ArithmeticError) as error:
            if self._ignore:
                return None
            shown = redact(repr(data[:_SHOWN].decode("utf-8", "backslashreplace")))
            raise RecordError(f"Failed to deserialize CSV row {shown}: {error}") from error

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_read": None}

    class Builder:
        """Collects what the schema needs.

        Args:
            type_info: the rows' type.
        """

        def __init__(self, type_info: TypeInformation) -> None:
            self._row_type = _row_type(type_info)
            self._dialect = CsvDialect()
            self._array_separator = ";"
            self._ignore_parse_errors = False

        def set_field_delimiter(self, delimiter: str) -> CsvRowDeserializationSchema.Builder:
            """Set what is between fields; a comma if not called."""
            self._dialect = replace(self._dialect, separator=_character(delimiter))
            return self

        def set_allow_comments(self, allow_comments: bool) -> CsvRowDeserializationSchema.Builder:
            """Set whether a line that begins with ``#`` is no row; with ``set_ignore_parse_errors`` it is skipped."""
            self._dialect = replace(self._dialect, comments=allow_comments)
            return self

        def set_array_element_delimiter(self, delimiter: str) -> CsvRowDeserializationSchema.Builder:
            """Set what is between elements of arrays and nested rows; a semicolon if not called."""
            self._array_separator = _text(delimiter)
            return self

        def set_quote_character(self, c: str) -> CsvRowDeserializationSchema.Builder:
            """Set what encloses fields; ``"`` if not called."""
            self._dialect = replace(self._dialect, quote=_character(c))
            return self

        def set_escape_character(self, c: str) -> CsvRowDeserializationSchema.Builder:
            """Set what stands before a character that is meant as it is; nothing if not called."""
            self._dialect = replace(self._dialect, escape=_character(c))
            return self

        def set_null_literal(self, null_literal: str) -> CsvRowDeserializationSchema.Builder:
            """Set the text that is read as None; no text is if not called."""
            self._dialect = replace(self._dialect, null_literal=_text(null_literal))
            return self

        def set_ignore_parse_errors(self, ignore_parse_errors: bool) -> CsvRowDeserializationSchema.Builder:
            """Set whether a field that cannot be read is None and a message that is no row is skipped."""
            self._ignore_parse_errors = ignore_parse_errors
            return self

        def build(self) -> CsvRowDeserializationSchema:
            """Return the schema."""
            return CsvRowDeserializationSchema(
                self._row_type, self._dialect, self._array_separator, self._ignore_parse_errors
            )


class CsvRowSerializationSchema(SerializationSchema):
    """Writes each row as one line of CSV; made by its ``Builder``.

    Args:
        row_type: the rows' type.
        dialect: the characters.
        array_separator: between elements of arrays and nested rows.
    """

    def __init__(self, row_type: RowTypeInfo, dialect: CsvDialect, array_separator: str) -> None:
        super().__init__()
        self._row_type = row_type
        self._dialect = dialect
        self._array_separator = array_separator
        self._write: Callable[[Any], bytes] | None = None
        self._compile()

    def _compile(self) -> Callable[[Any], bytes]:
        dialect = self._dialect
        coerce, names = self._row_type.coercer(), self._row_type.get_field_names()
        write = row_formatter(self._row_type, [self._array_separator] * len(self._row_type.get_field_types()), dialect)
        return lambda value: write(coerce(matched(value, names))).encode()

    def serialize(self, value: Any) -> bytes:
        """See the base class."""
        write = self._write
        if write is None:
            write = self._write = self._compile()
        try:
            return write(value)
        except TypeMismatchError as error:
            raise type(error)(f"Could not serialize row {redact(repr(value))[:_SHOWN]}: {error}") from None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_write": None}

    class Builder:
        """Collects what the schema needs.

        Args:
            type_info: the rows' type.
        """

        def __init__(self, type_info: TypeInformation) -> None:
            self._row_type = _row_type(type_info)
            self._dialect = CsvDialect()
            self._array_separator = ";"

        def set_field_delimiter(self, c: str) -> CsvRowSerializationSchema.Builder:
            """Set what is between fields; a comma if not called."""
            self._dialect = replace(self._dialect, separator=_character(c))
            return self

        def set_line_delimiter(self, delimiter: str) -> CsvRowSerializationSchema.Builder:
            """Set what is behind each row; a newline if not called, and it may be empty."""
            self._dialect = replace(self._dialect, line_end=_text(delimiter))
            return self

        def set_array_element_delimiter(self, delimiter: str) -> CsvRowSerializationSchema.Builder:
            """Set what is between elements of arrays and nested rows; a semicolon if not called."""
            self._array_separator = _text(delimiter)
            return self

        def disable_quote_character(self) -> CsvRowSerializationSchema.Builder:
            """Write no quotes at all: a field that holds a delimiter is then read as two."""
            self._dialect = replace(self._dialect, quote=None)
            return self

        def set_quote_character(self, c: str) -> CsvRowSerializationSchema.Builder:
            """Set what encloses fields that need it; ``"`` if not called."""
            self._dialect = replace(self._dialect, quote=_character(c))
            return self

        def set_escape_character(self, c: str) -> CsvRowSerializationSchema.Builder:
            """Set the character that is written twice inside quotes; none if not called."""
            self._dialect = replace(self._dialect, escape=_character(c))
            return self

        def set_null_literal(self, s: str) -> CsvRowSerializationSchema.Builder:
            """Set what None is written as; nothing if not called."""
            self._dialect = replace(self._dialect, null_literal=_text(s))
            return self

        def build(self) -> CsvRowSerializationSchema:
            """Return the schema."""
            return CsvRowSerializationSchema(self._row_type, self._dialect, self._array_separator)


def row_formatter(row_type: RowTypeInfo, array_separators: list[str], dialect: CsvDialect) -> Callable[[Any], str]:
    """Return the function from a coerced row to its line."""
    literal = dialect.null_literal or ""
    fields = [
        formatter(kind, separator, literal, dialect.text)
        for kind, separator in zip(row_type.get_field_types(), array_separators, strict=True)
    ]
    return lambda row: dialect.row(write(value) for write, value in zip(fields, row, strict=True))


def _row_type(type_info: TypeInformation) -> RowTypeInfo:
    if isinstance(type_info, RowTypeInfo):
        return type_info
    if type_info is None:
        raise TypeError("Type information must not be None: give a Types.ROW_NAMED(...)")
    raise TypeError(f"CSV schemas take a ROW type, not {type_info}: use Types.ROW_NAMED([names], [types]).")


def _character(text: str) -> str:
    if len(_text(text)) != 1:
        raise ValueError(f"Expected a single character, got {text!r}")
    return text


def _text(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"Expected text, got {text!r}")
    return text
