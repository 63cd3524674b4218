"""Turns values into Kafka records: topic, key and value (Flink: ``KafkaRecordSerializationSchema``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wiesel.core.errors import RecordError
from wiesel.core.serialization import SerializationSchema
from wiesel.core.shipping import ShippedFunction

#: A value as it goes to Kafka: topic, key, value.
EncodedRecord = tuple[str, bytes | None, bytes | None]
Encode = Callable[[Any], EncodedRecord]


@dataclass(frozen=True, slots=True)
class RecordSerializerSpec:
    """How records are made, as inert data.

    Args:
        topic: where all records go; None when ``topic_selector`` chooses.
        topic_selector: a shipped object whose ``apply(value)`` returns the topic.
        key_schema: a shipped ``SerializationSchema`` for the key; None writes records without key.
        value_schema: a shipped ``SerializationSchema`` for the value.
    """

    topic: str | None
    topic_selector: ShippedFunction | None
    key_schema: ShippedFunction | None
    value_schema: ShippedFunction

    def bind(self) -> Encode:
        """Return a function from value to record; fresh copies of the schemas are behind it.

        The function raises what a schema or the selector raises; ``refused`` turns that into an error with the place.
        """
        value_of = _opened(self.value_schema).serialize
        key_of = _opened(self.key_schema).serialize if self.key_schema is not None else None
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


def refused(error: Exception, sink_name: str, value: Any) -> RecordError:
    """Return the error for a value that could not be made a record."""
    shown = repr(value)
    shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
    kind = "" if isinstance(error, RecordError) else f"{type(error).__name__}: "
    return RecordError(f"{sink_name} cannot serialize {shown}: {kind}{error}")


def _opened(shipped: ShippedFunction) -> SerializationSchema:
    schema: SerializationSchema = shipped.load()
    schema.open()
    return schema
