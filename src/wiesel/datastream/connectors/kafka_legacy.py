"""``FlinkKafkaConsumer`` and ``FlinkKafkaProducer``, which scripts for Flink 1.x use.

PyFlink 2.3 still imports them, but cannot construct them: their Java classes are gone. A job that uses them therefore
runs here and not on a current Flink; ``KafkaSource`` and ``KafkaSink`` run on both.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Mapping, Sequence

from wiesel.connectors.kafka.encoding import RecordSerializerSpec
from wiesel.connectors.kafka.enumerator import TopicList
from wiesel.connectors.kafka.offsets import (
    AtTimestamp,
    Committed,
    Earliest,
    Latest,
    OffsetResetStrategy,
    OffsetsInitializer,
)
from wiesel.connectors.kafka.sink_spec import KafkaSinkSpec
from wiesel.connectors.kafka.source_spec import KafkaSourceSpec
from wiesel.core.errors import ConfigurationError
from wiesel.core.serialization import DeserializationSchema, SerializationSchema
from wiesel.core.shipping import ship
from wiesel.core.types import TypeInformation
from wiesel.datastream.connectors.base import DeliveryGuarantee
from wiesel.datastream.connectors.kafka_source import text
from wiesel.datastream.functions import SinkFunction, SourceFunction

_log = logging.getLogger("wiesel.datastream")

__all__ = ["FlinkKafkaConsumer", "FlinkKafkaProducer", "Semantic"]


def _note(old: str, new: str) -> None:
    _log.warning("%s is deprecated and cannot be constructed on Flink 2: use %s, which runs on both.", old, new)


class FlinkKafkaConsumer(SourceFunction):
    """Reads topics; for ``env.add_source``.

    Args:
        topics: one topic or several.
        deserialization_schema: makes records of message values.
        properties: client properties; ``bootstrap.servers`` is required.
    """

    def __init__(
        self,
        topics: str | Sequence[str],
        deserialization_schema: DeserializationSchema,
        properties: Mapping[str, str],
    ) -> None:
        super().__init__(None)
        if not isinstance(deserialization_schema, DeserializationSchema):
            raise TypeError(f"FlinkKafkaConsumer takes a DeserializationSchema, got {deserialization_schema!r}")
        _note("FlinkKafkaConsumer", "KafkaSource")
        self._topics = (topics,) if isinstance(topics, str) else tuple(topics)
        self._schema = deserialization_schema
        self._shipped_schema = ship(deserialization_schema)
        self._properties = _checked(properties, "FlinkKafkaConsumer")
        self._start: OffsetsInitializer | None = None

    @property
    def spec(self) -> KafkaSourceSpec:
        """Return the source as data of the job graph."""
        properties = dict(self._properties)
        # The old name; without it the old consumer looked for partitions once.
        properties["partition.discovery.interval.ms"] = properties.pop("flink.partition-discovery.interval-millis", "0")
        return KafkaSourceSpec(
            properties["bootstrap.servers"],
            TopicList(self._topics),
            self._start or self._group_offsets(),
            None,
            False,
            self._shipped_schema,
            properties,
        )

    def _group_offsets(self) -> OffsetsInitializer:
        earliest = self._properties.get("auto.offset.reset", "latest").lower() in ("earliest", "smallest")
        return Committed(OffsetResetStrategy.EARLIEST if earliest else OffsetResetStrategy.LATEST)

    def produced_type(self) -> TypeInformation | None:
        """Return the type that the deserialization schema says."""
        return self._schema.produced_type()

    def get_produced_type(self) -> TypeInformation:
        """Return the type of the records."""
        return self._schema.produced_type()

    def set_commit_offsets_on_checkpoints(self, commit_on_checkpoints: bool) -> FlinkKafkaConsumer:
        """Set whether offsets are committed to the consumer group with checkpoints (they are by default)."""
        self._properties["commit.offsets.on.checkpoint"] = "true" if commit_on_checkpoints else "false"
        return self

    def set_start_from_earliest(self) -> FlinkKafkaConsumer:
        """Start at the oldest records."""
        self._start = Earliest()
        return self

    def set_start_from_latest(self) -> FlinkKafkaConsumer:
        """Start behind the newest records."""
        self._start = Latest()
        return self

    def set_start_from_timestamp(self, startup_offsets_timestamp: int) -> FlinkKafkaConsumer:
        """Start at the first records not before a timestamp (milliseconds since 1970)."""
        self._start = AtTimestamp(int(startup_offsets_timestamp))
        return self

    def set_start_from_group_offsets(self) -> FlinkKafkaConsumer:
        """Start at the consumer group's offsets, else where ``auto.offset.reset`` says (the default)."""
        self._start = None
        return self

    def disable_filter_restored_partitions_with_subscribed_topics(self) -> FlinkKafkaConsumer:
        """Keep reading restored partitions of topics that are not subscribed any more; here they always are."""
        return self


class Semantic(enum.Enum):
    """What a ``FlinkKafkaProducer`` promises."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1
    NONE = 2


class FlinkKafkaProducer(SinkFunction):
    """Writes one topic; for ``stream.add_sink``.

    Each subtask writes to one partition, chosen by its number, as the old producer's default partitioner did.

    Args:
        topic: where to.
        serialization_schema: makes message values of records.
        producer_config: client properties; ``bootstrap.servers`` is required. EXACTLY_ONCE names its transactional ids
            after the topic, unless ``transactional.id.prefix`` is among them.
        kafka_producer_pool_size: has no effect: every transaction gets its own producer here.
        semantic: what is promised.
    """

    def __init__(
        self,
        topic: str,
        serialization_schema: SerializationSchema,
        producer_config: Mapping[str, str],
        kafka_producer_pool_size: int = 5,
        semantic: Semantic = Semantic.AT_LEAST_ONCE,
    ) -> None:
        super().__init__(None)
        if not isinstance(serialization_schema, SerializationSchema):
            raise TypeError(f"FlinkKafkaProducer takes a SerializationSchema, got {serialization_schema!r}")
        if not isinstance(semantic, Semantic):
            raise TypeError(f"FlinkKafkaProducer takes a Semantic, got {semantic!r}")
        _note("FlinkKafkaProducer", "KafkaSink")
        self._serializer = RecordSerializerSpec(
            text("FlinkKafkaProducer", topic), None, None, ship(serialization_schema)
        )
        self._properties = _checked(producer_config, "FlinkKafkaProducer")
        self._prefix = self._properties.pop("transactional.id.prefix", f"wiesel-{topic}")
        self._semantic = semantic
        self._flushes = True
        self._logs_failures_only = False
        self._writes_timestamps = False

    @property
    def spec(self) -> KafkaSinkSpec:
        """Return the sink as data of the job graph."""
        guarantee = DeliveryGuarantee[self._semantic.name]
        if guarantee is DeliveryGuarantee.AT_LEAST_ONCE and not self._flushes:
            guarantee = DeliveryGuarantee.NONE
        return KafkaSinkSpec(
            self._properties["bootstrap.servers"],
            self._serializer,
            guarantee,
            self._prefix if guarantee is DeliveryGuarantee.EXACTLY_ONCE else None,
            dict(self._properties),
            writes_timestamps=self._writes_timestamps,
            logs_failures_only=self._logs_failures_only,
            partition_by_subtask=True,
        )

    def set_log_failures_only(self, log_failures_only: bool) -> None:
        """Set whether records that cannot be delivered are only logged (and lost); without effect in EXACTLY_ONCE."""
        self._logs_failures_only = log_failures_only

    def set_flush_on_checkpoint(self, flush_on_checkpoint: bool) -> None:
        """Set whether checkpoints wait for deliveries; without it AT_LEAST_ONCE is NONE."""
        self._flushes = flush_on_checkpoint

    def set_write_timestamp_to_kafka(self, write_timestamp_to_kafka: bool) -> None:
        """Set whether the event time becomes the record's timestamp."""
        self._writes_timestamps = write_timestamp_to_kafka

    def ignore_failures_after_transaction_timeout(self) -> FlinkKafkaProducer:
        """Do nothing: a transaction that timed out loses no data here (docs/delivery-guarantees.md)."""
        return self


def _checked(properties: Mapping[str, str], where: str) -> dict[str, str]:
    checked = {text(where, key): text(f"{where}: {key}", value) for key, value in properties.items()}
    if not checked.get("bootstrap.servers"):
        raise ConfigurationError(f"{where} needs the property bootstrap.servers ('host:9092').")
    return checked
