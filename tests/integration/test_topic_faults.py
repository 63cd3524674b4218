"""Topics and groups that change under a running job (rows F27, F28, F33, F35 of the fault matrix)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from tests.integration.kafka_store import Job, Store, committed, sink_to
from tests.integration.network import Side, close
from tests.integration.test_kafka_source import SourceJob, numbers, produce, source
from wiesel.broker.admin import Admin
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core.errors import MissingTopicError
from wiesel.datastream.connectors.kafka import KafkaOffsetsInitializer

pytestmark = pytest.mark.integration


@pytest.fixture
def jobs() -> Iterator[list[Job]]:
    jobs: list[Job] = []
    yield jobs
    close(jobs)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_deleted_output_topic_is_named_and_what_was_decided_comes_when_it_is_back(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path, jobs: list[Job]
) -> None:
    """F27, output. The log keeps what is decided; what was in the old topic went with it."""
    output, admin, store = topic("deleted"), Admin(kafka.bootstrap_servers), Store(tmp_path)
    sink = sink_to(kafka.bootstrap_servers, output, f"prefix-{output}")
    jobs.append(store.start(sink))
    jobs[0].checkpoint("gone with its topic")
    admin.delete_topics([output])
    jobs[0].write("decided")
    jobs[0].decide()
    publishing = Side(jobs[0].publish)
    publishing.join(110)
    error = publishing.end()
    assert isinstance(error, MissingTopicError)
    assert output in str(error)
    jobs[0].close()
    admin.create_topic(output)
    jobs.append(store.start(sink))
    assert committed(kafka.bootstrap_servers, output) == ["decided"]


def test_partitions_that_are_added_to_the_output_are_used_and_nothing_is_lost_or_repeated(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path, jobs: list[Job]
) -> None:
    """F28, output."""
    output = topic("grows")
    jobs.append(Store(tmp_path).start(sink_to(kafka.bootstrap_servers, output, f"prefix-{output}")))
    jobs[0].checkpoint("before")
    Admin(kafka.bootstrap_servers).alter_topic(output, {}, partitions=3)
    values = [str(number) for number in range(100)]
    for at in range(0, 100, 20):
        jobs[0].checkpoint(*values[at : at + 20])
    assert sorted(committed(kafka.bootstrap_servers, output, (0, 1, 2))) == sorted(["before", *values])


def test_aborted_transactions_that_are_long_compressed_or_empty_hide_nothing_and_end(
    kafka: LocalBroker, topic: TopicFactory
) -> None:
    """F35, and librdkafka's #2993, #3369: one record that counts among thousands that do not, at each place."""
    name = topic("aborted")
    writer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": name, "compression.type": "zstd"}
    )
    writer.init_transactions(60)
    for value, aborted in (("first", 20_000), ("second", 0), ("third", 1)):
        writer.begin_transaction()
        writer.produce(name, value)
        writer.commit_transaction(60)
        writer.begin_transaction()
        for _ in range(aborted):
            writer.produce(name, "aborted")
            writer.poll(0)
        assert writer.flush(60) == 0
        writer.abort_transaction(60)
    bounded = source(kafka, name).set_bounded(KafkaOffsetsInitializer.latest())
    reading = SourceJob(bounded.set_property("isolation.level", "read_committed"))
    assert reading.read_all() == ["first", "second", "third"]
    reading.reader.close()


def commits(reading: SourceJob) -> float:
    """How many offset commits were answered."""
    metrics = reading.reader.metrics()
    return metrics["KafkaSourceReader.commitsSucceeded"] + metrics["KafkaSourceReader.commitsFailed"]


def test_foreign_members_of_the_group_take_nothing_from_a_source(kafka: LocalBroker, topic: TopicFactory) -> None:
    """F33. A source takes its partitions without asking the group; only its offset commits are refused, and counted."""
    name = topic("shared")
    group = f"group-{name}"
    reading = SourceJob(source(kafka, name).set_group_id(group))
    reading.discover()
    values: list[str] = []
    for member in range(5):
        foreign = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": group})
        foreign.subscribe([name])
        deadline = time.monotonic() + 60
        while not foreign.assignment():
            assert time.monotonic() < deadline
            foreign.poll(0.05)
        produce(kafka, name, *numbers(1 + 10 * member, 10 + 10 * member))
        values += reading.read(10)
        reading.reader.notify_checkpoint_complete(reading.reader.snapshot())
        assert reading.nothing_comes(0.2)
        while commits(reading) <= member:  # it is answered while the foreign member is there
            assert time.monotonic() < deadline
            assert reading.nothing_comes(0.1)
        foreign.close()
    assert values == numbers(1, 50)
    assert reading.reader.metrics()["KafkaSourceReader.commitsFailed"] > 0
    reading.reader.close()
