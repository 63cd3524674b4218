"""A broker that clients reach through a proxy only, and exactly-once sinks behind it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from tests.integration.kafka_store import UID, Job, Store, committed, sink_to
from wiesel.broker import LocalBroker
from wiesel.broker.admin import Admin
from wiesel.connectors.kafka.naming import progress_topic, transactional_id
from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
from wiesel.testing.kafka_proxy import KafkaProxy

_numbers = itertools.count(1)


class Network:
    """One broker, one proxy."""

    def __init__(self, directory: Path, **of_broker: str) -> None:
        self.proxy = KafkaProxy()
        properties = {
            "advertised.listeners": f"PLAINTEXT://{self.proxy.bootstrap_servers}",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
            "log.retention.ms": "-1",
            **{key.replace("_", "."): value for key, value in of_broker.items()},
        }
        self.broker = LocalBroker.start(directory, properties=properties)
        self.proxy.upstream_port = self.broker.port

    def close(self) -> None:
        self.proxy.close()
        self.broker.stop(delete=True)


class Line:
    """An output topic at the other end of the network, and whoever publishes to it."""

    def __init__(self, network: Network, path: Path) -> None:
        self.proxy = network.proxy
        self.servers = network.proxy.bootstrap_servers
        # Neither name is part of the other one: the proxy knows requests by them.
        self.topic, self.prefix = f"output-{next(_numbers)}", f"story-{next(_numbers)}"
        self.progress = progress_topic(self.prefix)
        self.tid = transactional_id(self.prefix, UID, 0)
        self._path = path
        Admin(self.servers).create_topic(self.topic)

    def store(self, name: str = "job") -> Store:
        return Store(self._path / name)

    def sink(self, timeout_ms: int = 60_000, **properties: str) -> KafkaSinkSpec:
        """A sink with so much time for each transaction."""
        return sink_to(self.servers, self.topic, self.prefix, transaction_timeout_ms=str(timeout_ms), **properties)

    def output(self) -> list[str]:
        return committed(self.servers, self.topic)

    def has_open_transaction(self) -> bool:
        """Whether readers of committed records are held up before the end of the output or of the progress topic."""
        partitions = [TopicPartition(topic, 0) for topic in (self.topic, self.progress)]
        ends = []
        for level in ("read_committed", "read_uncommitted"):
            consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "test", "isolation.level": level})
            ends.append([consumer.get_watermark_offsets(partition, timeout=60)[1] for partition in partitions])
            consumer.close()
        return ends[0] != ends[1]


class Side(threading.Thread):
    """Something that happens at the same time; its error is kept."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self.error = error

    def await_at(self, gate: Gate) -> None:
        """Wait until it has come to the gate."""
        until = time.monotonic() + 90
        while not gate.reached(0.1):
            assert time.monotonic() < until, "nobody came to the gate"
            assert self.is_alive(), f"ended before it came to the gate: {self.error!r}"

    def end(self) -> Exception | None:
        """Wait for its end, and return its error."""
        self.join(90)
        assert not self.is_alive(), "it hangs"
        return self.error


class Gate:
    """Holds a request up until it is opened."""

    def __init__(self) -> None:
        self._reached, self._opened = threading.Event(), threading.Event()

    def pass_through(self) -> None:
        """For ``Rule(first=...)``."""
        self._reached.set()
        self._opened.wait(90)

    def reached(self, seconds: float) -> bool:
        """Whether somebody comes within the time, or has come."""
        return self._reached.wait(seconds)

    def open(self) -> None:
        self._opened.set()


def close(jobs: Iterable[Job]) -> None:
    """End jobs in whatever state they are."""
    for job in jobs:
        with suppress(Exception):
            job.close()
