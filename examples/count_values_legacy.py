"""count_values.py with Flink's earlier connector classes, which Flink itself dropped with its 4.0 connector.

    wiesel run examples/count_values_legacy.py --input test-topic --output output-topic

A FlinkKafkaConsumer never ends; stop it with Ctrl-C.
"""

import argparse

from pyflink.common import Row, SimpleStringSchema, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import FlinkKafkaConsumer, FlinkKafkaProducer
from pyflink.datastream.formats.json import JsonRowSerializationSchema

PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])
VALUE_AND_COUNT = Types.ROW_NAMED(["value", "count"], [Types.STRING(), Types.LONG()])


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    properties = {"bootstrap.servers": args.bootstrap, "group.id": "count-values-legacy"}

    consumer = FlinkKafkaConsumer(args.input, SimpleStringSchema(), properties)
    consumer.set_start_from_earliest()
    producer = FlinkKafkaProducer(
        args.output,
        JsonRowSerializationSchema.builder().with_type_info(VALUE_AND_COUNT).build(),
        {"bootstrap.servers": args.bootstrap},
    )

    (
        env.add_source(consumer, "values")
        .map(lambda value: (value, 1), output_type=PAIR)
        .key_by(lambda pair: pair[0], key_type=Types.STRING())
        .sum(1)
        .map(lambda pair: Row(pair[0], pair[1]), output_type=VALUE_AND_COUNT)
        .add_sink(producer)
    )
    env.execute("Count values")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    options.add_argument("--input", default="test-topic")
    options.add_argument("--output", default="output-topic")
    main(options.parse_args())
