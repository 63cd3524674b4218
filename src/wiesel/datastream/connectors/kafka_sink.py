"""``KafkaSink``, its builder, and the builder of records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from wiesel.connectors.kafka.encoding import RecordSerializerSpec
from wiesel.connectors.kafka.partitioners import FlinkKafkaPartitioner
from wiesel.connectors.kafka.records import Header
from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
from wiesel.core.errors import ConfigurationError
from wiesel.core.serialization import SerializationSchema
from wiesel.core.shipping import ShippedFunction, ship
from wiesel.datastream.connectors.base import DeliveryGuarantee, Sink, StreamTransformer, SupportsPreprocessing
from wiesel.datastream.connectors.kafka_source import text

__all__ = [
    "HeaderProvider",
    "KafkaRecordSerializationSchema",
    "KafkaRecordSerializationSchemaBuilder",
    "KafkaSink",
    "KafkaSinkBuilder",
    "KafkaTopicSelector",
]

# Kafka allows more; beyond this, names of progress topics and transactional ids would grow over its limits.
_LONGEST_PREFIX = 200


class KafkaTopicSelector(ABC):
    """Chooses a record's topic."""

    @abstractmethod
    def apply(self, data: Any) -> str:
        """Return the name of the topic for ``data``."""


class HeaderProvider(ABC):
    """Gives a record its headers (Flink: ``HeaderProvider``). PyFlink has no such class."""

    @abstractmethod
    def get_headers(self, element: Any) -> Sequence[Header]:
        """Return name and bytes of each header of the record that is made of ``element``, in order."""


class KafkaRecordSerializationSchema(SerializationSchema):
    """Makes a Kafka record of a value: topic, key and value, by its builder.

    A script may subclass it instead, to decide everything of a record (not on PyFlink)::

        class ByTenant(KafkaRecordSerializationSchema):
            def serialize(self, element, context, timestamp):  # event time in milliseconds, or None
                return ProducerRecord(
                    topic=f"orders-{element.tenant}",
                    key=element.id.encode(),
                    value=element.body,
                    headers=[("tenant", element.tenant.encode())],
                    timestamp=timestamp,
                    partition=None,
                )

    ``context`` is Flink's ``KafkaSinkContext``. None instead of a record writes nothing. What Kafka would refuse fails
    the job before the record is part of a checkpoint.

    Args:
        spec: what the builder made; a subclass leaves it out.
    """

    def __init__(self, spec: RecordSerializerSpec | None = None) -> None:
        super().__init__()
        self._spec = spec

    #: ``serialize(element, context, timestamp)`` of a subclass returns a ``ProducerRecord`` or None.
    serialize: Callable[..., Any]

    @property
    def spec(self) -> RecordSerializerSpec:
        """Return how records are made, as data of the job graph.

        Raises:
            ConfigurationError: a subclass without ``serialize(element, context, timestamp)``.
        """
        spec: RecordSerializerSpec | None = getattr(self, "_spec", None)
        if spec is not None:
            return spec
        if type(self).serialize is SerializationSchema.serialize:
            raise ConfigurationError(
                f"{type(self).__name__} has no serialize(self, element, context, timestamp). "
                "KafkaRecordSerializationSchema.builder() makes one of schemas."
            )
        return RecordSerializerSpec(None, None, None, None, own=ship(self))

    @staticmethod
    def builder() -> KafkaRecordSerializationSchemaBuilder:
        """Return a builder."""
        return KafkaRecordSerializationSchemaBuilder()


class KafkaRecordSerializationSchemaBuilder:
    """Builds a ``KafkaRecordSerializationSchema``; needs a topic or a topic selector, and a value schema."""

    def __init__(self) -> None:
        self._topic: str | None = None
        self._topic_selector: ShippedFunction | None = None
        self._key_schema: ShippedFunction | None = None
        self._value_schema: ShippedFunction | None = None
        self._header_provider: ShippedFunction | None = None
        self._partitioner: ShippedFunction | None = None

    def build(self) -> KafkaRecordSerializationSchema:
        """Return the schema.

        Raises:
            ConfigurationError: something it needs was not set.
        """
        if self._topic is None and self._topic_selector is None:
            raise ConfigurationError("The record serializer needs set_topic('name') or set_topic_selector(...).")
        if self._value_schema is None:
            raise ConfigurationError(
                "The record serializer needs set_value_serialization_schema(SimpleStringSchema()), for example."
            )
        return KafkaRecordSerializationSchema(
            RecordSerializerSpec(
                self._topic,
                self._topic_selector,
                self._key_schema,
                self._value_schema,
                self._header_provider,
                self._partitioner,
            )
        )

    def set_topic(self, topic: str) -> KafkaRecordSerializationSchemaBuilder:
        """Write all records to ``topic``."""
        if self._topic_selector is not None:
            raise ConfigurationError("set_topic and set_topic_selector exclude each other.")
        self._topic = text("set_topic", topic)
        return self

    def set_topic_selector(self, topic_selector: KafkaTopicSelector) -> KafkaRecordSerializationSchemaBuilder:
        """Write each record to the topic that ``topic_selector`` returns."""
        if self._topic is not None:
            raise ConfigurationError("set_topic and set_topic_selector exclude each other.")
        if not callable(getattr(topic_selector, "apply", None)):
            raise TypeError(f"set_topic_selector takes a KafkaTopicSelector, got {topic_selector!r}")
        self._topic_selector = ship(topic_selector)
        return self

    def set_key_serialization_schema(
        self, key_serialization_schema: SerializationSchema
    ) -> KafkaRecordSerializationSchemaBuilder:
        """Set the schema that makes the record's key of the whole value; without it records have no key."""
        self._key_schema = _shipped("set_key_serialization_schema", key_serialization_schema)
        return self

    def set_value_serialization_schema(
        self, value_serialization_schema: SerializationSchema
    ) -> KafkaRecordSerializationSchemaBuilder:
        """Set the schema that makes the record's value."""
        self._value_schema = _shipped("set_value_serialization_schema", value_serialization_schema)
        return self

    def set_header_provider(
        self, header_provider: HeaderProvider | Callable[[Any], Sequence[Header]]
    ) -> KafkaRecordSerializationSchemaBuilder:
        """Set what gives records their headers: a ``HeaderProvider`` or a callable (Flink: ``setHeaderProvider``).

        PyFlink has no such method; a script that calls it runs here and not on Flink.
        """
        if isinstance(header_provider, HeaderProvider):
            header_provider = header_provider.get_headers
        if not callable(header_provider):
            raise TypeError(f"set_header_provider takes a HeaderProvider or a callable, got {header_provider!r}")
        self._header_provider = ship(header_provider)
        return self

    def set_partitioner(self, partitioner: FlinkKafkaPartitioner) -> KafkaRecordSerializationSchemaBuilder:
        """Set what chooses records' partitions (Flink: ``setPartitioner``); Java's default partitioner without it.

        PyFlink has no such method; a script that calls it runs here and not on Flink.
        """
        if not isinstance(partitioner, FlinkKafkaPartitioner):
            raise TypeError(f"set_partitioner takes a FlinkKafkaPartitioner, got {partitioner!r}")
        self._partitioner = ship(partitioner)
        return self


def _shipped(where: str, schema: SerializationSchema) -> ShippedFunction:
    if not isinstance(schema, SerializationSchema):
        raise TypeError(f"{where} takes a SerializationSchema, got {schema!r}")
    return ship(schema)


class KafkaSink(Sink, SupportsPreprocessing):
    """Writes topics (Flink: ``KafkaSink``).

    Example::

        sink = (
            KafkaSink.builder()
            .set_bootstrap_servers("127.0.0.1:9092")
            .set_record_serializer(
                KafkaRecordSerializationSchema.builder()
                .set_topic("delays")
                .set_value_serialization_schema(SimpleStringSchema())
                .build()
            )
            .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .set_transactional_id_prefix("my-job")
            .build()
        )
        stream.sink_to(sink)

    Args:
        sink: the spec that the builder made.
    """

    commits = True

    def __init__(self, sink: KafkaSinkSpec) -> None:
        super().__init__(sink)

    @staticmethod
    def builder() -> KafkaSinkBuilder:
        """Return a builder."""
        return KafkaSinkBuilder()

    def get_transformer(self) -> StreamTransformer | None:
        """Return None: topic selectors run in the sink itself here, where PyFlink maps the stream first."""
        return None


class KafkaSinkBuilder:
    """Builds a ``KafkaSink``; needs servers and a record serializer."""

    def __init__(self) -> None:
        self._bootstrap_servers: str | None = None
        self._guarantee = DeliveryGuarantee.NONE
        self._prefix: str | None = None
        self._serializer: RecordSerializerSpec | None = None
        self._properties: dict[str, str] = {}

    def build(self) -> KafkaSink:
        """Return the sink.

        Raises:
            ConfigurationError: something it needs was not set.
        """
        servers = self._bootstrap_servers or self._properties.get("bootstrap.servers")
        if not servers:
            raise ConfigurationError("KafkaSink needs the brokers' addresses: set_bootstrap_servers('host:9092').")
        if self._serializer is None:
            raise ConfigurationError("KafkaSink needs set_record_serializer(KafkaRecordSerializationSchema…).")
        if self._guarantee is DeliveryGuarantee.EXACTLY_ONCE and self._prefix is None:
            raise ConfigurationError(
                "EXACTLY_ONCE needs set_transactional_id_prefix('my-job'): a name that is this sink's alone on the "
                "cluster and does not change between restarts."
            )
        return KafkaSink(
            KafkaSinkSpec(servers, self._serializer, self._guarantee, self._prefix, dict(self._properties))
        )

    def set_bootstrap_servers(self, bootstrap_servers: str) -> KafkaSinkBuilder:
        """Set the brokers' addresses, ``host:port`` separated by commas."""
        self._bootstrap_servers = text("set_bootstrap_servers", bootstrap_servers)
        return self

    def set_delivery_guarantee(self, delivery_guarantee: DeliveryGuarantee) -> KafkaSinkBuilder:
        """Set what is promised; NONE if not called, as in Flink."""
        if not isinstance(delivery_guarantee, DeliveryGuarantee):
            raise TypeError(f"set_delivery_guarantee takes a DeliveryGuarantee, got {delivery_guarantee!r}")
        self._guarantee = delivery_guarantee
        return self

    def set_transactional_id_prefix(self, transactional_id_prefix: str) -> KafkaSinkBuilder:
        """Set the name behind the transactional ids and the progress topic of EXACTLY_ONCE."""
        prefix = text("set_transactional_id_prefix", transactional_id_prefix)
        if not 0 < len(prefix.encode()) <= _LONGEST_PREFIX:
            raise ConfigurationError(f"A transactional id prefix has 1 to {_LONGEST_PREFIX} bytes, got {prefix!r}.")
        self._prefix = prefix
        return self

    def set_record_serializer(self, record_serializer: KafkaRecordSerializationSchema) -> KafkaSinkBuilder:
        """Set how values become records."""
        if not isinstance(record_serializer, KafkaRecordSerializationSchema):
            raise TypeError(
                f"set_record_serializer takes a KafkaRecordSerializationSchema, got {record_serializer!r}: "
                "KafkaRecordSerializationSchema.builder() makes one."
            )
        self._serializer = record_serializer.spec
        return self

    def set_property(self, key: str, value: str) -> KafkaSinkBuilder:
        """Set a client property, by Java's name or librdkafka's (docs/kafka.md)."""
        self._properties[text("set_property", key)] = text(f"set_property({key!r}, …)", value)
        return self
