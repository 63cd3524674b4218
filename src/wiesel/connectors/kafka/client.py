"""Making Kafka clients: our defaults under the user's properties, and errors that arrive on the side.

librdkafka reports failed logins, TLS handshakes and unreachable brokers through a callback, not through the call that
waits in vain. ``ClientEvents`` keeps them, so that the error a user sees names the cause.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from wiesel.connectors.kafka import errors, oauth, properties
from wiesel.core.errors import ConfigurationError, ConnectionFailedError, WieselError
from wiesel.core.host import host
from wiesel.core.redaction import redact

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Producer
    from confluent_kafka.admin import AdminClient

logger = logging.getLogger(__name__)

#: How long a job waits for a first answer of the cluster before it fails with a clear message.
CONNECT_TIMEOUT_SECONDS: Final = 8.0
_ASK_AGAIN_SECONDS: Final = 0.05

Answer = TypeVar("Answer")

#: A broker that refuses renewed tokens for so long will not take one. The client reports the same error every 30 s.
_LASTING_SECONDS: Final = 45.0
_LONGEST_GAP_SECONDS: Final = 40.0

#: What the client writes before each line of its log: facility, client and thread.
_CLIENT_PREFIX: Final = re.compile(r"^[A-Z]+ \[[^]]*\] \[thrd:.*?\]: ")
_UNKNOWN_PROPERTY: Final = re.compile(r'No such configuration property: "([^"]+)"')

#: Of a client's statistics, which are JSON, the two numbers that are read.
_BYTES_SENT: Final = re.compile(r'"txmsg_bytes": ?(\d+)')
_BYTES_RECEIVED: Final = re.compile(r'"rxmsg_bytes": ?(\d+)')
#: How often a client has to tell them that is polled anyway; what nobody takes would pile up in it.
STATISTICS_INTERVAL_MS: Final = 5000

#: What clients of every kind have in common.
_CONNECTION_KEYS: Final = (
    "bootstrap.servers", "broker.", "connections.", "debug", "enable.ssl", "enable.sasl", "https.",
    "metadata.", "metadata.broker.list", "reconnect.", "retry.", "sasl.", "security.protocol", "socket.", "ssl.",
)  # fmt: skip


class Clients(Protocol):
    """Makes clients of Kafka, each of a configuration and ``logger=``, that behave as librdkafka's."""

    @property
    def consumer(self) -> Callable[..., Any]:
        """Make consumers."""

    @property
    def producer(self) -> Callable[..., Any]:
        """Make producers."""

    @property
    def admin(self) -> Callable[..., Any]:
        """Make admin clients."""


class _Librdkafka:
    """The clients of confluent-kafka."""

    @property
    def consumer(self) -> Callable[..., Any]:
        from confluent_kafka import Consumer

        return Consumer

    @property
    def producer(self) -> Callable[..., Any]:
        from confluent_kafka import Producer

        return Producer

    @property
    def admin(self) -> Callable[..., Any]:
        from confluent_kafka.admin import AdminClient

        return AdminClient


_makers: Final[list[Clients]] = [_Librdkafka()]


@contextmanager
def talking_through(clients: Clients) -> Iterator[None]:
    """Let all clients made inside come from ``clients``: the simulated Kafka's, for one."""
    _makers.append(clients)
    try:
        yield
    finally:
        _makers.remove(clients)


class _Persistence:
    """Tells a fault that lasts from one that passes, by the times at which it is met."""

    def __init__(self) -> None:
        self._first = self._last = float("-inf")

    def lasts(self, now: float) -> bool:
        """Whether it has been met again and again for so long; times in seconds."""
        if now - self._last > _LONGEST_GAP_SECONDS:
            self._first = now
        self._last = now
        return now - self._first > _LASTING_SECONDS


class ClientEvents:
    """What a client's callbacks reported: the newest fatal reason, and the newest transient one."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._lock = threading.Lock()
        self._refused: KafkaError | None = None
        self._unreachable: KafkaError | None = None
        self._old_tokens = _Persistence()
        #: Bytes of messages, as of the last statistics; only clients with ``STATISTICS_INTERVAL_MS`` tell.
        self.bytes_sent = 0
        self.bytes_received = 0

    def on_statistics(self, text: str) -> None:
        """Take the client's statistics (``stats_cb``)."""
        sent, received = _BYTES_SENT.search(text), _BYTES_RECEIVED.search(text)
        if sent is not None and received is not None:
            self.bytes_sent, self.bytes_received = int(sent[1]), int(received[1])

    def on_error(self, error: KafkaError) -> None:
        """Take an error from the client (``error_cb``)."""
        from confluent_kafka import KafkaError

        with self._lock:
            refusals = (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.SASL_AUTHENTICATION_FAILED)
            if errors.interrupts_login(error):
                refused = False
            elif errors.refuses_renewed_token(error):
                refused = self._old_tokens.lasts(host().monotonic())
            else:
                refused = error.code() in refusals or errors.refuses_certificate(error)
            if refused:
                self._refused = error
            else:
                self._unreachable = error
        logger.debug("Kafka client: %s", redact(error.str()))

    def refused(self, doing: str) -> WieselError | None:
        """Return the error of a login or TLS handshake that failed; waiting does not mend it."""
        with self._lock:
            refused = self._refused
        return errors.translate(refused, doing, self._bootstrap_servers) if refused is not None else None

    def cause_of(self, error: KafkaError, doing: str) -> WieselError:
        """Return our error for ``error``, preferring a reason that came on the side."""
        with self._lock:
            unreachable = self._unreachable
        by_the_side = self.refused(doing)
        if by_the_side is not None:
            return by_the_side
        ours = errors.translate(error, doing, self._bootstrap_servers)
        if unreachable is not None and isinstance(ours, ConnectionFailedError):
            return errors.unreachable(self._bootstrap_servers, unreachable.str())
        return ours


def consumer(user: Mapping[str, str], ours: Mapping[str, Any], events: ClientEvents) -> Consumer:
    """Make a consumer; ``ours`` wins over the user's properties."""
    client: Consumer = _create(
        _makers[-1].consumer,
        {**_CONNECTION_DEFAULTS, **_CONSUMER_DEFAULTS, **properties.translate(user), **ours},
        events,
    )
    return client


def producer(user: Mapping[str, str], ours: Mapping[str, Any], events: ClientEvents) -> Producer:
    """Make a producer; ``ours`` wins over the user's properties."""
    client: Producer = _create(
        _makers[-1].producer,
        {**_CONNECTION_DEFAULTS, **_PRODUCER_DEFAULTS, **properties.translate(user), **ours},
        events,
    )
    return client


def connection_properties(user: Mapping[str, str]) -> dict[str, str]:
    """Return librdkafka's configuration for the part of the user's properties that concerns the connection."""
    translated = properties.translate(user)
    return {key: value for key, value in translated.items() if key.startswith(_CONNECTION_KEYS)}


def admin(connection: Mapping[str, str], events: ClientEvents, log: logging.Logger | None = None) -> AdminClient:
    """Make an admin client of ``connection_properties``; ``log`` takes its log in the place of ours."""
    client: AdminClient = _create(_makers[-1].admin, {**_CONNECTION_DEFAULTS, **connection}, events, log)
    return client


def wait_for_cluster(client: Any, events: ClientEvents, doing: str, topic: str | None = None) -> Any:
    """Return the cluster's metadata, waiting for a first answer of a broker for a bounded time.

    Args:
        client: any client that has ``list_topics``.
        events: the client's events.
        doing: for the message.
        topic: only this topic's metadata; None is all topics.

    Raises:
        ConnectionFailedError, AuthorizationError: the cluster does not answer, or does not let us in.
    """
    if topic is None:
        return ask(lambda: client.list_topics(timeout=1.0), client, events, doing)
    return ask(lambda: client.list_topics(topic, timeout=1.0), client, events, doing)


def ask(question: Callable[[], Answer], client: Any, events: ClientEvents, doing: str) -> Answer:
    """Return the answer to a question that ``client`` asks the cluster, asked again for a bounded time.

    Raises:
        WieselError: the cluster does not answer, does not let us in, or refuses.
    """
    from confluent_kafka import KafkaException

    deadline = host().monotonic() + CONNECT_TIMEOUT_SECONDS
    while True:
        try:
            return question()
        except KafkaException as error:
            client.poll(0)
            refused = events.refused(doing)
            if refused is not None:
                raise refused from error
            if not error.args[0].retriable() and not _is_transient(error.args[0]):
                raise events.cause_of(error.args[0], doing) from error
            if host().monotonic() >= deadline:
                raise events.cause_of(error.args[0], doing) from error
            host().sleep(_ASK_AGAIN_SECONDS)


def _is_transient(error: KafkaError) -> bool:
    from confluent_kafka import KafkaError

    is_silent = error.code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN)
    return is_silent or waits_for_coordinator(error)


def waits_for_coordinator(error: KafkaError) -> bool:
    """Whether the coordinator of a group or of a transactional id moves, or is being made: ask again."""
    from confluent_kafka import KafkaError

    return error.code() in (
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
    )


_CONNECTION_DEFAULTS: Final[dict[str, Any]] = {
    # The first also spaces the connections that a client makes when it starts: with librdkafka's 100 ms each start
    # waits for 50 of them. The second bounds how long a broker that is back stays unnoticed.
    "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 1000,
}

_CONSUMER_DEFAULTS: Final[dict[str, Any]] = {
    # Java's default. librdkafka's own is read_committed; docs/kafka.md tells which readers want that.
    "isolation.level": "read_uncommitted",
    # After its local queue was full the client waits this long before it fetches again: the default is a second.
    "fetch.queue.backoff.ms": 5,
    "queued.min.messages": 200_000,
    "fetch.message.max.bytes": 2 << 20,
    "check.crcs": True,
    "topic.metadata.refresh.interval.ms": 60_000,
}

_PRODUCER_DEFAULTS: Final[dict[str, Any]] = {
    # Java's default partitioner, so that equal keys meet in the same partition whoever wrote them.
    "partitioner": "murmur2_random",
    "linger.ms": 5,
    # Java's default; librdkafka's is five minutes.
    "delivery.timeout.ms": 120_000,
    "queue.buffering.max.messages": 500_000,
}


# Named once, not for every client.
_unknown: Final[set[str]] = set()


def _create(
    factory: Callable[..., Any],
    configuration: dict[str, Any],
    events: ClientEvents,
    log: logging.Logger | None = None,
) -> Any:
    from confluent_kafka import KafkaException

    configuration = oauth.with_tokens({key: value for key, value in configuration.items() if key not in _unknown})
    while True:
        try:
            return factory({**configuration, "error_cb": events.on_error}, logger=log or _client_logger)
        except KafkaException as error:
            unknown = _UNKNOWN_PROPERTY.search(str(error))
            if unknown is None or unknown[1] not in configuration:
                raise ConfigurationError(
                    f"The Kafka client does not accept its configuration: {redact(error.args[0].str())}"
                ) from error
            if unknown[1] not in _unknown:
                logger.warning("Kafka property %s is unknown and has no effect", unknown[1])
                _unknown.add(unknown[1])
            del configuration[unknown[1]]


class _ClientLogFilter(logging.Filter):
    """Hides credentials (librdkafka's debug logs may hold some), and lets a failing connection speak now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._next_failure = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        # Asked for a producer's number, a coordinator that is being made is asked again, which is no news to anybody.
        if record.msg.startswith("GETPID") and record.msg.endswith("retrying"):
            return False
        if not record.msg.startswith(("FAIL", "ERROR")):
            return True
        # A broker that is down is tried again many times a second; what it means to the job is said elsewhere.
        if record.created < self._next_failure:
            return False
        self._next_failure = record.created + 30
        record.msg = f"Kafka connection: {_CLIENT_PREFIX.sub('', record.msg)}"
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


_client_logger = logging.getLogger("wiesel.kafka.client")
_client_logger.addFilter(_ClientLogFilter())
