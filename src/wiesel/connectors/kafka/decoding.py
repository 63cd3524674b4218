"""Turns Kafka messages into values by a schema; what cannot be turned is for bad_records.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from wiesel.connectors.kafka.bad_records import BadRecords
from wiesel.connectors.kafka.partitions import Partition
from wiesel.connectors.kafka.record_schemas import KafkaRecordDeserializationSchema, ValueOnly, collects
from wiesel.connectors.kafka.records import ConsumerRecord, TimestampType, headers_of
from wiesel.core.contracts import SourceBatch
from wiesel.core.errors import RecordError
from wiesel.core.serialization import DeserializationSchema

if TYPE_CHECKING:
    from confluent_kafka import Message

_SHOWN_BYTES: Final = 80

#: By the client's numbers.
_TIMESTAMP_TYPES: Final = (
    TimestampType.NO_TIMESTAMP_TYPE,
    TimestampType.CREATE_TIME,
    TimestampType.LOG_APPEND_TIME,
)


class Decoder(Protocol):
    """Makes a batch of messages of one partition."""

    def batch(self, partition: Partition, messages: Sequence[Message], timestamps: list[int]) -> SourceBatch | None:
        """Return the decoded records and dead letters, None when there are none.

        Raises:
            RecordError: a message cannot be decoded, and the policy is to fail.
        """


def decoder_for(schema: DeserializationSchema | KafkaRecordDeserializationSchema, bad: BadRecords) -> Decoder:
    """Return the decoder of a schema that is opened here."""
    if isinstance(schema, ValueOnly):
        schema = schema.schema
    schema.open()
    return (
        RecordDecoder(schema, bad)
        if isinstance(schema, KafkaRecordDeserializationSchema)
        else ValueDecoder(schema, bad)
    )


class ValueDecoder:
    """Decodes the value alone; key, headers and timestamp type are not looked at.

    Args:
        schema: what the user chose, already opened. As in Flink, a record for which it returns None is left out.
        bad: takes the records that it cannot decode.
    """

    def __init__(self, schema: DeserializationSchema, bad: BadRecords) -> None:
        from confluent_kafka import Message

        self._schema = schema
        self._bad = bad
        self._value_of = Message.value
        # A script's own schema sees each record once; the batch forms of ours are pure, and faster.
        self._in_batches = type(schema).deserialize_batch is not DeserializationSchema.deserialize_batch

    def batch(self, partition: Partition, messages: Sequence[Message], timestamps: list[int]) -> SourceBatch | None:
        """Return the decoded records and dead letters, None when there are none."""
        raw = list(map(self._value_of, messages))
        if self._in_batches:
            try:
                values = self._schema.deserialize_batch(raw)
            except Exception:
                values = self._one_by_one(partition, messages, raw)
        else:
            values = self._one_by_one(partition, messages, raw)
        side_outputs = self._bad.drain()
        kept = [value for value in values if value is not None]
        if len(kept) != len(values):
            present = [index for index, value in enumerate(values) if value is not None]
            values, timestamps = kept, [timestamps[index] for index in present]
            messages = [messages[index] for index in present]
        if not values and side_outputs is None:
            return None
        return _batch(partition, messages, values, timestamps, side_outputs)

    def _one_by_one(self, partition: Partition, messages: Sequence[Message], raw: list[Any]) -> list[Any]:
        """Return the values, with None for bad records; none need be bad when only the batch form failed."""
        values: list[Any] = []
        rest = iter(raw)
        while len(values) < len(raw):
            try:
                # What was decoded before one that raises stays, and the iterator stands behind it.
                values.extend(map(self._schema.deserialize, rest))
            except Exception as error:
                message, value = messages[len(values)], raw[len(values)]
                self._bad.take(message, error, _failure(partition, message, error, self._schema, value))
                values.append(None)
        return values


class RecordDecoder:
    """Decodes whole records by a script's ``KafkaRecordDeserializationSchema``.

    Args:
        schema: what the user wrote, already opened.
        bad: takes the records that it cannot decode.
    """

    def __init__(self, schema: KafkaRecordDeserializationSchema, bad: BadRecords) -> None:
        self._schema = schema
        self._bad = bad
        self._collects = collects(schema)

    def batch(self, partition: Partition, messages: Sequence[Message], timestamps: list[int]) -> SourceBatch | None:
        """Return the decoded records and dead letters, None when there are none."""
        deserialize, collects_values = self._schema.deserialize, self._collects
        values: list[Any] = []
        times: list[int] = []
        origins: list[Message] = []
        collected: list[Any] = []
        out = _ListCollector(collected)
        for message, timestamp in zip(messages, timestamps, strict=True):
            try:
                record = whole(partition, message)
                if collects_values:
                    deserialize(record, out)
                else:
                    collected.append(deserialize(record))
            except Exception as error:
                collected.clear()
                failure = _failure(partition, message, error, self._schema, message.value())
                self._bad.take(message, error, failure)
                continue
            for value in collected:
                if value is not None:
                    values.append(value)
                    times.append(timestamp)
                    origins.append(message)
            collected.clear()
        side_outputs = self._bad.drain()
        if not values and side_outputs is None:
            return None
        return _batch(partition, origins, values, times, side_outputs)


class _ListCollector:
    """Flink's ``Collector``."""

    __slots__ = ("collect",)

    def __init__(self, values: list[Any]) -> None:
        self.collect = values.append


def whole(partition: Partition, message: Message) -> ConsumerRecord:
    """Return a message as a record.

    Raises:
        UnreadableHeadersError: the name of a header is no text.
    """
    kind, timestamp = message.timestamp()
    offset = message.offset()
    assert offset is not None
    return ConsumerRecord(
        partition.topic,
        partition.partition,
        offset,
        timestamp,
        _TIMESTAMP_TYPES[kind],
        message.key(),
        message.value(),
        headers_of(message),
        message.leader_epoch(),
    )


def _batch(
    partition: Partition,
    messages: Sequence[Message],
    values: list[Any],
    timestamps: list[int],
    side_outputs: Any,
) -> SourceBatch:
    def locate(index: int) -> str:
        return _place(partition, messages[index])

    return SourceBatch(partition.split_id, values, timestamps, locate, side_outputs)


def _place(partition: Partition, message: Message) -> str:
    return f"{partition.split_id} offset {message.offset()}"


def _failure(
    partition: Partition, message: Message, error: Exception, schema: object, value: bytes | None
) -> RecordError:
    shown = "null" if value is None else shorten(value)
    kind = "" if isinstance(error, RecordError) else f"{type(error).__name__}: "
    return RecordError(
        f"{_place(partition, message)} cannot be decoded by {type(schema).__name__}: {kind}{error}; value: {shown}. "
        "Records that a schema returns None for are left out (JSON: ignore_parse_errors()); "
        "set_bad_record_policy(...) skips bad records or writes them to a dead-letter topic."
    )


def shorten(value: bytes) -> str:
    """Return ``value`` for a message, cut short."""
    shown = repr(value[:_SHOWN_BYTES])
    return shown if len(value) <= _SHOWN_BYTES else f"{shown}… ({len(value)} bytes)"
