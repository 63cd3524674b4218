"""Schemas between bytes and values, the contract that connectors use, and the schemas without a format of their own.

Mirrors ``pyflink.common.serialization``. A script may subclass ``SerializationSchema`` and ``DeserializationSchema``;
its schema then runs here, but not on PyFlink, where a schema is a Java object.
"""

from __future__ import annotations

import codecs
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from wiesel.core.errors import RecordError, TypeMismatchError, UnsupportedError
from wiesel.core.java_text import printer
from wiesel.core.row import Row
from wiesel.core.types import TypeInformation, Types

__all__ = [
    "BulkWriter",
    "BulkWriterFactory",
    "ByteArraySchema",
    "DeserializationSchema",
    "Encoder",
    "RowDataBulkWriterFactory",
    "RowFieldExtractorSchema",
    "SerializationSchema",
    "SimpleStringSchema",
]

_SHOWN = 200


class SerializationSchema:
    """Turns a value into bytes.

    Args:
        j_serialization_schema: PyFlink's parameter, a Java object; there is none here.
    """

    def __init__(self, j_serialization_schema: Any = None) -> None:
        _refuse_java(j_serialization_schema, type(self).__name__)

    def open(self) -> None:
        """Prepare; called once in each process before the first record."""

    def serialize(self, value: Any) -> bytes | None:
        """Return the bytes of a value; None is Kafka's null value.

        Raises:
            TypeMismatchError: the value is not of the schema's type.
        """
        raise UnsupportedError(f"{type(self).__name__} has no serialize()")

    def bound(self) -> Callable[[Any], bytes | None]:
        """Return ``serialize`` as the function that is called for each record; after ``open``."""
        return self.serialize


class DeserializationSchema:
    """Turns bytes into a value.

    Args:
        j_deserialization_schema: PyFlink's parameter, a Java object; there is none here.
    """

    def __init__(self, j_deserialization_schema: Any = None) -> None:
        _refuse_java(j_deserialization_schema, type(self).__name__)

    def open(self) -> None:
        """Prepare; called once in each process before the first record."""

    def produced_type(self) -> TypeInformation:
        """Return the type of the values (Java: ``getProducedType``)."""
        return Types.PICKLED_BYTE_ARRAY()

    def deserialize(self, data: bytes | None) -> Any:
        """Return the value of bytes; a value of None stands for no record and is skipped, as in Flink.

        Raises:
            RecordError: the bytes are no such value.
        """
        raise UnsupportedError(f"{type(self).__name__} has no deserialize()")

    def deserialize_batch(self, batch: Iterable[bytes | None]) -> list[Any]:
        """Return the values of many records, in order; faster than one by one where a schema can be."""
        return list(map(self.deserialize, batch))


class SimpleStringSchema(SerializationSchema, DeserializationSchema):
    """Text in a charset (Flink: ``SimpleStringSchema``). Malformed bytes become U+FFFD, as in Java.

    Args:
        charset: a name that Java and Python both know.
    """

    def __init__(self, charset: str = "UTF-8") -> None:
        super().__init__()
        try:
            self._charset = codecs.lookup(charset).name
        except LookupError:
            raise ValueError(f"Unknown charset {charset!r}; UTF-8, ISO-8859-1 and UTF-16 are the usual ones") from None

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return Types.STRING()

    def serialize(self, value: Any) -> bytes:
        """See the base class; what the charset lacks becomes ``?``, as in Java."""
        if type(value) is not str and not isinstance(value, str):
            raise TypeMismatchError(
                f"SimpleStringSchema takes str, got {type(value).__name__}: {_cut(repr(value))}. "
                "Map it to str first, or use JsonRowSerializationSchema."
            )
        return value.encode(self._charset, "replace")

    def bound(self) -> Callable[[Any], bytes | None]:
        """See the base class."""
        charset, encode, refuse = self._charset, str.encode, self.serialize

        def serialize(value: Any) -> bytes:
            return encode(value, charset, "replace") if type(value) is str else refuse(value)

        return serialize

    def deserialize(self, data: bytes | None) -> Any:
        """See the base class. No bytes at all are an error, as in Flink; filter null values in the broker."""
        if data is None:
            raise _null_value(self)
        return data.decode(self._charset, "replace")

    def deserialize_batch(self, batch: Iterable[bytes | None]) -> list[Any]:
        """See the base class."""
        charset = self._charset
        try:
            return [data.decode(charset, "replace") for data in batch]  # type: ignore[union-attr]
        except AttributeError:
            raise _null_value(self) from None


class ByteArraySchema(SerializationSchema, DeserializationSchema):
    """Bytes as they are (Flink: ``ByteArraySchema``)."""

    def __init__(self) -> None:
        super().__init__()

    def produced_type(self) -> TypeInformation:
        """See the base class."""
        return Types.PRIMITIVE_ARRAY(Types.BYTE())

    def serialize(self, value: Any) -> bytes:
        """See the base class."""
        if isinstance(value, (bytes, bytearray)):
            return bytes(value)
        raise TypeMismatchError(f"ByteArraySchema takes bytes, got {type(value).__name__}: {_cut(repr(value))}")

    def deserialize(self, data: bytes | None) -> Any:
        """See the base class."""
        return data

    def deserialize_batch(self, batch: Iterable[bytes | None]) -> list[Any]:
        """See the base class."""
        return list(batch)


class RowFieldExtractorSchema(SerializationSchema):
    """One field of a row, which must hold bytes (Flink: ``RowFieldExtractorSchema``): a Kafka key, for example.

    Args:
        field_index: position of the field, from 0.
    """

    def __init__(self, field_index: int) -> None:
        if field_index < 0:
            raise ValueError(f"Field index must be non-negative, got: {field_index}")
        super().__init__()
        self._field_index = field_index

    def serialize(self, value: Any) -> bytes | None:
        """See the base class; None stays None."""
        if not isinstance(value, Row) or self._field_index >= len(value):
            raise TypeMismatchError(
                f"RowFieldExtractorSchema({self._field_index}) takes a Row with more than {self._field_index} fields, "
                f"got {type(value).__name__}: {_cut(repr(value))}"
            )
        field = value[self._field_index]
        if field is None or isinstance(field, bytes):
            return field
        raise TypeMismatchError(
            f"Field {self._field_index} must be bytes, got {type(field).__name__}: {_cut(repr(field))}"
        )


class Encoder:
    """Writes values one after the other to a row-wise file (Flink: ``Encoder``).

    Args:
        charset: how text becomes bytes.
    """

    def __init__(self, charset: str) -> None:
        self._charset = codecs.lookup(charset).name

    @staticmethod
    def simple_string_encoder(charset_name: str = "UTF-8") -> Encoder:
        """Return the encoder that writes each value's text and a newline."""
        return Encoder(charset_name)

    def bind(self, type_info: TypeInformation, stream: BinaryIO) -> Any:
        """Return the function that writes a value of the given type to ``stream``."""
        write, text_of, charset = stream.write, printer(type_info), self._charset
        return lambda value: write(f"{text_of(value)}\n".encode(charset, "replace"))


class BulkWriter(ABC):
    """Writes one file of a bulk format (Flink: ``BulkWriter``)."""

    @abstractmethod
    def add_element(self, value: Any) -> None:
        """Take one record; it may be held in memory until ``finish``."""

    @abstractmethod
    def finish(self) -> None:
        """Write everything and the file's last bytes; the stream stays open."""


class BulkWriterFactory:
    """Makes writers of files that are written many records at a time (Flink: ``BulkWriter.Factory``)."""

    def create(self, stream: BinaryIO) -> BulkWriter:
        """Return a writer to an open, empty file."""
        raise UnsupportedError(f"{type(self).__name__} has no create()")

    def get_java_object(self) -> Any:
        """Raise: there is no Java object behind it here."""
        raise UnsupportedError("There is no Java here; pass the factory itself.")


class RowDataBulkWriterFactory(BulkWriterFactory):
    """A bulk writer factory that takes rows of one type.

    Args:
        row_type: the type of the rows.
    """

    def __init__(self, row_type: Any) -> None:
        self._row_type = row_type

    def get_row_type(self) -> Any:
        """Return the type of the rows."""
        return self._row_type


def _null_value(schema: object) -> RecordError:
    return RecordError(
        f"{type(schema).__name__} cannot read a record without a value (a Kafka tombstone). "
        "Use ByteArraySchema, which skips it, or a schema of your own."
    )


def _refuse_java(java_object: Any, name: str) -> None:
    if java_object is not None:
        raise UnsupportedError(f"{name} cannot wrap a Java object: there is no Java here.")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
