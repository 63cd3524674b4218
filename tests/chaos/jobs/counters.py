"""Counts and sums per key, exactly once: the job that the kill harness kills. An ordinary PyFlink script.

In: `key,seq,amount`, for each key seq 1, 2, 3, …
Out, under the key: `key,seq,count,sum`. Each is a witness of its own: a record that is lost or repeated on its way out
shows in seq, one that is lost or repeated in the state shows in count and sum.
"""

import argparse
from collections.abc import Iterator

from pyflink.common import Row, SimpleStringSchema, Types, WatermarkStrategy
from pyflink.common.serialization import RowFieldExtractorSchema
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.state import ValueStateDescriptor

KEY_AND_VALUE = Types.ROW([Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.PRIMITIVE_ARRAY(Types.BYTE())])


class CountAndSum(KeyedProcessFunction):  # type: ignore[misc]
    def __init__(self, fails_from: int) -> None:
        self.fails_from = fails_from

    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", Types.LONG()))

    def process_element(self, value: str, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        key, seq, amount = value.split(",")
        if self.fails_from and int(seq) >= self.fails_from:
            raise ValueError(f"record {seq} of {key}")
        count, total = (self.count.value() or 0) + 1, (self.sum.value() or 0) + int(amount)
        self.count.update(count)
        self.sum.update(total)
        yield Row(key.encode(), f"{key},{seq},{count},{total}".encode())


def sink(args: argparse.Namespace, topic: str) -> KafkaSink:
    return (
        KafkaSink.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_record_serializer(
            KafkaRecordSerializationSchema.builder()
            .set_topic(topic)
            .set_key_serialization_schema(RowFieldExtractorSchema(0))
            .set_value_serialization_schema(RowFieldExtractorSchema(1))
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(topic)
        .set_property("transaction.timeout.ms", str(args.transaction_timeout))
        .build()
    )


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(args.checkpoint_interval)
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id(args.input)
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
    )
    if args.bounded:
        source.set_bounded(KafkaOffsetsInitializer.latest())
    counted = (
        env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "input")
        .uid("input")
        .key_by(lambda value: value.split(",", 1)[0], key_type=Types.STRING())
        .process(CountAndSum(args.fails_from), output_type=KEY_AND_VALUE)
        .uid("counters")
    )
    for number, topic in enumerate(args.output, 1):
        counted.sink_to(sink(args, topic)).name(topic).uid(f"sink-{number}")
    env.execute("counters")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--bootstrap", required=True)
    options.add_argument("--input", required=True)
    options.add_argument(
        "--output", required=True, action="append", help="topic of a sink, and its transactional id prefix"
    )
    options.add_argument("--checkpoint-interval", type=int, default=200, help="in milliseconds")
    options.add_argument("--transaction-timeout", type=int, default=60_000, help="in milliseconds")
    options.add_argument("--bounded", action="store_true", help="end with what is in the input now")
    options.add_argument("--fails-from", type=int, default=0, help="the seq from which on every record is a failure")
    main(options.parse_args())
