"""What the tools' clients have in common: properties for a broker nearby, and our errors in place of Kafka's codes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wiesel.broker.errors import BrokerConfigurationError, BrokerError
from wiesel.core.errors import AuthorizationError, ConnectionFailedError, MissingTopicError, WieselError

TIMEOUT_SECONDS = 10.0

# librdkafka reports each failed attempt on stderr; our one error says it better.
_mute = logging.getLogger("wiesel.broker.client")
_mute.addHandler(logging.NullHandler())
_mute.propagate = False


def client_properties(bootstrap_servers: str) -> dict[str, Any]:
    """Properties for a client of a broker nearby: it tries again after milliseconds, not seconds."""
    return {
        "bootstrap.servers": bootstrap_servers,
        "broker.address.family": "v4",
        "reconnect.backoff.ms": 10,
        "reconnect.backoff.max.ms": 200,
        "retry.backoff.ms": 20,
        "logger": _mute,
    }


@contextmanager
def kafka_errors(bootstrap_servers: str, topic: str = "") -> Iterator[None]:
    """Raise one of our errors for a KafkaException of the block."""
    from confluent_kafka import KafkaException

    try:
        yield
    except KafkaException as error:
        raise translated(error.args[0], bootstrap_servers, topic) from error


def translated(error: Any, bootstrap_servers: str, topic: str) -> WieselError:
    """A KafkaError as one of ours, with what to do about it."""
    name = error.name()
    if name in ("_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE"):
        return ConnectionFailedError(
            f"no broker answers at {bootstrap_servers}. `wiesel kafka up` starts one; --bootstrap-server names another."
        )
    if name in ("UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "UNKNOWN_TOPIC_OR_PARTITION"):
        return MissingTopicError(f"there is no topic {topic!r}. `wiesel kafka topics create {topic}` makes it.")
    if name == "TOPIC_ALREADY_EXISTS":
        return BrokerError(f"topic {topic!r} exists already. `wiesel kafka topics describe {topic}` shows it.")
    if name.endswith(("AUTHORIZATION_FAILED", "AUTHENTICATION_FAILED")):
        return AuthorizationError(f"{bootstrap_servers} refuses: {error.str()}. Check the rights of this user.")
    if name.startswith("INVALID_") or name in ("POLICY_VIOLATION", "TOPIC_EXCEPTION"):
        return BrokerConfigurationError(f"{bootstrap_servers} refuses: {error.str()}")
    return BrokerError(f"{bootstrap_servers}: {error.str()} ({name})")
