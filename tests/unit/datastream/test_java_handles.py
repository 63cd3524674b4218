"""``get_java_function()``: what it returns can be wrapped again and is the same source or sink."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wiesel.common import Encoder, SimpleStringSchema, Types, WatermarkStrategy
from wiesel.core.errors import UnsupportedError
from wiesel.datastream import SinkFunction, SourceFunction, StreamExecutionEnvironment
from wiesel.datastream.connectors import Sink, Source
from wiesel.datastream.connectors.base import JavaFunctionWrapper
from wiesel.datastream.connectors.file_system import BulkFormat, FileSink, FileSource, StreamFormat, StreamingFileSink
from wiesel.datastream.connectors.hybrid_source import HybridSource
from wiesel.datastream.connectors.jdbc import JdbcConnectionOptions, JdbcSink
from wiesel.datastream.connectors.kafka import (
    FlinkKafkaConsumer,
    FlinkKafkaProducer,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.formats.parquet import ParquetColumnarRowInputFormat
from wiesel.table import DataTypes

TYPE = Types.ROW([Types.INT(), Types.STRING()])
PROPERTIES = {"bootstrap.servers": "127.0.0.1:9", "group.id": "g"}


def kafka_source() -> Source:
    builder = KafkaSource.builder().set_bootstrap_servers("127.0.0.1:9").set_topics("t")
    builder = builder.set_bounded(KafkaOffsetsInitializer.latest())
    return builder.set_value_only_deserializer(SimpleStringSchema()).build()


def kafka_sink() -> Sink:
    schema = KafkaRecordSerializationSchema.builder().set_topic("t")
    schema = schema.set_value_serialization_schema(SimpleStringSchema())
    return KafkaSink.builder().set_bootstrap_servers("127.0.0.1:9").set_record_serializer(schema.build()).build()


def jdbc_sink() -> Any:
    options = JdbcConnectionOptions.JdbcConnectionOptionsBuilder().with_url("jdbc:sqlite:x").build()
    return JdbcSink.sink("insert into t values (?, ?)", TYPE, options)


def file_source() -> Source:
    return FileSource.for_record_stream_format(StreamFormat.text_line_format(), "/tmp/none").build()


SOURCES: dict[str, Callable[[], Source]] = {
    "NumberSequenceSource": lambda: NumberSequenceSource(1, 3),
    "FileSource": file_source,
    "HybridSource": lambda: HybridSource.builder(file_source()).add_source(file_source()).build(),
    "KafkaSource": kafka_source,
    "FlinkKafkaConsumer": lambda: FlinkKafkaConsumer("t", SimpleStringSchema(), PROPERTIES),
    "SourceFunction": lambda: SourceFunction(NumberSequenceSource(1, 3).spec),
}
SINKS: dict[str, Callable[[], Sink]] = {
    "FileSink": lambda: FileSink.for_row_format("/tmp/none", Encoder.simple_string_encoder()).build(),
    "StreamingFileSink": lambda: StreamingFileSink.for_row_format("/tmp/none", Encoder.simple_string_encoder()).build(),
    "JdbcSink": jdbc_sink,
    "KafkaSink": kafka_sink,
    "FlinkKafkaProducer": lambda: FlinkKafkaProducer("t", SimpleStringSchema(), PROPERTIES),
    "SinkFunction": lambda: SinkFunction(kafka_sink().spec),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_wrapped_again_is_the_same_source(kind: str) -> None:
    source = SOURCES[kind]()
    again = Source(Source(source.get_java_function()).get_java_function())
    assert repr(again.spec) == repr(source.spec)  # all of its data, or the very object
    assert again.produced_type() == source.produced_type()


@pytest.mark.parametrize("kind", SINKS)
def test_a_sink_wrapped_again_is_the_same_sink(kind: str) -> None:
    sink = SINKS[kind]()
    again = Sink(Sink(sink.get_java_function()).get_java_function())
    assert type(again.spec_for(TYPE)) is type(sink.spec_for(TYPE))
    assert again.commits is sink.commits


def test_a_source_wrapped_again_runs() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = Source(NumberSequenceSource(1, 3).get_java_function())
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
    assert sorted(stream.execute_and_collect(limit=3)) == [1, 2, 3]


def test_a_sink_wrapped_again_writes(tmp_path: Path) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    sink = FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder()).build()
    env.from_collection(["a"], Types.STRING()).sink_to(Sink(sink.get_java_function()))
    env.execute()
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["a\n"]


def test_a_wrapper_keeps_what_it_is_given_and_no_java_class() -> None:
    spec = NumberSequenceSource(1, 3).spec
    assert Source(JavaFunctionWrapper(Source(spec).get_java_function())._spec).spec is spec
    assert JavaFunctionWrapper(spec).get_java_function() is not None
    with pytest.raises(UnsupportedError, match="is a Java class, and there is no JVM here"):
        JavaFunctionWrapper("org.example.Source")


def test_a_bulk_format_is_what_a_file_source_takes(tmp_path: Path) -> None:
    format_ = ParquetColumnarRowInputFormat(DataTypes.ROW([DataTypes.FIELD("n", DataTypes.INT())]))
    assert isinstance(format_, BulkFormat)
    assert FileSource.for_bulk_file_format(format_, str(tmp_path)).build().produced_type() is not None
    with pytest.raises(TypeError):
        FileSource.for_bulk_file_format(StreamFormat.text_line_format(), str(tmp_path))  # type: ignore[arg-type]
