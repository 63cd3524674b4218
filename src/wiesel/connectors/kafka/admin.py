"""What the connector asks a cluster: topics, their ids and partitions, offsets. Every method may wait."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wiesel.connectors.kafka import client, errors
from wiesel.connectors.kafka.partitions import Partition
from wiesel.core.errors import WieselError
from wiesel.core.host import host

if TYPE_CHECKING:
    from confluent_kafka import KafkaError
    from confluent_kafka.admin import AdminClient

_TIMEOUT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as the cluster knows it.

    Args:
        name: its name.
        topic_id: an id that a topic of the same name, created anew, does not share.
        partitions: how many it has.
        replication: how many copies of each there are.
    """

    name: str
    topic_id: str
    partitions: int
    replication: int = 1


def cluster(bootstrap_servers: str, properties: Mapping[str, str]) -> Cluster:
    """Return this process's connection for questions to a cluster; a job's sources and sinks share it.

    Args:
        bootstrap_servers: for messages.
        properties: client properties of which those that concern the connection count.
    """
    connection = client.connection_properties({**properties, "bootstrap.servers": bootstrap_servers})
    return _shared(bootstrap_servers, tuple(sorted(connection.items())))


@functools.lru_cache(maxsize=8)
def _shared(bootstrap_servers: str, connection: tuple[tuple[str, str], ...]) -> Cluster:
    return Cluster(bootstrap_servers, dict(connection))


class Cluster:
    """A connection for questions; it is made, and waited for, at the first one, and after each failure.

    Whoever waits for an answer holds on to the client meanwhile: another question's failure replaces it here, and the
    futures of a client that is gone never end.

    Args:
        bootstrap_servers: for messages.
        connection: librdkafka's configuration of the connection.
    """

    def __init__(self, bootstrap_servers: str, connection: Mapping[str, str]) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._connection = connection
        self._connecting = host().lock()
        self._events = client.ClientEvents(bootstrap_servers)
        self._admin: AdminClient | None = None

    def connect(self) -> AdminClient:
        """Return the admin client, after a broker has answered for the first time."""
        with self._connecting:
            if self._admin is None:
                self._events = client.ClientEvents(self._bootstrap_servers)
                admin = client.admin(self._connection, self._events)
                client.wait_for_cluster(admin, self._events, "connecting to Kafka")
                self._admin = admin
            return self._admin

    def cause_of(self, error: KafkaError, doing: str) -> WieselError:
        """Return our error for a client's error, and begin anew with the next question."""
        admin = self._admin
        if admin is not None:
            admin.poll(0)  # nobody else does, and a login that failed meanwhile is told there only
        cause = self._events.cause_of(error, doing)
        with self._connecting:
            self._admin = None
        return cause

    def topic_names(self) -> list[str]:
        """Return the names of all topics that we may see."""
        metadata = client.wait_for_cluster(self.connect(), self._events, "listing topics")
        return sorted(metadata.topics)

    def describe(self, topics: Sequence[str]) -> dict[str, TopicDescription]:
        """Return a description of each topic.

        Raises:
            MissingTopicError: a topic does not exist.
        """
        from confluent_kafka import KafkaError, KafkaException, TopicCollection

        if not topics:
            return {}
        admin = self.connect()
        futures = admin.describe_topics(TopicCollection(list(topics)), request_timeout=_TIMEOUT_SECONDS)
        result: dict[str, TopicDescription] = {}
        for name, future in futures.items():
            try:
                described = future.result()
            except KafkaException as error:
                if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise errors.missing_topic(name, self._bootstrap_servers) from error
                raise self.cause_of(error.args[0], f"describing topic {name}") from error
            copies = min((len(partition.replicas) for partition in described.partitions), default=1)
            result[name] = TopicDescription(name, str(described.topic_id), len(described.partitions), copies)
        return result

    def topic_configuration(self, topics: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the settings of each topic, without those that the principal may not see."""
        from confluent_kafka.admin import ConfigResource, ResourceType

        return self._configuration([ConfigResource(ResourceType.TOPIC, name) for name in topics])

    def number_of_brokers(self) -> int:
        """Return how many brokers there are."""
        return len(client.wait_for_cluster(self.connect(), self._events, "listing brokers").brokers)

    def broker_configuration(self) -> dict[str, str]:
        """Return the settings of one broker, or nothing where the principal may not see them."""
        from confluent_kafka.admin import ConfigResource, ResourceType

        metadata = client.wait_for_cluster(self.connect(), self._events, "listing brokers")
        broker = str(min(metadata.brokers))
        return self._configuration([ConfigResource(ResourceType.BROKER, broker)]).get(broker, {})

    def committed_offsets(self, group: str, partitions: Sequence[Partition]) -> dict[Partition, int | None]:
        """Return the offsets that a consumer group has committed; None where it has none.

        By a consumer that joins nothing: librdkafka's admin client takes the process down when it asks for a group's
        offsets while the group's coordinator moves or loads (librdkafka #5040).
        """
        from confluent_kafka import TopicPartition

        doing = f"reading the committed offsets of group {group}"
        events = client.ClientEvents(self._bootstrap_servers)
        consumer = client.consumer(self._connection, {"group.id": group, "enable.auto.commit": False}, events)
        places = [TopicPartition(*partition) for partition in partitions]
        try:
            client.wait_for_cluster(consumer, events, doing)
            found = client.ask(lambda: consumer.committed(places, _TIMEOUT_SECONDS), consumer, events, doing)
        finally:
            consumer.close()
        for place in found:
            if place.error is not None:
                raise events.cause_of(place.error, doing)
        return {Partition(place.topic, place.partition): place.offset if place.offset >= 0 else None for place in found}

    def _configuration(self, resources: Sequence[Any]) -> dict[str, dict[str, str]]:
        from confluent_kafka import KafkaError, KafkaException

        denied = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
        result: dict[str, dict[str, str]] = {}
        admin = self.connect()
        futures = admin.describe_configs(list(resources), request_timeout=_TIMEOUT_SECONDS)
        for resource, future in futures.items():
            try:
                entries = future.result()
            except KafkaException as error:
                # The least rights that a job needs do not include DescribeConfigs.
                if error.args[0].code() in denied:
                    continue
                if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise errors.missing_topic(resource.name, self._bootstrap_servers) from error
                raise self.cause_of(error.args[0], f"reading the settings of {resource.name}") from error
            result[resource.name] = {entry.name: entry.value for entry in entries.values() if entry.value is not None}
        return result

    def create_topic(self, name: str, partitions: int, settings: Mapping[str, str], replication: int = -1) -> None:
        """Create a topic, -1 copies being the cluster's default; one that exists already is left as it is."""
        from confluent_kafka import KafkaError, KafkaException
        from confluent_kafka.admin import NewTopic

        topic = NewTopic(name, num_partitions=partitions, replication_factor=replication, config=dict(settings))
        admin = self.connect()
        try:
            admin.create_topics([topic], request_timeout=_TIMEOUT_SECONDS)[name].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise self.cause_of(error.args[0], f"creating topic {name}") from error
