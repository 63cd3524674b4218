"""Records of a topic, in and out, for the command line: no consumer group, no commits, every partition."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from wiesel.broker.client import TIMEOUT_SECONDS, client_properties, kafka_errors, translated
from wiesel.core.errors import RecordError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message, Producer
    from confluent_kafka.admin import ClusterMetadata

_BATCH = 1000


@dataclass(frozen=True)
class Record:
    """One record as it lies in its partition; `timestamp` in milliseconds since 1970, None if it has none."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def produce_lines(
    bootstrap_servers: str, topic: str, lines: Iterable[bytes], key_separator: bytes | None = None
) -> int:
    """
    Write each line as one record and return their number once the broker has acknowledged all of them.

    With `key_separator`, what stands before its first occurrence is the key. Keys go to the partitions where Java's
    clients would put them.
    """
    from confluent_kafka import Producer

    failures: list[KafkaError] = []
    producer = Producer(
        {
            **client_properties(bootstrap_servers),
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "on_delivery": lambda error, _message: failures.append(error) if error else None,
        }
    )
    with kafka_errors(bootstrap_servers, topic):
        # Before the first line is read: a missing topic is told at once, not after the delivery timeout.
        _partitions(producer.list_topics(topic, TIMEOUT_SECONDS), topic, bootstrap_servers)
        count = 0
        try:
            for count, line in enumerate(lines, start=1):
                key, value = _split(line.removesuffix(b"\n"), key_separator, count)
                while not _accepted(producer, topic, key, value):
                    producer.poll(0.1)
                if count % _BATCH == 0:
                    producer.poll(0)
                if failures:
                    break
        finally:
            producer.flush()
    if failures:
        raise translated(failures[0], bootstrap_servers, topic)
    return count


def _accepted(producer: Producer, topic: str, key: bytes | None, value: bytes) -> bool:
    try:
        producer.produce(topic, value, key)
    except BufferError:
        return False
    return True


def _split(line: bytes, separator: bytes | None, number: int) -> tuple[bytes | None, bytes]:
    if separator is None:
        return None, line
    key, found, value = line.partition(separator)
    if not found:
        raise RecordError(
            f"line {number} has no key separator {separator.decode(errors='replace')!r}; "
            "the lines before it are written, this one and the rest are not."
        )
    return key, value


def consume_batches(
    bootstrap_servers: str,
    topic: str,
    *,
    from_beginning: bool = False,
    to_end: bool = False,
    idle_seconds: float | None = None,
    isolation_level: str = "read_committed",
) -> Iterator[list[Record]]:
    """
    The records of all partitions of a topic: for ever, to the end of each, or until none came for `idle_seconds`.

    A batch is what is there, in the order of each partition; it is never waited for to fill.
    Without `from_beginning`, those that are written after the call.
    """
    from confluent_kafka import Consumer

    consumer = Consumer(
        {
            **client_properties(bootstrap_servers),
            "group.id": "wiesel-kafka-consume",  # required, and not used: partitions are assigned, nothing committed
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": isolation_level,
            "enable.partition.eof": to_end,
            "fetch.queue.backoff.ms": 10,
        }
    )
    try:
        with kafka_errors(bootstrap_servers, topic):
            partitions = _assign(consumer, topic, bootstrap_servers, from_beginning)
            yield from _poll(consumer, bootstrap_servers, topic, set(partitions), idle_seconds)
    finally:
        consumer.close()


def _assign(consumer: Consumer, topic: str, bootstrap_servers: str, from_beginning: bool) -> list[int]:
    from confluent_kafka import OFFSET_BEGINNING, TopicPartition

    partitions = _partitions(consumer.list_topics(topic, TIMEOUT_SECONDS), topic, bootstrap_servers)
    start = []
    for number in partitions:
        partition = TopicPartition(topic, number, OFFSET_BEGINNING)
        if not from_beginning:
            # Asked for now: "the end" would be found at the first fetch, after records that were written meanwhile.
            partition.offset = consumer.get_watermark_offsets(partition, TIMEOUT_SECONDS)[1]
        start.append(partition)
    consumer.assign(start)
    return partitions


def _poll(
    consumer: Consumer, bootstrap_servers: str, topic: str, unfinished: set[int], idle_seconds: float | None
) -> Iterator[list[Record]]:
    last = time.monotonic()
    while unfinished and (idle_seconds is None or time.monotonic() - last < idle_seconds):
        first = consumer.poll(0.1)
        if first is None:
            continue
        batch = []
        for message in (first, *consumer.consume(_BATCH, 0)):
            error = message.error()
            if error is None:
                batch.append(_record(topic, message))
            elif error.name() == "_PARTITION_EOF":
                unfinished.discard(cast(int, message.partition()))
            else:
                raise translated(error, bootstrap_servers, topic)
        if batch:
            yield batch
            last = time.monotonic()


def _partitions(metadata: ClusterMetadata, topic: str, bootstrap_servers: str) -> list[int]:
    found = metadata.topics[topic]
    if found.error is not None:
        raise translated(found.error, bootstrap_servers, topic)
    return sorted(found.partitions)


def _record(topic: str, message: Message) -> Record:
    from confluent_kafka import TIMESTAMP_NOT_AVAILABLE

    kind, timestamp = message.timestamp()
    return Record(
        topic,
        cast(int, message.partition()),
        cast(int, message.offset()),
        None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        message.key(),
        message.value(),
        cast(list[tuple[str, bytes | None]], message.headers() or []),
    )
