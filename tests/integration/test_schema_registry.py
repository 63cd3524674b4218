"""Jobs whose schemas lie in a registry, on a real broker and a real registry (Apicurio)."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tests.integration.test_kafka_records import messages
from tests.support.jobs import Job
from tests.support.registry import SchemaRegistry, running
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core.errors import ConnectionFailedError, JobExecutionError, TypeMismatchError
from wiesel.core.serialization import DeserializationSchema, SerializationSchema
from wiesel.core.watermarks import WatermarkStrategy
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors import DeliveryGuarantee
from wiesel.datastream.connectors.kafka import (
    BadRecordPolicy,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from wiesel.datastream.formats.registry import (
    AvroSchema,
    ConfluentRegistryAvroDeserializationSchema,
    ConfluentRegistryAvroSerializationSchema,
    ConfluentRegistryJsonDeserializationSchema,
    ConfluentRegistryJsonSerializationSchema,
    ConfluentRegistryProtobufDeserializationSchema,
    ConfluentRegistryProtobufSerializationSchema,
    IncompatibleSchemaError,
    MissingSubjectError,
    RecordNameStrategy,
    TopicNameStrategy,
    UnknownSchemaError,
)
from wiesel.formats.registry.client import RegisteredSchema, SchemaRegistryClient
from wiesel.formats.registry.connection import connection_of

pytestmark = pytest.mark.integration

_numbers = itertools.count(1)


def order(*fields: dict[str, Any], name: str = "Order") -> AvroSchema:
    all_fields = [{"name": "id", "type": "string"}, *fields]
    return AvroSchema.parse_string(
        json.dumps({"type": "record", "name": name, "namespace": "shop", "fields": all_fields})
    )


NOTE = {"name": "note", "type": "string", "default": "none"}
PAID = {"name": "paid", "type": "boolean"}


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchemaRegistry]:
    with running(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture
def subject() -> str:
    return f"subject-{next(_numbers)}"


def avro(subject: Any, schema: AvroSchema, registry: SchemaRegistry, **properties: str) -> SerializationSchema:
    given = {key.replace("_", "."): value for key, value in properties.items()}
    made = ConfluentRegistryAvroSerializationSchema.for_generic(subject, schema, registry.url, given)
    made.open()
    return made


def reading(schema: AvroSchema, registry: SchemaRegistry) -> DeserializationSchema:
    return ConfluentRegistryAvroDeserializationSchema.for_generic(schema, registry.url)


# ---------------------------------------------------------------------------------------------------------- jobs


def test_a_job_reads_avro_of_two_versions_and_writes_it_exactly_once_with_unknown_ids_as_dead_letters(
    registry: SchemaRegistry, kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    given, out, dead = topic("orders"), topic("out"), topic("dead")
    old = avro(TopicNameStrategy(given), order(), registry)
    new = avro(TopicNameStrategy(given), order(NOTE), registry)
    values = [
        old.serialize({"id": "a"}),
        b"\x00\x00\x0f\x42\x40beyond",  # an id that no registry of ours has
        b'{"id": "another format"}',
        new.serialize({"id": "b", "note": "new"}),
        None,
        (old.serialize({"id": "c"}) or b"") + b"\x00",  # a byte too many
    ]
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for value in values:
        producer.produce(given, value)
    assert producer.flush(20) == 0

    def build(env: StreamExecutionEnvironment) -> None:
        source = KafkaSource.builder().set_bootstrap_servers(kafka.bootstrap_servers).set_topics(given)
        source.set_group_id("readers").set_value_only_deserializer(reading(order(NOTE), registry))
        source.set_bounded(KafkaOffsetsInitializer.latest()).set_bad_record_policy(BadRecordPolicy.dead_letter(dead))
        records = (
            KafkaRecordSerializationSchema.builder()
            .set_topic(out)
            .set_value_serialization_schema(
                ConfluentRegistryAvroSerializationSchema.for_generic(
                    TopicNameStrategy(out), order(NOTE, name="Seen"), registry.url
                )
            )
        )
        sink = KafkaSink.builder().set_bootstrap_servers(kafka.bootstrap_servers).set_record_serializer(records.build())
        sink.set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE).set_transactional_id_prefix(out)
        stream = env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "orders")
        stream.map(lambda one: {**one, "id": one["id"].upper()}).sink_to(sink.build())

    Job(tmp_path, build).run()
    written = [message.value() or b"" for message in messages(kafka, out)]
    seen = reading(order(NOTE, name="Seen"), registry)
    assert [seen.deserialize(value) for value in written] == [{"id": "A", "note": "none"}, {"id": "B", "note": "new"}]
    letters = messages(kafka, dead)
    assert [letter.value() for letter in letters] == [values[1], values[2], values[5]]
    errors = [dict(letter.headers() or ())["__connect.errors.exception.message"] for letter in letters]
    said = [b"has no schema 1000000", b"begins with a zero byte", b"1 bytes are left over"]
    assert [text in str(error).encode() for text, error in zip(said, errors, strict=True)] == [True] * 3
    versions = registry.call("GET", f"/subjects/{out}-value/versions")
    assert versions == [1]


def test_a_registry_that_is_away_stops_the_job_and_makes_no_record_a_bad_one(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    given = topic("orders")
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    producer.produce(given, b"\x00\x00\x00\x00\x01\x02a")
    assert producer.flush(20) == 0
    away = ConfluentRegistryAvroDeserializationSchema.for_generic(order(), "http://127.0.0.1:1")

    def build(env: StreamExecutionEnvironment) -> None:
        source = KafkaSource.builder().set_bootstrap_servers(kafka.bootstrap_servers).set_topics(given)
        source.set_value_only_deserializer(away).set_bounded(KafkaOffsetsInitializer.latest())
        source.set_bad_record_policy(BadRecordPolicy.skip())
        env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "orders").print()

    with pytest.raises(JobExecutionError, match="does not answer") as failure:
        Job(tmp_path, build, settings={"restart-strategy.type": "none"}).run()
    assert isinstance(failure.value.__cause__, ConnectionFailedError)


def test_a_schema_that_the_registry_refuses_ends_the_job_before_its_first_record(
    registry: SchemaRegistry, kafka: LocalBroker, topic: TopicFactory, tmp_path: Path
) -> None:
    out = topic("out")
    avro(TopicNameStrategy(out), order(), registry)
    registry.call("PUT", f"/config/{out}-value", {"compatibility": "BACKWARD"})
    incompatible = ConfluentRegistryAvroSerializationSchema.for_generic(
        TopicNameStrategy(out), order(PAID), registry.url
    )

    def build(env: StreamExecutionEnvironment) -> None:
        records = KafkaRecordSerializationSchema.builder().set_topic(out).set_value_serialization_schema(incompatible)
        sink = KafkaSink.builder().set_bootstrap_servers(kafka.bootstrap_servers).set_record_serializer(records.build())
        env.from_collection([{"id": "a", "paid": True}]).sink_to(sink.build())

    with pytest.raises(JobExecutionError, match=r"not compatible with earlier versions \(BACKWARD\).*paid"):
        Job(tmp_path, build).run()
    assert messages(kafka, out) == []


# ---------------------------------------------------------------------------------------------------------- Avro


def test_avro_is_what_other_clients_read(registry: SchemaRegistry, subject: str) -> None:
    record = avro(subject, order(NOTE), registry).serialize({"id": "x", "note": "y"})
    assert record is not None
    schema_id = int.from_bytes(record[1:5], "big")
    schema = json.loads(registry.call("GET", f"/schemas/ids/{schema_id}")["schema"])
    assert fastavro.schemaless_reader(BytesIO(record[5:]), schema, None) == {"id": "x", "note": "y"}


def test_ids_are_asked_for_once(registry: SchemaRegistry, subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    ask = SchemaRegistryClient.schema_by_id

    def noted(self: SchemaRegistryClient, schema_id: int) -> RegisteredSchema:
        asked.append(schema_id)
        return ask(self, schema_id)

    monkeypatch.setattr(SchemaRegistryClient, "schema_by_id", noted)
    records = [avro(subject, schema, registry).serialize({"id": "a", "note": ""}) for schema in (order(), order(NOTE))]
    schema = reading(order(NOTE), registry)
    assert len([schema.deserialize(record) for record in records * 5]) == 10
    assert len(asked) == len(set(asked)) == 2


def test_a_writer_s_schema_that_cannot_be_read_as_ours_is_named(registry: SchemaRegistry, subject: str) -> None:
    record = avro(subject, order(), registry).serialize({"id": "a"})
    with pytest.raises(Exception, match=r"written with schema \d+, which cannot be read as .*paid"):
        reading(order(PAID), registry).deserialize(record)


def test_a_record_of_another_kind_is_named(registry: SchemaRegistry, subject: str) -> None:
    writer = ConfluentRegistryJsonSerializationSchema.for_generic(subject, PRICE, registry.url)
    with pytest.raises(Exception, match=r"schema \d+ is JSON and not AVRO"):
        reading(order(), registry).deserialize(writer.serialize({"cents": 1}))


def test_a_schema_that_may_not_be_registered_must_be_there(registry: SchemaRegistry, subject: str) -> None:
    with pytest.raises(MissingSubjectError, match=r"auto.register.schemas is false"):
        avro(subject, order(), registry, auto_register_schemas="false")
    avro(subject, order(), registry)
    avro(subject, order(), registry, auto_register_schemas="false")
    with pytest.raises(MissingSubjectError, match=r"auto.register.schemas is false"):
        avro(subject, order(NOTE), registry, auto_register_schemas="false")


def test_the_latest_version_may_be_used_instead_of_ours(registry: SchemaRegistry, subject: str) -> None:
    with pytest.raises(MissingSubjectError, match=r"use.latest.version"):
        avro(subject, order(), registry, use_latest_version="true")
    avro(subject, order(NOTE), registry)
    record = avro(subject, order(), registry, use_latest_version="true").serialize({"id": "a"})
    assert reading(order(NOTE), registry).deserialize(record) == {"id": "a", "note": "none"}


def test_no_schema_at_all_is_refused_by_the_registry(registry: SchemaRegistry, subject: str) -> None:
    with pytest.raises(IncompatibleSchemaError, match="no valid AVRO schema"):
        SchemaRegistryClient(connection_of(registry.url, {})).register(subject, RegisteredSchema('{"type": "recrod"}'))


def test_a_schema_may_import_another_one(registry: SchemaRegistry, subject: str) -> None:
    money = {"type": "record", "name": "Money", "namespace": "shop", "fields": [{"name": "cents", "type": "long"}]}
    bill = {"type": "record", "name": "Bill", "namespace": "shop", "fields": [{"name": "sum", "type": "shop.Money"}]}
    registry.call("POST", f"/subjects/{subject}-money/versions", {"schema": json.dumps(money)})
    reference = {"name": "shop.Money", "subject": f"{subject}-money", "version": 1}
    body = {"schema": json.dumps(bill), "references": [reference]}
    schema_id = registry.call("POST", f"/subjects/{subject}/versions", body)["id"]
    whole = {**bill, "fields": [{"name": "sum", "type": money}]}
    record = b"\x00" + schema_id.to_bytes(4, "big") + b"\x54"
    assert reading(AvroSchema.parse_string(json.dumps(whole)), registry).deserialize(record) == {"sum": {"cents": 42}}


@dataclasses.dataclass
class Line:
    item: str


@dataclasses.dataclass
class Basket:
    id: str
    lines: list[Line]
    first: Line | None = None

    @staticmethod
    def avro_schema() -> str:
        line = {"type": "record", "name": "Line", "fields": [{"name": "item", "type": "string"}]}
        fields = [
            {"name": "id", "type": "string"},
            {"name": "lines", "type": {"type": "array", "items": line}},
            {"name": "first", "type": ["null", "Line"]},
        ]
        return json.dumps({"type": "record", "name": "Basket", "namespace": "shop", "fields": fields})


def test_objects_of_a_dataclass_are_specific_records(registry: SchemaRegistry) -> None:
    writer = ConfluentRegistryAvroSerializationSchema.for_specific(Basket, RecordNameStrategy(), registry.url)
    reader = ConfluentRegistryAvroDeserializationSchema.for_specific(Basket, registry.url)
    basket = Basket("b", [Line("x"), Line("y")], Line("x"))
    assert reader.deserialize(writer.serialize(basket)) == basket
    assert "shop.Basket" in registry.call("GET", "/subjects")
    with pytest.raises(TypeMismatchError, match="Expected a record"):
        writer.serialize({"id": "b"})


# ---------------------------------------------------------------------------------------------------------- JSON

PRICE = '{"type": "object", "title": "shop.Price", "properties": {"cents": {"type": "integer"}}, "required": ["cents"]}'


def test_json_is_checked_when_it_is_written_and_when_it_is_read(registry: SchemaRegistry) -> None:
    writer = ConfluentRegistryJsonSerializationSchema.for_generic(RecordNameStrategy(), PRICE, registry.url)
    reader = ConfluentRegistryJsonDeserializationSchema.for_generic(registry.url)
    record = writer.serialize({"cents": 5})
    assert reader.deserialize(record) == {"cents": 5}
    assert "shop.Price" in registry.call("GET", "/subjects")
    with pytest.raises(TypeMismatchError, match=r"\$.cents: 'five' is not of type 'integer'"):
        writer.serialize({"cents": "five"})
    with pytest.raises(Exception, match="'cents' is a required property"):
        reader.deserialize((record or b"")[:5] + b"{}")
    with pytest.raises(Exception, match="no JSON"):
        reader.deserialize((record or b"")[:5] + b"{")
    lenient = ConfluentRegistryJsonDeserializationSchema.for_generic(
        registry.url, {"json.fail.invalid.schema": "false"}
    )
    assert lenient.deserialize((record or b"")[:5] + b"{}") == {}
    narrower = ConfluentRegistryJsonDeserializationSchema.for_generic(registry.url, schema='{"maxProperties": 0}')
    with pytest.raises(Exception, match="does not fit the JSON schema"):
        narrower.deserialize(record)


# ------------------------------------------------------------------------------------------------------ Protobuf


def protobuf_classes(*extra: str) -> dict[str, Any]:
    """The classes of a file whose messages are Other, Order (with Order.Line) and which imports money.proto."""
    field = descriptor_pb2.FieldDescriptorProto
    money = descriptor_pb2.FileDescriptorProto(name="money.proto", package="shop", syntax="proto3")
    money.message_type.add(name="Money").field.add(name="cents", number=1, type=field.TYPE_INT64, label=1)
    file = descriptor_pb2.FileDescriptorProto(
        name="order.proto", package="shop", syntax="proto3", dependency=["money.proto"]
    )
    file.message_type.add(name="Other").field.add(name="id", number=1, type=field.TYPE_STRING, label=1)
    one = file.message_type.add(name="Order")
    one.field.add(name="id", number=1, type=field.TYPE_STRING, label=1)
    one.field.add(name="sum", number=2, type=field.TYPE_MESSAGE, label=1, type_name=".shop.Money")
    for number, name in enumerate(extra, start=3):
        one.field.add(name=name, number=number, type=field.TYPE_STRING, label=1)
    one.nested_type.add(name="Line").field.add(name="item", number=1, type=field.TYPE_STRING, label=1)
    pool = descriptor_pool.DescriptorPool()
    for each in (money, file):
        pool.AddSerializedFile(each.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        for name in ("shop.Order", "shop.Other", "shop.Order.Line", "shop.Money")
    }


def test_protobuf_of_a_newer_version_is_read_and_another_message_is_not(registry: SchemaRegistry, subject: str) -> None:
    old, new = protobuf_classes(), protobuf_classes("note")

    def writer(message: Any) -> SerializationSchema:
        return ConfluentRegistryProtobufSerializationSchema.for_specific(message, subject, registry.url)

    reader = ConfluentRegistryProtobufDeserializationSchema.for_specific(old["shop.Order"], registry.url)
    record = writer(new["shop.Order"]).serialize(
        new["shop.Order"](id="a", sum=new["shop.Money"](cents=5), note="later")
    )
    for _ in range(2):
        read = reader.deserialize(record)
        assert (read.id, read.sum.cents) == ("a", 5)
    for name in ("shop.Other", "shop.Order.Line"):
        with pytest.raises(Exception, match=rf"it is {name} \(schema \d+\), not shop.Order$"):
            reader.deserialize(writer(new[name]).serialize(new[name]()))
    with pytest.raises(TypeMismatchError, match=r"Expected a shop.Order"):
        writer(new["shop.Order"]).serialize(new["shop.Other"]())
    with pytest.raises(Exception, match=r"no shop.Order of schema"):
        reader.deserialize((record or b"")[:7] + b"\xff\xff")
    assert "money.proto" in registry.call("GET", "/subjects")


def test_protobuf_that_was_registered_as_text_is_read(registry: SchemaRegistry, subject: str) -> None:
    text = 'syntax = "proto3"; package shop; message Other { string id = 1; } message Order { string id = 1; }'
    body = {"schemaType": "PROTOBUF", "schema": text}
    schema_id = registry.call("POST", f"/subjects/{subject}/versions", body)["id"]
    reader = ConfluentRegistryProtobufDeserializationSchema.for_specific(protobuf_classes()["shop.Order"], registry.url)
    front = b"\x00" + schema_id.to_bytes(4, "big")
    assert reader.deserialize(front + b"\x02\x02" + b"\x0a\x01x").id == "x"
    with pytest.raises(Exception, match=r"it is shop.Other"):
        reader.deserialize(front + b"\x00" + b"\x0a\x01x")


def test_an_id_that_the_registry_has_not_is_an_error_of_its_own(registry: SchemaRegistry) -> None:
    schemas: list[Callable[[], DeserializationSchema]] = [
        lambda: reading(order(), registry),
        lambda: ConfluentRegistryJsonDeserializationSchema.for_generic(registry.url),
        lambda: ConfluentRegistryProtobufDeserializationSchema.for_specific(
            protobuf_classes()["shop.Order"], registry.url
        ),
    ]
    for make in schemas:
        with pytest.raises(UnknownSchemaError, match="has no schema 999999"):
            make().deserialize(b"\x00" + (999_999).to_bytes(4, "big") + b"\x00")
