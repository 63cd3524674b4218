"""Writes to Kafka as records come: NONE and AT_LEAST_ONCE (Flink: ``KafkaWriter``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from wiesel.connectors.kafka.client import ClientEvents
from wiesel.connectors.kafka.encoding import Encode, Serialize, refused
from wiesel.connectors.kafka.idle_flush import IdleFlush
from wiesel.connectors.kafka.records import ProducerRecord
from wiesel.connectors.kafka.whole_records import EncodeWhole, size_of
from wiesel.core.contracts import Committable, Json, SinkContext
from wiesel.core.errors import RecordError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

logger = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.05


class KafkaWriter:
    """One producer; a record that cannot be delivered fails the task.

    Args:
        connect: makes a producer that reports failed deliveries only.
        events: the producer's events.
        encode: makes records of values; None when one of the next two does.
        context: whom to tell of failures.
        queue_records: how many records may wait in the producer before ``is_available`` says no.
        writes_timestamps: whether records carry the event time; else the producer's clock.
        logs_failures_only: whether a failed delivery is logged instead of failing the task.
        partition: where all records go, -1 to leave it to the partitioner.
        encode_whole: makes records with headers, timestamps and partitions of their own.
        encode_value: the topic of all records, which have no key, and what makes their bytes.
        sends_when_idle: whether records that wait for company in the producer are sent when the task is idle.
    """

    #: Accepts one value with its timestamp in milliseconds; a negative one stands for none, as in Flink.
    write: Callable[[Any, int], None]
    #: Returns how many records ``write`` has taken.
    records_written: Callable[[], int]

    def __init__(
        self,
        connect: Callable[[], Producer],
        events: ClientEvents,
        encode: Encode | None,
        context: SinkContext,
        *,
        queue_records: int,
        writes_timestamps: bool = True,
        logs_failures_only: bool = False,
        partition: int = -1,
        encode_whole: EncodeWhole | None = None,
        encode_value: tuple[str, Serialize] | None = None,
        sends_when_idle: bool = False,
    ) -> None:
        self._producer = connect()
        name = f"kafka-idle-{context.operator_uid}-{context.subtask}"
        self._idle_flush = IdleFlush(self._producer, name) if sends_when_idle else None
        self._events = events
        self._context = context
        self._queue_records = queue_records
        self._logs_failures_only = logs_failures_only
        self._partition = partition
        self._failed: BaseException | None = None
        self._closed = False
        if encode_whole is not None:
            self.write = self._bind_whole(encode_whole, writes_timestamps)
        elif encode_value is not None:
            self.write = self._bind_value(*encode_value, writes_timestamps)
        elif encode is not None:
            self.write = self._bind(encode, writes_timestamps)
        else:
            raise ValueError("a writer needs encode, encode_whole or encode_value")

    def _bind(self, encode: Encode, writes_timestamps: bool) -> Callable[[Any, int], None]:
        produce, partition, on_delivery = self._producer.produce, self._partition, self._on_delivery
        written = 0

        def write(value: Any, timestamp: int) -> None:
            nonlocal written
            try:
                topic, key, data = encode(value)
            except Exception as error:
                raise refused(error, self._context.operator_name, value) from error
            # To the client 0 means "now".
            record_timestamp = timestamp if writes_timestamps and timestamp > 0 else 0
            try:
                # Positional arguments, because this is the record path.
                produce(topic, data, key, partition, on_delivery, None, record_timestamp)
            except Exception as error:
                self._retry(error, ProducerRecord(topic, data, key, (), record_timestamp, partition))
            written += 1

        # A variable of the closure costs the record path a third of what an attribute does.
        self.records_written = lambda: written
        return write

    def _bind_value(self, topic: str, encode: Serialize, writes_timestamps: bool) -> Callable[[Any, int], None]:
        """As ``_bind``, without a record being made just to be taken apart."""
        produce, partition, on_delivery = self._producer.produce, self._partition, self._on_delivery
        written = 0

        def write(value: Any, timestamp: int) -> None:
            nonlocal written
            try:
                data = encode(value)
            except Exception as error:
                raise refused(error, self._context.operator_name, value) from error
            record_timestamp = timestamp if writes_timestamps and timestamp > 0 else 0
            try:
                produce(topic, data, None, partition, on_delivery, None, record_timestamp)
            except Exception as error:
                self._retry(error, ProducerRecord(topic, data, None, (), record_timestamp, partition))
            written += 1

        self.records_written = lambda: written
        return write

    def _bind_whole(self, encode: EncodeWhole, writes_timestamps: bool) -> Callable[[Any, int], None]:
        written = 0

        def write(value: Any, timestamp: int) -> None:
            nonlocal written
            try:
                record = encode(value, timestamp if writes_timestamps else 0)
            except Exception as error:
                raise refused(error, self._context.operator_name, value) from error
            if record is None:
                return
            try:
                self._produce(record)
            except Exception as error:
                self._retry(error, record)
            written += 1

        self.records_written = lambda: written
        return write

    def _produce(self, record: ProducerRecord) -> None:
        topic, value, key, headers, timestamp, partition = record
        partition = -1 if partition is None else partition
        self._producer.produce(topic, value, key, partition, self._on_delivery, None, timestamp or 0, list(headers))

    def _retry(self, error: Exception, record: ProducerRecord) -> None:
        """Wait for room when the queue is full; any other refusal is the record's own fault."""
        from confluent_kafka import KafkaException

        while isinstance(error, BufferError):
            self._producer.poll(_POLL_SECONDS)
            self._raise_failure()
            try:
                self._produce(record)
                return
            except (BufferError, KafkaException) as again:
                error = again
        raise RecordError(
            f"{self._context.operator_name}: Kafka refuses a record of {size_of(record)} bytes for topic "
            f"{record.topic!r}: {error}. For larger records raise max.request.size (sink) and max.message.bytes "
            "(topic)."
        ) from error

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is None or self._failed is not None or self._closed:
            return
        failure = self._events.cause_of(error, f"writing to topic {message.topic()}")
        if self._logs_failures_only:
            logger.error("a record is lost: %s", failure)
            return
        self._failed = failure
        self._context.fail(self._failed)

    def _raise_failure(self) -> None:
        failed = self._failed or self._events.refused("writing")
        if failed is not None:
            raise failed

    def bytes_written(self) -> int:
        """Return the bytes that the producer has sent, as of some seconds ago: to count here would cost."""
        return self._events.bytes_sent

    def is_available(self) -> bool:
        """Whether the producer's queue has room; also hears of deliveries."""
        self._producer.poll(0)
        self._raise_failure()
        return len(self._producer) < self._queue_records

    def on_idle(self) -> None:
        """Send what still waits for company."""
        if self._idle_flush is not None:
            self._idle_flush.ask()

    def flush(self) -> None:
        """Wait until everything is delivered, for as long as the producer tries (delivery.timeout.ms)."""
        while self._producer.flush(_POLL_SECONDS):
            self._raise_failure()
        self._raise_failure()

    def prepare_commit(self, checkpoint_id: int) -> Sequence[Committable]:
        """Return nothing: what was flushed is published already."""
        return ()

    def snapshot(self) -> Json | None:
        """Nothing to remember."""
        return None

    def close(self) -> None:
        """Drop what is not delivered, and leave."""
        from confluent_kafka import KafkaException

        self._closed = True
        if self._idle_flush is not None:
            self._idle_flush.close()
        try:
            self._producer.purge()
        except KafkaException:
            pass  # A producer that failed for good has nothing to purge.
        self._producer.flush(_POLL_SECONDS)
