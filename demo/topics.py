"""The demo's topics: made, filled, watched and read back with the plain client, which knows nothing of the engine."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self
from zlib import crc32

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


def partition_of(departure: Departure) -> int:
    """All departures of one key in one partition; the demo decides it itself, to know where each partition will end."""
    return crc32(departure.key.encode()) % PARTITIONS


def ends(departures: Iterable[Departure]) -> list[int]:
    """The end offset of each partition once all departures are written."""
    counts = Counter(map(partition_of, departures))
    return [counts[partition] for partition in range(PARTITIONS)]


class Feed:
    """Writes the departures in their order on a thread of its own, event time as timestamp.

    Args:
        bootstrap_servers: of the broker.
        topic: a topic of four partitions.
        departures: in their order.
        per_second: how many to write; the real year is a little slower.
    """

    def __init__(self, bootstrap_servers: str, topic: str, departures: Sequence[Departure], per_second: float) -> None:
        self._topic = topic
        self._departures = departures
        self._per_second = per_second
        self._refused: list[KafkaError] = []
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._producer = Producer(
            {
                **QUIET,
                "bootstrap.servers": bootstrap_servers,
                # Idempotent: a retry neither repeats a departure nor changes the order.
                "enable.idempotence": True,
                "linger.ms": 20,
            }
        )
        self.sent = 0
        self._done: Future[None] | None = None

    def __enter__(self) -> Self:
        self._done = self._thread.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.shutdown()

    def check(self) -> None:
        """Raise what went wrong so far."""
        if self._done is not None and self._done.done():
            self._done.result()

    def _run(self) -> None:
        began = time.monotonic()
        for number, departure in enumerate(self._departures, 1):
            self._producer.produce(
                self._topic,
                key=departure.key,
                value=departure.to_json(),
                timestamp=departure.scheduled_ms,
                partition=partition_of(departure),
                on_delivery=self._on_delivery,
            )
            if number % 200 == 0:
                self.sent = number
                self._producer.poll(0)
                if self._stop.wait(max(0.0, began + number / self._per_second - time.monotonic())):
                    return
        unsent = self._producer.flush(60)
        if unsent or self._refused:
            raise RuntimeError(f"{unsent} flights not sent, {len(self._refused)} refused: {self._refused[:1]}")
        self.sent = len(self._departures)

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(error)


class GroupProgress:
    """How far a consumer group has committed a topic, as the broker tells it; the group is asked, never joined."""

    def __init__(self, bootstrap_servers: str, group: str, topic: str) -> None:
        self._client = Consumer(
            {**QUIET, "bootstrap.servers": bootstrap_servers, "group.id": group, "enable.auto.commit": False}
        )
        self._partitions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        self.committed = 0

    def ask(self) -> int:
        """Records before the committed offsets, over all partitions; the last number while the broker cannot tell."""
        try:
            offsets = self._client.committed(self._partitions, timeout=10)
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET:
                raise
        else:
            self.committed = sum(max(one.offset, 0) for one in offsets)
        return self.committed

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
