"""The benchmark's broker and its topics; generator and reader run on the broker's cores."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from zlib import crc32

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition

from bench.process import pinned_to
from wiesel.broker.admin import Admin
from wiesel.broker.local import LocalBroker

PARTITIONS = 4
QUIET = {"log_level": 2}  # what goes wrong is raised here


class Kafka:
    """Topics of a running broker."""

    def __init__(self, broker: LocalBroker, cores: set[int]) -> None:
        self.bootstrap_servers = broker.bootstrap_servers
        self.version = broker.kafka_version
        self._admin = Admin(broker.bootstrap_servers)
        self._cores = cores
        self._numbers = itertools.count(1)
        self._looker: Consumer | None = None

    def empty(self, name: str, partitions: int = PARTITIONS) -> str:
        """The unique name of a new topic."""
        unique = f"{name}-{next(self._numbers)}"
        self._admin.create_topic(unique, partitions)
        return unique

    def preloaded(self, name: str, values: Iterable[str], partitions: int = PARTITIONS) -> str:
        """A new topic that holds these values, spread evenly over its partitions."""
        return self.filled(name, ((value, None, 0) for value in values), partitions)

    def filled(self, name: str, records: Iterable[tuple[str, str | None, int]], partitions: int = PARTITIONS) -> str:
        """A new topic with records of value, key and timestamp (0: now); equal keys share a partition."""
        topic = self.empty(name, partitions)
        with pinned_to(self._cores):
            producer = Producer(
                {
                    **QUIET,
                    "bootstrap.servers": self.bootstrap_servers,
                    "acks": "all",
                    "queue.buffering.max.messages": 2_000_000,
                }
            )
            for number, (value, key, timestamp) in enumerate(records):
                partition = (number if key is None else crc32(key.encode())) % partitions
                producer.produce(topic, value, key, partition, timestamp=timestamp)
            if producer.flush(60):
                raise RuntimeError(f"topic {topic} could not be filled")
        return topic

    def values(self, topic: str) -> Iterator[bytes]:
        """All values of a topic."""
        with pinned_to(self._cores):
            consumer = Consumer(
                {
                    **QUIET,
                    "bootstrap.servers": self.bootstrap_servers,
                    "group.id": "bench-reader",
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "isolation.level": "read_committed",
                    "queued.min.messages": 1_000_000,
                }
            )
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
        unfinished = set(range(PARTITIONS))
        try:
            while unfinished:
                for message in consumer.consume(10_000, timeout=0.1):
                    error = message.error()
                    if error is None:
                        yield message.value() or b""
                    elif error.code() == KafkaError._PARTITION_EOF:
                        unfinished.discard(message.partition())
                    else:
                        raise RuntimeError(f"cannot read {topic}: {error}")
        finally:
            consumer.close()

    def record_count(self, topic: str) -> int:
        """How many records its partitions end at; markers of transactions count too."""
        with pinned_to(self._cores):
            if self._looker is None:
                self._looker = Consumer(
                    {**QUIET, "bootstrap.servers": self.bootstrap_servers, "group.id": "bench-looker"}
                )
            ends = [
                self._looker.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                for partition in range(PARTITIONS)
            ]
        return sum(high for _, high in ends)

    def follow(self, topic: str) -> Callable[[], list[bytes]]:
        """What returns the values that came since its last call, for a topic that is being written."""
        with pinned_to(self._cores):
            consumer = Consumer(
                {
                    **QUIET,
                    "bootstrap.servers": self.bootstrap_servers,
                    "group.id": "bench-follower",
                    "enable.auto.commit": False,
                }
            )
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])

        def news() -> list[bytes]:
            messages = consumer.consume(100_000, timeout=0.01)
            return [message.value() or b"" for message in messages if message.error() is None]

        return news

    def delete(self, topic: str) -> None:
        """Its data would only fill the disk."""
        self._admin.delete_topics([topic])
