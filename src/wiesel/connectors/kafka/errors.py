"""Errors of the Kafka connector, and the translation of the client's errors into ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from wiesel.core.errors import (
    AuthorizationError,
    ConfigurationError,
    ConnectionFailedError,
    MissingTopicError,
    RecordError,
    WieselError,
)
from wiesel.core.redaction import redact

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

#: The end of a broker's name as long as the client knows only its address.
_FIRST_CONNECTION: Final = "/bootstrap"
#: What the client says of a login that nobody refused, and that could not be asked for.
_LOGIN_CUT: Final = re.compile("not valid in current SASL state|handshake failed: Local: Broker transport failure")
#: TLS alerts by which a broker says that it does not take the client's certificate, or misses one.
_CERTIFICATE_ALERT: Final = re.compile(r"SSL alert number (?:4[2-689]|116)\b")


class KafkaClientError(WieselError):
    """The client or the broker failed in a way that no more precise error tells; a restart may help."""

    exit_code: ClassVar[int] = 3
    retriable: ClassVar[bool] = True


class OffsetOutOfRangeError(WieselError):
    """Records that the job still had to read are gone from the topic."""

    exit_code: ClassVar[int] = 3


class TopicChangedError(WieselError):
    """A topic was deleted, or deleted and created anew, while the job depends on what it held."""

    exit_code: ClassVar[int] = 3


def unreachable(bootstrap_servers: str, reason: str) -> ConnectionFailedError:
    """The error for brokers that do not answer."""
    fix = (
        "Check that security.protocol is that of the listener there."
        if "handshake" in reason or "security.protocol" in reason
        else "Start one (`wiesel kafka up` starts a local one and prints its address) or correct the address in "
        "set_bootstrap_servers."
    )
    return ConnectionFailedError(
        f"No Kafka broker answers at bootstrap.servers={bootstrap_servers} ({redact(reason)}). {fix}"
    )


def missing_topic(topic: str, bootstrap_servers: str) -> MissingTopicError:
    """The error for a topic that does not exist."""
    return MissingTopicError(
        f"Topic {topic!r} does not exist on {bootstrap_servers}. Create it: "
        f"wiesel kafka topics create {topic} --bootstrap-server {bootstrap_servers}"
    )


def interrupts_login(error: KafkaError) -> bool:
    """Whether a connection that had been let in was cut while it logged in anew (KIP-368); the client makes another.

    A broker says that the request came at the wrong moment when a second has not passed since the last login. A
    listener without SASL says the same, but to a client that knows no broker's id yet. The connection may also be
    gone before the login begins.
    """
    return _LOGIN_CUT.search(error.str()) is not None and _FIRST_CONNECTION not in error.str()


def refuses_renewed_token(error: KafkaError) -> bool:
    """Whether a broker that has let the client in does not take its token any more: the next one may be good."""
    return "invalid_token" in error.str() and _FIRST_CONNECTION not in error.str()


def translate(error: KafkaError, doing: str, bootstrap_servers: str) -> WieselError:
    """Return our error for a client's error that happened while ``doing`` (as in "reading orders-3")."""
    from confluent_kafka import KafkaError

    # Its own "error: " would stand in the middle of our line.
    code, text = error.code(), redact(error.str()).replace("SASL authentication error: ", "")
    if refuses_certificate(error):
        return AuthorizationError(
            f"TLS with the Kafka broker failed while {doing}: {text}. The broker wants a certificate that it trusts "
            "and that has not expired: check ssl.certificate.location and ssl.key.location."
        )
    away = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._TIMED_OUT)
    if code in away or interrupts_login(error):
        return unreachable(bootstrap_servers, text)
    if code in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED):
        return AuthorizationError(
            f"The Kafka broker refused the login while {doing}: {text}. Check security.protocol, sasl.mechanism and "
            "the credentials."
        )
    if code == KafkaError._SSL:
        return AuthorizationError(
            f"TLS with the Kafka broker failed while {doing}: {text}. Check ssl.ca.location, the certificates and "
            "that the address in bootstrap.servers is the one in the broker's certificate."
        )
    if code in _denied():
        return AuthorizationError(
            f"The Kafka broker does not allow {doing}: {text}. Grant the principal the right: {_denied()[code]}."
        )
    if code in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION):
        return MissingTopicError(
            f"{doing[:1].upper()}{doing[1:]} failed: {text}. Look for the topic with `wiesel kafka topics list`, "
            "create it with `wiesel kafka topics create NAME`."
        )
    if code == KafkaError.MSG_SIZE_TOO_LARGE:
        return RecordError(
            f"A record is too large for the broker while {doing}: {text}. Raise max.message.bytes on the topic or make "
            "records smaller; where only the batch is too large, lower batch.size on the sink."
        )
    if code == KafkaError.INVALID_TIMESTAMP:
        return RecordError(
            f"The broker refuses a record's timestamp while {doing}: {text}. Its topic takes what "
            "message.timestamp.before.max.ms and message.timestamp.after.max.ms allow."
        )
    if code == KafkaError._INVALID_ARG:
        return ConfigurationError(f"The Kafka client does not accept its configuration while {doing}: {text}")
    return KafkaClientError(f"Kafka failed while {doing}: {text} ({error.name()})")


def refuses_certificate(error: KafkaError) -> bool:
    """Whether the broker does not take the client's certificate; with TLS 1.3 it says so after the handshake only."""
    return _CERTIFICATE_ALERT.search(error.str()) is not None


def _denied() -> dict[int, str]:
    from confluent_kafka import KafkaError

    return {
        KafkaError.TOPIC_AUTHORIZATION_FAILED: "Describe and Read (source) or Write (sink) on the topic",
        KafkaError.GROUP_AUTHORIZATION_FAILED: "Read on the consumer group",
        KafkaError.CLUSTER_AUTHORIZATION_FAILED: "the operation on the cluster (IdempotentWrite, Create)",
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "Write and Describe on the transactional ids with the "
        "sink's prefix",
    }
