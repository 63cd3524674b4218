"""Read strings from one topic, write them in upper case to another.

    wiesel run examples/uppercase.py --input test-topic --output test-output-topic

--bounded stops at the end that the topic has when the job starts.
"""

import argparse

from pyflink.common import SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()

    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id("uppercase")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
    )
    if args.bounded:
        source.set_bounded(KafkaOffsetsInitializer.latest())

    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_record_serializer(
            KafkaRecordSerializationSchema.builder()
            .set_topic(args.output)
            .set_value_serialization_schema(SimpleStringSchema())
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .build()
    )

    (
        env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "strings")
        .map(lambda value: value.upper(), output_type=Types.STRING())
        .sink_to(sink)
    )
    env.execute("Upper case")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    options.add_argument("--input", default="test-topic")
    options.add_argument("--output", default="test-output-topic")
    options.add_argument("--bounded", action="store_true", help="stop at the topic's present end")
    main(options.parse_args())
