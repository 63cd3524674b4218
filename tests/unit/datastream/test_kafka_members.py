"""Members of pyflink.datastream.connectors.kafka and its bases that no other test asks for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import SimpleStringSchema
from wiesel.connectors.collections.sinks import CollectSpec
from wiesel.connectors.kafka.offsets import AtTimestamp, Committed, Earliest, Latest
from wiesel.core.errors import UnsupportedError
from wiesel.datastream import DataStream, SinkFunction, SourceFunction
from wiesel.datastream.connectors.base import Sink, StreamTransformer, SupportsPreprocessing
from wiesel.datastream.connectors.kafka import (
    FlinkKafkaConsumer,
    FlinkKafkaProducer,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)

PROPERTIES = {"bootstrap.servers": "b:1", "group.id": "g"}


def test_offsets_initializers_say_where_to_start() -> None:
    assert KafkaOffsetsInitializer.earliest().initializer == Earliest()
    assert KafkaOffsetsInitializer.timestamp(7).initializer == AtTimestamp(7)


def test_the_old_consumer_starts_where_it_is_said() -> None:
    consumer = FlinkKafkaConsumer("t", SimpleStringSchema(), PROPERTIES)
    assert isinstance(consumer, SourceFunction)
    assert consumer.set_start_from_latest().spec.start == Latest()
    assert isinstance(consumer.set_start_from_group_offsets().spec.start, Committed)
    assert consumer.disable_filter_restored_partitions_with_subscribed_topics() is consumer


def test_the_old_producer_may_log_failures_only() -> None:
    producer = FlinkKafkaProducer("t", SimpleStringSchema(), PROPERTIES)
    assert isinstance(producer, SinkFunction)
    logs = [producer.spec.logs_failures_only]
    producer.set_log_failures_only(True)
    assert [*logs, producer.spec.logs_failures_only] == [False, True]
    assert producer.ignore_failures_after_transaction_timeout() is producer


def test_builders_keep_client_properties() -> None:
    source: Any = (
        KafkaSource.builder()
        .set_bootstrap_servers("b:1")
        .set_topics("t")
        .set_value_only_deserializer(SimpleStringSchema())
        .set_client_id_prefix("mine")
        .set_properties({"a": "1"})
        .set_property("b", "2")
        .build()
        .spec
    )
    assert source.client_id_prefix == "mine"
    assert source.properties == {"a": "1", "b": "2"}
    serializer = KafkaRecordSerializationSchema.builder().set_topic("t")
    sink: Any = (
        KafkaSink.builder()
        .set_bootstrap_servers("b:1")
        .set_record_serializer(serializer.set_value_serialization_schema(SimpleStringSchema()).build())
        .set_property("a", "1")
        .build()
    )
    assert sink.spec.properties["a"] == "1"


@pytest.mark.parametrize("kind", [SourceFunction, SinkFunction])
def test_a_function_of_java_s_is_refused(kind: type) -> None:
    with pytest.raises(UnsupportedError, match="no JVM"):
        kind("com.example.Source")
    assert kind(b"spec")._spec == b"spec"


class Double(StreamTransformer):
    def apply(self, ds: DataStream) -> DataStream:
        return ds.map(lambda value: value * 2)


class Preprocessing(Sink, SupportsPreprocessing):
    """A sink that wants its records doubled."""

    def get_transformer(self) -> StreamTransformer:
        return Double()


def test_a_sink_may_have_its_stream_changed_first() -> None:
    import queue

    values: queue.Queue[Any] = queue.Queue()
    stream = environment().from_collection([1, 2])
    stream.sink_to(Preprocessing(CollectSpec(values, stream.get_type())))
    stream.get_execution_environment().execute()
    assert [values.get_nowait() for _ in range(2)] == [2, 4]
    assert collect(environment().from_collection([1])) == [1]
