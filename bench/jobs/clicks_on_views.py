"""W6: clicks joined with the views of the same ad in the ten seconds before (interval join), JSON to Kafka."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from pyflink.common import SimpleStringSchema, Time, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)

from wiesel.datastream.functions import ProcessJoinFunction  # PyFlink has no interval join


class Pair(ProcessJoinFunction):
    def process_element(self, left: Any, right: Any, ctx: ProcessJoinFunction.Context) -> Iterator[str]:
        times = {"viewed": ctx.get_left_timestamp(), "clicked": ctx.get_right_timestamp()}
        yield json.dumps({"ad": left["ad"], **times})


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id("clicks-on-views")
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
    # Event time is the time of the Kafka record.
    events = env.from_source(source, WatermarkStrategy.for_monotonous_timestamps(), "events").map(json.loads)
    views, clicks = (
        events.filter(lambda event, kind=kind: event["type"] == kind).key_by(lambda event: event["ad"], Types.STRING())
        for kind in ("view", "click")
    )
    (
        views.interval_join(clicks)
        .between(Time.seconds(0), Time.seconds(args.within))
        .process(Pair(), Types.STRING())
        .sink_to(sink)
    )
    env.execute("clicks on views")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bootstrap", default="localhost:9092")
    options.add_argument("--input", default="events")
    options.add_argument("--output", default="clicks")
    options.add_argument("--within", type=int, default=10, help="seconds")
    main(options.parse_args())
