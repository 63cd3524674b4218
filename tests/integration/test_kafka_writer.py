"""The Kafka sink without transactions on a real broker."""

import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core.clock import SystemClock
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import CountsBytes, JobFacts, SinkContext, SinkWriter
from wiesel.core.errors import ConnectionFailedError, MissingTopicError, RecordError
from wiesel.core.serialization import SimpleStringSchema
from wiesel.datastream.connectors import DeliveryGuarantee, Sink
from wiesel.datastream.connectors.kafka import (
    FlinkKafkaProducer,
    KafkaRecordSerializationSchema,
    KafkaRecordSerializationSchemaBuilder,
    KafkaSink,
    KafkaTopicSelector,
)

pytestmark = pytest.mark.integration

Write = Callable[..., SinkWriter]


@pytest.fixture
def writer(kafka: LocalBroker) -> Iterator[Write]:
    writers: list[SinkWriter] = []

    def create(sink: Sink, subtask: int = 0) -> SinkWriter:
        failures: list[BaseException] = []
        context = SinkContext(
            "sink", "Sink", subtask, 2, "L.1", 0, None, Configuration(), SystemClock(), failures.append
        )
        writers.append(sink.spec.create_writer(context, []))
        return writers[-1]

    yield create
    for one in writers:
        one.close()


def serializer(topic: str) -> KafkaRecordSerializationSchemaBuilder:
    builder = KafkaRecordSerializationSchema.builder().set_topic(topic)
    return builder.set_value_serialization_schema(SimpleStringSchema())


def sink(kafka: LocalBroker, builder: KafkaRecordSerializationSchemaBuilder, **properties: str) -> KafkaSink:
    result = KafkaSink.builder().set_bootstrap_servers(kafka.bootstrap_servers)
    result.set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE).set_record_serializer(builder.build())
    for key, value in properties.items():
        result.set_property(key.replace("_", "."), value)
    return result.build()


def records(kafka: LocalBroker, topic: str, count: int, partitions: int = 1) -> list[Message]:
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "test"})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    found: list[Message] = []
    deadline = time.monotonic() + 60
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {len(found)} of {count}"
        found += consumer.consume(count, 0.2)
    consumer.close()
    return found


def test_what_is_flushed_is_in_the_topic_with_its_event_time(
    kafka: LocalBroker, topic: TopicFactory, writer: Write
) -> None:
    name = topic("flushed")
    writing = writer(sink(kafka, serializer(name)))
    for i in range(1000):
        writing.write(f"value {i}", 1_700_000_000_000 + i)
    writing.flush()
    found = records(kafka, name, 1000)
    assert [message.value() for message in found] == [f"value {i}".encode() for i in range(1000)]
    assert [message.timestamp()[1] for message in found] == [1_700_000_000_000 + i for i in range(1000)]
    assert writing.records_written() == 1000


def test_equal_keys_go_where_javas_default_partitioner_sends_them(
    kafka: LocalBroker, topic: TopicFactory, writer: Write
) -> None:
    name = topic("keys", partitions=10)
    writing = writer(sink(kafka, serializer(name).set_key_serialization_schema(SimpleStringSchema())))
    # murmur2 of the key, as Java's client computes it, modulo 10.
    expected = {key: (murmur2(key.encode()) & 0x7FFFFFFF) % 10 for key in ("a", "foobar", "wiesel", "Grüße", "")}
    for key in expected:
        writing.write(key, 1_000)
    writing.flush()
    found = records(kafka, name, len(expected), partitions=10)
    assert {message.key().decode(): message.partition() for message in found} == expected  # type: ignore[union-attr]


def murmur2(data: bytes) -> int:
    """The hash of Kafka's Java client, written down from its published test vectors' definition."""
    mask, factor = 0xFFFFFFFF, 0x5BD1E995
    value = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        part = int.from_bytes(data[start : start + 4], "little") * factor & mask
        value = (value * factor & mask) ^ ((part ^ part >> 24) * factor & mask)
    if len(data) > whole:
        value = (value ^ int.from_bytes(data[whole:], "little")) * factor & mask
    value = (value ^ value >> 13) * factor & mask
    return value ^ value >> 15


class ByFirstWord(KafkaTopicSelector):
    def apply(self, data: str) -> str:
        return data.split(maxsplit=1)[0]


def test_a_topic_selector_chooses_the_topic_of_each_record(
    kafka: LocalBroker, topic: TopicFactory, writer: Write
) -> None:
    one, two = topic("one"), topic("two")
    builder = KafkaRecordSerializationSchema.builder().set_topic_selector(ByFirstWord())
    writing = writer(sink(kafka, builder.set_value_serialization_schema(SimpleStringSchema())))
    for value in (f"{one} a", f"{two} b", f"{one} c"):
        writing.write(value, 1_000)
    writing.flush()
    assert [message.value() for message in records(kafka, one, 2)] == [f"{one} a".encode(), f"{one} c".encode()]
    assert [message.value() for message in records(kafka, two, 1)] == [f"{two} b".encode()]


def test_a_full_queue_is_back_pressure_and_no_error(kafka: LocalBroker, topic: TopicFactory, writer: Write) -> None:
    name = topic("full")
    small = {"queue_buffering_max_messages": "100", "linger_ms": "50"}
    writing = writer(sink(kafka, serializer(name), **small))
    for i in range(2_000):
        writing.write(str(i), 1_000)
    writing.flush()
    assert len(records(kafka, name, 2_000)) == 2_000


def test_a_record_that_is_too_large_is_refused_with_the_settings_to_change(
    kafka: LocalBroker, topic: TopicFactory, writer: Write
) -> None:
    writing = writer(sink(kafka, serializer(topic("large"))))
    with pytest.raises(RecordError, match=r"max\.request\.size"):
        writing.write("x" * 2_000_000, 1_000)


def test_a_value_that_cannot_be_serialized_is_named(kafka: LocalBroker, topic: TopicFactory, writer: Write) -> None:
    writing = writer(sink(kafka, serializer(topic("unserializable"))))
    with pytest.raises(RecordError, match=r"cannot serialize 42: .*takes str"):
        writing.write(42, 1_000)


def test_a_delivery_that_fails_later_fails_the_flush(kafka: LocalBroker, topic: TopicFactory, writer: Write) -> None:
    name = topic("refused", properties={"max.message.bytes": "1000"})
    writing = writer(sink(kafka, serializer(name)))
    writing.write("x" * 5_000, 1_000)
    with pytest.raises(RecordError, match=r"max\.message\.bytes"):
        writing.flush()


def test_the_legacy_producer_writes_each_subtask_to_one_partition(
    kafka: LocalBroker, topic: TopicFactory, writer: Write
) -> None:
    name = topic("legacy", partitions=2)
    properties = {"bootstrap.servers": kafka.bootstrap_servers}
    for subtask in range(2):
        writing = writer(FlinkKafkaProducer(name, SimpleStringSchema(), properties), subtask)
        for _ in range(5):
            writing.write(f"from {subtask}", 1_000)
        writing.flush()
    found = records(kafka, name, 10, partitions=2)
    assert {(message.partition(), message.value()) for message in found} == {(0, b"from 0"), (1, b"from 1")}
    assert all(abs(message.timestamp()[1] / 1000 - time.time()) < 600 for message in found), "no event time by default"


def test_preflight_names_a_missing_topic_and_a_broker_that_does_not_answer(kafka: LocalBroker) -> None:
    facts = JobFacts(checkpointing_enabled=True, checkpoint_interval_ms=1000, bounded=False)
    with pytest.raises(MissingTopicError, match="wiesel kafka topics create nowhere"):
        sink(kafka, serializer("nowhere")).spec.preflight(Configuration(), facts)
    lost = KafkaSink.builder().set_bootstrap_servers("127.0.0.1:1").set_record_serializer(serializer("t").build())
    with pytest.raises(ConnectionFailedError, match="wiesel kafka up"):
        lost.build().spec.preflight(Configuration(), facts)


def test_the_bytes_that_went_out_are_known_from_the_clients_own_statistics(
    kafka: LocalBroker, topic: TopicFactory, writer: Write
) -> None:
    writing = writer(sink(kafka, serializer(topic("bytes")), statistics_interval_ms="50"))
    assert isinstance(writing, CountsBytes)
    for _ in range(1000):
        writing.write("x" * 100, 0)
    writing.flush()
    deadline = time.monotonic() + 60
    while writing.bytes_written() < 100_000:
        assert time.monotonic() < deadline, writing.bytes_written()
        assert writing.is_available()
        time.sleep(0.01)
    assert writing.bytes_written() < 150_000
