"""HybridSource: files first, then a topic of a real broker."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.common import Duration, WatermarkStrategy
from wiesel.common.serialization import SimpleStringSchema
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.file_system import FileSource, StreamFormat
from wiesel.datastream.connectors.hybrid_source import HybridSource
from wiesel.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSource

pytestmark = pytest.mark.integration


def test_job_with_a_failure_reads_files_and_then_the_topic(
    kafka: LocalBroker, topic: TopicFactory, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    name = topic("hybrid", partitions=3)
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for i in range(1000):
        producer.produce(name, f"topic {i}")
    assert producer.flush(30) == 0
    (tmp_path / "input").mkdir()
    for part in range(4):
        lines = (f"file {i}\n" for i in range(part * 250, part * 250 + 250))
        (tmp_path / "input" / str(part)).write_text("".join(lines))
    marker = tmp_path / "failed"

    def fail_once(value: str) -> str:
        if value == "topic 700" and not marker.exists():
            marker.touch()
            raise RuntimeError("once")
        return value

    files = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(tmp_path / "input")).build()
    messages = (
        KafkaSource.builder()
        .set_bootstrap_servers(kafka.bootstrap_servers)
        .set_topics(name)
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_bounded(KafkaOffsetsInitializer.latest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    env.enable_checkpointing(10)
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(1))
    source = HybridSource.builder(files).add_source(messages).build()
    stream = env.from_source(source, strategy, "both").map(fail_once)
    seen: list[str] = []
    with stream.execute_and_collect() as found:
        seen += found
    assert marker.exists()
    expected = {f"{kind} {i}" for kind in ("file", "topic") for i in range(1000)}
    # What was collected before the failure may be collected again; nothing may be missing.
    assert set(seen) == expected
