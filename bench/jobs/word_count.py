"""W2, W8: a running count of each word, JSON from Kafka to Kafka, at-least-once or exactly-once."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from pyflink.common import SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.state import ValueStateDescriptor


class CountPerWord(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: dict[str, Any], ctx: KeyedProcessFunction.Context) -> Iterator[dict[str, Any]]:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield {"word": value["word"], "count": count}


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id("word-count")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_bounded(KafkaOffsetsInitializer.latest())
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
        .set_delivery_guarantee(DeliveryGuarantee[args.guarantee])
        .set_transactional_id_prefix("word-count")
        .build()
    )
    (
        env.from_source(source, WatermarkStrategy.no_watermarks(), "events")
        .map(json.loads)
        .key_by(lambda event: event["word"], key_type=Types.STRING())
        .process(CountPerWord())
        .map(json.dumps, output_type=Types.STRING())
        .sink_to(sink)
    )
    env.execute("word count")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", default="localhost:9092")
    options.add_argument("--input", default="events")
    options.add_argument("--output", default="counts")
    options.add_argument("--guarantee", choices=("AT_LEAST_ONCE", "EXACTLY_ONCE"), default="AT_LEAST_ONCE")
    main(options.parse_args())
