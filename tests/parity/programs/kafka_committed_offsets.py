"""Offsets are committed at checkpoints only, and committed_offsets() without any fails, or takes its reset strategy.

Covers: S22
Needs: Kafka
"""

import os

from pyflink.common import SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetResetStrategy,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)

SERVERS, TOPIC = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["KAFKA_TOPIC"]

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
schema = KafkaRecordSerializationSchema.builder().set_topic(TOPIC)
schema = schema.set_value_serialization_schema(SimpleStringSchema()).build()
sink = KafkaSink.builder().set_bootstrap_servers(SERVERS).set_record_serializer(schema).build()
env.from_collection(["a", "b"], type_info=Types.STRING()).sink_to(sink)
env.execute()


def read(label, offsets):
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(SERVERS)
        .set_topics(TOPIC)
        .set_group_id(f"of-{TOPIC}")
        .set_value_only_deserializer(SimpleStringSchema())
        .set_starting_offsets(offsets)
        .set_bounded(KafkaOffsetsInitializer.latest())
        .build()
    )
    env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka").print(label)
    env.execute()


earliest = KafkaOffsetsInitializer.committed_offsets(KafkaOffsetResetStrategy.EARLIEST)
read("first", earliest)
read("again", earliest)
try:
    read("strict", KafkaOffsetsInitializer.committed_offsets())
except Exception:
    print("strict> no committed offsets")
env.enable_checkpointing(100)
read("with checkpoints", earliest)
read("after them", earliest)
