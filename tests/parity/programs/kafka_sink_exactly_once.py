"""What an exactly-once sink writes is visible to read_committed when its checkpoint is complete, at the end included.

Covers: S23
Needs: Kafka
"""

import os

from pyflink.common import SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import (
    DeliveryGuarantee,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)

SERVERS, TOPIC = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["KAFKA_TOPIC"]

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.enable_checkpointing(600_000)
schema = KafkaRecordSerializationSchema.builder().set_topic(TOPIC)
schema = schema.set_value_serialization_schema(SimpleStringSchema()).build()
sink = (
    KafkaSink.builder()
    .set_bootstrap_servers(SERVERS)
    .set_record_serializer(schema)
    .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
    .set_transactional_id_prefix(TOPIC)
    .set_property("transaction.timeout.ms", "60000")
    .build()
)
env.from_collection(["a", "b"], type_info=Types.STRING()).sink_to(sink)
env.execute()

source = KafkaSource.builder().set_bootstrap_servers(SERVERS).set_topics(TOPIC)
source = source.set_value_only_deserializer(SimpleStringSchema()).set_property("isolation.level", "read_committed")
source = source.set_bounded(KafkaOffsetsInitializer.latest()).build()
env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka").print()
env.execute()
