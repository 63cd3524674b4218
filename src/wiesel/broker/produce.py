"""Writes records for the command line, as fast as the broker takes them or at a rate."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wiesel.broker.client import TIMEOUT_SECONDS, Cluster, kafka_errors, make_client, translated

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

_POLL_EVERY = 1000


@dataclass(frozen=True)
class NewRecord:
    """A record to be written; `partition` -1 lets the key decide, `timestamp` (milliseconds) 0 is now."""

    value: bytes | None
    key: bytes | None = None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)
    partition: int = -1
    timestamp: int = 0


def produce(where: str | Cluster, topic: str, records: Iterable[NewRecord], per_second: float | None = None) -> int:
    """
    Write records and return their number once the broker has acknowledged all of them.

    Keys go to the partitions where Java's clients would put them. `per_second` spaces the records evenly.
    """
    from confluent_kafka import Producer

    failures: list[KafkaError] = []
    producer = make_client(
        Producer,
        where,
        {
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "on_delivery": lambda error, _message: failures.append(error) if error else None,
        },
    )
    with kafka_errors(where, topic):
        # Before the first record is asked for: a missing topic is told at once, not after the delivery timeout.
        found = producer.list_topics(topic, TIMEOUT_SECONDS).topics[topic]
        if found.error is not None:
            raise translated(found.error, where, topic)
        count, began = 0, time.monotonic()
        try:
            for count, record in enumerate(records, start=1):
                while not _accepted(producer, topic, record):
                    producer.poll(0.1)
                if per_second is not None:
                    _serve_until(producer, began + count / per_second)
                elif count % _POLL_EVERY == 0:
                    producer.poll(0)
                if failures:
                    break
        finally:
            producer.flush()
    if failures:
        raise translated(failures[0], where, topic)
    return count


def _serve_until(producer: Producer, moment: float) -> None:
    while True:
        left = moment - time.monotonic()
        producer.poll(max(0.0, min(left, 0.1)))
        if left <= 0:
            return


def _accepted(producer: Producer, topic: str, record: NewRecord) -> bool:
    try:
        producer.produce(
            topic,
            record.value,
            record.key,
            record.partition,
            timestamp=record.timestamp,
            headers=record.headers,  # type: ignore[arg-type]  # the stubs know no header without a value
        )
    except BufferError:
        return False
    return True
