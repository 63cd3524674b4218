"""The demo's topics: made, filled, watched and read back with the plain client, which knows nothing of the engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from demo.dataset import Departure
from wiesel.broker.admin import Admin

PARTITIONS = 4
# The broker would delete records of 2013, and would begin a new file for each of their weeks.
# The first use of groups makes the broker create their topic and load it.
NOT_YET = {
    KafkaError._TIMED_OUT,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
QUIET = {"log_level": 2}  # what goes wrong is raised here; the client's own lines would run through the progress bars
FOR_OLD_RECORDS = {"retention.ms": "-1", "segment.ms": str(100 * 365 * 24 * 3600 * 1000)}


def create(bootstrap_servers: str, names: Sequence[str]) -> None:
    """Create topics that keep records of 2013."""
    admin = Admin(bootstrap_servers)
    for name in names:
        admin.create_topic(name, PARTITIONS, FOR_OLD_RECORDS)


def feed(bootstrap_servers: str, topic: str, departures: Iterable[Departure], sent: Callable[[int], None]) -> int:
    """Write the departures in their order, event time as timestamp; `sent` hears how many went so far."""
    refused: list[KafkaError] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            refused.append(error)

    producer = Producer(
        {
            **QUIET,
            "bootstrap.servers": bootstrap_servers,
            # Idempotent: a retry neither repeats a departure nor changes the order.
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 20,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    number = 0
    for number, departure in enumerate(departures, 1):
        producer.produce(
            topic,
            key=departure.key,
            value=departure.to_json(),
            timestamp=departure.scheduled_ms,
            on_delivery=delivered,
        )
        if number % 1000 == 0:
            producer.poll(0)
            sent(number)
    unsent = producer.flush(60)
    if unsent or refused:
        raise RuntimeError(f"{unsent} flights not sent, {len(refused)} refused, first: {refused[:1]}")
    sent(number)
    return number


class GroupProgress:
    """How far a consumer group has committed a topic, as the broker tells it; the group is asked, never joined."""

    def __init__(self, bootstrap_servers: str, group: str, topic: str) -> None:
        self._client = Consumer(
            {**QUIET, "bootstrap.servers": bootstrap_servers, "group.id": group, "enable.auto.commit": False}
        )
        self._partitions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        self._last = 0

    def committed(self) -> int:
        """Records before the committed offsets, over all partitions; the last number while the broker cannot tell."""
        try:
            offsets = self._client.committed(self._partitions, timeout=10)
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET:
                raise
        else:
            self._last = sum(max(one.offset, 0) for one in offsets)
        return self._last

    def close(self) -> None:
        """Leave the cluster."""
        self._client.close()


@dataclass(frozen=True)
class Output:
    """What a `read_committed` reader sees in a topic, partition by partition, so each key in order."""

    keys: list[bytes | None]
    records: list[dict[str, Any]]


def read_committed(bootstrap_servers: str, topics: Sequence[str]) -> dict[str, Output]:
    """All committed records of some topics up to their present ends."""
    found: dict[TopicPartition, list[Message]] = {
        TopicPartition(topic, partition): [] for topic in topics for partition in range(PARTITIONS)
    }
    for message in committed(bootstrap_servers, list(found)):
        found[TopicPartition(message.topic() or "", message.partition() or 0)].append(message)
    outputs = {topic: Output([], []) for topic in topics}
    for partition, messages in found.items():
        outputs[partition.topic].keys.extend(message.key() for message in messages)
        outputs[partition.topic].records.extend(json.loads(message.value() or b"{}") for message in messages)
    return outputs


def committed(bootstrap_servers: str, partitions: Sequence[TopicPartition]) -> Iterator[Message]:
    """All committed messages of the partitions up to their present ends, each partition in order."""
    consumer = Consumer(
        {
            **QUIET,
            "bootstrap.servers": bootstrap_servers,
            "group.id": "demo-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            # At a partition's end the broker keeps a fetch waiting for so long before it tells.
            "fetch.wait.max.ms": 20,
        }
    )
    consumer.assign([TopicPartition(one.topic, one.partition, OFFSET_BEGINNING) for one in partitions])
    unfinished = set(partitions)
    try:
        while unfinished:
            for message in consumer.consume(10_000, timeout=0.1):
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    unfinished.discard(TopicPartition(message.topic() or "", message.partition() or 0))
                else:
                    raise RuntimeError(f"cannot read {message.topic()}: {error}")
    finally:
        consumer.close()
