"""FlinkKafkaConsumer can be imported but not constructed.

Covers: S24
"""

from pyflink.common import SimpleStringSchema
from pyflink.datastream.connectors.kafka import FlinkKafkaConsumer

try:
    FlinkKafkaConsumer("topic", SimpleStringSchema(), {"bootstrap.servers": "localhost:9092"})
    print("constructed")
except TypeError as error:
    print("TypeError", "FlinkKafkaConsumer" in str(error))
