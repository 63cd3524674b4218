"""What a preflight asks about rights on groups, transactional ids and topics to be created; it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wiesel.connectors.kafka import client
from wiesel.connectors.kafka.admin import Cluster
from wiesel.core.host import host

_TIMEOUT_SECONDS: Final = 30.0
_PROBE_SECONDS: Final = 8.0
_PAUSE_SECONDS: Final = 0.2
#: Longer than any broker allows: it refuses the producer after it has looked at its rights, before it does anything.
#: Short of the longest, to which the client adds a little: it would overflow.
_IMPOSSIBLE_TIMEOUT_MS: Final = 2**31 - 1 - 1000
_SOCKET_TIMEOUT_MS: Final = 10_000
#: Ends the transactional id of the probe, so that where a broker does allow that time no job is fenced.
_PROBE: Final = "wiesel-check"


def group_operations(cluster: Cluster, group: str) -> frozenset[str] | None:
    """Return what the principal may do with a consumer group (READ, DESCRIBE, …), which need not exist yet.

    None where the cluster does not tell.
    """
    from confluent_kafka import KafkaError, KafkaException

    admin = cluster.connect()  # held until it is answered
    deadline = host().monotonic() + _TIMEOUT_SECONDS
    while True:
        asked = admin.describe_consumer_groups(
            [group], include_authorized_operations=True, request_timeout=_TIMEOUT_SECONDS
        )
        try:
            allowed = asked[group].result().authorized_operations
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                return frozenset()
            # The first question for any group makes the topic of their offsets.
            if not client.waits_for_coordinator(error.args[0]) or host().monotonic() > deadline:
                return None
            host().sleep(_PAUSE_SECONDS)
            continue
        return None if allowed is None else frozenset(operation.name for operation in allowed)


def may_use_transactional_ids(bootstrap_servers: str, properties: Mapping[str, str], prefix: str) -> bool | None:
    """Return whether the principal may write with transactional ids of a prefix; None where it cannot be told.

    Kafka has no question for that. A producer of an id that no sink has is refused either for its rights or, with them,
    for the time that it wants for its transactions; no id is taken over, and none remains.
    """
    from confluent_kafka import KafkaError, KafkaException

    events = client.ClientEvents(bootstrap_servers)
    connection = client.connection_properties({**properties, "bootstrap.servers": bootstrap_servers})
    ours: dict[str, Any] = {
        "transactional.id": f"{prefix}-{_PROBE}",
        "transaction.timeout.ms": _IMPOSSIBLE_TIMEOUT_MS,
        # Else it follows the transaction's.
        "socket.timeout.ms": _SOCKET_TIMEOUT_MS,
        "retry.backoff.ms": 10,
        "retry.backoff.max.ms": 200,
    }
    producer = client.producer(connection, ours, events)
    try:
        producer.init_transactions(_PROBE_SECONDS)
    except KafkaException as error:
        code = error.args[0].code()
        if code == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            return False
        return True if code == KafkaError.INVALID_TRANSACTION_TIMEOUT else None
    return True


def may_create_topic(cluster: Cluster, topic: str) -> bool | None:
    """Return whether the principal may create a topic, by a request that is only a rehearsal; None if unknown."""
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import NewTopic

    admin = cluster.connect()
    rehearsed = admin.create_topics(
        [NewTopic(topic, num_partitions=1)], validate_only=True, request_timeout=_TIMEOUT_SECONDS
    )
    try:
        rehearsed[topic].result()
    except KafkaException as error:
        denied = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
        return False if error.args[0].code() in denied else None
    return True
