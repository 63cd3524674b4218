"""``KafkaSource`` and its builder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from wiesel.connectors.kafka.bad_records import BadRecordPolicy
from wiesel.connectors.kafka.enumerator import PartitionSet, Subscription, TopicList, TopicPattern
from wiesel.connectors.kafka.offsets import Committed, Earliest, OffsetsInitializer
from wiesel.connectors.kafka.record_schemas import KafkaRecordDeserializationSchema, collects
from wiesel.connectors.kafka.source_spec import KafkaSourceSpec
from wiesel.core.errors import ConfigurationError
from wiesel.core.serialization import DeserializationSchema
from wiesel.core.shipping import ship
from wiesel.core.types import TypeInformation
from wiesel.datastream.connectors.base import Source
from wiesel.datastream.connectors.kafka_offsets import KafkaOffsetsInitializer, KafkaTopicPartition

__all__ = ["KafkaSource", "KafkaSourceBuilder"]


class KafkaSource(Source):
    """Reads topics (Flink: ``KafkaSource``).

    Example::

        source = (
            KafkaSource.builder()
            .set_bootstrap_servers("127.0.0.1:9092")
            .set_topics("flights")
            .set_group_id("my-job")
            .set_starting_offsets(KafkaOffsetsInitializer.earliest())
            .set_value_only_deserializer(SimpleStringSchema())
            .build()
        )
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "flights")

    Args:
        source: the spec that the builder made.
    """

    def __init__(self, source: KafkaSourceSpec) -> None:
        super().__init__(source)
        schema: DeserializationSchema | KafkaRecordDeserializationSchema = source.deserializer.load()
        self._produced_type = schema.produced_type()

    def produced_type(self) -> TypeInformation | None:
        """Return the type that the deserialization schema says."""
        return self._produced_type

    @staticmethod
    def builder() -> KafkaSourceBuilder:
        """Return a builder."""
        return KafkaSourceBuilder()


class KafkaSourceBuilder:
    """Builds a ``KafkaSource``; needs servers, topics (or a pattern, or partitions) and a deserializer."""

    def __init__(self) -> None:
        self._bootstrap_servers: str | None = None
        self._subscription: Subscription | None = None
        self._start: OffsetsInitializer = Earliest()
        self._stop: OffsetsInitializer | None = None
        self._bounded = False
        self._schema: DeserializationSchema | KafkaRecordDeserializationSchema | None = None
        self._bad_records: BadRecordPolicy | None = None
        self._client_id_prefix: str | None = None
        self._properties: dict[str, str] = {}

    def build(self) -> KafkaSource:
        """Return the source.

        Raises:
            ConfigurationError: something it needs was not set.
        """
        servers = self._bootstrap_servers or self._properties.get("bootstrap.servers")
        if not servers:
            raise ConfigurationError("KafkaSource needs the brokers' addresses: set_bootstrap_servers('host:9092').")
        if self._subscription is None:
            raise ConfigurationError(
                "KafkaSource needs set_topics(...), set_topic_pattern(...) or set_partitions(...)."
            )
        if self._schema is None:
            raise ConfigurationError(
                "KafkaSource needs a deserializer: set_value_only_deserializer(SimpleStringSchema()), for example."
            )
        if "group.id" not in self._properties:
            self._require_no_group()
        spec = KafkaSourceSpec(
            servers,
            self._subscription,
            self._start,
            self._stop,
            self._bounded,
            ship(self._schema),
            dict(self._properties),
            self._client_id_prefix or self._properties.get("client.id.prefix"),
            self._bad_records,
        )
        return KafkaSource(spec)

    def _require_no_group(self) -> None:
        if isinstance(self._start, Committed) or isinstance(self._stop, Committed):
            raise ConfigurationError("Committed offsets belong to a consumer group: call set_group_id('my-group').")
        for key in ("commit.offsets.on.checkpoint", "enable.auto.commit"):
            if self._properties.get(key, "false").lower() == "true":
                raise ConfigurationError(f"{key}=true needs a consumer group: call set_group_id('my-group').")

    def set_bootstrap_servers(self, bootstrap_servers: str) -> KafkaSourceBuilder:
        """Set the brokers' addresses, ``host:port`` separated by commas."""
        self._bootstrap_servers = text("set_bootstrap_servers", bootstrap_servers)
        return self

    def set_group_id(self, group_id: str) -> KafkaSourceBuilder:
        """Set the consumer group that offsets are committed to with checkpoints; it takes no part in assignment."""
        return self.set_property("group.id", group_id)

    def set_topics(self, *topics: str) -> KafkaSourceBuilder:
        """Read all partitions of these topics."""
        if not topics:
            raise ConfigurationError("set_topics takes at least one topic.")
        return self._subscribe(TopicList(tuple(text("set_topics", topic) for topic in topics)))

    def set_topic_pattern(self, topic_pattern: str) -> KafkaSourceBuilder:
        """Read all topics whose whole name matches a regular expression, later ones included."""
        try:
            re.compile(text("set_topic_pattern", topic_pattern))
        except re.error as error:
            raise ConfigurationError(
                f"set_topic_pattern: {topic_pattern!r} is no regular expression: {error}"
            ) from None
        return self._subscribe(TopicPattern(topic_pattern))

    def set_partitions(self, partitions: Iterable[KafkaTopicPartition]) -> KafkaSourceBuilder:
        """Read exactly these partitions."""
        wanted = list(partitions)
        for partition in wanted:
            if not isinstance(partition, KafkaTopicPartition):
                raise TypeError(f"set_partitions takes KafkaTopicPartition objects, got {partition!r}")
        if not wanted:
            raise ConfigurationError("set_partitions takes at least one partition.")
        return self._subscribe(PartitionSet(tuple(sorted({partition.to_partition() for partition in wanted}))))

    def _subscribe(self, subscription: Subscription) -> KafkaSourceBuilder:
        if self._subscription is not None:
            raise ConfigurationError(
                "KafkaSource reads topics, a topic pattern or partitions; one of them was set already."
            )
        self._subscription = subscription
        return self

    def set_starting_offsets(self, starting_offsets_initializer: KafkaOffsetsInitializer) -> KafkaSourceBuilder:
        """Set where a start without checkpoint begins to read; the oldest records if not called."""
        self._start = _initializer("set_starting_offsets", starting_offsets_initializer)
        return self

    def set_unbounded(self, stopping_offsets_initializer: KafkaOffsetsInitializer) -> KafkaSourceBuilder:
        """Stop at these offsets, in a job that runs as a stream."""
        self._stop, self._bounded = _initializer("set_unbounded", stopping_offsets_initializer), False
        return self

    def set_bounded(self, stopping_offsets_initializer: KafkaOffsetsInitializer) -> KafkaSourceBuilder:
        """Stop at these offsets, in a job that ends there."""
        self._stop, self._bounded = _initializer("set_bounded", stopping_offsets_initializer), True
        return self

    def set_value_only_deserializer(self, deserialization_schema: DeserializationSchema) -> KafkaSourceBuilder:
        """Set the schema that makes records of message values."""
        if not isinstance(deserialization_schema, DeserializationSchema):
            raise TypeError(
                f"set_value_only_deserializer takes a DeserializationSchema, got {deserialization_schema!r}"
            )
        self._schema = deserialization_schema
        return self

    def set_deserializer(self, record_deserializer: KafkaRecordDeserializationSchema) -> KafkaSourceBuilder:
        """Set the schema that makes records of whole Kafka records (Flink: ``setDeserializer``).

        PyFlink has no such method; a script that calls it runs here and not on Flink.
        """
        if not isinstance(record_deserializer, KafkaRecordDeserializationSchema):
            raise TypeError(
                f"set_deserializer takes a KafkaRecordDeserializationSchema, got {record_deserializer!r}: subclass it, "
                "or call set_value_only_deserializer(...) for a DeserializationSchema."
            )
        collects(record_deserializer)
        self._schema = record_deserializer
        return self

    def set_bad_record_policy(self, policy: BadRecordPolicy) -> KafkaSourceBuilder:
        """Set what becomes of records that cannot be decoded; ``wiesel.kafka.bad-records`` decides if not called.

        PyFlink has no such method; a script that calls it runs here and not on Flink.
        """
        if not isinstance(policy, BadRecordPolicy):
            raise TypeError(f"set_bad_record_policy takes a BadRecordPolicy, got {policy!r}: BadRecordPolicy.skip()")
        self._bad_records = policy
        return self

    def set_client_id_prefix(self, prefix: str) -> KafkaSourceBuilder:
        """Set the first part of the clients' ids; the subtask's number follows."""
        self._client_id_prefix = text("set_client_id_prefix", prefix)
        return self

    def set_property(self, key: str, value: str) -> KafkaSourceBuilder:
        """Set a client property, by Java's name or librdkafka's (docs/kafka.md)."""
        self._properties[text("set_property", key)] = text(f"set_property({key!r}, …)", value)
        return self

    def set_properties(self, props: Mapping[str, str]) -> KafkaSourceBuilder:
        """Set several client properties."""
        for key, value in props.items():
            self.set_property(key, value)
        return self


def text(where: str, value: str) -> str:
    """Return ``value`` if it is a str; PyFlink would fail there too, in Java's words."""
    if not isinstance(value, str):
        raise TypeError(f"{where} takes text, got {type(value).__name__}: write {str(value)!r}")
    return value


def _initializer(where: str, offsets: KafkaOffsetsInitializer) -> OffsetsInitializer:
    if not isinstance(offsets, KafkaOffsetsInitializer):
        raise TypeError(f"{where} takes a KafkaOffsetsInitializer, got {offsets!r}")
    return offsets.initializer
