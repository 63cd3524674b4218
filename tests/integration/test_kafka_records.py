"""Whole Kafka records through jobs on a real broker: read, written, refused, and what becomes of bad ones."""

import ctypes
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
from confluent_kafka import KafkaException, Message, Producer

from tests.integration.kafka_store import committed_messages
from tests.support.jobs import Job
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.connectors.kafka.decoding import whole
from wiesel.connectors.kafka.partitions import Partition
from wiesel.core.configuration import Configuration
from wiesel.core.errors import JobExecutionError
from wiesel.core.serialization import ByteArraySchema, DeserializationSchema, SerializationSchema, SimpleStringSchema
from wiesel.core.watermarks import WatermarkStrategy
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import (
    BadRecordPolicy,
    ConsumerRecord,
    FlinkKafkaPartitioner,
    KafkaOffsetsInitializer,
    KafkaRecordDeserializationSchema,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSinkContext,
    KafkaSource,
    KafkaSourceBuilder,
    ProducerRecord,
    RoundRobinPartitioner,
    TimestampType,
    key_hash_partition,
)

pytestmark = pytest.mark.integration

MEGABYTE = 1 << 20
Headers = list[tuple[str, bytes | None]]
#: Key, value, headers, timestamp and partition of a record.
Written = tuple[bytes | None, bytes | None, Headers, int, int]


def produce(kafka: LocalBroker, topic: str, *records: Written, **properties: Any) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "message.max.bytes": 100_000_000, **properties})
    headers: Any
    for key, value, headers, timestamp, partition in records:
        producer.produce(topic, value, key, partition, None, None, timestamp, headers)
    assert producer.flush(60) == 0


def value_only(value: bytes | None) -> Written:
    return None, value, [], 0, 0


def messages(kafka: LocalBroker, topic: str, partitions: int = 1) -> list[Message]:
    """All committed records, by partition and offset."""
    return committed_messages(kafka.bootstrap_servers, topic, range(partitions))


def headers_of(message: Message) -> Headers:
    headers: Any = message.headers()
    return headers or []


def text(message: Message) -> str:
    return (message.value() or b"").decode()


def source(kafka: LocalBroker, topic: str) -> KafkaSourceBuilder:
    builder = KafkaSource.builder().set_bootstrap_servers(kafka.bootstrap_servers).set_topics(topic)
    return builder.set_group_id(f"group-of-{topic}").set_bounded(KafkaOffsetsInitializer.latest())


def sink(
    kafka: LocalBroker,
    serializer: KafkaRecordSerializationSchema,
    prefix: str,
    guarantee: DeliveryGuarantee = DeliveryGuarantee.EXACTLY_ONCE,
    **properties: str,
) -> KafkaSink:
    builder = KafkaSink.builder().set_bootstrap_servers(kafka.bootstrap_servers).set_record_serializer(serializer)
    if guarantee is DeliveryGuarantee.EXACTLY_ONCE:
        builder.set_transactional_id_prefix(prefix)
    for key, value in properties.items():
        builder.set_property(key.replace("_", "."), value)
    return builder.set_delivery_guarantee(guarantee).build()


def run(path: Path, build: Callable[[StreamExecutionEnvironment], Any], **settings: str) -> None:
    Job(path, build, settings={"restart-strategy.type": "none", **settings}).run()


class Whole(KafkaRecordDeserializationSchema):
    def deserialize(self, record: ConsumerRecord) -> ConsumerRecord:
        return record


class Copy(KafkaRecordSerializationSchema):
    """Writes a record that was read to the same place of another topic."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self._topic = topic

    def serialize(  # type: ignore[override]  # PyFlink's base class is one of plain schemas
        self, element: ConsumerRecord, context: KafkaSinkContext, timestamp: int | None
    ) -> ProducerRecord:
        assert timestamp == (element.timestamp if element.timestamp > 0 else None)
        return ProducerRecord(self._topic, element.value, element.key, element.headers, timestamp, element.partition)


@pytest.mark.parametrize("guarantee", [DeliveryGuarantee.EXACTLY_ONCE, DeliveryGuarantee.AT_LEAST_ONCE])
def test_a_job_copies_key_value_headers_timestamp_and_partition_as_they_are(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path, guarantee: DeliveryGuarantee
) -> None:
    read, written = topic("whole", partitions=3), topic("copy", partitions=3)
    records: list[Written] = [
        (b"key", b"value", [("a", b"1"), ("a", b"2"), ("null", None), ("", b""), ("gr\u00fc\u00df", b"\xff")], 1, 2),
        (None, b"", [], 1_700_000_000_000, 0),
        (b"", None, [(f"h{i}", str(i).encode()) for i in range(10_000)], 1_700_000_000_001, 0),
        (b"\xff\xfe", b"\x00" * 10, [], 1_700_000_000_002, 1),
    ]
    produce(kafka, read, *records)

    def build(env: StreamExecutionEnvironment) -> None:
        stream = env.from_source(
            source(kafka, read).set_deserializer(Whole()).build(), WatermarkStrategy.no_watermarks(), "whole"
        )
        stream.sink_to(sink(kafka, Copy(written), written, guarantee))

    run(tmp_path, build)
    found = [(m.key(), m.value(), headers_of(m), m.timestamp()[1], m.partition()) for m in messages(kafka, written, 3)]
    assert found == sorted(records, key=lambda record: record[4])


def test_a_record_knows_its_place_and_who_set_its_timestamp(kafka: LocalBroker, topic: TopicFactory) -> None:
    created = topic("created")
    appended = topic("appended", properties={"message.timestamp.type": "LogAppendTime"})
    for name in (created, appended):
        produce(kafka, name, (b"k", b"v", [], 1_600_000_000_000, 0), (b"k", b"w", [("h", b"x")], 1_600_000_000_000, 0))
    _, second = (whole(Partition(created, 0), message) for message in messages(kafka, created))
    assert second == ConsumerRecord(
        created, 0, 1, 1_600_000_000_000, TimestampType.CREATE_TIME, b"k", b"w", [("h", b"x")], 0
    )
    _, other = (whole(Partition(appended, 0), message) for message in messages(kafka, appended))
    assert other.timestamp_type is TimestampType.LOG_APPEND_TIME
    assert other.timestamp > 1_700_000_000_000


class TenantHash(FlinkKafkaPartitioner):
    def partition(
        self, record: Any, key: bytes | None, value: bytes | None, target_topic: str, partitions: Sequence[int]
    ) -> int:
        return key_hash_partition(record.split(":")[0].encode(), len(partitions))


@pytest.mark.parametrize("guarantee", [DeliveryGuarantee.EXACTLY_ONCE, DeliveryGuarantee.AT_LEAST_ONCE])
def test_the_builder_gives_records_headers_and_a_partitioner_of_the_user_s(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path, guarantee: DeliveryGuarantee
) -> None:
    written = topic("tenants", partitions=5)
    values = [f"tenant-{i % 7}:{i}" for i in range(50)]
    serializer = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(written)
        .set_key_serialization_schema(SimpleStringSchema())
        .set_value_serialization_schema(SimpleStringSchema())
        .set_header_provider(lambda value: [("tenant", value.split(":")[0].encode())])
        .set_partitioner(TenantHash())
        .build()
    )
    run(tmp_path, lambda env: env.from_collection(values).sink_to(sink(kafka, serializer, written, guarantee)))
    found = messages(kafka, written, 5)
    assert sorted(text(m) for m in found) == sorted(values)
    for message in found:
        tenant = text(message).split(":")[0].encode()
        assert headers_of(message) == [("tenant", tenant)]
        assert message.partition() == key_hash_partition(tenant, 5)


def test_round_robin_gives_every_partition_its_turn_whatever_the_key(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    written = topic("turns", partitions=4)
    serializer = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(written)
        .set_key_serialization_schema(SimpleStringSchema())
        .set_value_serialization_schema(SimpleStringSchema())
        .set_partitioner(RoundRobinPartitioner())
        .build()
    )
    run(tmp_path, lambda env: env.from_collection(["same"] * 40).sink_to(sink(kafka, serializer, written)))
    assert [m.partition() for m in messages(kafka, written, 4)] == [0] * 10 + [1] * 10 + [2] * 10 + [3] * 10


# ------------------------------------------------------------------------------------------------- bad records


class StrictJson(DeserializationSchema):
    """What Python's own parser takes: bad UTF-8, null and deep nesting raise."""

    def deserialize(self, data: bytes | None) -> Any:
        if data is None:
            raise ValueError("no value")
        return json.dumps(json.loads(data.decode()))


GOOD = [f'{{"n": {n}}}' for n in range(300)]
BAD: list[Written] = [
    (b"key of a tombstone", None, [], 0, 0),
    (None, b"\xc3\x28 is no UTF-8", [], 0, 0),
    (b"deep", b"[" * 10_000 + b"]" * 10_000, [], 0, 0),
    (b"avro", b"Obj\x01\x04\x14avro.codec", [("format", b"avro"), ("none", None)], 0, 0),
    (b"headers", b"{", [(f"h{i % 100}", bytes([i % 256])) for i in range(10_000)], 0, 0),
    (b"", b"", [], 0, 0),
    (b"before 1970", b"{", [], -5, 0),
]
PLACES = (3, 50, 51, 120, 200, 305, 306)


def produce_good_and_bad(kafka: LocalBroker, topic: str) -> None:
    records = [value_only(value.encode()) for value in GOOD]
    for place, bad in zip(PLACES, BAD, strict=True):
        records.insert(place, bad)
    produce(kafka, topic, *records)


def job_with(
    kafka: LocalBroker, read: str, written: str, policy: BadRecordPolicy | None, function: Any = None
) -> Callable[[StreamExecutionEnvironment], Any]:
    builder = source(kafka, read).set_value_only_deserializer(StrictJson())
    if policy is not None:
        builder.set_bad_record_policy(policy)
    serializer = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(written)
        .set_value_serialization_schema(SimpleStringSchema())
        .build()
    )

    def build(env: StreamExecutionEnvironment) -> None:
        stream = env.from_source(builder.build(), WatermarkStrategy.no_watermarks(), "orders")
        stream = stream.map(function) if function is not None else stream
        stream.sink_to(sink(kafka, serializer, written))

    return build


def values(found: Sequence[Message]) -> list[str]:
    return [text(message) for message in found]


def test_a_bad_record_fails_the_job_unless_told_otherwise_and_is_named(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    read, written = topic("bad"), topic("out")
    produce_good_and_bad(kafka, read)
    with pytest.raises(JobExecutionError, match=f"{read}-0 offset 3 cannot be decoded by StrictJson.*no value"):
        run(tmp_path, job_with(kafka, read, written, None))
    assert messages(kafka, written) == []


def test_bad_records_are_skipped_and_counted(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    read, written = topic("bad"), topic("out")
    produce_good_and_bad(kafka, read)
    run(tmp_path, job_with(kafka, read, written, BadRecordPolicy.skip()))
    assert values(messages(kafka, written)) == GOOD
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("bad record")]
    assert [text.partition(" cannot be decoded")[0] for text in said] == [
        f"bad record number {i + 1} of this subtask, skipped: {read}-0 offset {PLACES[i]}" for i in (0, 1, 3)
    ]


def test_dead_letters_are_the_records_as_they_were_with_place_and_error_in_headers(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    read, written, dead = topic("bad"), topic("out"), topic("dead")
    produce_good_and_bad(kafka, read)
    run(tmp_path, job_with(kafka, read, written, BadRecordPolicy.dead_letter(dead)))
    assert values(messages(kafka, written)) == GOOD
    letters = messages(kafka, dead)
    assert [(m.key(), m.value()) for m in letters] == [(key, value) for key, value, *_ in BAD]
    for letter, place, (_, _, own, timestamp, _) in zip(letters, PLACES, BAD, strict=True):
        headers = headers_of(letter)
        assert headers[: len(own)] == own
        facts = dict(headers[len(own) :])
        assert facts["__connect.errors.topic"] == read.encode()
        assert facts["__connect.errors.partition"] == b"0"
        assert facts["__connect.errors.offset"] == str(place).encode()
        assert facts["__connect.errors.connector.name"] == b"Source: orders"
        assert (facts["__wiesel.errors.timestamp"] == b"-5") == (timestamp == -5)
        assert letter.timestamp()[1] > 1_700_000_000_000
    errors = [dict(headers_of(m))["__connect.errors.exception.class.name"] for m in letters]
    assert errors[:3] == [b"ValueError", b"UnicodeDecodeError", b"RecursionError"]
    assert dict(headers_of(letters[0]))["__connect.errors.exception.message"] == b"no value"


def test_dead_letters_are_there_once_after_a_failure(kafka: LocalBroker, topic: TopicFactory, tmp_path: Path) -> None:
    read, written, dead = topic("bad"), topic("out"), topic("dead")
    produce_good_and_bad(kafka, read)
    died = tmp_path / "died"

    def dies_once(value: str) -> str:
        if value == GOOD[250] and not died.exists():
            died.touch()
            raise RuntimeError("died")
        return value

    Job(tmp_path, job_with(kafka, read, written, BadRecordPolicy.dead_letter(dead), dies_once)).run()
    assert died.exists()
    assert values(messages(kafka, written)) == GOOD
    assert [m.value() for m in messages(kafka, dead)] == [value for _, value, *_ in BAD]


def test_the_policy_may_come_from_the_configuration(kafka: LocalBroker, topic: TopicFactory, tmp_path: Path) -> None:
    read, written, dead = topic("bad"), topic("out"), topic("dead")
    produce_good_and_bad(kafka, read)
    build = job_with(kafka, read, written, None)

    def configured(env: StreamExecutionEnvironment) -> None:
        configuration = Configuration()
        configuration.set_string("wiesel.kafka.bad-records", "dead-letter")
        configuration.set_string("wiesel.kafka.dead-letter-topic", dead)
        env.configure(configuration)
        build(env)

    run(tmp_path, configured)
    assert values(messages(kafka, written)) == GOOD
    assert len(messages(kafka, dead)) == len(BAD)


def produce_with_header_name(kafka: LocalBroker, topic: str, name: bytes) -> None:
    """By the C library itself: Python's client takes names that are text only."""
    library = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    rdkafka = ctypes.CDLL(str(next(library.glob("librdkafka*"))))
    for function in (rdkafka.rd_kafka_conf_new, rdkafka.rd_kafka_new, rdkafka.rd_kafka_headers_new):
        function.restype = ctypes.c_void_p
    error = ctypes.create_string_buffer(512)
    configuration = ctypes.c_void_p(rdkafka.rd_kafka_conf_new())
    rdkafka.rd_kafka_conf_set(configuration, b"bootstrap.servers", kafka.bootstrap_servers.encode(), error, 512)
    producer = ctypes.c_void_p(rdkafka.rd_kafka_new(0, configuration, error, 512))
    headers = ctypes.c_void_p(rdkafka.rd_kafka_headers_new(1))
    rdkafka.rd_kafka_header_add(headers, name, ctypes.c_ssize_t(len(name)), b"x", ctypes.c_ssize_t(1))
    # Topic (1), value (4), copied (7, 2), headers (10), end (0).
    arguments = (1, ctypes.c_char_p(topic.encode()), 4, ctypes.c_char_p(b"v"), ctypes.c_size_t(1), 7, 2, 10, headers, 0)
    assert rdkafka.rd_kafka_producev(producer, *arguments) == 0
    assert rdkafka.rd_kafka_flush(producer, 60_000) == 0
    rdkafka.rd_kafka_destroy(producer)


def test_a_header_whose_name_is_no_utf8_makes_a_whole_record_bad_and_no_other(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    read, written, dead = topic("names"), topic("out"), topic("dead")
    # Enough of them that the interpreter has specialized the call that reads headers: it then no longer checks it.
    warm = [str(i).encode() for i in range(100)]
    records: list[Written] = [(None, value, [("h", b"x")], 0, 0) for value in warm]
    produce(kafka, read, *records)
    produce_with_header_name(kafka, read, b"\xff\xfe")
    produce(kafka, read, value_only(b"behind"))

    def build(builder: KafkaSourceBuilder, sink_of: KafkaSink) -> Callable[[StreamExecutionEnvironment], Any]:
        builder.set_bad_record_policy(BadRecordPolicy.dead_letter(dead))
        strategy = WatermarkStrategy.no_watermarks()
        return lambda env: env.from_source(builder.build(), strategy, "names").sink_to(sink_of)

    run(tmp_path, build(source(kafka, read).set_deserializer(Whole()), sink(kafka, Copy(written), written)))
    assert [m.value() for m in messages(kafka, written)] == [*warm, b"behind"]
    (letter,) = messages(kafka, dead)
    assert letter.value() == b"v"
    assert dict(headers_of(letter))["__wiesel.errors.headers"] == b"a header's name is no UTF-8"
    (tmp_path / "values").mkdir()
    run(tmp_path / "values", raw_copy(kafka, read, written))
    assert [m.value() for m in messages(kafka, written)][101:] == [*warm, b"v", b"behind"]


# ----------------------------------------------------------------------------------------- sizes and what is refused


def raw_copy(kafka: LocalBroker, read: str, written: str, **properties: str) -> Callable[..., None]:
    serializer = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(written)
        .set_value_serialization_schema(ByteArraySchema())
        .build()
    )

    def build(env: StreamExecutionEnvironment) -> None:
        stream = env.from_source(
            source(kafka, read).set_value_only_deserializer(ByteArraySchema()).build(),
            WatermarkStrategy.no_watermarks(),
            "raw",
        )
        stream.sink_to(sink(kafka, serializer, written, DeliveryGuarantee.EXACTLY_ONCE, **properties))

    return build


def test_a_record_of_fifty_megabytes_goes_through_where_topic_and_sink_allow_it(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    large = {"max.message.bytes": str(60 * MEGABYTE)}
    read, written = topic("large", properties=large), topic("large-out", properties=large)
    record = bytes(range(256)) * (50 * 4096)
    produce(kafka, read, value_only(b"before"), value_only(record), value_only(b"behind"))
    # librdkafka's name for the limit; Java's is the other test's.
    run(tmp_path, raw_copy(kafka, read, written, message_max_bytes=str(60 * MEGABYTE)))
    assert [m.value() for m in messages(kafka, written)] == [b"before", record, b"behind"]


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_record_around_a_megabyte_is_published_or_refused_before_it_is_decided(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path, more: int
) -> None:
    # The largest that admission takes by default, one less, and one more.
    size = MEGABYTE - 160 + more
    read, written = topic("million", properties={"max.message.bytes": str(2 * MEGABYTE)}), topic("million-out")
    produce(kafka, read, value_only(b"small"), value_only(b"x" * size))
    if more <= 0:
        run(tmp_path, raw_copy(kafka, read, written))
        assert [len(m.value() or b"") for m in messages(kafka, written)] == [5, size]
        return
    with pytest.raises(JobExecutionError, match=f"{size} bytes is larger than topic"):
        run(tmp_path, raw_copy(kafka, read, written))
    # Nothing of it was decided: with a larger limit on both sides the same job goes on and loses nothing.
    (tmp_path / "again").mkdir()
    wide = topic("million-wide", properties={"max.message.bytes": str(2 * MEGABYTE)})
    run(tmp_path / "again", raw_copy(kafka, read, wide, max_request_size=str(2 * MEGABYTE)))
    assert [len(m.value() or b"") for m in messages(kafka, wide)] == [5, size]


def test_a_record_without_key_for_a_compacted_topic_is_refused_before_it_is_decided(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    read, compacted = topic("keyless"), topic("compacted", properties={"cleanup.policy": "compact"})
    produce(kafka, read, value_only(b"v"))
    with pytest.raises(KafkaException, match="failed to validate record"):
        strict = Producer({"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": compacted})
        strict.init_transactions(60)
        strict.begin_transaction()
        strict.produce(compacted, b"v")
        strict.commit_transaction(60)
    with pytest.raises(JobExecutionError, match=r"is compacted .* takes no records without a key"):
        run(tmp_path, raw_copy(kafka, read, compacted))


class Text(SerializationSchema):
    """A schema that forgets to encode."""

    def serialize(self, value: Any) -> Any:
        return value


def test_a_schema_of_the_user_s_that_gives_text_is_refused_before_the_log_holds_it(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    written = topic("text")
    serializer = KafkaRecordSerializationSchema.builder().set_topic(written).set_value_serialization_schema(Text())
    with pytest.raises(JobExecutionError, match=r"Text\.serialize must give bytes or None, got str"):
        run(tmp_path, lambda env: env.from_collection(["a"]).sink_to(sink(kafka, serializer.build(), written)))
