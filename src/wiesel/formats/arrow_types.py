"""Columns and their values as pyarrow has them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Final

from wiesel.core.data_types import ArrayType, AtomicType, DataType, MapType, RowType
from wiesel.core.row import Row, named_row
from wiesel.formats.avro_schema import AvroSchema
from wiesel.formats.extras import require

Convert = Callable[[Any], Any]
#: Moves a timestamp without zone between this machine's time and UTC, or leaves it.
Shift = Callable[[datetime.datetime], datetime.datetime]


def _arrow() -> Any:
    return require("pyarrow", "parquet", "Parquet")


_ATOMIC: Final[dict[str, str]] = {
    "CHAR": "string",
    "VARCHAR": "string",
    "BOOLEAN": "bool_",
    "BINARY": "binary",
    "VARBINARY": "binary",
    "TINYINT": "int8",
    "SMALLINT": "int16",
    "INT": "int32",
    "BIGINT": "int64",
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "DATE": "date32",
}


def arrow_schema(row_type: RowType) -> Any:
    """Return pyarrow's schema of columns."""
    return _arrow().schema([(field.name, _type(field.data_type)) for field in row_type])


def _type(kind: DataType) -> Any:
    arrow = _arrow()
    if isinstance(kind, ArrayType):
        return arrow.list_(_type(kind.element_type))
    if isinstance(kind, MapType):
        return arrow.map_(_type(kind.key_type), _type(kind.value_type))
    if isinstance(kind, RowType):
        return arrow.struct([(field.name, _type(field.data_type)) for field in kind])
    assert isinstance(kind, AtomicType)
    if kind.name == "DECIMAL":
        return arrow.decimal128(*kind.numbers)
    if kind.name == "TIME":
        return arrow.time32("ms")
    if kind.name.startswith("TIMESTAMP"):
        return arrow.timestamp("us")
    return getattr(arrow, _ATOMIC[kind.name])()


def utc_shift(is_utc: bool, *, reading: bool) -> Shift:
    """Return what happens to timestamps: nothing when files hold them in UTC, as rows do."""
    if is_utc:
        return lambda value: value
    if reading:
        return lambda value: value.replace(tzinfo=datetime.UTC).astimezone().replace(tzinfo=None)
    return lambda value: value.astimezone(datetime.UTC).replace(tzinfo=None)


def to_arrow(kind: DataType, shift: Shift) -> Convert:
    """Return the function from a coerced value to what pyarrow takes."""
    if isinstance(kind, RowType):
        names, converters = kind.names, [to_arrow(field.data_type, shift) for field in kind]
        return _nullable(lambda row: {n: c(v) for n, c, v in zip(names, converters, row, strict=True)})
    if isinstance(kind, ArrayType):
        element = to_arrow(kind.element_type, shift)
        return _nullable(lambda values: [element(value) for value in values])
    if isinstance(kind, MapType):
        key, item = to_arrow(kind.key_type, shift), to_arrow(kind.value_type, shift)
        return _nullable(lambda values: [(key(k), item(v)) for k, v in values.items()])
    return _nullable(shift) if _is_timestamp(kind) else _same


def from_arrow(kind: DataType, shift: Shift) -> Convert:
    """Return the function from what pyarrow gives to a value of the stream."""
    if isinstance(kind, RowType):
        names, converters = kind.names, [from_arrow(field.data_type, shift) for field in kind]

        def to_row(record: dict[str, Any]) -> Row:
            return named_row(names, [c(record[n]) for n, c in zip(names, converters, strict=True)])

        return _nullable(to_row)
    if isinstance(kind, ArrayType):
        element = from_arrow(kind.element_type, shift)
        return _nullable(lambda values: [element(value) for value in values])
    if isinstance(kind, MapType):
        key, item = from_arrow(kind.key_type, shift), from_arrow(kind.value_type, shift)
        return _nullable(lambda values: {key(k): item(v) for k, v in values})
    return _nullable(shift) if _is_timestamp(kind) else _same


def _is_timestamp(kind: DataType) -> bool:
    return isinstance(kind, AtomicType) and kind.name == "TIMESTAMP"


def _same(value: Any) -> Any:
    return value


def _nullable(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


_AVRO: Final[dict[str, str]] = {
    "string": "string",
    "enum": "string",
    "boolean": "bool_",
    "int": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "bytes": "binary",
    "null": "null",
}


def avro_arrow_schema(schema: AvroSchema) -> Any:
    """Return pyarrow's schema of an Avro record, without logical types."""
    raw = schema.raw
    if not isinstance(raw, dict) or raw.get("type") != "record":
        raise TypeError(f"Parquet needs the Avro schema of a record, not {schema}")
    return _arrow().schema(list(_avro_type(raw)))


def _avro_type(raw: Any) -> Any:
    arrow = _arrow()
    if isinstance(raw, list):
        branches = [branch for branch in raw if branch != "null"]
        if len(branches) != 1:
            raise TypeError(f"Parquet has no column for one of several types: {raw}")
        return _avro_type(branches[0])
    if isinstance(raw, str):
        if raw not in _AVRO:
            raise TypeError(f"Parquet has no column for {raw!r}; a record cannot hold itself")
        return getattr(arrow, _AVRO[raw])()
    kind = raw["type"]
    if kind == "record":
        return arrow.struct([(field["name"], _avro_type(field["type"])) for field in raw["fields"]])
    if kind == "array":
        return arrow.list_(_avro_type(raw["items"]))
    if kind == "map":
        return arrow.map_(arrow.string(), _avro_type(raw["values"]))
    if kind == "fixed":
        return arrow.binary(raw["size"])
    return _avro_type(kind)
