"""The two clusters, and how a test talks to either: by the clients that Wiesel itself makes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, Message, TopicPartition

from tests.integration.kafka_store import Job, Store, sink_to
from tests.simulation.scheduler import Process
from tests.simulation.world import World
from wiesel.connectors.kafka import client
from wiesel.connectors.kafka.admin import cluster
from wiesel.connectors.kafka.client import ClientEvents
from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
from wiesel.core.host import host

_SECONDS: Final = 60.0
#: Of simulated time: a test that takes longer hangs.
_TEST_SECONDS: Final = 300.0
_numbers = itertools.count(1)


class Cluster:
    """A Kafka, real or not.

    Args:
        servers: its address.
        path: where job directories go.
    """

    def __init__(self, servers: str, path: Path) -> None:
        self.servers = servers
        self.path = path

    def run(self, test: Callable[[], None]) -> None:
        """Run a test."""
        test()

    def topic(self, partitions: int = 1) -> str:
        """Make a topic."""
        name = f"conformance-{next(_numbers)}"
        cluster(self.servers, {}).create_topic(name, partitions, {})
        wait_until(lambda: name in cluster(self.servers, {}).topic_names())
        return name

    def producer(self, tid: str | None = None, timeout_ms: int = 60_000) -> Any:
        """Make a producer, fenced if it is transactional."""
        ours: dict[str, Any] = {"delivery.timeout.ms": timeout_ms}  # librdkafka refuses more than the transaction's
        if tid is not None:
            ours |= {"transactional.id": tid, "transaction.timeout.ms": timeout_ms}
        events = ClientEvents(self.servers)
        producer = client.producer({"bootstrap.servers": self.servers}, {**ours, "linger.ms": 0}, events)
        if tid is not None:
            producer.init_transactions(_SECONDS)
        return producer

    def open_transaction(self, tid: str, topic: str, *values: str, timeout_ms: int = 60_000) -> Any:
        """Write records to partition 0 and do not say how the transaction ends."""
        producer = self.producer(tid, timeout_ms)
        producer.begin_transaction()
        for value in values:
            producer.produce(topic, value.encode(), b"key", 0)
        assert producer.flush(_SECONDS) == 0
        return producer

    def consumer(self, topic: str, isolation: str = "read_committed", offset: int = 0, **ours: Any) -> Any:
        """Make a consumer of partition 0."""
        settings = {
            "group.id": f"group-{topic}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "auto.offset.reset": "error",
            **ours,
        }
        consumer = client.consumer({"bootstrap.servers": self.servers}, settings, ClientEvents(self.servers))
        consumer.assign([TopicPartition(topic, 0, offset)])
        return consumer

    def read(self, topic: str, isolation: str = "read_committed") -> list[str]:
        """Return what a reader sees up to the end."""
        return [value for value, _ in read_to_end(self.consumer(topic, isolation))]

    def expect(self, topic: str, values: list[str]) -> None:
        """Wait until a reader sees exactly these, in any order of transactions: markers follow a commit's answer."""
        wait_until(lambda: sorted(self.read(topic)) == sorted(values))

    def sink(self, topic: str) -> KafkaSinkSpec:
        """Return an exactly-once sink of text."""
        return sink_to(self.servers, topic, f"prefix-{topic}", retry_backoff_ms="10")

    def store(self, name: str = "job") -> Store:
        """Return a job directory."""
        return Store(self.path / f"{name}-{next(_numbers)}")


class SimulatedCluster(Cluster):
    """The simulator's, without faults; a test runs as a simulated process.

    Args:
        seed: of delays and orders.
    """

    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        super().__init__(self.world.shape.bootstrap_servers, Path("/jobs"))

    def run(self, test: Callable[[], None]) -> None:
        """Run a test; what it raises comes out here."""
        ended: list[None] = []

        def run() -> None:
            test()
            ended.append(None)

        deadline = self.world.scheduler.monotonic() + _TEST_SECONDS
        with self.world.running():
            process = Process(0)
            self.world.scheduler.spawn(process, run, "test")
            while not ended:
                self.world.scheduler.step()
                assert self.world.scheduler.monotonic() < deadline, [fiber.where() for fiber in process.fibers]
            self.world.scheduler.kill(process)


class _Reader(Protocol):
    def poll(self, timeout: float) -> Message | None: ...

    def close(self) -> None: ...


def events(consumer: _Reader) -> Iterator[Message]:
    """Return messages and events as they come."""
    deadline = host().monotonic() + _SECONDS
    while host().monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None:
            yield message
    raise AssertionError("nothing more came")


def read_to_end(consumer: _Reader) -> list[tuple[str, int]]:
    """Return values and offsets up to the first end of the partition."""
    found: list[tuple[str, int]] = []
    for message in events(consumer):
        error = message.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF, error
            break
        found.append(((message.value() or b"").decode(), message.offset() or 0))
    consumer.close()
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = host().monotonic() + _SECONDS
    while not condition():
        assert host().monotonic() < deadline, "it did not come"
        host().sleep(0.05)


__all__ = ["Cluster", "Job", "SimulatedCluster", "Store", "events", "read_to_end", "wait_until"]
