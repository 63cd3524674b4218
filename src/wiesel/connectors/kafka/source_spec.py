"""The Kafka source as inert data of the job graph (Flink: ``KafkaSource``)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from wiesel.connectors.kafka.bad_records import (
    BadRecordPolicy,
    BadRecords,
    configured_policy,
    dead_letter_tag,
)
from wiesel.connectors.kafka.enumerator import Subscription
from wiesel.connectors.kafka.offsets import OffsetsInitializer
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import (
    JobFacts,
    Json,
    SourceContext,
    SourceReader,
    SplitEnumerator,
)
from wiesel.core.errors import ConfigurationError
from wiesel.core.preflight import PreflightFinding
from wiesel.core.shipping import ShippedFunction
from wiesel.core.side_sinks import SideSink

if TYPE_CHECKING:
    from confluent_kafka import Consumer

    from wiesel.connectors.kafka.reader import OnCommit

logger = logging.getLogger(__name__)

_DISCOVERY_INTERVAL_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class KafkaSourceSpec:
    """Reads partitions of topics.

    Args:
        bootstrap_servers: addresses of brokers.
        subscription: which partitions.
        start: where they start.
        stop: where they stop; None for never.
        bounded: whether the job ends when all have stopped (``set_bounded``; ``set_unbounded`` stops too, but the job
            counts as a streaming one).
        deserializer: a shipped ``DeserializationSchema`` for values, or ``KafkaRecordDeserializationSchema``.
        properties: the user's client properties, Java style.
        client_id_prefix: first part of the readers' client ids.
        bad_records: what becomes of records that cannot be decoded; None leaves it to the job's configuration.
    """

    bootstrap_servers: str
    subscription: Subscription
    start: OffsetsInitializer
    stop: OffsetsInitializer | None
    bounded: bool
    deserializer: ShippedFunction
    properties: Mapping[str, str]
    client_id_prefix: str | None = None
    bad_records: BadRecordPolicy | None = None

    @property
    def group_id(self) -> str | None:
        """Return the consumer group of the user, if one is given."""
        return self.properties.get("group.id") or None

    @property
    def commits_offsets(self) -> bool:
        """Whether the offsets of complete checkpoints are committed to the group, for whoever watches its lag."""
        wanted = self.properties.get("commit.offsets.on.checkpoint", "true").lower() == "true"
        return wanted and self.group_id is not None

    def preflight(self, configuration: Configuration) -> None:
        """Check that a broker answers, lets us read and has the topics."""
        from wiesel.connectors.kafka.preflight import examine_source, settle

        settle(examine_source(self, configuration))

    def examine(self, configuration: Configuration, job: JobFacts) -> Iterator[PreflightFinding]:
        """Find all that is wrong."""
        from wiesel.connectors.kafka.preflight import examine_source

        return examine_source(self, configuration)

    def check_settings(self) -> None:
        """Raise ``ConfigurationError`` for a property of ours that cannot be used."""
        self._discovery_interval_ms()

    def create_enumerator(self, context: SourceContext, state: Json | None) -> SplitEnumerator:
        """Return the enumerator; it connects at its first discovery."""
        from wiesel.connectors.kafka.admin import cluster
        from wiesel.connectors.kafka.enumerator import KafkaSplitEnumerator
        from wiesel.connectors.kafka.offset_lookup import ClusterOffsets

        connection = cluster(self.bootstrap_servers, self.properties)
        return KafkaSplitEnumerator(
            self.subscription,
            self.start,
            self.stop,
            connection,
            ClusterOffsets(connection, self.properties, self.group_id),
            context.parallelism,
            self._discovery_interval_ms(),
            state,
        )

    def create_reader(self, context: SourceContext) -> SourceReader:
        """Return a reader without partitions."""
        from wiesel.connectors.kafka import client
        from wiesel.connectors.kafka.decoding import decoder_for
        from wiesel.connectors.kafka.reader import KafkaSourceReader

        events = client.ClientEvents(self.bootstrap_servers)

        def connect(on_commit: OnCommit) -> Consumer:
            ours = {**self._fixed(context), "on_commit": on_commit, "stats_cb": events.on_statistics}
            interval = {"statistics.interval.ms": str(client.STATISTICS_INTERVAL_MS)}
            return client.consumer({**interval, **self._connection()}, ours, events)

        bad_records = BadRecords(self.bad_records or BadRecordPolicy(), context)
        return KafkaSourceReader(
            connect,
            events,
            decoder_for(self.deserializer.load(), bad_records),
            bad_records,
            context,
            resets_offsets=self._reset_by_choice(),
            commits_offsets=self.commits_offsets,
            group=self.group_id or "",
        )

    def with_configuration(self, configuration: Configuration) -> KafkaSourceSpec:
        """Return the source with the job's policy for bad records where it has none of its own."""
        if self.bad_records is not None:
            return self
        return replace(self, bad_records=configured_policy(configuration))

    def side_sinks(self) -> Sequence[SideSink]:
        """Return the sink of the dead letters, if there are to be any."""
        policy = self.bad_records
        if policy is None or policy.topic is None:
            return ()
        from wiesel.connectors.kafka.dead_letter_sink import dead_letter_sink

        tag = dead_letter_tag(policy.topic)
        return (SideSink(tag, dead_letter_sink(self, policy), f"Dead letters: {policy.topic}"),)

    def _fixed(self, context: SourceContext) -> dict[str, Any]:
        prefix = self.client_id_prefix or self.group_id or context.operator_uid
        return {
            # The client insists on a group; where the user has none it stays unused, and no broker ever sees it.
            "group.id": self.group_id or f"wiesel-{context.operator_uid}",
            "client.id": f"{prefix}-{context.subtask}",
            "enable.auto.commit": self.properties.get("enable.auto.commit", "false"),
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            # We are no member of the group. To the client it is also how long a commit waits for the group's
            # coordinator, and a close for the commit: its 45 s are too long for what is for monitoring only.
            "session.timeout.ms": self.properties.get("session.timeout.ms", "6000"),
        }

    def _connection(self) -> dict[str, str]:
        return {**self.properties, "bootstrap.servers": self.bootstrap_servers}

    def _discovery_interval_ms(self) -> int | None:
        text = self.properties.get("partition.discovery.interval.ms", str(_DISCOVERY_INTERVAL_MS))
        try:
            interval = int(text)
        except ValueError:
            raise ConfigurationError(
                f"partition.discovery.interval.ms={text} is no number of milliseconds (0 or less turns discovery off)."
            ) from None
        return interval if interval > 0 and not self.bounded else None

    def _reset_by_choice(self) -> str | None:
        choice = self.properties.get("auto.offset.reset", "none").lower()
        return {"earliest": "earliest", "smallest": "earliest", "latest": "latest", "largest": "latest"}.get(choice)
