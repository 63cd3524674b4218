"""W4, W5: views per campaign in event-time windows (Yahoo streaming benchmark, campaigns in memory), JSON to Kafka."""

import argparse
import json
from collections.abc import Iterable
from typing import Any

from pyflink.common import SimpleStringSchema, Time, Types, WatermarkStrategy
from pyflink.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.functions import AggregateFunction
from pyflink.datastream.window import SlidingEventTimeWindows, TumblingEventTimeWindows


class CountViews(AggregateFunction):
    def create_accumulator(self) -> int:
        return 0

    def add(self, value: int, accumulator: int) -> int:
        return accumulator + 1

    def get_result(self, accumulator: int) -> int:
        return accumulator

    def merge(self, a: int, b: int) -> int:
        return a + b


class WithWindow(ProcessWindowFunction):
    def process(self, key: int, context: ProcessWindowFunction.Context, elements: Iterable[int]) -> Iterable[str]:
        window: Any = context.window()
        yield json.dumps({"campaign": key, "start": window.start, "views": next(iter(elements))})


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id("campaigns")
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
        .set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .build()
    )
    campaign_of = {f"ad-{ad}": ad // 10 for ad in range(args.campaigns * 10)}
    size = Time.seconds(args.size)
    windows = SlidingEventTimeWindows.of(size, Time.seconds(args.slide)) if args.slide else None
    (
        # Event time is the time of the Kafka record.
        env.from_source(source, WatermarkStrategy.for_monotonous_timestamps(), "events")
        .map(json.loads)
        .filter(lambda event: event["type"] == "view")
        .map(lambda event: campaign_of[event["ad"]], output_type=Types.INT())
        .key_by(lambda campaign: campaign, key_type=Types.INT())
        .window(windows or TumblingEventTimeWindows.of(size))
        .aggregate(CountViews(), WithWindow(), accumulator_type=Types.LONG(), output_type=Types.STRING())
        .sink_to(sink)
    )
    env.execute("views per campaign")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", default="localhost:9092")
    options.add_argument("--input", default="events")
    options.add_argument("--output", default="views")
    options.add_argument("--campaigns", type=int, default=100)
    options.add_argument("--size", type=int, default=10, help="of windows, seconds")
    options.add_argument("--slide", type=int, default=0, help="seconds; 0: tumbling windows")
    main(options.parse_args())
