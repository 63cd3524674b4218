"""Records, topics and pauses that are odd and legal: none is lost, nothing hangs, and what must stop says why."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.job_process import CountJob, Workplace, counted, stop, wait_until
from tests.integration.kafka_store import await_markers
from tests.integration.test_kafka_records import Headers, Written, headers_of, messages, run, sink, text, value_only
from tests.integration.test_kafka_records import produce as produce_records
from tests.integration.test_kafka_records import source as bounded_source
from tests.integration.test_kafka_source import StartJob, job, latest, numbers, produce
from wiesel.broker.admin import Admin
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.common import Types, WatermarkStrategy
from wiesel.connectors.kafka.naming import progress_topic
from wiesel.core import exit_codes
from wiesel.core.errors import MissingTopicError
from wiesel.core.serialization import SimpleStringSchema
from wiesel.datastream import ProcessFunction, StreamExecutionEnvironment
from wiesel.datastream.connectors import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import (
    KafkaOffsetResetStrategy,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSource,
)

__all__ = ["job"]

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class WithTime(ProcessFunction):
    def process_element(self, value: str, ctx: ProcessFunction.Context) -> Iterator[str]:
        yield f"{value} {ctx.timestamp()}"


@pytest.mark.parametrize("guarantee", [DeliveryGuarantee.EXACTLY_ONCE, DeliveryGuarantee.AT_LEAST_ONCE])
def test_records_from_before_1970_keep_their_time_in_the_job_and_get_the_time_of_writing_behind_it(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path, guarantee: DeliveryGuarantee
) -> None:
    read, written = topic("before-1970"), topic("out")
    times = (-5, 1_700_000_000_000, -86_400_000)
    produce_records(kafka, read, *((None, b"v", [], timestamp, 0) for timestamp in times))
    schema = KafkaRecordSerializationSchema.builder().set_topic(written)
    serializer = schema.set_value_serialization_schema(SimpleStringSchema()).build()

    def build(env: StreamExecutionEnvironment) -> None:
        source = bounded_source(kafka, read).set_value_only_deserializer(SimpleStringSchema()).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "old")
        stream.process(WithTime(), output_type=Types.STRING()).sink_to(sink(kafka, serializer, written, guarantee))

    run(tmp_path, build)
    found = messages(kafka, written)
    assert [text(message) for message in found] == [f"v {timestamp}" for timestamp in times]
    now = time.time() * 1000
    assert [now - message.timestamp()[1] < 600_000 for message in found] == [True, False, True]


def test_a_source_that_is_held_up_for_longer_than_a_member_of_a_group_may_be_reads_on(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob
) -> None:
    """Back-pressure: nobody polls. A member of a group would be thrown out for that; a source is none."""
    name = topic("held-up")
    produce(kafka, name, *numbers(1, 100))
    builder = KafkaSource.builder().set_bootstrap_servers(kafka.bootstrap_servers).set_topics(name)
    builder.set_value_only_deserializer(SimpleStringSchema()).set_group_id(f"group-{name}")
    builder.set_property("max.poll.interval.ms", "1000").set_property("session.timeout.ms", "1000")
    builder.set_property("queued.min.messages", "1").set_property("queued.max.messages.kbytes", "1")
    reading = job(builder)
    reading.discover()
    values = reading.read(1)
    time.sleep(3)
    produce(kafka, name, *numbers(101, 200))
    values += reading.read(200 - len(values))
    assert values == numbers(1, 200)


@pytest.mark.parametrize("by_pattern", [True, False])
def test_a_topic_that_is_deleted_while_it_is_read_is_named(
    kafka: LocalBroker, topic: TopicFactory, job: StartJob, caplog: pytest.LogCaptureFixture, by_pattern: bool
) -> None:
    """A topic that was asked for by its name ends the job; of a pattern it is reported, and others are read on."""
    prefix = topic("vanishing")
    kept, deleted = topic(f"{prefix}-kept"), topic(f"{prefix}-deleted")
    builder = KafkaSource.builder().set_bootstrap_servers(kafka.bootstrap_servers)
    builder = builder.set_topic_pattern(f"{prefix}-.*") if by_pattern else builder.set_topics(kept, deleted)
    reading = job(builder.set_value_only_deserializer(SimpleStringSchema()))
    assert len(reading.discover()) == 2
    produce(kafka, kept, "a")
    produce(kafka, deleted, "b")
    assert sorted(reading.read(2)) == ["a", "b"]
    Admin(kafka.bootstrap_servers).delete_topics([deleted])

    def is_reported() -> bool:
        assert reading.discover() == []
        return f"{deleted}-0 does not exist any more" in caplog.text

    # A broker may show a topic for a moment after its deletion.
    if not by_pattern:
        with pytest.raises(MissingTopicError, match=deleted):
            wait_until(is_reported)
        return
    wait_until(is_reported)
    produce(kafka, kept, "c")
    assert reading.read(1) == ["c"]


def test_the_first_question_of_a_new_cluster_may_be_for_the_offsets_of_a_group(tmp_path: Path, job: StartJob) -> None:
    """Its coordinator is only being made then: the admin client's question would take the process down."""
    with LocalBroker.start(tmp_path / "kafka") as new:
        Admin(new.bootstrap_servers).create_topic("in")
        produce(new, "in", "a")
        builder = KafkaSource.builder().set_bootstrap_servers(new.bootstrap_servers).set_topics("in")
        builder.set_value_only_deserializer(SimpleStringSchema()).set_group_id("g").set_bounded(latest())
        start = KafkaOffsetsInitializer.committed_offsets(KafkaOffsetResetStrategy.EARLIEST)
        assert job(builder.set_starting_offsets(start)).read_all() == ["a"]


def test_a_stop_leaves_no_transaction_open(kafka: LocalBroker, topic: TopicFactory, tmp_path: Path) -> None:
    """Nor does the start after a kill leave the one that it found."""
    one = CountJob(Workplace(tmp_path), kafka.bootstrap_servers, topic("input"), topic("output"))

    def assert_readers_of_committed_records_see_all() -> None:
        for name in (one.output, progress_topic(one.output)):
            await_markers(kafka.bootstrap_servers, name)

    one.produce("a", "b")
    with one.publishing("a", "b") as running:
        assert stop(running).code == exit_codes.TERMINATED, running.said
    assert_readers_of_committed_records_see_all()
    with one.publishing("a", "b", options=("--resume",)) as running:
        one.produce("a")
        running.process.kill()
    one.resume_and_publish("a", "b", "a")
    assert_readers_of_committed_records_see_all()
    assert one.published() == counted(["a", "b", "a"])


def test_ten_thousand_headers_go_through_a_job_that_looks_at_values_only(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    read, written = topic("many-headers"), topic("out")
    headers: Headers = [(f"h{number}", b"x" * 20) for number in range(10_000)]
    many: Written = (None, b"v", headers, 1_700_000_000_000, 0)
    produce_records(kafka, read, value_only(b"before"), many, value_only(b"behind"))
    schema = KafkaRecordSerializationSchema.builder().set_topic(written)
    serializer = schema.set_value_serialization_schema(SimpleStringSchema()).build()

    def build(env: StreamExecutionEnvironment) -> None:
        source = bounded_source(kafka, read).set_value_only_deserializer(SimpleStringSchema()).build()
        env.from_source(source, WatermarkStrategy.no_watermarks(), "headers").sink_to(sink(kafka, serializer, written))

    run(tmp_path, build)
    found = messages(kafka, written)
    assert [text(message) for message in found] == ["before", "v", "behind"]
    assert [headers_of(message) for message in found] == [[], [], []]
