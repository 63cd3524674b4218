"""Split messages into lines, and join the lines that have the same first field and come within five seconds.

    wiesel run examples/window_reduce.py --input test-topic --output test-output-topic

The windows follow the wall clock, so what falls together depends on when it comes. At the end of a bounded input Flink
discards windows of processing time that are still open; therefore this job reads for ever: stop it with Ctrl-C.
"""

import argparse
from collections.abc import Iterator

from pyflink.common import SimpleStringSchema, Time, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.window import TumblingProcessingTimeWindows


def split_lines(message: str) -> Iterator[str]:
    yield from message.splitlines()


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()

    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id("window-reduce")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
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
        env.from_source(source, WatermarkStrategy.no_watermarks(), "messages")
        .flat_map(split_lines, output_type=Types.STRING())
        .key_by(lambda line: line.split(",")[0], key_type=Types.STRING())
        .window(TumblingProcessingTimeWindows.of(Time.seconds(5)))
        .reduce(lambda a, b: a + b)
        .sink_to(sink)
    )
    env.execute("Reduce in windows")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    options.add_argument("--input", default="test-topic")
    options.add_argument("--output", default="test-output-topic")
    main(options.parse_args())
