"""The Kafka sink as inert data of the job graph (Flink: ``KafkaSink``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wiesel.connectors.delivery_guarantee import DeliveryGuarantee
from wiesel.connectors.kafka.encoding import Encode, RecordSerializerSpec
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import Committer, CommitterContext, JobFacts, Json, SinkContext, SinkWriter
from wiesel.core.host import host
from wiesel.core.preflight import PreflightFinding

if TYPE_CHECKING:
    from confluent_kafka import Producer

    from wiesel.connectors.kafka.whole_records import EncodeWhole

_QUEUE_RECORDS: Final = 100_000
_QUEUE_KBYTES: Final = 64 << 10
#: Under load larger batches cost less; an idle task ends the waiting (idle_flush.py).
_LINGER_MS: Final = 20
#: More requests on their way cannot be put into order again.
_MOST_IN_FLIGHT: Final = 5
_IN_FLIGHT_KEYS: Final = ("max.in.flight", "max.in.flight.requests.per.connection")
#: The client's two names for it.
_LINGER_KEYS: Final = frozenset({"linger.ms", "queue.buffering.max.ms"})


def _may_be_idempotent(properties: Mapping[str, str]) -> bool:
    """Whether the user has set nothing that rules it out; as in Java's client, what he set wins without a word."""
    acks = {properties.get(name, "all").strip() for name in ("acks", "request.required.acks")}
    in_flight = [properties.get(name, "1") for name in _IN_FLIGHT_KEYS]
    retries = [properties.get(name, "1") for name in ("retries", "message.send.max.retries")]
    too_many = any(number.isdigit() and int(number) > _MOST_IN_FLIGHT for number in in_flight)
    return acks <= {"all", "-1"} and not too_many and "0" not in retries


@dataclass(frozen=True, slots=True)
class KafkaSinkSpec:
    """Writes records to topics.

    Args:
        bootstrap_servers: addresses of brokers.
        serializer: how values become records.
        guarantee: what is promised.
        transactional_id_prefix: names the transactional ids and the progress topic of EXACTLY_ONCE.
        properties: the user's client properties, Java style.
        writes_timestamps: whether the event time becomes the record's timestamp.
        logs_failures_only: whether a record that cannot be delivered is logged and lost instead of failing the job
            (not in EXACTLY_ONCE).
        partition_by_subtask: whether a subtask writes to one partition, chosen by its number (Flink:
            ``FlinkFixedPartitioner``).
    """

    bootstrap_servers: str
    serializer: RecordSerializerSpec
    guarantee: DeliveryGuarantee
    transactional_id_prefix: str | None
    properties: Mapping[str, str]
    writes_timestamps: bool = True
    logs_failures_only: bool = False
    partition_by_subtask: bool = False

    @property
    def transactional(self) -> bool:
        """Whether a committer publishes the output."""
        return self.guarantee is DeliveryGuarantee.EXACTLY_ONCE

    @property
    def identity(self) -> str | None:
        """Return what must not change within a lineage."""
        return self.transactional_id_prefix if self.transactional else None

    def connection(self) -> dict[str, str]:
        """Return the user's properties with the address."""
        return {**self.properties, "bootstrap.servers": self.bootstrap_servers}

    def preflight(self, configuration: Configuration, job: JobFacts) -> None:
        """Check prefix and guarantee against the job, then that a broker answers and lets us write the topic."""
        from wiesel.connectors.kafka.preflight import settle

        settle(self.examine(configuration, job))

    def examine(self, configuration: Configuration, job: JobFacts) -> Iterator[PreflightFinding]:
        """Find all that is wrong."""
        from wiesel.connectors.kafka.preflight import examine_sink

        return examine_sink(self, job)

    def create_writer(self, context: SinkContext, state: Sequence[Json]) -> SinkWriter:
        """Return a writer for the guarantee."""
        return self._wal_writer(context, state) if self.transactional else self._plain_writer(context)

    def create_committer(self, context: CommitterContext) -> Committer | None:
        """Return the committer of EXACTLY_ONCE; the other guarantees need none."""
        from wiesel.connectors.kafka.ablation import segment_disk
        from wiesel.connectors.kafka.sink_committer import KafkaCommitter

        if self.transactional_id_prefix is None or not self.transactional:
            return None
        return KafkaCommitter(
            self.bootstrap_servers,
            self.connection(),
            self.transactional_id_prefix,
            self.serializer.topic,
            context,
            segment_disk(),
        )

    def _wal_writer(self, context: SinkContext, state: Sequence[Json]) -> SinkWriter:
        from wiesel.connectors.kafka.ablation import segment_disk
        from wiesel.connectors.kafka.admin import cluster
        from wiesel.connectors.kafka.admission import DEFAULT_MAX_REQUEST_BYTES, Admission
        from wiesel.connectors.kafka.naming import transactional_id
        from wiesel.connectors.kafka.wal_writer import WalWriter

        properties = self.connection()
        largest = int(
            properties.get("max.request.size", properties.get("message.max.bytes", DEFAULT_MAX_REQUEST_BYTES))
        )
        admission = Admission(cluster(self.bootstrap_servers, properties), largest)
        if self.serializer.topic is not None:
            admission.limits_of(self.serializer.topic)  # asked now, not at the first record
        return WalWriter(
            transactional_id(self.transactional_id_prefix or "", context.operator_uid, context.subtask),
            self._encode(),
            admission,
            context,
            state,
            segment_disk(),
            host().process,
            lambda: host().unique()[:12],
            partition=self.partition_for(context.subtask),
            writes_timestamps=self.writes_timestamps,
            encode_whole=self._encode_whole(context),
        )

    def _encode(self) -> Encode | None:
        return None if self.serializer.makes_whole_records else self.serializer.bind()

    def _encode_whole(self, context: SinkContext) -> EncodeWhole | None:
        from wiesel.connectors.kafka.admin import cluster
        from wiesel.connectors.kafka.sink_context import KafkaSinkContext
        from wiesel.connectors.kafka.whole_records import bind

        if not self.serializer.makes_whole_records:
            return None
        connection = cluster(self.bootstrap_servers, self.properties)

        def count_partitions(topic: str) -> int:
            return connection.describe([topic])[topic].partitions

        return bind(self.serializer, KafkaSinkContext(context.subtask, context.parallelism, count_partitions))

    def partition_for(self, subtask: int) -> int:
        """Return the partition that ``subtask`` writes to, -1 when the partitioner decides for each record."""
        from wiesel.connectors.kafka.admin import cluster

        topic = self.serializer.topic
        if not self.partition_by_subtask or topic is None:
            return -1
        return subtask % cluster(self.bootstrap_servers, self.properties).describe([topic])[topic].partitions

    def _plain_writer(self, context: SinkContext) -> SinkWriter:
        from wiesel.connectors.kafka import client
        from wiesel.connectors.kafka.writer import KafkaWriter

        events = client.ClientEvents(self.bootstrap_servers)

        chooses_linger = _LINGER_KEYS.isdisjoint(self.properties)

        def connect() -> Producer:
            defaults: dict[str, Any] = {
                "queue.buffering.max.messages": _QUEUE_RECORDS,
                "queue.buffering.max.kbytes": _QUEUE_KBYTES,
            }
            if chooses_linger:
                defaults["linger.ms"] = _LINGER_MS
            defaults["statistics.interval.ms"] = client.STATISTICS_INTERVAL_MS
            if _may_be_idempotent(self.properties):
                defaults["enable.idempotence"] = True
            ours: dict[str, Any] = {key: value for key, value in defaults.items() if key not in self.properties}
            ours |= {"delivery.report.only.error": True, "stats_cb": events.on_statistics}
            return client.producer(self.connection(), ours, events)

        encode_value = self.serializer.bind_value()
        return KafkaWriter(
            connect,
            events,
            self._encode() if encode_value is None else None,
            context,
            queue_records=_QUEUE_RECORDS * 9 // 10,
            writes_timestamps=self.writes_timestamps,
            logs_failures_only=self.logs_failures_only,
            partition=self.partition_for(context.subtask),
            encode_whole=self._encode_whole(context),
            encode_value=encode_value,
            sends_when_idle=chooses_linger,  # who asks for a time gets it
        )
