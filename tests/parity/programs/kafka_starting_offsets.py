"""A Kafka source begins at the earliest offset unless told otherwise; a record's timestamp is its event timestamp.

Covers: S22
Needs: Kafka
"""

import os

from pyflink.common import SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.functions import ProcessFunction

SERVERS, TOPIC = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["KAFKA_TOPIC"]


class WithTimestamp(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp() > 1_600_000_000_000


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
schema = KafkaRecordSerializationSchema.builder().set_topic(TOPIC)
schema = schema.set_value_serialization_schema(SimpleStringSchema()).build()
sink = KafkaSink.builder().set_bootstrap_servers(SERVERS).set_record_serializer(schema).build()
env.from_collection(["a", "b"], type_info=Types.STRING()).sink_to(sink)
env.execute()

builder = KafkaSource.builder().set_bootstrap_servers(SERVERS).set_topics(TOPIC).set_group_id("parity")
builder = builder.set_value_only_deserializer(SimpleStringSchema()).set_bounded(KafkaOffsetsInitializer.latest())
env.from_source(builder.build(), WatermarkStrategy.no_watermarks(), "kafka").process(WithTimestamp()).print()
env.execute()
builder = builder.set_starting_offsets(KafkaOffsetsInitializer.latest())
env.from_source(builder.build(), WatermarkStrategy.no_watermarks(), "kafka").print("latest")
env.execute()
