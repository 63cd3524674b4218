"""A job without state that begins where its consumer group stands, so it can move between Wiesel and Flink.

wiesel run tests/flink/moving_job.py BOOTSTRAP IN OUT GROUP
"""

import sys

from pyflink.common import SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetResetStrategy,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)


def main(bootstrap: str, topic_in: str, topic_out: str, group: str) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(500)
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(bootstrap)
        .set_topics(topic_in)
        .set_group_id(group)
        # Where the group stands; from the beginning if it has never been.
        .set_starting_offsets(KafkaOffsetsInitializer.committed_offsets(KafkaOffsetResetStrategy.EARLIEST))
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(bootstrap)
        .set_record_serializer(
            KafkaRecordSerializationSchema.builder()
            .set_topic(topic_out)
            .set_value_serialization_schema(SimpleStringSchema())
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(topic_out)
        .set_property("transaction.timeout.ms", "600000")
        .build()
    )
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
    stream.map(lambda text: f"seen {text}", output_type=Types.STRING()).sink_to(sink)
    env.execute("Moving")


if __name__ == "__main__":
    main(*sys.argv[1:])
