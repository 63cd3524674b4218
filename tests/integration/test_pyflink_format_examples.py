"""Avro and CSV through a topic of a real broker, in the shape of the programs that ship with PyFlink."""

from __future__ import annotations

from typing import Any

import pytest

from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.common import Row, Types, WatermarkStrategy
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from wiesel.datastream.formats.avro import AvroRowDeserializationSchema, AvroRowSerializationSchema
from wiesel.datastream.formats.csv import CsvRowDeserializationSchema, CsvRowSerializationSchema

pytestmark = pytest.mark.integration

RECORD = """{"type": "record", "name": "TestRecord", "fields": [
    {"name": "id", "type": "int"}, {"name": "name", "type": "string"}]}"""
TYPE = Types.ROW([Types.INT(), Types.STRING()])


@pytest.mark.parametrize(
    ("writer", "reader", "names"),
    [
        (
            AvroRowSerializationSchema(avro_schema_string=RECORD),
            AvroRowDeserializationSchema(avro_schema_string=RECORD),
            ("id", "name"),
        ),
        (
            CsvRowSerializationSchema.Builder(TYPE).build(),
            CsvRowDeserializationSchema.Builder(TYPE).build(),
            ("f0", "f1"),
        ),
    ],
    ids=["avro", "csv"],
)
def test_rows_go_through_a_topic(kafka: LocalBroker, topic: TopicFactory, tmp_path, monkeypatch, writer, reader, names):
    monkeypatch.chdir(tmp_path)
    name = topic("format")
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    serializer = KafkaRecordSerializationSchema.builder().set_topic(name).set_value_serialization_schema(writer).build()
    sink = KafkaSink.builder().set_record_serializer(serializer).set_bootstrap_servers(kafka.bootstrap_servers).build()
    env.from_collection([(1, "hi"), (2, "hello, you")], TYPE).sink_to(sink)
    env.execute()
    env = StreamExecutionEnvironment.get_execution_environment()
    source = (
        KafkaSource.builder()
        .set_topics(name)
        .set_value_only_deserializer(reader)
        .set_properties({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "test_group_1"})
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_bounded(KafkaOffsetsInitializer.latest())
        .build()
    )
    stream: Any = env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka source")
    with stream.execute_and_collect() as found:
        assert list(found) == [Row(*names)(1, "hi"), Row(*names)(2, "hello, you")]
