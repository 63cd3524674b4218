"""Turns Kafka messages into values by a schema (Flink: ``KafkaRecordDeserializationSchema``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from wiesel.connectors.kafka.partitions import Partition
from wiesel.core.contracts import SourceBatch
from wiesel.core.errors import RecordError
from wiesel.core.serialization import DeserializationSchema

if TYPE_CHECKING:
    from confluent_kafka import Message

_SHOWN_BYTES: Final = 80


class Decoder(Protocol):
    """Makes a batch of messages of one partition."""

    def batch(self, partition: Partition, messages: Sequence[Message], timestamps: list[int]) -> SourceBatch | None:
        """Return the decoded records, None when the schema drops all of them.

        Raises:
            RecordError: a message cannot be decoded.
        """


class ValueDecoder:
    """Decodes the value alone; key, headers and timestamp type are not looked at.

    Args:
        schema: what the user chose, already opened. As in Flink, a record for which it returns None is left out.
    """

    def __init__(self, schema: DeserializationSchema) -> None:
        from confluent_kafka import Message

        self._schema = schema
        self._value_of = Message.value

    def batch(self, partition: Partition, messages: Sequence[Message], timestamps: list[int]) -> SourceBatch | None:
        """Return the decoded records, None when the schema drops all of them."""
        raw = list(map(self._value_of, messages))
        try:
            values = self._schema.deserialize_batch(raw)
        except Exception:
            values = self._find_bad_record(partition, messages, raw)
        kept = [value for value in values if value is not None]
        if len(kept) != len(values):
            present = [index for index, value in enumerate(values) if value is not None]
            values, timestamps = kept, [timestamps[index] for index in present]
            messages = [messages[index] for index in present]
        if not values:
            return None
        name = partition.split_id
        return SourceBatch(name, values, timestamps, lambda index: f"{name} offset {messages[index].offset()}")

    def _find_bad_record(self, partition: Partition, messages: Sequence[Message], raw: list[Any]) -> list[Any]:
        """Decode one by one, so that the error names the record; nothing is bad when only the batch form failed."""
        values = []
        for message, value in zip(messages, raw, strict=True):
            try:
                values.append(self._schema.deserialize(value))
            except Exception as error:
                where = f"{partition.split_id} offset {message.offset()}"
                name = type(self._schema).__name__
                shown = "null" if value is None else shorten(value)
                kind = "" if isinstance(error, RecordError) else f"{type(error).__name__}: "
                raise RecordError(
                    f"{where} cannot be decoded by {name}: {kind}{error}; value: {shown}. Records that a schema "
                    f"returns None for are left out (JSON: ignore_parse_errors())."
                ) from error
        return values


def shorten(value: bytes) -> str:
    """Return ``value`` for a message, cut short."""
    shown = repr(value[:_SHOWN_BYTES])
    return shown if len(value) <= _SHOWN_BYTES else f"{shown}… ({len(value)} bytes)"
