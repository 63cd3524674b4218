"""JSON to and from rows (mirrors ``pyflink.datastream.formats.json``).

Values are written and read as Flink's ``JsonRowSerializationSchema`` and ``JsonRowDeserializationSchema`` do: byte
arrays as base64, dates as ``2024-02-29``, times as ``13:45:00Z``, timestamps as ``2024-02-29T13:45:00.5Z``, always UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wiesel.core.errors import RecordError, TypeMismatchError
from wiesel.core.redaction import redact
from wiesel.core.row import Row
from wiesel.core.serialization import DeserializationSchema, SerializationSchema
from wiesel.core.types import RowTypeInfo, TypeInformation

__all__ = ["JsonRowDeserializationSchema", "JsonRowSerializationSchema"]

_SHOWN = 200


class JsonRowDeserializationSchema(DeserializationSchema):
    """Reads JSON objects as rows; made by ``builder()``.

    Args:
        row_type: the type of the rows; JSON properties it does not name are skipped.
        fail_on_missing_field: a missing property is an error instead of None.
        ignore_parse_errors: a property that cannot be read is None, and what is no JSON is skipped.
    """

    def __init__(
        self, row_type: RowTypeInfo, fail_on_missing_field: bool = False, ignore_parse_errors: bool = False
    ) -> None:
        super().__init__()
        self._row_type = row_type
        self._fail_on_missing_field = fail_on_missing_field
        self._ignore_parse_errors = ignore_parse_errors
        # Compiled on first use, in the process that reads: a msgspec decoder cannot be pickled.
        self._read: Callable[[bytes], Row | None] | None = None
        self._compile()

    def _compile(self) -> Callable[[bytes], Row | None]:
        from wiesel.formats.json_reading import row_reader

        return row_reader(
            self._row_type,
            fail_on_missing_field=self._fail_on_missing_field,
            ignore_parse_errors=self._ignore_parse_errors,
        )

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return self._row_type

    def deserialize(self, data: bytes | None) -> Any:
        """See the base class; JSON's ``null`` is skipped."""
        read = self._read
        if read is None:
            read = self._read = self._compile()
        try:
            if data is not None:
                return read(data)
            error: Exception = ValueError("the record has no value (a Kafka tombstone)")
        except (ValueError, TypeError) as caught:
            error = caught
        if self._ignore_parse_errors:
            return None
        raise RecordError(f"Failed to deserialize JSON {_shown_bytes(data)}: {error}") from error

    def deserialize_batch(self, batch: Iterable[bytes | None]) -> list[Any]:
        """See the base class."""
        records = list(batch)
        if self._read is not None:
            try:
                return list(map(self._read, records))  # type: ignore[arg-type]
            except (ValueError, TypeError):
                pass  # one by one below, to name the record or to skip it
        return list(map(self.deserialize, records))

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_read": None}

    @staticmethod
    def builder() -> JsonRowDeserializationSchema.Builder:
        """Return a builder; ``type_info`` or ``json_schema`` has to be called on it."""
        return JsonRowDeserializationSchema.Builder()

    class Builder:
        """Collects what the schema needs."""

        def __init__(self) -> None:
            self._type_info: TypeInformation | None = None
            self._fail_on_missing_field = False
            self._ignore_parse_errors = False

        def type_info(self, type_info: TypeInformation) -> JsonRowDeserializationSchema.Builder:
            """Set the type of the rows; its field names are the JSON properties that are read."""
            self._type_info = type_info
            return self

        def json_schema(self, json_schema: str) -> JsonRowDeserializationSchema.Builder:
            """Take the type of the rows from a JSON schema (draft-07)."""
            if json_schema is None:
                raise TypeError("The json_schema must not be None.")
            from wiesel.formats.json_schema import type_of_json_schema

            self._type_info = type_of_json_schema(json_schema)
            return self

        def fail_on_missing_field(self) -> JsonRowDeserializationSchema.Builder:
            """Make a missing property an error; without it the field is None."""
            self._fail_on_missing_field = True
            return self

        def ignore_parse_errors(self) -> JsonRowDeserializationSchema.Builder:
            """Skip what is no JSON, and read as None a property that is not of its type."""
            self._ignore_parse_errors = True
            return self

        def build(self) -> JsonRowDeserializationSchema:
            """Return the schema.

            Raises:
                TypeError: there is no type, or it is no ROW.
                ValueError: ``fail_on_missing_field`` and ``ignore_parse_errors`` contradict each other.
            """
            row_type = _row_type(self._type_info, "type_info() or json_schema()")
            if self._fail_on_missing_field and self._ignore_parse_errors:
                raise ValueError("fail_on_missing_field() and ignore_parse_errors() cannot both be asked for.")
            return JsonRowDeserializationSchema(row_type, self._fail_on_missing_field, self._ignore_parse_errors)


class JsonRowSerializationSchema(SerializationSchema):
    """Writes rows as JSON objects; made by ``builder()``.

    Args:
        row_type: the type of the rows; its field names become the JSON properties, in order.
    """

    def __init__(self, row_type: RowTypeInfo) -> None:
        super().__init__()
        self._row_type = row_type
        self._write: Callable[[Any], bytes] | None = None
        self._compile()

    def _compile(self) -> Callable[[Any], bytes]:
        from wiesel.formats.json_writing import row_writer

        return row_writer(self._row_type)

    def serialize(self, value: Any) -> bytes:
        """See the base class."""
        write = self._write
        if write is None:
            write = self._write = self._compile()
        try:
            return write(value)
        except TypeMismatchError as error:
            raise type(error)(
                f"Could not serialize {_shown(repr(value))}: {error}. Make sure that the schema matches the input."
            ) from None

    def bound(self) -> Callable[[Any], bytes]:
        """See the base class."""
        write, explain = self._write or self._compile(), self.serialize

        def serialize(value: Any) -> bytes:
            try:
                return write(value)
            except TypeMismatchError:
                return explain(value)

        return serialize

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_write": None}

    @staticmethod
    def builder() -> JsonRowSerializationSchema.Builder:
        """Return a builder; ``with_type_info`` has to be called on it."""
        return JsonRowSerializationSchema.Builder()

    class Builder:
        """Collects what the schema needs."""

        def __init__(self) -> None:
            self._type_info: TypeInformation | None = None

        def with_type_info(self, type_info: TypeInformation) -> JsonRowSerializationSchema.Builder:
            """Set the type of the rows; its field names become the JSON properties."""
            self._type_info = type_info
            return self

        def build(self) -> JsonRowSerializationSchema:
            """Return the schema.

            Raises:
                TypeError: there is no type, or it is no ROW.
            """
            return JsonRowSerializationSchema(_row_type(self._type_info, "with_type_info()"))


def _row_type(type_info: TypeInformation | None, method: str) -> RowTypeInfo:
    if isinstance(type_info, RowTypeInfo):
        return type_info
    if type_info is None:
        raise TypeError(f"The type of the rows is missing: call {method} with a Types.ROW_NAMED(...).")
    raise TypeError(f"JSON schemas take a ROW type, not {type_info}: use Types.ROW_NAMED([names], [types]).")


def _shown_bytes(data: bytes | None) -> str:
    return "None" if data is None else _shown(repr(data[: 2 * _SHOWN].decode("utf-8", "backslashreplace")))


def _shown(text: str) -> str:
    text = redact(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
