"""The benchmark's broker and its topics; generator and reader run on the broker's cores."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

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

    def empty(self, name: str) -> str:
        """The unique name of a new topic."""
        unique = f"{name}-{next(self._numbers)}"
        self._admin.create_topic(unique, PARTITIONS)
        return unique

    def preloaded(self, name: str, values: Iterable[str]) -> str:
        """A new topic that holds these values, spread evenly over its partitions."""
        topic = self.empty(name)
        with pinned_to(self._cores):
            producer = Producer(
                {
                    **QUIET,
                    "bootstrap.servers": self.bootstrap_servers,
                    "acks": "all",
                    "queue.buffering.max.messages": 2_000_000,
                }
            )
            for number, value in enumerate(values):
                producer.produce(topic, value, partition=number % PARTITIONS)
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

    def delete(self, topic: str) -> None:
        """Its data would only fill the disk."""
        self._admin.delete_topics([topic])
