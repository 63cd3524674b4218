"""Count words, from one topic to another, exactly once.

    wiesel run examples/wordcount_kafka.py --input lines --output word-counts

Every word that comes writes the word's new count, `word count`, under the word as key. Kill the job at any moment and
start it with `wiesel run --resume …`: a `read_committed` reader of the output sees each count once.
"""

import argparse
import re
from collections.abc import Iterator

from pyflink.common import Row, SimpleStringSchema, Types, WatermarkStrategy
from pyflink.common.serialization import RowFieldExtractorSchema
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)

WORD_AND_ONE = Types.TUPLE([Types.STRING(), Types.LONG()])
KEY_AND_VALUE = Types.ROW([Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.PRIMITIVE_ARRAY(Types.BYTE())])


def words(line: str) -> Iterator[tuple[str, int]]:
    for word in re.findall(r"\w+", line.lower()):
        yield word, 1


def to_record(word_and_count: tuple[str, int]) -> Row:
    word, count = word_and_count
    return Row(word.encode(), f"{word} {count}".encode())


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(args.checkpoint_interval)

    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(args.bootstrap)
        .set_topics(args.input)
        .set_group_id("wordcount")
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
            .set_key_serialization_schema(RowFieldExtractorSchema(0))
            .set_value_serialization_schema(RowFieldExtractorSchema(1))
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(f"wordcount-{args.output}")
        # Flink's default of an hour is more than brokers allow by default (15 minutes).
        .set_property("transaction.timeout.ms", "600000")
        .build()
    )

    (
        env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "lines")
        .flat_map(words, output_type=WORD_AND_ONE)
        .key_by(lambda word_and_one: word_and_one[0], key_type=Types.STRING())
        .sum(1)
        .map(to_record, output_type=KEY_AND_VALUE)
        .sink_to(sink)
    )
    env.execute("Word count")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    options.add_argument("--input", default="lines")
    options.add_argument("--output", default="word-counts")
    options.add_argument("--bounded", action="store_true", help="stop at the topic's present end")
    options.add_argument("--checkpoint-interval", type=int, default=1000, metavar="MS")
    main(options.parse_args())
