"""The demo's topics: made, filled, watched and read back with the plain client, which knows nothing of the engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from demo.dataset import Departure
from wiesel.broker.admin import Admin

PARTITIONS = 4
# The broker would delete records of 2013, and would begin a new file for each of their weeks.
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
    """How far a consumer group has committed a topic, as the broker tells it."""

    def __init__(self, bootstrap_servers: str, group: str, topic: str) -> None:
        self._admin = AdminClient({**QUIET, "bootstrap.servers": bootstrap_servers})
        partitions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        self._request = ConsumerGroupTopicPartitions(group, partitions)

    def committed(self) -> int:
        """Records before the committed offsets, over all partitions."""
        answer = next(iter(self._admin.list_consumer_group_offsets([self._request]).values())).result()
        return sum(max(partition.offset, 0) for partition in answer.topic_partitions)


@dataclass(frozen=True)
class Output:
    """What a `read_committed` reader sees in a topic, partition by partition, so each key in order."""

    keys: list[bytes | None]
    records: list[dict[str, Any]]


def read_committed(bootstrap_servers: str, topic: str) -> Output:
    """All committed records of a topic up to its present end."""
    messages = [
        message for partition in range(PARTITIONS) for message in committed(bootstrap_servers, topic, partition)
    ]
    return Output(
        [message.key() for message in messages], [json.loads(message.value() or b"{}") for message in messages]
    )


def committed(bootstrap_servers: str, topic: str, partition: int) -> Iterator[Message]:
    """All committed messages of a partition up to its present end."""
    consumer = Consumer(
        {
            **QUIET,
            "bootstrap.servers": bootstrap_servers,
            "group.id": "demo-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
    try:
        while True:
            for message in consumer.consume(10_000, timeout=0.1):
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    return
                else:
                    raise RuntimeError(f"cannot read {topic}: {error}")
    finally:
        consumer.close()
