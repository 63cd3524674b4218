"""The progress topic of a real Kafka: made, checked, written with echoes, read to their return."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from wiesel.connectors.kafka import client
from wiesel.connectors.kafka.ablation import WAITS_FOR_ECHO
from wiesel.connectors.kafka.admin import Cluster, TopicDescription
from wiesel.connectors.kafka.client import ClientEvents
from wiesel.connectors.kafka.delivery import DoubtError
from wiesel.connectors.kafka.errors import KafkaClientError
from wiesel.connectors.kafka.progress import Echo, Progress, decode, encode
from wiesel.connectors.kafka.transactions import doubt_of, in_doubt
from wiesel.core.errors import AuthorizationError, ConfigurationError, MissingTopicError, ProgressLostError
from wiesel.core.host import host

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message, Producer

logger = logging.getLogger(__name__)

_ECHO_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
_WARN_SECONDS: Final = 10.0
#: Without rule 4: where nothing comes for so long, everything stable was read.
_QUIET_SECONDS: Final = 0.7
_DRAIN: Final = 1000
_READ_KEYS: Final = frozenset(
    {"auto.offset.reset", "enable.auto.commit", "group.id", "isolation.level", "transaction.timeout.ms"}
)


def open_progress_topic(cluster: Cluster, topic: str, known_id: str | None, output_topics: list[str]) -> str:
    """Make sure that the progress topic exists and keeps what is written to it; return its id.

    Args:
        cluster: where.
        topic: its name.
        known_id: its id as the checkpoint knows it; None when there is no checkpoint.
        output_topics: topics that the sink writes; it is replicated like the best of them.

    Raises:
        ProgressLostError: it is not the topic that the checkpoint knows.
        AuthorizationError: it does not exist, and we may not create it.
        ConfigurationError: it would forget records.
    """
    try:
        found = cluster.describe([topic])[topic]
    except MissingTopicError:
        if known_id is not None:
            raise ProgressLostError(
                f"The progress topic {topic!r} is gone. It says which output was published, so going on could repeat "
                "output. Restore it, or accept repeated output: `wiesel run --fresh` with another transactional id "
                "prefix."
            ) from None
        replication = max((d.replication for d in cluster.describe(output_topics).values()), default=-1)
        found = _create(cluster, topic, replication)
    if known_id is not None and found.topic_id != known_id:
        raise ProgressLostError(
            f"The progress topic {topic!r} was deleted and created anew (id {known_id}, now {found.topic_id}): what "
            "was published cannot be told any more. Accept repeated output: `wiesel run --fresh` with another "
            "transactional id prefix."
        )
    if found.partitions != 1:
        raise ConfigurationError(f"The progress topic {topic!r} has {found.partitions} partitions; it must have one.")
    policy = cluster.topic_configuration([topic]).get(topic, {}).get("cleanup.policy", "compact")
    if policy != "compact":
        raise ConfigurationError(
            f"The progress topic {topic!r} has cleanup.policy={policy} and would forget what was published. Set it: "
            f"wiesel kafka topics alter {topic} -c cleanup.policy=compact"
        )
    return found.topic_id


def may_not_create(topic: str) -> AuthorizationError:
    """The error for a progress topic that is not there, and that the principal may not create."""
    return AuthorizationError(
        f"EXACTLY_ONCE keeps its progress in topic {topic!r}, which does not exist, and the principal may not "
        f"create it. Grant it Create on that topic, or create it: kafka-topics.sh --create --topic {topic} "
        "--partitions 1 --config cleanup.policy=compact"
    )


def _create(cluster: Cluster, topic: str, replication: int) -> TopicDescription:
    settings = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.ms": "3600000"}
    try:
        cluster.create_topic(topic, 1, settings, replication)
    except AuthorizationError as error:
        raise may_not_create(topic) from error
    deadline = host().monotonic() + _ECHO_SECONDS
    while True:
        try:
            return cluster.describe([topic])[topic]
        except MissingTopicError:  # not every broker knows it yet
            if host().monotonic() >= deadline:
                raise
            host().sleep(_POLL_SECONDS)


class KafkaProgressLog:
    """Writes echoes and reads the topic behind them; for one thread at a time.

    Args:
        bootstrap_servers: for messages.
        properties: the user's client properties.
        topic: its name.
        job: names the echoes of this job, so that compaction keeps one of them.
        first_offset: asks where the topic begins.
        stopping: whether the job was told to stop at once.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        properties: Mapping[str, str],
        topic: str,
        job: str,
        first_offset: Callable[[], int],
        stopping: Callable[[], bool],
    ) -> None:
        self._first_offset = first_offset
        self._bootstrap_servers = bootstrap_servers
        self._properties = properties
        self._topic = topic
        self._job = job
        self._stopping = stopping
        self._progress = Progress()
        self._events = ClientEvents(bootstrap_servers)
        self._producer: Producer | None = None
        self._consumer: Consumer | None = None

    def catch_up(self) -> Progress:
        """Write an echo and read until it comes back.

        A read_committed reader is given the echo only when every transaction that began before it is resolved, so
        nothing that was fenced before can hide behind it.
        """
        nonce = host().unique()
        self._write(Echo(self._job, nonce))
        self._read_to(nonce)
        return self._progress

    def _write(self, echo: Echo) -> None:
        from confluent_kafka import KafkaException

        doing = f"writing to the progress topic {self._topic}"
        if self._producer is None:
            unwanted = {"transactional.id", "transaction.timeout.ms"}
            properties = {key: value for key, value in self._properties.items() if key not in unwanted}
            ours = {"acks": "all", "linger.ms": 0, "delivery.timeout.ms": int(_ECHO_SECONDS * 1000)}
            self._producer = client.producer(properties, ours, self._events)
        outcome: list[KafkaError | None] = []

        def on_delivery(error: KafkaError | None, _: Message) -> None:
            outcome.append(error)

        key, value = encode(echo)
        try:
            self._producer.produce(self._topic, value, key, 0, on_delivery)
        except KafkaException as error:
            raise doubt_of(error.args[0], self._events, doing) from error
        while not outcome:
            self._producer.poll(_POLL_SECONDS)
            self._check(doing)
        if outcome[0] is not None:
            # Whether it arrived is unknown, and does not matter: nobody waits for this nonce any more.
            raise doubt_of(outcome[0], self._events, doing)

    def _read_to(self, nonce: str) -> None:
        consumer = self._consumer or self._open_consumer()
        began = warned = host().monotonic()
        while True:
            first = consumer.poll(_POLL_SECONDS)
            # To ask for many and wait would wait for many.
            messages = [] if first is None else [first, *consumer.consume(_DRAIN, 0)]
            found = [self._observe(message, nonce) for message in messages]
            if any(found):
                return
            if first is None:
                if not WAITS_FOR_ECHO and host().monotonic() - began > _QUIET_SECONDS:
                    return
                self._check(f"reading the progress topic {self._topic}")
                if host().monotonic() - warned > _WARN_SECONDS:
                    warned = host().monotonic()
                    logger.warning(
                        "waiting for %d s for transactions that others have open on the progress topic %s",
                        warned - began,
                        self._topic,
                    )

    def _open_consumer(self) -> Consumer:
        from confluent_kafka import TopicPartition

        properties = {key: value for key, value in self._properties.items() if key not in _READ_KEYS}
        ours = {
            "group.id": f"wiesel-progress-{self._job}",  # never joined, nothing is committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "queued.min.messages": 1000,
        }
        with in_doubt():
            first = self._first_offset()  # the client itself takes half a second to find the beginning
        self._consumer = client.consumer(properties, ours, self._events)
        self._consumer.assign([TopicPartition(self._topic, 0, first)])
        return self._consumer

    def _observe(self, message: Message, nonce: str) -> bool:
        """Fold a record in; return whether it is the echo."""
        from confluent_kafka import KafkaError

        error = message.error()
        if error is not None:
            if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                raise ProgressLostError(
                    f"Records of the progress topic {self._topic!r} were deleted while the job was running: what was "
                    "published cannot be told any more. Restore the topic, then continue with `wiesel run --resume`."
                )
            passing = (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT)
            if error.code() in passing or error.retriable():
                return False
            raise doubt_of(error, self._events, f"reading the progress topic {self._topic}")
        record = decode(message.key(), message.value())
        self._progress.observe(record)
        return isinstance(record, Echo) and record.nonce == nonce

    def _check(self, doing: str) -> None:
        refused = self._events.refused(doing)
        if refused is not None:
            raise DoubtError(refused, permanent=True)
        if self._stopping():
            raise DoubtError(
                KafkaClientError(f"The job was stopped at once while {doing}; `wiesel run --resume` goes on there."),
                permanent=True,
            )

    def close(self) -> None:
        """Leave the cluster."""
        consumer, self._consumer, self._producer = self._consumer, None, None
        if consumer is not None:
            consumer.close()
