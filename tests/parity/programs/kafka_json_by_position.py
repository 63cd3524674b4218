"""How JsonRowSerializationSchema reads a row whose fields have other names than its type.

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
FIELDS = [Types.INT(), Types.STRING()]

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)


def write(label, names, value):
    encoder = JsonRowSerializationSchema.builder().with_type_info(Types.ROW_NAMED(["a", "b"], FIELDS)).build()
    schema = KafkaRecordSerializationSchema.builder().set_topic(TOPIC).set_value_serialization_schema(encoder).build()
    sink = KafkaSink.builder().set_bootstrap_servers(SERVERS).set_record_serializer(schema).build()
    rows = env.from_collection([0]).map(lambda _: value, output_type=Types.ROW_NAMED(names, FIELDS))
    rows.sink_to(sink)
    try:
        env.execute(label)
        print(label, "written")
    except Exception:
        print(label, "failed")


write("same names", ["a", "b"], Row(a=1, b="same"))
write("other names", ["x", "y"], Row(x=2, y="other"))
write("nulls", ["a", "b"], Row(a=None, b=None))

source = KafkaSource.builder().set_bootstrap_servers(SERVERS).set_topics(TOPIC)
source = source.set_value_only_deserializer(SimpleStringSchema()).set_bounded(KafkaOffsetsInitializer.latest()).build()
env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka").print()
env.execute()
