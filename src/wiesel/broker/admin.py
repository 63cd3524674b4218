"""Topics of a broker: create, list, describe, delete. Thin over confluent-kafka's AdminClient, with our errors."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wiesel.broker.client import TIMEOUT_SECONDS, client_properties, kafka_errors
from wiesel.broker.errors import BrokerError
from wiesel.core.errors import WieselError

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
    """A topic's name, its number of partitions and whether Kafka itself made it."""

    name: str
    partitions: int
    is_internal: bool


@dataclass(frozen=True)
class PartitionOffsets:
    """First offset of a partition and the one after its last."""

    partition: int
    earliest: int
    latest: int


@dataclass(frozen=True)
class TopicDescription:
    """A topic's partitions, and the properties that were set for it."""

    name: str
    partitions: list[PartitionOffsets]
    properties: dict[str, str]


class Admin:
    """Administers the topics of one cluster; every call raises one of our errors, with what to do."""

    def __init__(self, bootstrap_servers: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        from confluent_kafka.admin import AdminClient

        self._bootstrap_servers = bootstrap_servers
        self._timeout = timeout_seconds
        self._client = AdminClient(client_properties(bootstrap_servers))

    def list_topics(self) -> list[Topic]:
        """All topics, by name; Kafka's own begin with two underscores."""
        with kafka_errors(self._bootstrap_servers):
            metadata = self._client.list_topics(timeout=self._timeout)
        return [
            Topic(name, len(topic.partitions), name.startswith("__")) for name, topic in sorted(metadata.topics.items())
        ]

    def create_topic(
        self, name: str, partitions: int = 1, properties: Mapping[str, str] | None = None, replication: int = -1
    ) -> None:
        """Create a topic, -1 replicas being the cluster's default; returns when all its partitions answer."""
        from confluent_kafka.admin import NewTopic

        topic = NewTopic(name, num_partitions=partitions, replication_factor=replication, config=dict(properties or {}))
        with kafka_errors(self._bootstrap_servers, name):
            self._client.create_topics([topic], request_timeout=self._timeout)[name].result()
        deadline = time.monotonic() + self._timeout
        while not self._serves(name, partitions):
            if time.monotonic() > deadline:
                raise BrokerError(f"topic {name!r} was created, but does not answer after {self._timeout:.0f} s.")
            time.sleep(_POLL_SECONDS)

    def delete_topics(self, names: Sequence[str]) -> None:
        """Delete topics and their records; the first that fails raises."""
        with kafka_errors(self._bootstrap_servers):
            tasks = self._client.delete_topics(list(names), request_timeout=self._timeout)
        for name, task in tasks.items():
            with kafka_errors(self._bootstrap_servers, name):
                task.result()

    def describe_topic(self, name: str) -> TopicDescription:
        """Offsets of each partition, and the properties that were set for this topic."""
        from confluent_kafka.admin import ConfigResource, ConfigSource, ResourceType

        partitions = self._partitions(name)
        earliest = self._offsets(name, partitions, earliest=True)
        latest = self._offsets(name, partitions, earliest=False)
        resource = ConfigResource(ResourceType.TOPIC, name)
        with kafka_errors(self._bootstrap_servers, name):
            configuration = self._client.describe_configs([resource], request_timeout=self._timeout)[resource].result()
        ours = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        return TopicDescription(
            name,
            [PartitionOffsets(number, earliest[number], latest[number]) for number in partitions],
            {key: entry.value for key, entry in sorted(configuration.items()) if entry.source == ours},
        )

    def _partitions(self, name: str) -> list[int]:
        from confluent_kafka import KafkaException

        with kafka_errors(self._bootstrap_servers, name):
            topic = self._client.list_topics(name, timeout=self._timeout).topics[name]
            if topic.error is not None:
                raise KafkaException(topic.error)
        return sorted(topic.partitions)

    def _offsets(self, name: str, partitions: Sequence[int], *, earliest: bool) -> dict[int, int]:
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import OffsetSpec

        spec = OffsetSpec.earliest() if earliest else OffsetSpec.latest()
        wanted = {TopicPartition(name, number): spec for number in partitions}
        with kafka_errors(self._bootstrap_servers, name):
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
