"""What the tools' clients have in common: where they connect, and our errors in place of Kafka's codes."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from wiesel.broker.errors import BrokerConfigurationError, BrokerError
from wiesel.core.errors import AuthorizationError, ConnectionFailedError, MissingTopicError, WieselError

TIMEOUT_SECONDS = 10.0

# librdkafka reports each failed attempt on stderr; our one error says it better.
_mute = logging.getLogger("wiesel.broker.client")
_mute.addHandler(logging.NullHandler())
_mute.propagate = False

_Client = TypeVar("_Client")
_NO_SUCH_PROPERTY = re.compile(r'No such configuration property: "([^"]+)"')


@dataclass(frozen=True)
class Cluster:
    """
    Where a tool connects, and how.

    Args:
        bootstrap_servers: as Kafka's property.
        properties: the user's, by librdkafka's names; they win over ours. Secrets are in them: never shown.
        given: the same as the user spelled them, for Kafka's own tools.
    """

    bootstrap_servers: str
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)
    given: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def at(cls, where: str | Cluster) -> Cluster:
        """`where` itself, or the cluster of an address that needs no login."""
        return cls(where) if isinstance(where, str) else where


def client_properties(where: str | Cluster) -> dict[str, Any]:
    """Properties for a client of a broker nearby: it tries again after milliseconds, not seconds."""
    cluster = Cluster.at(where)
    return {
        "broker.address.family": "v4",
        "reconnect.backoff.ms": 10,
        "reconnect.backoff.max.ms": 200,
        "retry.backoff.ms": 20,
        "logger": _mute,
        **cluster.properties,
        "bootstrap.servers": cluster.bootstrap_servers,
    }


def make_client(
    factory: Callable[[dict[str, Any]], _Client], where: str | Cluster, ours: Mapping[str, Any] | None = None
) -> _Client:
    """A client; `ours` are the properties that its work needs, which win over the user's."""
    from confluent_kafka import KafkaException

    try:
        return factory({**client_properties(where), **(ours or {})})
    except KafkaException as error:
        text = str(error.args[0].str())
        if unknown := _NO_SUCH_PROPERTY.search(text):
            raise BrokerConfigurationError(f"there is no client property {unknown[1]}; check its spelling.") from error
        raise BrokerConfigurationError(f"the client does not accept its properties: {text}") from error


@contextmanager
def kafka_errors(where: str | Cluster, topic: str = "") -> Iterator[None]:
    """Raise one of our errors for a KafkaException of the block."""
    from confluent_kafka import KafkaException

    try:
        yield
    except KafkaException as error:
        raise translated(error.args[0], where, topic) from error


def translated(error: Any, where: str | Cluster, topic: str) -> WieselError:
    """A KafkaError as one of ours, with what to do about it."""
    name, servers = error.name(), Cluster.at(where).bootstrap_servers
    if name in ("_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE"):
        return ConnectionFailedError(
            f"no broker answers at {servers}. `wiesel kafka up` starts one; --bootstrap-server names another."
        )
    if name in ("UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "UNKNOWN_TOPIC_OR_PARTITION"):
        return MissingTopicError(f"there is no topic {topic!r}. `wiesel kafka topics create {topic}` makes it.")
    if name == "TOPIC_ALREADY_EXISTS":
        return BrokerError(f"topic {topic!r} exists already. `wiesel kafka topics describe {topic}` shows it.")
    if name == "GROUP_ID_NOT_FOUND":
        return BrokerError("there is no such group. `wiesel kafka groups list` shows those that there are.")
    if name in ("NON_EMPTY_GROUP", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS"):
        return BrokerError("the group has members. Stop them first; `wiesel kafka groups describe` shows who they are.")
    if name.endswith(("AUTHORIZATION_FAILED", "AUTHENTICATION_FAILED")) or name == "_AUTHENTICATION":
        return AuthorizationError(f"{servers} refuses: {error.str()}. Check the rights of this user.")
    if name.startswith("INVALID_") or name in ("POLICY_VIOLATION", "TOPIC_EXCEPTION"):
        return BrokerConfigurationError(f"{servers} refuses: {error.str()}")
    return BrokerError(f"{servers}: {error.str()} ({name})")
