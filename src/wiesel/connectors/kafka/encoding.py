"""Turns values into Kafka records of topic, key and value (Flink: ``KafkaRecordSerializationSchema``).

Records with headers, partitions or timestamps of the user's are made in whole_records.py: most sinks need none, and
their records should not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wiesel.core.errors import RecordError, TypeMismatchError
from wiesel.core.serialization import SerializationSchema
from wiesel.core.shipping import ShippedFunction

#: A value as it goes to Kafka: topic, key, value.
EncodedRecord = tuple[str, bytes | None, bytes | None]
Encode = Callable[[Any], EncodedRecord]
Serialize = Callable[[Any], bytes | None]


@dataclass(frozen=True, slots=True)
class RecordSerializerSpec:
    """How records are made, as inert data.

    Args:
        topic: where all records go; None when something else chooses.
        topic_selector: a shipped object whose ``apply(value)`` returns the topic.
        key_schema: a shipped ``SerializationSchema`` for the key; None writes records without key.
        value_schema: a shipped ``SerializationSchema`` for the value; None only with ``own``.
        header_provider: a shipped function from value to headers.
        partitioner: a shipped ``FlinkKafkaPartitioner``.
        own: a shipped object of the user's whose ``serialize(element, context, timestamp)`` makes the whole record.
    """

    topic: str | None
    topic_selector: ShippedFunction | None
    key_schema: ShippedFunction | None
    value_schema: ShippedFunction | None
    header_provider: ShippedFunction | None = None
    partitioner: ShippedFunction | None = None
    own: ShippedFunction | None = None

    @property
    def makes_whole_records(self) -> bool:
        """Whether records have more than topic, key and value."""
        return self.own is not None or self.header_provider is not None or self.partitioner is not None

    def bind_value(self) -> tuple[str, Serialize] | None:
        """Return the topic and a function from value to bytes if that is all there is to a record, as it mostly is."""
        if self.topic is None or self.key_schema is not None or self.value_schema is None or self.makes_whole_records:
            return None
        return self.topic, serialize_by(self.value_schema)

    def bind(self) -> Encode:
        """Return a function from value to record; fresh copies of the schemas are behind it.

        The function raises what a schema or the selector raises; ``refused`` turns that into an error with the place.
        """
        if self.value_schema is None:
            raise ValueError("a serializer of whole records is bound by whole_records.bind")
        value_of = serialize_by(self.value_schema)
        key_of = serialize_by(self.key_schema) if self.key_schema is not None else None
        if self.topic is not None:
            topic = self.topic
            if key_of is None:
                return lambda value: (topic, None, value_of(value))
            key_schema = key_of
            return lambda value: (topic, key_schema(value), value_of(value))
        if self.topic_selector is None:
            raise ValueError("neither topic nor topic selector")
        select = self.topic_selector.load().apply
        if key_of is None:
            return lambda value: (select(value), None, value_of(value))
        key_schema = key_of
        return lambda value: (select(value), key_schema(value), value_of(value))


def serialize_by(shipped: ShippedFunction) -> Serialize:
    """Return the ``serialize`` of a fresh copy of a schema, opened; it gives bytes or None and nothing else.

    A log that holds text where bytes belong could be decided and never be published. Our own schemas give bytes; only
    those of scripts are looked after.
    """
    schema: SerializationSchema = shipped.load()
    schema.open()
    if type(schema).__module__.startswith("wiesel."):
        return schema.bound()
    serialize, name = schema.serialize, type(schema).__name__
    return lambda value: as_bytes(serialize(value), f"{name}.serialize")


def as_bytes(data: Any, where: str) -> bytes | None:
    """Return ``data`` as bytes or None.

    Raises:
        TypeMismatchError: it is neither.
    """
    if data is None or type(data) is bytes:
        return data
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeMismatchError(f"{where} must give bytes or None, got {type(data).__name__}: encode it, as UTF-8 if text")


def refused(error: Exception, sink_name: str, value: Any) -> RecordError:
    """Return the error for a value that could not be made a record."""
    shown = repr(value)
    shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
    kind = "" if isinstance(error, RecordError) else f"{type(error).__name__}: "
    return RecordError(f"{sink_name} cannot serialize {shown}: {kind}{error}")
