"""Bounded reading of topics that were compacted meanwhile: an end is an offset, and no record need be there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from tests.integration.kafka_store import await_markers, end_offsets, open_transaction
from tests.integration.test_kafka_source import DEADLINE_SECONDS, StartJob, job, latest, produce, source
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker

__all__ = ["job"]

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def offsets_of(kafka: LocalBroker, topic: str) -> list[tuple[int, str]]:
    """Offsets and values of all records that the topic's only partition still has."""
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap_servers, "group.id": "test", "enable.partition.eof": True}
        | {"isolation.level": "read_uncommitted"}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    found = []
    while (message := consumer.poll(60)) is not None and message.error() is None:
        found.append((message.offset() or 0, (message.value() or b"").decode()))
    consumer.close()
    return found


@contextmanager
def quick_cleaner(servers: str) -> Iterator[None]:
    """Let the broker look for what to compact all the time, and not every 15 s."""
    admin = AdminClient({"bootstrap.servers": servers})

    def alter(operation: AlterConfigOpType) -> None:
        entry = ConfigEntry("log.cleaner.backoff.ms", "100", incremental_operation=operation)
        number = str(min(admin.list_topics(timeout=60).brokers))
        broker = ConfigResource(ConfigResource.Type.BROKER, number, incremental_configs=[entry])
        for future in admin.incremental_alter_configs([broker]).values():
            future.result()

    alter(AlterConfigOpType.SET)
    try:
        yield
    finally:
        alter(AlterConfigOpType.DELETE)


@pytest.mark.parametrize("last", ["plain", "committed", "aborted"])
def test_a_bounded_source_ends_though_the_record_before_its_end_was_compacted_away(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob, last: str
) -> None:
    name = topic(
        "compacted",
        properties={"cleanup.policy": "compact", "segment.ms": "10", "min.cleanable.dirty.ratio": "0.01"},
    )
    servers = kafka.bootstrap_servers
    produce(kafka, name, "a", "b", keys=("a", "b"))
    if last == "plain":
        produce(kafka, name, "old", keys=("key",))
    else:
        unfinished = open_transaction(servers, name, name, "old")  # its key is "key"
        (unfinished.commit_transaction if last == "committed" else unfinished.abort_transaction)(60)
    end = 3 if last == "plain" else 4
    await_markers(servers, name)
    assert end_offsets(servers, name) == [end]
    builder = source(kafka, name).set_bounded(latest())
    began = job(builder)
    state, splits = began.enumerator.snapshot(), began.reader.snapshot()
    assert splits[0].position["stop"] == end
    with quick_cleaner(servers):
        until = time.monotonic() + DEADLINE_SECONDS
        while any(end > offset >= 2 for offset, _ in offsets_of(kafka, name)):
            assert time.monotonic() < until, "Kafka compacted nothing"
            produce(kafka, name, "new", keys=("key",))  # each begins a segment, and only closed ones are compacted
            time.sleep(0.1)
    restored = job(builder, state, splits)
    assert restored.read_all() == ["a", "b"]
    assert restored.reader.snapshot() == []
