"""Count how often each value has come so far, and write every new count as JSON.

    wiesel run examples/count_values.py --input test-topic --output output-topic

--bounded stops at the end that the topic has when the job starts.
"""

import argparse

from pyflink.common import Row, SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.formats.json import JsonRowSerializationSchema

PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])
VALUE_AND_COUNT = Types.ROW_NAMED(["value", "count"], [Types.STRING(), Types.LONG()])


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()

    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id("count-values")
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
            .set_value_serialization_schema(
                JsonRowSerializationSchema.builder().with_type_info(VALUE_AND_COUNT).build()
            )
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .build()
    )

    (
        env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "values")
        .map(lambda value: (value, 1), output_type=PAIR)
        .key_by(lambda pair: pair[0], key_type=Types.STRING())
        .sum(1)
        .map(lambda pair: Row(pair[0], pair[1]), output_type=VALUE_AND_COUNT)
        .sink_to(sink)
    )
    env.execute("Count values")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    options.add_argument("--input", default="test-topic")
    options.add_argument("--output", default="output-topic")
    options.add_argument("--bounded", action="store_true", help="stop at the topic's present end")
    main(options.parse_args())
