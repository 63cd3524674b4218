"""Topics of a cluster: create, list, describe, alter, delete. Thin over confluent-kafka, with our errors."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wiesel.broker.client import TIMEOUT_SECONDS, Cluster, kafka_errors, make_client
from wiesel.broker.errors import BrokerError
from wiesel.core.errors import WieselError

if TYPE_CHECKING:
    from confluent_kafka.admin import PartitionMetadata

_POLL_SECONDS = 0.02
# What a partition says between being announced and knowing its own part.
_NOT_YET = frozenset(
    {
        "NOT_LEADER_FOR_PARTITION",
        "LEADER_NOT_AVAILABLE",
        "UNKNOWN_TOPIC_OR_PART",
        "UNKNOWN_LEADER_EPOCH",
        "FENCED_LEADER_EPOCH",
        "_NOENT",
    }
)


@dataclass(frozen=True)
class Topic:
    """A topic's name, its numbers of partitions and of replicas of each, and whether Kafka itself made it."""

    name: str
    partitions: int
    replicas: int
    is_internal: bool


@dataclass(frozen=True)
class PartitionOffsets:
    """First offset of a partition, the one after its last, the broker that leads it, and who has a current copy."""

    partition: int
    earliest: int
    latest: int
    leader: int = 1
    in_sync: tuple[int, ...] = (1,)


@dataclass(frozen=True)
class TopicDescription:
    """A topic's partitions, and the properties that were set for it."""

    name: str
    partitions: list[PartitionOffsets]
    properties: dict[str, str]


class Admin:
    """Administers the topics of one cluster; every call raises one of our errors, with what to do."""

    def __init__(self, where: str | Cluster, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        from confluent_kafka.admin import AdminClient

        self._where = where
        self._timeout = timeout_seconds
        self._client = make_client(AdminClient, where)

    def list_topics(self) -> list[Topic]:
        """All topics, by name; Kafka's own begin with two underscores."""
        with kafka_errors(self._where):
            metadata = self._client.list_topics(timeout=self._timeout)
        return [
            Topic(
                name,
                len(topic.partitions),
                min((len(one.replicas) for one in topic.partitions.values()), default=0),
                name.startswith("__"),
            )
            for name, topic in sorted(metadata.topics.items())
        ]

    def broker_ids(self) -> list[int]:
        """The ids of all brokers that answer."""
        with kafka_errors(self._where):
            return sorted(self._client.list_topics(timeout=self._timeout).brokers)

    def create_topic(
        self, name: str, partitions: int = 1, properties: Mapping[str, str] | None = None, replication: int = -1
    ) -> None:
        """Create a topic, -1 replicas being the cluster's default; returns when all its partitions answer."""
        from confluent_kafka.admin import NewTopic

        topic = NewTopic(name, num_partitions=partitions, replication_factor=replication, config=dict(properties or {}))
        with kafka_errors(self._where, name):
            self._client.create_topics([topic], request_timeout=self._timeout)[name].result()
        deadline = time.monotonic() + self._timeout
        while not self._serves(name, partitions):
            if time.monotonic() > deadline:
                raise BrokerError(f"topic {name!r} was created, but does not answer after {self._timeout:.0f} s.")
            time.sleep(_POLL_SECONDS)

    def delete_topics(self, names: Sequence[str]) -> None:
        """Delete topics and their records; the first that fails raises."""
        with kafka_errors(self._where):
            tasks = self._client.delete_topics(list(names), request_timeout=self._timeout)
        for name, task in tasks.items():
            with kafka_errors(self._where, name):
                task.result()

    def describe_topic(self, name: str) -> TopicDescription:
        """Offsets of each partition, and the properties that were set for this topic."""
        from confluent_kafka.admin import ConfigResource, ConfigSource, ResourceType

        described = self._partitions(name)
        partitions = sorted(described)
        earliest = self._offsets(name, partitions, earliest=True)
        latest = self._offsets(name, partitions, earliest=False)
        resource = ConfigResource(ResourceType.TOPIC, name)
        with kafka_errors(self._where, name):
            configuration = self._client.describe_configs([resource], request_timeout=self._timeout)[resource].result()
        ours = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        return TopicDescription(
            name,
            [
                PartitionOffsets(
                    number,
                    earliest[number],
                    latest[number],
                    described[number].leader,
                    tuple(sorted(described[number].isrs)),
                )
                for number in partitions
            ],
            {key: entry.value for key, entry in sorted(configuration.items()) if entry.source == ours},
        )

    def alter_topic(self, name: str, properties: Mapping[str, str | None], partitions: int | None = None) -> None:
        """Set properties of a topic (None: back to the cluster's default), and give it more partitions."""
        from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, ResourceType

        self._partitions(name)  # Kafka would alter the properties of a topic that does not exist without a word
        if partitions is not None:
            with kafka_errors(self._where, name):
                tasks = self._client.create_partitions([NewPartitions(name, partitions)], request_timeout=self._timeout)
                tasks[name].result()
        if properties:
            entries = [
                ConfigEntry(key, "", incremental_operation=AlterConfigOpType.DELETE)
                if value is None
                else ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in properties.items()
            ]
            resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
            with kafka_errors(self._where, name):
                answers = self._client.incremental_alter_configs([resource], request_timeout=self._timeout)
                answers[resource].result()

    def _partitions(self, name: str) -> dict[int, PartitionMetadata]:
        from confluent_kafka import KafkaException

        with kafka_errors(self._where, name):
            topic = self._client.list_topics(name, timeout=self._timeout).topics[name]
            if topic.error is not None:
                raise KafkaException(topic.error)
        return dict(topic.partitions)

    def _offsets(self, name: str, partitions: Sequence[int], *, earliest: bool) -> dict[int, int]:
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import OffsetSpec

        spec = OffsetSpec.earliest() if earliest else OffsetSpec.latest()
        wanted = {TopicPartition(name, number): spec for number in partitions}
        with kafka_errors(self._where, name):
            tasks = self._client.list_offsets(wanted, request_timeout=self._timeout)
            return {partition.partition: task.result().offset for partition, task in tasks.items()}

    def _serves(self, name: str, partitions: int) -> bool:
        """Whether every partition answers; its leader is announced some milliseconds before it knows that it leads."""
        try:
            self._offsets(name, range(partitions), earliest=False)
        except WieselError as error:
            if isinstance(error.__cause__, Exception) and error.__cause__.args[0].name() in _NOT_YET:
                # The client remembers that a partition had no leader, for longer than we wait; asking mends it.
                self.list_topics()
                return False
            raise
        return True
