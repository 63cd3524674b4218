"""Avro schemas: parsed, without logical types, and as types of streams."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from wiesel.core.errors import ConfigurationError
from wiesel.core.types import TypeInformation, Types
from wiesel.formats.extras import require

__all__ = ["AvroSchema"]


class AvroSchema:
    """A parsed Avro schema; made by ``parse_string`` or ``parse_file``.

    Args:
        definition: the schema as JSON decodes it.
    """

    def __init__(self, definition: Any) -> None:
        self.definition = definition

    @staticmethod
    def parse_string(json_schema: str) -> AvroSchema:
        """Return the schema of a JSON text.

        Raises:
            ConfigurationError: it is no JSON or no Avro schema.
        """
        fastavro = require("fastavro", "avro", "Avro")
        try:
            definition = json.loads(json_schema)
            fastavro.parse_schema(definition)
        except (ValueError, fastavro.schema.SchemaParseException, fastavro.schema.UnknownType) as error:
            raise ConfigurationError(f"This is no Avro schema: {error!r}: {json_schema[:200]}") from None
        return AvroSchema(definition)

    @staticmethod
    def parse_file(file_path: str) -> AvroSchema:
        """Return the schema in a file."""
        return AvroSchema.parse_string(Path(file_path).read_text(encoding="utf-8"))

    @cached_property
    def parsed(self) -> Any:
        """The schema as fastavro takes it."""
        return require("fastavro", "avro", "Avro").parse_schema(self.definition)

    @cached_property
    def raw(self) -> Any:
        """The same without logical types: dates are numbers then, as in PyFlink's generic records."""
        return without_logical_types(self.parsed)

    def __getstate__(self) -> dict[str, Any]:
        return {"definition": self.definition}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AvroSchema) and self.definition == other.definition

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return json.dumps(self.definition, separators=(",", ":"))


def without_logical_types(definition: Any) -> Any:
    """Return a schema whose values are what is stored: numbers, texts and bytes."""
    if isinstance(definition, list):
        return [without_logical_types(branch) for branch in definition]
    if not isinstance(definition, dict):
        return definition
    return {key: without_logical_types(value) for key, value in definition.items() if key != "logicalType"}


_PRIMITIVE: Final[dict[str, Callable[[], TypeInformation]]] = {
    "string": Types.STRING,
    "enum": Types.STRING,
    "boolean": Types.BOOLEAN,
    "int": Types.INT,
    "long": Types.LONG,
    "float": Types.FLOAT,
    "double": Types.DOUBLE,
    "bytes": lambda: Types.PRIMITIVE_ARRAY(Types.BYTE()),
    "fixed": lambda: Types.PRIMITIVE_ARRAY(Types.BYTE()),
}
_LOGICAL: Final[dict[str, Callable[[], TypeInformation]]] = {
    "date": Types.SQL_DATE,
    "time-millis": Types.SQL_TIME,
    "time-micros": Types.SQL_TIME,
    "timestamp-millis": Types.SQL_TIMESTAMP,
    "timestamp-micros": Types.SQL_TIMESTAMP,
    "decimal": Types.BIG_DEC,
}


def type_of(definition: Any, named: dict[str, Any] | None = None) -> TypeInformation:
    """Return the type that Flink's Avro row schemas give to a schema's values.

    Args:
        definition: a schema or part of one.
        named: named types met so far, by full and short name.
    """
    named = {} if named is None else named
    if isinstance(definition, str):
        if definition in named:
            return type_of(named[definition], named)
        return _PRIMITIVE[definition]()
    if isinstance(definition, list):
        branches = [branch for branch in definition if branch != "null"]
        if len(branches) == 1:
            return type_of(branches[0], named)
        return Types.PICKLED_BYTE_ARRAY()  # any of several types: Flink's generic type
    kind = definition["type"]
    if "name" in definition and isinstance(kind, str):
        named |= {definition["name"]: definition, definition["name"].rpartition(".")[2]: definition}
    if definition.get("logicalType") in _LOGICAL:
        return _LOGICAL[definition["logicalType"]]()
    if kind == "record":
        fields = definition["fields"]
        return Types.ROW_NAMED([f["name"] for f in fields], [type_of(f["type"], named) for f in fields])
    if kind == "array":
        return Types.OBJECT_ARRAY(type_of(definition["items"], named))
    if kind == "map":
        return Types.MAP(Types.STRING(), type_of(definition["values"], named))
    return type_of(kind, named)
