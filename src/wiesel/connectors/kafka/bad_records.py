"""What becomes of a record that a source cannot decode: the job fails, it is skipped and counted, or a dead letter.

A dead letter is the record as it was, key, value and headers, with headers behind them that say where it lay and what
was wrong. Where Kafka Connect's dead letter queues have a header for something, it has Connect's name here.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wiesel.connectors.delivery_guarantee import DeliveryGuarantee
from wiesel.connectors.kafka.naming import is_topic_name
from wiesel.connectors.kafka.records import Header, ProducerRecord, UnreadableHeadersError, headers_of
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import SourceContext
from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.errors import AuthorizationError, ConfigurationError, ConnectionFailedError
from wiesel.core.options import catalog, optional_value_of, value_of

if TYPE_CHECKING:
    from confluent_kafka import Message

logger = logging.getLogger(__name__)

TOPIC: Final = "__connect.errors.topic"
PARTITION: Final = "__connect.errors.partition"
OFFSET: Final = "__connect.errors.offset"
CONNECTOR: Final = "__connect.errors.connector.name"
TASK: Final = "__connect.errors.task.id"
ERROR_CLASS: Final = "__connect.errors.exception.class.name"
ERROR_MESSAGE: Final = "__connect.errors.exception.message"
#: Connect has no header for the record's own timestamp (milliseconds since 1970).
TIMESTAMP: Final = "__wiesel.errors.timestamp"
#: The record's own headers could not be read, and are not in the dead letter.
UNREADABLE_HEADERS: Final = "__wiesel.errors.headers"

HEADER_NAMES: Final = frozenset(
    {TOPIC, PARTITION, OFFSET, CONNECTOR, TASK, ERROR_CLASS, ERROR_MESSAGE, TIMESTAMP, UNREADABLE_HEADERS}
)
_SHOWN_MESSAGE: Final = 1000


class BadRecordAction(enum.Enum):
    """What is done with a record that cannot be decoded; the values are those of ``wiesel.kafka.bad-records``."""

    FAIL = "fail"
    SKIP = "skip"
    DEAD_LETTER = "dead-letter"


@dataclass(frozen=True, slots=True)
class BadRecordPolicy:
    """What a source does with records that it cannot decode; made by its static methods.

    Args:
        action: fail, skip or dead letter.
        topic: of the dead letters.
        transactional_id_prefix: of the sink that writes dead letters exactly once; None derives it from the group id.
        delivery_guarantee: of that sink.
    """

    action: BadRecordAction = BadRecordAction.FAIL
    topic: str | None = None
    transactional_id_prefix: str | None = None
    delivery_guarantee: DeliveryGuarantee = DeliveryGuarantee.EXACTLY_ONCE

    @staticmethod
    def fail() -> BadRecordPolicy:
        """Return the policy that fails the job, naming the record: the default, as in Flink."""
        return BadRecordPolicy()

    @staticmethod
    def skip() -> BadRecordPolicy:
        """Return the policy that leaves the record out, counts it and says so in the log now and then."""
        return BadRecordPolicy(BadRecordAction.SKIP)

    @staticmethod
    def dead_letter(
        topic: str,
        transactional_id_prefix: str | None = None,
        delivery_guarantee: DeliveryGuarantee = DeliveryGuarantee.EXACTLY_ONCE,
    ) -> BadRecordPolicy:
        """Return the policy that writes the record to another topic, with its place and the error in headers.

        Args:
            topic: an existing topic on the cluster of the source.
            transactional_id_prefix: this job's alone on the cluster; the group id and ``-dead-letters`` without it.
            delivery_guarantee: EXACTLY_ONCE publishes dead letters with the checkpoint that holds their source's
                offsets; jobs without checkpoints take another one.

        Raises:
            ConfigurationError: no topic.
        """
        if not is_topic_name(topic):
            raise ConfigurationError(f"Dead letters need the name of a topic, got {topic!r}.")
        return BadRecordPolicy(BadRecordAction.DEAD_LETTER, topic, transactional_id_prefix, delivery_guarantee)


def configured_policy(configuration: Configuration) -> BadRecordPolicy:
    """Return the policy of the job's configuration.

    Raises:
        ConfigurationError: dead letters without a topic, or a topic without dead letters.
    """
    action = BadRecordAction(value_of(configuration, catalog.KAFKA_BAD_RECORDS))
    topic = optional_value_of(configuration, catalog.KAFKA_DEAD_LETTER_TOPIC)
    if action is not BadRecordAction.DEAD_LETTER:
        if topic is not None:
            raise ConfigurationError(
                f"{catalog.KAFKA_DEAD_LETTER_TOPIC.key} has no effect without "
                f"{catalog.KAFKA_BAD_RECORDS.key}={BadRecordAction.DEAD_LETTER.value}."
            )
        return BadRecordPolicy(action)
    if topic is None:
        raise ConfigurationError(
            f"{catalog.KAFKA_BAD_RECORDS.key}={action.value} needs {catalog.KAFKA_DEAD_LETTER_TOPIC.key}."
        )
    return BadRecordPolicy.dead_letter(topic, optional_value_of(configuration, catalog.KAFKA_DEAD_LETTER_PREFIX))


def dead_letter_tag(topic: str) -> str:
    """Return the side output of a source that carries its dead letters."""
    return f"dead-letters-{topic}"


class BadRecords:
    """Applies a policy in one reader and counts.

    Args:
        policy: what to do.
        context: the reader's operator and subtask.
    """

    def __init__(self, policy: BadRecordPolicy, context: SourceContext) -> None:
        self._policy = policy
        self._context = context
        self._letters: list[tuple[ProducerRecord, int]] = []
        self._tag = None if policy.topic is None else dead_letter_tag(policy.topic)
        self._seen = 0

    def take(self, message: Message, error: Exception, failure: Exception) -> None:
        """Take a record that could not be decoded.

        Args:
            message: the record.
            error: what the schema raised.
            failure: what to raise when the job is to fail.
        """
        # A schema registry that does not answer, or a library that is not there, says nothing about the record.
        if isinstance(error, (ConnectionFailedError, AuthorizationError, ConfigurationError)):
            raise error
        # Nor does too little memory.
        if self._policy.action is BadRecordAction.FAIL or isinstance(error, MemoryError):
            raise failure from error
        self._seen += 1
        if self._policy.topic is not None:
            letter = dead_letter(self._policy.topic, message, error, self._context)
            self._letters.append((letter, MIN_TIMESTAMP))
        if self._seen.bit_count() == 1:  # the 1st, 2nd, 4th, 8th …: a topic of another format must not fill the disk
            done = "skipped" if self._policy.topic is None else f"written to {self._policy.topic}"
            logger.warning("bad record number %d of this subtask, %s: %s", self._seen, done, failure)

    def drain(self) -> Mapping[str, Sequence[tuple[ProducerRecord, int]]] | None:
        """Return the dead letters since the last call as a side output, None when there are none."""
        if not self._letters or self._tag is None:
            return None
        letters, self._letters = self._letters, []
        return {self._tag: letters}

    def metrics(self) -> Mapping[str, float]:
        """Return counters since the task's attempt began; the first is Flink's name for all of them."""
        dead = self._seen if self._policy.action is BadRecordAction.DEAD_LETTER else 0
        return {
            "numRecordsInErrors": self._seen,
            "numRecordsSkipped": self._seen - dead,
            "numRecordsDeadLettered": dead,
        }


def dead_letter(topic: str, message: Message, error: Exception, context: SourceContext) -> ProducerRecord:
    """Return the dead letter of a record.

    Its timestamp is the time of writing: a broker refuses some that a bad record may carry. The record's own is a
    header.
    """
    kind = type(error)
    text = str(error)
    facts: dict[str, object] = {
        TOPIC: message.topic(),
        PARTITION: message.partition(),
        OFFSET: message.offset(),
        TIMESTAMP: message.timestamp()[1],
        CONNECTOR: context.operator_name,
        TASK: context.subtask,
        ERROR_CLASS: kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}",
        ERROR_MESSAGE: text if len(text) <= _SHOWN_MESSAGE else f"{text[:_SHOWN_MESSAGE]}…",
    }
    added = [(name, str(fact).encode(errors="replace")) for name, fact in facts.items()]
    headers = [*_own_headers(message, error), *added]
    return ProducerRecord(topic, message.value(), message.key(), headers)


def _own_headers(message: Message, error: Exception) -> list[Header]:
    unreadable = error
    if not isinstance(error, UnreadableHeadersError):
        try:
            return list(headers_of(message))
        except UnreadableHeadersError as found:
            unreadable = found
    return [(UNREADABLE_HEADERS, str(unreadable).encode())]
