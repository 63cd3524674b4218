"""Kafka sources and sinks (``pyflink.datastream.connectors.kafka``; Flink docs: "Apache Kafka Connector").

PyFlink has no whole records, partitioners, header providers and bad-record policies: these names are Wiesel's own here.
"""

from __future__ import annotations

from wiesel.connectors.kafka.bad_records import BadRecordPolicy
from wiesel.connectors.kafka.partitioners import (
    FlinkFixedPartitioner,
    FlinkKafkaPartitioner,
    KeyHashPartitioner,
    RoundRobinPartitioner,
    key_hash_partition,
)
from wiesel.connectors.kafka.record_schemas import Collector, KafkaRecordDeserializationSchema
from wiesel.connectors.kafka.records import ConsumerRecord, Header, ProducerRecord, TimestampType
from wiesel.connectors.kafka.sink_context import KafkaSinkContext
from wiesel.datastream.connectors.kafka_legacy import FlinkKafkaConsumer, FlinkKafkaProducer, Semantic
from wiesel.datastream.connectors.kafka_offsets import (
    KafkaOffsetResetStrategy,
    KafkaOffsetsInitializer,
    KafkaTopicPartition,
)
from wiesel.datastream.connectors.kafka_sink import (
    HeaderProvider,
    KafkaRecordSerializationSchema,
    KafkaRecordSerializationSchemaBuilder,
    KafkaSink,
    KafkaSinkBuilder,
    KafkaTopicSelector,
)
from wiesel.datastream.connectors.kafka_source import KafkaSource, KafkaSourceBuilder

__all__ = [
    "BadRecordPolicy",
    "Collector",
    "ConsumerRecord",
    "FlinkFixedPartitioner",
    "FlinkKafkaConsumer",
    "FlinkKafkaPartitioner",
    "FlinkKafkaProducer",
    "Header",
    "HeaderProvider",
    "KafkaOffsetResetStrategy",
    "KafkaOffsetsInitializer",
    "KafkaRecordDeserializationSchema",
    "KafkaRecordSerializationSchema",
    "KafkaRecordSerializationSchemaBuilder",
    "KafkaSink",
    "KafkaSinkBuilder",
    "KafkaSinkContext",
    "KafkaSource",
    "KafkaSourceBuilder",
    "KafkaTopicPartition",
    "KafkaTopicSelector",
    "KeyHashPartitioner",
    "ProducerRecord",
    "RoundRobinPartitioner",
    "Semantic",
    "TimestampType",
    "key_hash_partition",
]
