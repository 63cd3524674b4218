"""Transactions of a real Kafka: one fresh producer each, fenced first (``delivery.Transactions``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from wiesel.connectors.kafka import client
from wiesel.connectors.kafka.admin import Cluster
from wiesel.connectors.kafka.client import ClientEvents
from wiesel.connectors.kafka.delivery import DoubtError
from wiesel.connectors.kafka.errors import KafkaClientError
from wiesel.connectors.kafka.progress import ProgressRecord, encode
from wiesel.connectors.kafka.records import Header
from wiesel.connectors.kafka.wal import Block
from wiesel.core import failpoints
from wiesel.core.errors import WieselError
from wiesel.core.host import host

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

#: A transaction lasts for one push. A longer timeout would only hold up read_committed readers after a crash.
_TRANSACTION_TIMEOUT_MS: Final = 60_000
#: The broker's default ``transaction.max.timeout.ms``, for principals that may not read its settings.
_MAX_TRANSACTION_TIMEOUT_MS: Final = 900_000
_FENCE_SECONDS: Final = 30.0
#: How long one blocking call lasts before we look whether the job is being stopped.
_SLICE_SECONDS: Final = 0.5
_DEFAULT_BATCH_BYTES: Final = 1_000_000
_RECORD_WITHOUT_HEADERS: Final = 3
#: The most that the client lets be said.
_LARGEST_MESSAGE_BYTES: Final = 1_000_000_000
#: A fresh producer may connect to this many brokers at once.
_FEW_BROKERS: Final = 5

# What transactions fix themselves; a user's value for the plain producer must not get in the way.
_OURS: Final = frozenset(
    {
        "acks", "delivery.timeout.ms", "enable.idempotence", "max.in.flight", "max.in.flight.requests.per.connection",
        "message.send.max.retries", "message.timeout.ms", "queue.buffering.max.kbytes", "queue.buffering.max.messages",
        "buffer.memory", "request.required.acks", "retries", "socket.timeout.ms", "transaction.timeout.ms",
        "transactional.id",
    }
)  # fmt: skip


class KafkaTransactions:
    """Makes fenced producers.

    Args:
        bootstrap_servers: for messages.
        properties: the user's client properties.
        cluster: where to ask for settings.
        progress_topic: where markers and claims go.
        stopping: whether the job was told to stop at once.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        properties: Mapping[str, str],
        cluster: Cluster,
        progress_topic: str,
        stopping: Callable[[], bool],
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._properties = {key: value for key, value in properties.items() if key not in _OURS}
        self._wanted_timeout_ms = int(properties.get("transaction.timeout.ms", _TRANSACTION_TIMEOUT_MS))
        self._cluster = cluster
        self._progress_topic = progress_topic
        self._stopping = stopping
        self._known_topics: set[str] = set()
        self._batch_bytes = _DEFAULT_BATCH_BYTES
        self._broker_timeout_ms: int | None = None
        self._small_cluster: bool | None = None

    def learn_topics(self, topics: Iterable[str]) -> None:
        """Keep batches below what the topics take: a batch that is too large is refused as a whole."""
        new = set(topics) - self._known_topics
        if not new:
            return
        try:
            settings = self._cluster.topic_configuration(sorted(new))
        except WieselError as error:
            if not error.retriable:
                raise
            return  # The push will meet the same trouble, and wait for its end; topics are asked about again then.
        for configuration in settings.values():
            limit = int(configuration.get("max.message.bytes", _DEFAULT_BATCH_BYTES + 1024)) - 1024
            self._batch_bytes = max(1, min(self._batch_bytes, limit))
        self._known_topics |= new

    def fence(self, tid: str, patience: int) -> KafkaTransaction:
        """Make the earlier producers of ``tid`` powerless and wait until their transactions are resolved."""
        events = ClientEvents(self._bootstrap_servers)
        with in_doubt():
            timeout_ms = self._timeout_ms(patience)
            connects_to_all = self._connects_to_all()
        ours: dict[str, Any] = {
            "transactional.id": tid,
            "transaction.timeout.ms": timeout_ms,
            "delivery.timeout.ms": timeout_ms,
            "delivery.report.only.error": True,
            # What is decided was admitted, maybe by a start with another limit: the client has no say any more.
            "message.max.bytes": _LARGEST_MESSAGE_BYTES,
            "batch.size": min(self._batch_bytes, int(self._properties.get("batch.size", _DEFAULT_BATCH_BYTES))),
            # A segment is there as a whole: full batches cost a third less, and the flush behind it waits for none.
            "linger.ms": 100,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 256 << 10,
            # A predecessor's transaction that is still completing is asked for again after this long.
            "retry.backoff.ms": self._properties.get("retry.backoff.ms", "10"),
            "retry.backoff.max.ms": self._properties.get("retry.backoff.max.ms", "200"),
        }
        if connects_to_all:
            # Else the client meets its coordinator only after timers of 50 and often 500 ms (measured: 57 or 510 ms
            # for a fence, against 6).
            ours["enable.sparse.connections"] = False
        producer = client.producer(self._properties, ours, events)
        transaction = KafkaTransaction(producer, events, tid, self._progress_topic, timeout_ms / 1000, self._stopping)
        transaction.is_longest = timeout_ms >= self._longest_ms()
        transaction.fence()
        return transaction

    def _connects_to_all(self) -> bool:
        if self._small_cluster is None:
            self._small_cluster = self._cluster.number_of_brokers() <= _FEW_BROKERS
        return self._small_cluster

    def _timeout_ms(self, patience: int) -> int:
        """Return the transaction's timeout, longer after attempts that failed, up to what the broker allows."""
        first = min(self._wanted_timeout_ms, _TRANSACTION_TIMEOUT_MS)
        return min(first << min(patience, 16), self._longest_ms())

    def _longest_ms(self) -> int:
        """Return what the broker allows."""
        if self._broker_timeout_ms is None:
            configuration = self._cluster.broker_configuration()
            self._broker_timeout_ms = int(configuration.get("transaction.max.timeout.ms", _MAX_TRANSACTION_TIMEOUT_MS))
        return self._broker_timeout_ms


class KafkaTransaction:
    """One producer for one transaction."""

    def __init__(
        self,
        producer: Producer,
        events: ClientEvents,
        tid: str,
        progress_topic: str,
        timeout_seconds: float,
        stopping: Callable[[], bool],
    ) -> None:
        self._producer: Producer | None = producer
        self._events = events
        self._tid = tid
        self._progress_topic = progress_topic
        self._timeout_seconds = timeout_seconds
        self._stopping = stopping
        self._failed: KafkaError | None = None
        self._failed_topic: str | None = None
        #: Whether the broker allows no longer transaction.
        self.is_longest = False
        self._begun = self._lost = 0

    def fence(self) -> None:
        """Initialise: the broker resolves the predecessor's transaction and refuses it from then on."""
        producer = self._own()
        deadline = host().monotonic() + _FENCE_SECONDS
        try:
            self._in_slices(producer.init_transactions, deadline, f"fencing {self._tid}")
        except DoubtError:
            self.abandon()
            raise

    def publish(self, blocks: Iterable[Block], record: ProgressRecord) -> None:
        """Write records and, last, one progress record in one transaction."""
        deadline = host().monotonic() + self._timeout_seconds
        try:
            self._publish(blocks, record, deadline)
        except DoubtError as doubt:
            over = host().monotonic() > deadline - _SLICE_SECONDS
            # Where some records arrived the brokers are there: to try again for ever would write them for ever.
            if over and self.is_longest and self._some_arrived() and not doubt.permanent:
                raise DoubtError(self._too_slow(), permanent=True) from doubt
            raise

    def _publish(self, blocks: Iterable[Block], record: ProgressRecord, deadline: float) -> None:
        from confluent_kafka import KafkaException

        producer = self._own()
        doing = f"publishing output of {self._tid}"
        try:
            producer.begin_transaction()
            self._produce_all(producer, blocks, deadline)
            key, value = encode(record)
            self._produce(producer, self._progress_topic, 0, key, value, 0, deadline)
            while producer.flush(_SLICE_SECONDS):
                self._check(deadline, doing)
            self._raise_failed(doing)
            failpoints.hit("P5")
            failpoints.hit_soon("P6", 0.002)
            self._in_slices(producer.commit_transaction, deadline, doing)
        except (KafkaException, SystemError) as error:
            # A SystemError comes out of the client when it is fenced while it reports deliveries.
            self._raise_failed(doing)
            cause = error if isinstance(error, KafkaException) else error.__cause__
            if not isinstance(cause, KafkaException):
                raise
            raise self._doubt(cause.args[0], doing) from error

    def _produce_all(self, producer: Producer, blocks: Iterable[Block], deadline: float) -> None:
        produce, on_delivery = producer.produce, self._on_delivery
        for topic, partition, records in blocks:
            self._begun += len(records)
            if len(records[0]) == _RECORD_WITHOUT_HEADERS:
                for key, value, timestamp in records:
                    try:
                        produce(topic, value, key, partition, on_delivery, None, timestamp)
                    except BufferError:
                        self._produce(producer, topic, partition, key, value, timestamp, deadline)
            else:
                for key, value, timestamp, headers, own in records:
                    try:
                        produce(topic, value, key, own, on_delivery, None, timestamp, headers)
                    except BufferError:
                        self._produce(producer, topic, own, key, value, timestamp, deadline, headers)
            producer.poll(0)
            failpoints.hit("P5")
            failpoints.stall("P8", self._timeout_seconds * 1.5)

    def _produce(
        self,
        producer: Producer,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        timestamp: int,
        deadline: float,
        headers: Sequence[Header] = (),
    ) -> None:
        while True:
            try:
                producer.produce(topic, value, key, partition, self._on_delivery, None, timestamp, list(headers))
                return
            except BufferError:
                producer.poll(_SLICE_SECONDS)
                self._check(deadline, f"publishing output of {self._tid}")

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._lost += 1
            if self._failed is None:
                self._failed, self._failed_topic = error, message.topic()

    def _raise_failed(self, doing: str) -> None:
        if self._failed is not None:
            raise self._doubt(self._failed, f"{doing} to topic {self._failed_topic!r}")

    def _in_slices(self, call: Callable[[float], Any], deadline: float, doing: str) -> None:
        """Make a blocking call that goes on where it was when it is called again after its time."""
        from confluent_kafka import KafkaError, KafkaException

        while True:
            try:
                call(_SLICE_SECONDS)
                return
            except KafkaException as error:
                kafka_error = error.args[0]
                if kafka_error.code() != KafkaError._TIMED_OUT or not kafka_error.retriable():
                    raise self._doubt(kafka_error, doing) from error
                self._check(deadline, doing)

    def _check(self, deadline: float, doing: str) -> None:
        self._raise_failed(doing)
        refused = self._events.refused(doing)
        if refused is not None:
            raise DoubtError(refused, permanent=True)
        if self._stopping():
            raise DoubtError(
                KafkaClientError(
                    f"The job was stopped at once while {doing}; `wiesel run --resume` delivers the rest."
                ),
                permanent=True,
            )
        if host().monotonic() >= deadline:
            raise DoubtError(KafkaClientError(f"Kafka did not answer in time while {doing}."), permanent=False)

    def _some_arrived(self) -> bool:
        """Whether any record was acknowledged: those that were not are lost or wait still."""
        return self._begun - self._lost - len(self._own()) > 0

    def _too_slow(self) -> KafkaClientError:
        return KafkaClientError(
            f"The output of {self._tid} cannot be published within {self._timeout_seconds:g} s, the longest that the "
            "brokers allow for a transaction: they or the line to them are too slow. Raise transaction.max.timeout.ms "
            "there, then `wiesel run --resume` delivers it."
        )

    def _doubt(self, error: KafkaError, doing: str) -> DoubtError:
        return doubt_of(error, self._events, doing)

    def _own(self) -> Producer:
        if self._producer is None:
            raise ValueError("this producer was given up")
        return self._producer

    def abandon(self) -> None:
        """Give up the producer. What it has begun, its successor's fence resolves."""
        from confluent_kafka import KafkaException

        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.purge()
            except KafkaException:
                pass  # A producer that failed for good has nothing to purge.


@contextmanager
def in_doubt() -> Iterator[None]:
    """Turn an error of a question to the cluster into a doubt: where waiting may help, the next round asks again."""
    try:
        yield
    except WieselError as error:
        raise DoubtError(error, permanent=not error.retriable) from error


def doubt_of(error: KafkaError, events: ClientEvents, doing: str) -> DoubtError:
    """Return the doubt that a client's error means."""
    from confluent_kafka import KafkaError

    permanent = {
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.INVALID_TRANSACTION_TIMEOUT,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
    return DoubtError(events.cause_of(error, doing), permanent=error.code() in permanent)
