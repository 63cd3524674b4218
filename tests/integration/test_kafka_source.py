"""The Kafka source on a real broker, driven by its contracts."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from tests.integration.kafka_store import await_markers, open_transaction
from wiesel.broker.admin import Admin
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.connectors.kafka import client
from wiesel.connectors.kafka.errors import OffsetOutOfRangeError, TopicChangedError
from wiesel.connectors.kafka.source_spec import KafkaSourceSpec
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Json, SourceBatch, SourceContext, SourceReader, SourceSplit, SplitEnumerator
from wiesel.core.errors import ConnectionFailedError, MissingTopicError, RecordError
from wiesel.core.serialization import ByteArraySchema, SimpleStringSchema
from wiesel.datastream.connectors.kafka import (
    KafkaOffsetResetStrategy,
    KafkaOffsetsInitializer,
    KafkaSource,
    KafkaSourceBuilder,
    KafkaTopicPartition,
)

pytestmark = pytest.mark.integration

DEADLINE_SECONDS = 60.0
earliest, latest = KafkaOffsetsInitializer.earliest, KafkaOffsetsInitializer.latest


class SourceJob:
    """A source with one reader that owns every partition."""

    def __init__(self, builder: KafkaSourceBuilder, state: Json = None, splits: Sequence[SourceSplit] = ()) -> None:
        spec = builder.build().spec
        assert isinstance(spec, KafkaSourceSpec)
        self.rung = threading.Event()
        self.enumerator: SplitEnumerator = spec.create_enumerator(self._context(-1), state)
        self.reader: SourceReader = spec.create_reader(self._context(0))
        self.reader.add_splits(splits)
        if spec.bounded:
            self.discover()
            self.reader.no_more_splits()

    def _context(self, subtask: int) -> SourceContext:
        return SourceContext("source", "Source", subtask, 1, Configuration(), self.rung.set)

    def discover(self) -> list[str]:
        new = self.enumerator.on_discovered(self.enumerator.discover())
        self.reader.add_splits(new)
        return [split.split_id for split in new]

    def read(self, count: int, at_most: int | None = None) -> list[str]:
        """Read at least so many records."""
        values: list[str] = []
        self._until(lambda: len(values) >= count, values, at_most)
        return values

    def read_all(self) -> list[str]:
        """Read until the source has ended."""
        values: list[str] = []
        self._until(self.reader.is_finished, values)
        return values

    def _until(self, done: Callable[[], bool], values: list[str], at_most: int | None = None) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not done():
            assert time.monotonic() < deadline, f"only {len(values)} records: {values[:20]}"
            batch = self.reader.poll(100 if at_most is None else at_most - len(values))
            if batch is not None:
                values += batch.values
            elif not done():
                self.rung.wait(0.5)
                self.rung.clear()

    def nothing_comes(self, seconds: float = 0.7) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.reader.poll(100) is not None:
                return False
            time.sleep(0.02)
        return True


@pytest.fixture
def job() -> Iterator[Callable[..., SourceJob]]:
    jobs: list[SourceJob] = []

    def start(builder: KafkaSourceBuilder, state: Json = None, splits: Sequence[SourceSplit] = ()) -> SourceJob:
        jobs.append(SourceJob(builder, state, splits))
        return jobs[-1]

    yield start
    for one in jobs:
        one.reader.close()


def source(kafka: LocalBroker, *topics: str) -> KafkaSourceBuilder:
    builder = KafkaSource.builder().set_bootstrap_servers(kafka.bootstrap_servers)
    return builder.set_topics(*topics).set_value_only_deserializer(SimpleStringSchema())


def produce(
    kafka: LocalBroker,
    topic: str,
    *values: str | bytes | None,
    partition: int = 0,
    timestamp: int | None = None,
    keys: Sequence[str] = (),
) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for value, key in zip_longest(values, keys):
        producer.produce(topic, value, key, partition=partition, timestamp=timestamp or int(time.time() * 1000))
    assert producer.flush(60) == 0


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


StartJob = Callable[..., SourceJob]


def test_a_bounded_source_reads_all_partitions_up_to_the_end_it_saw(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("bounded", partitions=3)
    produce(kafka, name, *numbers(1, 500), partition=0)
    produce(kafka, name, *numbers(501, 600), partition=2)  # partition 1 stays empty
    reading = job(source(kafka, name).set_bounded(latest()))
    produce(kafka, name, "too late", partition=0)
    assert sorted(map(int, reading.read_all())) == list(range(1, 601))
    assert reading.reader.snapshot() == []


def test_records_of_a_partition_come_in_order_with_timestamp_and_place(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("places")
    produce(kafka, name, "a", "b", timestamp=1_700_000_000_000)
    reading = job(source(kafka, name))
    reading.discover()
    batches: list[SourceBatch] = []
    while len(batches) < 2:
        batch = reading.reader.poll(1)
        if batch is not None:
            batches.append(batch)
    assert [batch.values for batch in batches] == [["a"], ["b"]]
    assert batches[1].timestamps == [1_700_000_000_000]
    assert batches[1].split_id == f"{name}-0"
    assert batches[1].locate is not None
    assert batches[1].locate(0) == f"{name}-0 offset 1"


def test_a_restored_reader_goes_on_behind_the_last_record_of_its_checkpoint(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("restored", partitions=2)
    produce(kafka, name, *numbers(1, 300), partition=0)
    produce(kafka, name, *numbers(301, 600), partition=1)
    first = job(source(kafka, name))
    first.discover()
    before = first.read(250)
    state, splits = first.enumerator.snapshot(), first.reader.snapshot()
    second = job(source(kafka, name), state, splits)
    assert second.discover() == []
    after = second.read(600 - len(before))
    assert sorted(map(int, before + after)) == list(range(1, 601))


@pytest.mark.parametrize("isolation", ["read_committed", "read_uncommitted"])
def test_a_bounded_source_ends_past_control_records_and_aborted_transactions(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob, isolation: str
) -> None:
    name = topic("control-records")
    servers = kafka.bootstrap_servers
    open_transaction(servers, f"{name}-1", name, "committed").commit_transaction(60)
    open_transaction(servers, f"{name}-2", name, "aborted").abort_transaction(60)
    await_markers(servers, name)
    reading = job(source(kafka, name).set_bounded(latest()).set_property("isolation.level", isolation))
    expected = ["committed"] if isolation == "read_committed" else ["committed", "aborted"]
    assert reading.read_all() == expected


def test_a_read_committed_source_ends_before_a_transaction_that_was_open_when_it_began(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("open-transaction")
    produce(kafka, name, "settled")
    still_open = open_transaction(kafka.bootstrap_servers, name, name, "open")
    reading = job(source(kafka, name).set_bounded(latest()).set_property("isolation.level", "read_committed"))
    assert reading.read_all() == ["settled"]
    still_open.abort_transaction(60)


def test_a_source_may_start_behind_the_newest_record_and_at_a_timestamp(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("starts")
    produce(kafka, name, "old", timestamp=1_000)
    produce(kafka, name, "new", timestamp=2_000)
    newest = job(source(kafka, name).set_starting_offsets(latest()))
    newest.discover()
    assert newest.nothing_comes()
    by_time = job(source(kafka, name).set_starting_offsets(KafkaOffsetsInitializer.timestamp(1_500)))
    by_time.discover()
    assert by_time.read(1) == ["new"]
    beyond = job(source(kafka, name).set_starting_offsets(KafkaOffsetsInitializer.timestamp(3_000)))
    beyond.discover()
    produce(kafka, name, "newer", timestamp=2_500)
    assert beyond.read(1) == ["newer"]
    assert newest.read(1) == ["newer"]


def test_latest_means_the_end_that_the_first_discovery_saw_after_a_restart_too(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("latest")
    produce(kafka, name, "before")
    builder = source(kafka, name).set_starting_offsets(latest())
    first = job(builder)
    first.discover()
    state, splits = first.enumerator.snapshot(), first.reader.snapshot()
    produce(kafka, name, "while down")
    assert job(builder, state, splits).read(1) == ["while down"]


def test_a_source_may_start_at_given_offsets(kafka: LocalBroker, topic: TopicFactory, job: StartJob) -> None:
    name = topic("given", partitions=2)
    produce(kafka, name, "a", "b", "c", partition=0)
    produce(kafka, name, "d", partition=1)
    offsets = KafkaOffsetsInitializer.offsets({KafkaTopicPartition(name, 0): 2}, KafkaOffsetResetStrategy.EARLIEST)
    reading = job(source(kafka, name).set_starting_offsets(offsets).set_bounded(latest()))
    assert sorted(reading.read_all()) == ["c", "d"]


def test_a_source_may_start_at_committed_offsets_and_else_by_its_strategy(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("committed", partitions=2)
    produce(kafka, name, "a", "b", partition=0)
    produce(kafka, name, "c", partition=1)
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": f"group-{name}"})
    consumer.commit(offsets=[TopicPartition(name, 0, 1)], asynchronous=False)
    consumer.close()
    with_earliest = KafkaOffsetsInitializer.committed_offsets(KafkaOffsetResetStrategy.EARLIEST)
    builder = source(kafka, name).set_group_id(f"group-{name}").set_bounded(latest())
    assert sorted(job(builder.set_starting_offsets(with_earliest)).read_all()) == ["b", "c"]
    with pytest.raises(OffsetOutOfRangeError, match="no committed offset"):
        job(builder.set_starting_offsets(KafkaOffsetsInitializer.committed_offsets()))


def test_offsets_are_committed_when_a_checkpoint_completes_and_only_with_a_group(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("commits")
    produce(kafka, name, *numbers(1, 10))
    reading = job(source(kafka, name).set_group_id(f"group-{name}"))
    reading.discover()
    reading.read(10)
    reading.reader.notify_checkpoint_complete(reading.reader.snapshot())
    deadline = time.monotonic() + DEADLINE_SECONDS
    while reading.reader.metrics()["KafkaSourceReader.commitsSucceeded"] < 1:
        assert time.monotonic() < deadline
        reading.nothing_comes(0.1)
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": f"group-{name}"})
    assert consumer.committed([TopicPartition(name, 0)], timeout=60)[0].offset == 10
    consumer.close()
    assert reading.reader.metrics()[f"KafkaSourceReader.topic.{name}.partition.0.committedOffset"] == 10


def test_new_partitions_are_found_and_read_from_their_beginning(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("growing")
    produce(kafka, name, "old")
    reading = job(source(kafka, name).set_starting_offsets(latest()))
    reading.discover()
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.create_partitions([NewPartitions(name, 3)])[name].result()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(admin.list_topics(name, timeout=60).topics[name].partitions) < 3:
        assert time.monotonic() < deadline
    produce(kafka, name, "first of the new one", partition=2)
    found: list[str] = []
    while len(found) < 2:
        assert time.monotonic() < deadline
        found += reading.discover()
    assert found == [f"{name}-1", f"{name}-2"]
    assert reading.read(1) == ["first of the new one"]


def test_a_pattern_finds_topics_that_are_created_later(kafka: LocalBroker, topic: TopicFactory, job: StartJob) -> None:
    first = topic("pattern-a")
    builder = KafkaSource.builder().set_bootstrap_servers(kafka.bootstrap_servers)
    builder.set_topic_pattern("pattern-.*").set_value_only_deserializer(SimpleStringSchema())
    reading = job(builder)
    assert reading.discover() == [f"{first}-0"]
    second = topic("pattern-b")
    topic("other-pattern-c")
    produce(kafka, second, "b")
    assert reading.discover() == [f"{second}-0"]
    assert reading.read(1) == ["b"]


def test_a_topic_created_anew_is_noticed(kafka: LocalBroker, topic: TopicFactory, job: StartJob) -> None:
    name = topic("recreated")
    reading = job(source(kafka, name))
    reading.discover()
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.delete_topics([name])[name].result()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while name in admin.list_topics(timeout=60).topics:
        assert time.monotonic() < deadline
    from confluent_kafka.admin import NewTopic

    admin.create_topics([NewTopic(name, 1, 1)])[name].result()
    with pytest.raises(TopicChangedError, match="created anew"):
        while time.monotonic() < deadline:
            try:
                reading.discover()
            except MissingTopicError:
                continue


def test_records_that_are_gone_stop_the_source_with_the_size_of_the_gap(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("gone")
    produce(kafka, name, *numbers(1, 10))
    first = job(source(kafka, name))
    first.discover()
    splits, state = first.reader.snapshot(), first.enumerator.snapshot()
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    partition = TopicPartition(name, 0, 7)
    admin.delete_records([partition])[partition].result()
    with pytest.raises(OffsetOutOfRangeError, match="7 records before offset 7 are gone"):
        job(source(kafka, name), state, splits).read(1)
    opted_in = source(kafka, name).set_property("auto.offset.reset", "earliest")
    assert job(opted_in, state, splits).read(3) == ["8", "9", "10"]


def test_a_paused_partition_is_silent_and_loses_and_repeats_nothing(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("paused", partitions=2)
    produce(kafka, name, *numbers(1, 2000), partition=0)
    produce(kafka, name, *numbers(2001, 2100), partition=1)
    reading = job(source(kafka, name))
    reading.discover()
    values: list[str] = []
    while not any(int(value) <= 2000 for value in values):
        values += reading.read(1)
    reading.reader.pause([f"{name}-0"])
    missing = 100 - len([value for value in values if int(value) > 2000])
    while_paused = reading.read(missing) if missing else []
    assert all(int(value) > 2000 for value in while_paused)
    assert reading.nothing_comes()
    reading.reader.pause([])
    after = reading.read(2100 - len(values) - len(while_paused))
    everything = values + while_paused + after
    assert sorted(map(int, everything)) == list(range(1, 2101))
    of_paused = [int(value) for value in everything if int(value) <= 2000]
    assert of_paused == sorted(of_paused)


def test_a_record_that_cannot_be_decoded_is_named_by_topic_partition_and_offset(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("undecodable")
    produce(kafka, name, "fine", None)
    reading = job(source(kafka, name))
    reading.discover()
    with pytest.raises(RecordError, match=rf"{name}-0 offset 1 cannot be decoded by SimpleStringSchema.*null"):
        reading.read(2)


def test_null_values_are_skipped_where_the_schema_says_so(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    name = topic("tombstones")
    produce(kafka, name, "a", None, "b")
    builder = source(kafka, name).set_value_only_deserializer(ByteArraySchema()).set_bounded(latest())
    assert list(map(str, job(builder).read_all())) == ["b'a'", "b'b'"]


def test_lag_and_offsets_are_metrics(kafka: LocalBroker, topic: TopicFactory, job: StartJob) -> None:
    name = topic("metrics")
    produce(kafka, name, *numbers(1, 100))
    reading = job(source(kafka, name))
    reading.discover()
    assert len(reading.read(40, at_most=40)) == 40
    metrics = reading.reader.metrics()
    assert metrics[f"KafkaSourceReader.topic.{name}.partition.0.currentOffset"] == 39
    assert metrics["pendingRecords"] == metrics["records-lag-max"] == 60


def test_an_idle_reader_is_woken_by_a_record(kafka: LocalBroker, topic: TopicFactory, job: StartJob) -> None:
    name = topic("idle")
    reading = job(source(kafka, name))
    reading.discover()
    assert reading.nothing_comes()
    reading.rung.clear()
    produce(kafka, name, "hello")
    assert reading.rung.wait(DEADLINE_SECONDS)
    assert reading.read(1) == ["hello"]


def test_a_missing_topic_is_named_with_the_command_that_creates_it(kafka: LocalBroker) -> None:
    spec = source(kafka, "no-such-topic").build().spec
    with pytest.raises(MissingTopicError, match="wiesel kafka topics create no-such-topic"):
        spec.preflight(Configuration())


def test_a_broker_that_does_not_answer_is_named_within_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.CONNECT_TIMEOUT_SECONDS < 9  # and at most a second for the question that is under way then
    monkeypatch.setattr(client, "CONNECT_TIMEOUT_SECONDS", 1.0)
    builder = KafkaSource.builder().set_bootstrap_servers("127.0.0.1:1").set_topics("t")
    spec = builder.set_value_only_deserializer(SimpleStringSchema()).build().spec
    began = time.monotonic()
    with pytest.raises(ConnectionFailedError, match=r"bootstrap.servers=127.0.0.1:1 .*wiesel kafka up"):
        spec.preflight(Configuration())
    assert time.monotonic() - began < 10


def test_a_broker_that_dies_and_comes_back_costs_the_source_time_and_no_record(
    tmp_path_factory: pytest.TempPathFactory, job: StartJob
) -> None:
    home = tmp_path_factory.mktemp("bounced")
    broker = LocalBroker.start(home)
    try:
        Admin(broker.bootstrap_servers).create_topic("in", 2)
        produce(broker, "in", *numbers(1, 100))
        reading = job(source(broker, "in").set_group_id("g"))
        reading.discover()
        before = reading.read(100)
        broker.kill()
        assert reading.nothing_comes(2.0)
        reading.reader.notify_checkpoint_complete(reading.reader.snapshot())  # a commit that cannot succeed now
        broker = LocalBroker.start(home, port=broker.port)
        produce(broker, "in", *numbers(101, 200), partition=1)
        assert before + reading.read(100) == numbers(1, 200)
    finally:
        broker.stop(delete=True)


def test_a_source_closes_though_its_last_commit_of_offsets_gets_no_answer(
    tmp_path: Path, job: StartJob, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wiesel.connectors.kafka.owned_consumer._CLOSE_SECONDS", 2.0)
    broker = LocalBroker.start(tmp_path / "silent")
    try:
        Admin(broker.bootstrap_servers).create_topic("in", 2)
        produce(broker, "in", *numbers(1, 10))
        reading = job(source(broker, "in").set_group_id("g"))
        reading.discover()
        reading.read(5, at_most=5)
        reading.reader.notify_checkpoint_complete(reading.reader.snapshot())
        reading.read(5)
        while reading.reader.metrics()["KafkaSourceReader.commitsSucceeded"] < 1:
            assert reading.reader.poll(100) is None
        os.kill(broker.pid, signal.SIGSTOP)
        reading.reader.notify_checkpoint_complete(reading.reader.snapshot())
        began = time.monotonic()
        reading.reader.close()
        assert time.monotonic() - began < 50, "the client itself waits a minute for an answer, and tries again then"
        assert "no broker has answered the last commit of offsets" in caplog.text
    finally:
        broker.kill()
        broker.stop(delete=True)
