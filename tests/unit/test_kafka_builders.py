"""The builders of sources and sinks: what they make, and what they refuse with which words."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from wiesel.connectors.kafka.enumerator import PartitionSet, TopicList, TopicPattern
from wiesel.connectors.kafka.offsets import AtTimestamp, Committed, Earliest, Latest, OffsetResetStrategy
from wiesel.connectors.kafka.partitions import Partition
from wiesel.connectors.kafka.preflight import examine_guarantee, settle
from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
from wiesel.connectors.kafka.source_spec import KafkaSourceSpec
from wiesel.core.contracts import JobFacts
from wiesel.core.errors import ConfigurationError
from wiesel.core.serialization import SimpleStringSchema
from wiesel.core.types import Types
from wiesel.datastream.connectors import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import (
    FlinkKafkaConsumer,
    FlinkKafkaProducer,
    KafkaOffsetResetStrategy,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSinkBuilder,
    KafkaSource,
    KafkaSourceBuilder,
    KafkaTopicPartition,
    KafkaTopicSelector,
    Semantic,
)

PROPERTIES = {"bootstrap.servers": "b:1", "group.id": "g"}


def source() -> KafkaSourceBuilder:
    builder = KafkaSource.builder().set_bootstrap_servers("b:1").set_topics("t")
    return builder.set_value_only_deserializer(SimpleStringSchema())


def source_spec(builder: KafkaSourceBuilder) -> KafkaSourceSpec:
    spec = builder.build().spec
    assert isinstance(spec, KafkaSourceSpec)
    return spec


class Selector(KafkaTopicSelector):
    def apply(self, data: Any) -> str:
        return f"topic-{data}"


def record_serializer() -> KafkaRecordSerializationSchema:
    builder = KafkaRecordSerializationSchema.builder().set_topic("out")
    return builder.set_value_serialization_schema(SimpleStringSchema()).build()


def sink() -> KafkaSinkBuilder:
    return KafkaSink.builder().set_bootstrap_servers("b:1").set_record_serializer(record_serializer())


def sink_spec(builder: KafkaSinkBuilder) -> KafkaSinkSpec:
    spec = builder.build().spec
    assert isinstance(spec, KafkaSinkSpec)
    return spec


def test_a_source_reads_from_the_oldest_record_and_never_ends_unless_told_otherwise() -> None:
    spec = source_spec(source())
    assert (spec.subscription, spec.start, spec.stop, spec.bounded) == (TopicList(("t",)), Earliest(), None, False)
    assert source().build().produced_type() == Types.STRING()


def test_a_source_is_data_that_can_be_pickled() -> None:
    spec = source_spec(source())
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_bounded_and_unbounded_stops_differ_in_what_the_job_is() -> None:
    latest = KafkaOffsetsInitializer.latest()
    assert (source_spec(source().set_bounded(latest)).bounded, source_spec(source().set_bounded(latest)).stop) == (
        True,
        Latest(),
    )
    assert (source_spec(source().set_unbounded(latest)).bounded, source_spec(source().set_unbounded(latest)).stop) == (
        False,
        Latest(),
    )


def test_a_source_reads_topics_or_a_pattern_or_partitions() -> None:
    builder = KafkaSource.builder().set_bootstrap_servers("b:1").set_value_only_deserializer(SimpleStringSchema())
    assert source_spec(builder.set_topic_pattern("a.*")).subscription == TopicPattern("a.*")
    with pytest.raises(ConfigurationError, match="one of them was set already"):
        builder.set_topics("t")
    other = KafkaSource.builder().set_bootstrap_servers("b:1").set_value_only_deserializer(SimpleStringSchema())
    other.set_partitions({KafkaTopicPartition("t", 1), KafkaTopicPartition("t", 0)})
    assert source_spec(other).subscription == PartitionSet((Partition("t", 0), Partition("t", 1)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: KafkaSource.builder().set_topics("t").build(), "set_bootstrap_servers"),
        (lambda: KafkaSource.builder().set_bootstrap_servers("b:1").build(), "set_topics"),
        (lambda: KafkaSource.builder().set_bootstrap_servers("b:1").set_topics("t").build(), "deserializer"),
        (lambda: KafkaSource.builder().set_topic_pattern("("), "no regular expression"),
        (lambda: source().set_starting_offsets(KafkaOffsetsInitializer.committed_offsets()).build(), "set_group_id"),
        (lambda: source().set_property("commit.offsets.on.checkpoint", "true").build(), "set_group_id"),
        (lambda: KafkaSink.builder().build(), "set_bootstrap_servers"),
        (lambda: KafkaSink.builder().set_bootstrap_servers("b:1").build(), "set_record_serializer"),
        (lambda: sink().set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE).build(), "set_transactional_id_prefix"),
        (lambda: sink().set_transactional_id_prefix("x" * 300), "1 to 200 bytes"),
        (lambda: KafkaRecordSerializationSchema.builder().build(), "set_topic"),
        (lambda: KafkaRecordSerializationSchema.builder().set_topic("t").build(), "set_value_serialization_schema"),
        (
            lambda: KafkaRecordSerializationSchema.builder().set_topic("t").set_topic_selector(Selector()),
            "exclude each other",
        ),
        (lambda: FlinkKafkaConsumer("t", SimpleStringSchema(), {}), r"bootstrap\.servers"),
    ],
)
def test_what_is_missing_is_named_with_the_call_that_sets_it(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: source().set_property("max.poll.records", 5), "write '5'"),  # type: ignore[arg-type]
        (lambda: source().set_starting_offsets("earliest"), "KafkaOffsetsInitializer"),  # type: ignore[arg-type]
        (lambda: source().set_value_only_deserializer(str), "DeserializationSchema"),  # type: ignore[arg-type]
        (lambda: sink().set_delivery_guarantee("EXACTLY_ONCE"), "DeliveryGuarantee"),  # type: ignore[arg-type]
        (lambda: sink().set_record_serializer(SimpleStringSchema()), "KafkaRecordSerializationSchema"),  # type: ignore[arg-type]
        (lambda: KafkaOffsetsInitializer.offsets({"t-0": 1}), "KafkaTopicPartition"),  # type: ignore[dict-item]
    ],
)
def test_a_wrong_type_is_named_at_the_call(call: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


def test_discovery_is_every_five_minutes_and_off_where_it_makes_no_sense() -> None:
    def interval(builder: KafkaSourceBuilder) -> int | None:
        return source_spec(builder)._discovery_interval_ms()

    assert interval(source()) == 300_000
    assert interval(source().set_property("partition.discovery.interval.ms", "0")) is None
    assert interval(source().set_bounded(KafkaOffsetsInitializer.latest())) is None
    with pytest.raises(ConfigurationError, match="no number of milliseconds"):
        interval(source().set_property("partition.discovery.interval.ms", "5 min"))


def test_offsets_are_committed_only_with_a_group() -> None:
    assert not source_spec(source()).commits_offsets
    assert source_spec(source().set_group_id("g")).commits_offsets
    off = source().set_group_id("g").set_property("commit.offsets.on.checkpoint", "false")
    assert not source_spec(off).commits_offsets


def test_topic_key_and_value_of_a_record_come_from_selector_and_schemas() -> None:
    builder = KafkaRecordSerializationSchema.builder().set_topic_selector(Selector())
    builder.set_key_serialization_schema(SimpleStringSchema()).set_value_serialization_schema(SimpleStringSchema())
    assert builder.build().spec.bind()("x") == ("topic-x", b"x", b"x")
    assert builder.build().spec.bind_value() is None, "there is more to its records than a value"
    assert record_serializer().spec.bind()("x") == ("out", None, b"x")
    topic, encode = record_serializer().spec.bind_value() or ("", None)
    assert encode is not None and (topic, encode("x")) == ("out", b"x")


def test_a_sink_promises_nothing_unless_told_otherwise() -> None:
    spec = sink_spec(sink())
    assert (spec.guarantee, spec.transactional, spec.identity) == (DeliveryGuarantee.NONE, False, None)
    exactly_once = sink().set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE).set_transactional_id_prefix("p")
    assert (sink_spec(exactly_once).transactional, sink_spec(exactly_once).identity) == (True, "p")


def facts(sinks: dict[str, KafkaSinkSpec], *, checkpointing: bool = True, bounded: bool = False) -> JobFacts:
    return JobFacts(checkpointing, 1000 if checkpointing else -1, bounded, sinks)


def exactly_once(prefix: str) -> KafkaSinkSpec:
    builder = sink().set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
    return sink_spec(builder.set_transactional_id_prefix(prefix))


def test_two_sinks_with_one_prefix_are_refused() -> None:
    one, two = exactly_once("p"), exactly_once("p")
    with pytest.raises(ConfigurationError, match="Give each its own"):
        settle(examine_guarantee(one, facts({"a": one, "b": two})))
    settle(examine_guarantee(one, facts({"a": one, "b": exactly_once("q")})))


def test_exactly_once_needs_checkpoints_unless_the_job_ends() -> None:
    one = exactly_once("p")
    with pytest.raises(ConfigurationError, match=r"env\.enable_checkpointing"):
        settle(examine_guarantee(one, facts({"a": one}, checkpointing=False)))
    settle(examine_guarantee(one, facts({"a": one}, checkpointing=False, bounded=True)))


def test_a_prefix_without_exactly_once_warns(caplog: pytest.LogCaptureFixture) -> None:
    one = sink_spec(sink().set_transactional_id_prefix("p"))
    settle(examine_guarantee(one, facts({"a": one})))
    assert "has no effect" in caplog.text


def test_the_old_consumer_starts_at_the_groups_offsets_and_else_as_its_property_says() -> None:
    consumer = FlinkKafkaConsumer(["a", "b"], SimpleStringSchema(), PROPERTIES)
    assert consumer.spec.start == Committed(OffsetResetStrategy.LATEST)
    assert consumer.spec.subscription == TopicList(("a", "b"))
    assert consumer.set_start_from_timestamp(5).spec.start == AtTimestamp(5)
    assert consumer.set_start_from_earliest().spec.start == Earliest()
    assert consumer.get_produced_type() == Types.STRING()
    by_property = FlinkKafkaConsumer("a", SimpleStringSchema(), {**PROPERTIES, "auto.offset.reset": "earliest"})
    assert by_property.spec.start == Committed(KafkaOffsetResetStrategy.EARLIEST)
    assert not consumer.set_commit_offsets_on_checkpoints(False).spec.commits_offsets


def test_the_old_producer_is_at_least_once_without_event_time_by_default() -> None:
    producer = FlinkKafkaProducer("t", SimpleStringSchema(), PROPERTIES)
    spec = producer.spec
    assert (spec.guarantee, spec.writes_timestamps) == (DeliveryGuarantee.AT_LEAST_ONCE, False)
    producer.set_write_timestamp_to_kafka(True)
    producer.set_flush_on_checkpoint(False)
    assert (producer.spec.guarantee, producer.spec.writes_timestamps) == (DeliveryGuarantee.NONE, True)
    once = FlinkKafkaProducer("t", SimpleStringSchema(), PROPERTIES, semantic=Semantic.EXACTLY_ONCE)
    assert once.spec.identity == "wiesel-t"
    named = {**PROPERTIES, "transactional.id.prefix": "mine"}
    once = FlinkKafkaProducer("t", SimpleStringSchema(), named, semantic=Semantic.EXACTLY_ONCE)
    assert once.spec.identity == "mine"
    assert "transactional.id.prefix" not in once.spec.properties
