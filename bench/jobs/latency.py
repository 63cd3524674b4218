"""G9: counts words and passes on when each record was meant to be sent, JSON from Kafka to Kafka."""

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


class Count(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: dict[str, Any], ctx: KeyedProcessFunction.Context) -> Iterator[dict[str, Any]]:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield {"word": value["word"], "count": count, "number": value["number"]}


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id("latency")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    builder = KafkaSink.builder()
    if args.linger is not None:
        builder = builder.set_property("linger.ms", str(args.linger))
    sink = (
        builder.set_bootstrap_servers(args.bootstrap)
        .set_record_serializer(
            KafkaRecordSerializationSchema.builder()
            .set_topic(args.output)
            .set_value_serialization_schema(SimpleStringSchema())
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee[args.guarantee])
        .set_transactional_id_prefix("latency")
        .build()
    )
    (
        env.from_source(source, WatermarkStrategy.no_watermarks(), "events")
        .map(json.loads)
        .key_by(lambda event: event["word"], key_type=Types.STRING())
        .process(Count())
        .map(json.dumps, output_type=Types.STRING())
        .sink_to(sink)
    )
    env.execute("latency")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--input", required=True)
    options.add_argument("--output", required=True)
    options.add_argument("--guarantee", choices=("AT_LEAST_ONCE", "EXACTLY_ONCE"), default="AT_LEAST_ONCE")
    options.add_argument("--linger", type=int, help="linger.ms of the sink")
    main(options.parse_args())
