"""What a preflight asks a cluster: what we may do with topics, how well they are replicated, what its brokers speak."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wiesel.connectors.kafka import client, errors
from wiesel.connectors.kafka.admin import Cluster

_TIMEOUT_SECONDS: Final = 30.0
_API_SECONDS: Final = 2.0
_API: Final = re.compile(r"ApiKey .*\((\d+)\) Versions \d+\.\.(\d+)")

#: AddPartitionsToTxn; brokers verify partitions of transactions since they speak its version 4, which is Kafka 3.6.
_ADD_PARTITIONS_TO_TXN: Final = 24
_VERIFYING_VERSION: Final = 4


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic as a preflight sees it.

    Args:
        operations: what the principal may do with it (READ, WRITE, …); None where the broker does not tell.
        fewest_in_sync: how many current copies its worst partition has.
    """

    operations: frozenset[str] | None
    fewest_in_sync: int


def inspect_topics(cluster: Cluster, bootstrap_servers: str, topics: Sequence[str]) -> dict[str, TopicFacts]:
    """Return the facts of each topic.

    Raises:
        MissingTopicError, AuthorizationError: there is no such topic, or we may not look at it.
    """
    from confluent_kafka import KafkaError, KafkaException, TopicCollection

    if not topics:
        return {}
    admin = cluster.connect()  # held until all is answered
    futures = admin.describe_topics(
        TopicCollection(list(topics)), include_authorized_operations=True, request_timeout=_TIMEOUT_SECONDS
    )
    result = {}
    for name, future in futures.items():
        try:
            described = future.result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise errors.missing_topic(name, bootstrap_servers) from error
            raise cluster.cause_of(error.args[0], f"describing topic {name}") from error
        allowed = described.authorized_operations
        result[name] = TopicFacts(
            None if allowed is None else frozenset(operation.name for operation in allowed),
            min((len(partition.isr) for partition in described.partitions), default=0),
        )
    return result


def verifies_transactions(bootstrap_servers: str, properties: Mapping[str, str]) -> bool | None:
    """Return whether a broker is new enough for transactions of this client (3.6); None where it cannot be told.

    Kafka has no question for a broker's version. What it speaks is told when a client connects, and librdkafka hands
    that on in its debug log only.
    """
    versions = ApiVersions()
    log = logging.Logger("wiesel.kafka.versions", logging.DEBUG)  # of this call alone, so no handler of others sees it
    log.addHandler(versions)
    connection = client.connection_properties({**properties, "bootstrap.servers": bootstrap_servers})
    events = client.ClientEvents(bootstrap_servers)
    admin = client.admin({**connection, "debug": "feature"}, events, log)
    client.wait_for_cluster(admin, events, "asking what the brokers speak")
    deadline = time.monotonic() + _API_SECONDS
    while versions.verifies_transactions() is None and time.monotonic() < deadline:
        admin.poll(0.01)
    return versions.verifies_transactions()


class ApiVersions(logging.Handler):
    """Reads off the client's log which versions of each request a broker takes."""

    def __init__(self) -> None:
        super().__init__()
        self._newest: dict[int, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line of the log."""
        if found := _API.search(record.getMessage()):
            # Of several brokers the oldest counts.
            number, newest = int(found[1]), int(found[2])
            self._newest[number] = min(newest, self._newest.get(number, newest))

    def verifies_transactions(self) -> bool | None:
        """Whether the broker is Kafka 3.6 or newer; None as long as it has not said."""
        newest = self._newest.get(_ADD_PARTITIONS_TO_TXN)
        return None if newest is None else newest >= _VERIFYING_VERSION
