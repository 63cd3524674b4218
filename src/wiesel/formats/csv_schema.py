"""``CsvSchema``: columns and characters of CSV files (mirrors Jackson's ``CsvSchema``, as PyFlink shows it)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from wiesel.core.data_types import DataType, DataTypes, RowField, RowType
from wiesel.formats.csv_dialect import CsvDialect

__all__ = ["CsvSchema", "CsvSchemaBuilder"]


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """A column.

    Args:
        field: its name and type.
        kind: Jackson's word for the type.
        array_separator: between elements; empty when the whole field is one element.
    """

    field: RowField
    kind: str
    array_separator: str = ";"


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """What a file holds beside its rows.

    Args:
        header: whether the first row names the columns.
        strict_header: whether these names must be the schema's.
        skip_first_row: whether the first row behind the header is left out.
        any_property: a name for fields beyond the columns; rows that have some are refused all the same, as in Flink.
    """

    header: bool = False
    strict_header: bool = False
    skip_first_row: bool = False
    any_property: str | None = None


class CsvSchema:
    """Columns and characters of CSV files; made by ``builder()``.

    Args:
        columns: the columns, in order.
        dialect: the characters.
        layout: header and rows to skip.
    """

    def __init__(self, columns: tuple[CsvColumn, ...], dialect: CsvDialect, layout: CsvLayout) -> None:
        self.columns = columns
        self.dialect = dialect
        self.layout = layout

    @staticmethod
    def builder() -> CsvSchemaBuilder:
        """Return a builder."""
        return CsvSchemaBuilder()

    def size(self) -> int:
        """Return the number of columns."""
        return len(self.columns)

    def row_type(self) -> RowType:
        """Return the type of the rows."""
        return DataTypes.ROW([column.field for column in self.columns])

    def __len__(self) -> int:
        return self.size()

    def __str__(self) -> str:
        columns = ",".join(f'"{column.field.name}"/{column.kind}' for column in self.columns)
        layout, any_property = self.layout, self.layout.any_property
        return (
            f"[CsvSchema: columns=[{columns}], header? {_java(layout.header)}, skipFirst? "
            f"{_java(layout.skip_first_row)}, comments? {_java(self.dialect.comments)}, any-properties? "
            f"{'N/A' if any_property is None else f'as {any_property!r}'}]"
        )

    __repr__ = __str__


def _java(value: bool) -> str:
    return "true" if value else "false"


_LINE_ENDS: Final = ("\n", "\r", "\r\n")


class CsvSchemaBuilder:
    """Builds a ``CsvSchema``."""

    def __init__(self) -> None:
        self._columns: list[CsvColumn] = []
        self._dialect = CsvDialect()
        self._layout = CsvLayout()

    def build(self) -> CsvSchema:
        """Return the schema."""
        return CsvSchema(tuple(self._columns), self._dialect, self._layout)

    def _add(self, name: str, data_type: DataType, kind: str, array_separator: str = ";") -> CsvSchemaBuilder:
        if not isinstance(name, str):
            raise TypeError(f"A column's name must be text, got {name!r}")
        self._columns.append(CsvColumn(RowField(name, data_type), kind, array_separator))
        return self

    def add_array_column(
        self, name: str, separator: str = ";", element_type: DataType | None = None
    ) -> CsvSchemaBuilder:
        """Add a column of lists.

        Args:
            name: the column.
            separator: between elements.
            element_type: type of the elements; ``DataTypes.STRING()`` when None.
        """
        return self._add(name, DataTypes.ARRAY(element_type or DataTypes.STRING()), "ARRAY", separator)

    def add_boolean_column(self, name: str) -> CsvSchemaBuilder:
        """Add a column of truth values."""
        return self._add(name, DataTypes.BOOLEAN(), "BOOLEAN")

    def add_number_column(self, name: str, number_type: DataType | None = None) -> CsvSchemaBuilder:
        """Add a column of numbers, ``DataTypes.BIGINT()`` when no type is given."""
        return self._add(name, number_type or DataTypes.BIGINT(), "NUMBER")

    def add_string_column(self, name: str) -> CsvSchemaBuilder:
        """Add a column of texts."""
        return self._add(name, DataTypes.STRING(), "STRING")

    def add_columns_from(self, schema: CsvSchema) -> CsvSchemaBuilder:
        """Add all columns of another schema."""
        self._columns += schema.columns
        return self

    def clear_columns(self) -> CsvSchemaBuilder:
        """Remove all columns."""
        self._columns.clear()
        return self

    def set_allow_comments(self, allow: bool = True) -> CsvSchemaBuilder:
        """Leave out lines that begin with ``#``."""
        self._dialect = replace(self._dialect, comments=allow)
        return self

    def set_any_property_name(self, name: str) -> CsvSchemaBuilder:
        """Name fields beyond the columns; rows that have some are refused all the same, as in Flink."""
        self._layout = replace(self._layout, any_property=name)
        return self

    def disable_array_element_separator(self) -> CsvSchemaBuilder:
        """Take the whole field of every array column as one element."""
        return self.set_array_element_separator("")

    def remove_array_element_separator(self, index: int) -> CsvSchemaBuilder:
        """Take the whole field of one array column, counted from 0, as one element."""
        self._columns[index] = replace(self._columns[index], array_separator="")
        return self

    def set_array_element_separator(self, separator: str) -> CsvSchemaBuilder:
        """Set what is between elements of all array columns added so far."""
        self._columns = [replace(column, array_separator=separator) for column in self._columns]
        return self

    def set_column_separator(self, char: str) -> CsvSchemaBuilder:
        """Set what is between fields; a comma if not called."""
        self._dialect = replace(self._dialect, separator=_character("Column separator", char))
        return self

    def disable_escape_char(self) -> CsvSchemaBuilder:
        """Let no character escape another (the default)."""
        self._dialect = replace(self._dialect, escape=None)
        return self

    def set_escape_char(self, char: str) -> CsvSchemaBuilder:
        """Set what stands before a character that is meant as it is."""
        self._dialect = replace(self._dialect, escape=_character("Escape char", char))
        return self

    def set_line_separator(self, separator: str) -> CsvSchemaBuilder:
        """Set what is behind each row that is written; when reading, every line end is understood."""
        if separator not in _LINE_ENDS:
            raise ValueError(f"Line separator must be one of {_LINE_ENDS}, got {separator!r}")
        self._dialect = replace(self._dialect, line_end=separator)
        return self

    def set_null_value(self, null_value: str) -> CsvSchemaBuilder:
        """Set the text that stands for None."""
        self._dialect = replace(self._dialect, null_literal=null_value)
        return self

    def disable_quote_char(self) -> CsvSchemaBuilder:
        """Take quotes as they are."""
        self._dialect = replace(self._dialect, quote=None)
        return self

    def set_quote_char(self, char: str) -> CsvSchemaBuilder:
        """Set what encloses fields; ``"`` if not called."""
        self._dialect = replace(self._dialect, quote=_character("Quote char", char))
        return self

    def set_skip_first_data_row(self, skip: bool = True) -> CsvSchemaBuilder:
        """Leave out the first row of each file."""
        self._layout = replace(self._layout, skip_first_row=skip)
        return self

    def set_strict_headers(self, strict: bool = True) -> CsvSchemaBuilder:
        """Refuse files whose header does not name the schema's columns in order."""
        self._layout = replace(self._layout, strict_header=strict)
        return self

    def set_use_header(self, use: bool = True) -> CsvSchemaBuilder:
        """Take the first row of each file as its header; it is skipped, its order does not count."""
        self._layout = replace(self._layout, header=use)
        return self

    def size(self) -> int:
        """Return the number of columns so far."""
        return len(self._columns)

    def __len__(self) -> int:
        return self.size()


def _character(what: str, char: str) -> str:
    if len(char) != 1:
        raise ValueError(f"{what} must be a single char, got {char}")
    return char
