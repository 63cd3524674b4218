"""Readers of the output that know nothing of the engine: one during the run, one after it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec

from tests.chaos.verdict import Place

_QUIET: Final = {"log_level": 2}


def _consumer(bootstrap_servers: str, places: Sequence[Place], isolation_level: str) -> Consumer:
    consumer = Consumer(
        {
            **_QUIET,
            "bootstrap.servers": bootstrap_servers,
            "group.id": "chaos-reader",
            "enable.auto.commit": False,
            "isolation.level": isolation_level,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
        }
    )
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in places])
    return consumer


def _place(message: Message) -> Place:
    return message.topic() or "", message.partition() or 0


def _record(message: Message) -> tuple[int, str]:
    return message.offset() or 0, (message.value() or b"").decode()


class ReaderDuringTheRun:
    """Reads committed records as they become visible, from a thread of its own."""

    def __init__(self, bootstrap_servers: str, places: Sequence[Place]) -> None:
        self.seen: dict[Place, list[tuple[int, str]]] = {place: [] for place in places}
        self._consumer = _consumer(bootstrap_servers, places, "read_committed")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self._thread.start()

    def count(self) -> int:
        """Records seen so far."""
        return sum(map(len, self.seen.values()))

    def close(self) -> None:
        """Stop reading."""
        self._stopping.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stopping.is_set():
            for message in self._consumer.consume(1000, timeout=0.1):
                if message.error() is None:
                    self.seen[_place(message)].append(_record(message))
        self._consumer.close()


def read_all(
    bootstrap_servers: str, places: Sequence[Place], isolation_level: str = "read_committed"
) -> dict[Place, list[tuple[int, str]]]:
    """Everything that a new reader sees, from the beginning to the present end."""
    seen: dict[Place, list[tuple[int, str]]] = {place: [] for place in places}
    consumer = _consumer(bootstrap_servers, places, isolation_level)
    unfinished = set(places)
    try:
        while unfinished:
            for message in consumer.consume(10_000, timeout=0.1):
                error = message.error()
                if error is None:
                    seen[_place(message)].append(_record(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    unfinished.discard(_place(message))
    finally:
        consumer.close()
    return seen


def open_transactions(bootstrap_servers: str, places: Sequence[Place]) -> list[Place]:
    """O3: places whose last stable offset lies before their end, so that committed readers are held up."""
    client = AdminClient({**_QUIET, "bootstrap.servers": bootstrap_servers})
    ends = [_ends(client, places, level) for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)]
    return [place for place in places if ends[0][place] != ends[1][place]]


def _ends(client: AdminClient, places: Sequence[Place], level: IsolationLevel) -> dict[Place, int]:
    wanted = {TopicPartition(*place): OffsetSpec.latest() for place in places}
    tasks = client.list_offsets(wanted, isolation_level=level, request_timeout=10)
    return {(partition.topic, partition.partition): _end(task) for partition, task in tasks.items()}


def _end(task: Future[ListOffsetsResultInfo]) -> int:
    try:
        return task.result().offset
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return 0  # a progress topic that no job has got as far as to make
        raise
