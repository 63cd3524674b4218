"""The bytes of a Kafka source are known from the client's own statistics, at no cost for a record."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import Producer

from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SourceContext
from wiesel.core.serialization import SimpleStringSchema
from wiesel.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSource

pytestmark = pytest.mark.integration


def test_the_bytes_that_a_source_has_fetched_are_known(kafka: LocalBroker, topic: TopicFactory) -> None:
    name, producer = topic("bytes"), Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for _ in range(1000):
        producer.produce(name, "x" * 100)
    assert producer.flush(60) == 0
    builder = KafkaSource.builder().set_bootstrap_servers(kafka.bootstrap_servers).set_topics(name)
    builder = builder.set_value_only_deserializer(SimpleStringSchema())
    builder.set_starting_offsets(KafkaOffsetsInitializer.earliest()).set_property("statistics.interval.ms", "50")
    spec, context = builder.build().spec, SourceContext("source", "Source", 0, 1, Configuration(), lambda: None)
    reader, enumerator = spec.create_reader(context), spec.create_enumerator(context, None)
    try:
        reader.add_splits(enumerator.on_discovered(enumerator.discover()))
        read, deadline = 0, time.monotonic() + 60
        while read < 1000 or reader.metrics()["numBytesIn"] < 100_000:
            assert time.monotonic() < deadline, (read, reader.metrics())
            batch = reader.poll(500)
            read += 0 if batch is None else len(batch.values)
        assert reader.metrics()["numBytesIn"] < 150_000
    finally:
        reader.close()
        enumerator.close()
