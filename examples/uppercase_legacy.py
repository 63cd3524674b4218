"""uppercase.py with Flink's earlier connector classes, which Flink itself dropped with its 4.0 connector.

    wiesel run examples/uppercase_legacy.py --input test-topic --output test-output-topic

A FlinkKafkaConsumer never ends; stop it with Ctrl-C.
"""

import argparse

from pyflink.common import SimpleStringSchema, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import FlinkKafkaConsumer, FlinkKafkaProducer


def main(args: argparse.Namespace) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    properties = {"bootstrap.servers": args.bootstrap, "group.id": "uppercase-legacy"}

    consumer = FlinkKafkaConsumer(args.input, SimpleStringSchema(), properties)
    consumer.set_start_from_earliest()
    producer = FlinkKafkaProducer(args.output, SimpleStringSchema(), {"bootstrap.servers": args.bootstrap})

    (
        env.add_source(consumer, "strings")
        .map(lambda value: value.upper(), output_type=Types.STRING())
        .add_sink(producer)
    )
    env.execute("Upper case")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    options.add_argument("--input", default="test-topic")
    options.add_argument("--output", default="test-output-topic")
    main(options.parse_args())
