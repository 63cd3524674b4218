"""An exactly-once sink needs a prefix for its transactional ids.

Covers: S23
Needs: Kafka
"""

import os

from pyflink.common import SimpleStringSchema
from pyflink.datastream.connectors.kafka import DeliveryGuarantee, KafkaRecordSerializationSchema, KafkaSink

schema = KafkaRecordSerializationSchema.builder().set_topic("topic")
schema = schema.set_value_serialization_schema(SimpleStringSchema()).build()
sink = KafkaSink.builder().set_bootstrap_servers(os.environ["KAFKA_BOOTSTRAP_SERVERS"]).set_record_serializer(schema)
sink.set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE).build()
