"""A job whose functions need a module beside it and a package of its requirements.txt, wherever they run.

wiesel run tests/flink/shipped_job/job.py BOOTSTRAP OUT
"""

import sys

from beside import section_of  # type: ignore[import-not-found]
from pyflink.common import SimpleStringSchema, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink


def main(bootstrap: str, topic: str) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    schema = KafkaRecordSerializationSchema.builder().set_topic(topic)
    schema = schema.set_value_serialization_schema(SimpleStringSchema())
    sink = KafkaSink.builder().set_bootstrap_servers(bootstrap).set_record_serializer(schema.build()).build()
    texts = env.from_collection([f"[section-{number}]\na = {number}\n" for number in range(20)], Types.STRING())
    texts.map(section_of, output_type=Types.STRING()).sink_to(sink)
    env.execute("Shipped")


if __name__ == "__main__":
    main(*sys.argv[1:])
