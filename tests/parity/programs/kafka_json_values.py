"""What JsonRowSerializationSchema writes: numbers, text, nested rows, lists, nulls.

Covers: formats
Needs: Kafka
"""

import os

from pyflink.common import Row, SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.formats.json import JsonRowSerializationSchema

SERVERS, TOPIC = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["KAFKA_TOPIC"]
ROW = Types.ROW_NAMED(
    ["i", "d", "s", "b", "r", "l", "n"],
    [
        Types.LONG(),
        Types.DOUBLE(),
        Types.STRING(),
        Types.BOOLEAN(),
        Types.ROW_NAMED(["x"], [Types.INT()]),
        Types.OBJECT_ARRAY(Types.STRING()),
        Types.STRING(),
    ],
)

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
encoder = JsonRowSerializationSchema.builder().with_type_info(ROW).build()
schema = KafkaRecordSerializationSchema.builder().set_topic(TOPIC).set_value_serialization_schema(encoder).build()
sink = KafkaSink.builder().set_bootstrap_servers(SERVERS).set_record_serializer(schema).build()
row = Row(i=2**40, d=1.0, s='é "quoted" </x>', b=True, r=Row(x=1), l=["a", "b"], n=None)
env.from_collection([0]).map(lambda _: row, output_type=ROW).sink_to(sink)
env.execute()

source = KafkaSource.builder().set_bootstrap_servers(SERVERS).set_topics(TOPIC)
source = source.set_value_only_deserializer(SimpleStringSchema()).set_bounded(KafkaOffsetsInitializer.latest()).build()
env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka").print()
env.execute()
