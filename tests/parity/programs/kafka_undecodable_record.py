"""A record that cannot be decoded fails the job.

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
from pyflink.datastream.formats.json import JsonRowDeserializationSchema

SERVERS, TOPIC = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["KAFKA_TOPIC"]

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
schema = KafkaRecordSerializationSchema.builder().set_topic(TOPIC)
schema = schema.set_value_serialization_schema(SimpleStringSchema()).build()
sink = KafkaSink.builder().set_bootstrap_servers(SERVERS).set_record_serializer(schema).build()
env.from_collection(['{"a": 1, "b": "x", "c": 2}', '{"b": "no a"}', "no JSON"], type_info=Types.STRING()).sink_to(sink)
env.execute()

decoder = JsonRowDeserializationSchema.builder().type_info(Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()]))
source = KafkaSource.builder().set_bootstrap_servers(SERVERS).set_topics(TOPIC)
source = source.set_value_only_deserializer(decoder.build()).set_bounded(KafkaOffsetsInitializer.latest()).build()
env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka").print()
try:
    env.execute()
except Exception:
    print("failed")
