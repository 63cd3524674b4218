"""Whole Kafka records, as a job reads and writes them (Kafka: ``ConsumerRecord`` and ``ProducerRecord``)."""

from __future__ import annotations

import enum
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from wiesel.core.errors import RecordError

if TYPE_CHECKING:
    from confluent_kafka import Message

#: A header: its name, and bytes or null. A record may have several of one name; their order is kept.
Header = tuple[str, bytes | None]


class TimestampType(enum.IntEnum):
    """Who set a record's timestamp (Kafka: ``TimestampType``)."""

    NO_TIMESTAMP_TYPE = -1
    CREATE_TIME = 0
    LOG_APPEND_TIME = 1


class ConsumerRecord(NamedTuple):
    """A record as it lies in a topic (Kafka: ``ConsumerRecord``).

    Args:
        topic: the topic's name.
        partition: number of the partition, from 0.
        offset: place in the partition.
        timestamp: milliseconds since 1970, -1 without one.
        timestamp_type: what the timestamp is.
        key: bytes, or None for a record without key.
        value: bytes, or None for a tombstone.
        headers: name and bytes of each, in order.
        leader_epoch: of the partition's leader that wrote it, None where the broker does not say.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: TimestampType
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
    leader_epoch: int | None = None


class ProducerRecord(NamedTuple):
    """A record to be written (Kafka: ``ProducerRecord``).

    Args:
        topic: where to.
        value: bytes, or None for a tombstone.
        key: bytes, or None for a record without key.
        headers: name and bytes of each, in order.
        timestamp: milliseconds since 1970; None is the time of writing. The client cannot write 0, which is None to it.
        partition: number of the partition; None leaves it to Java's default partitioner (hash of the key, else sticky).
    """

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[Header] = ()
    timestamp: int | None = None
    partition: int | None = None


# For a name that is no UTF-8 the client sets an exception and returns a tuple with a null pointer. A plain call that
# the interpreter has specialized does not look whether an exception is set, and the process dies; this call looks.
_headers = operator.methodcaller("headers")


class UnreadableHeadersError(RecordError):
    """A record has a header whose name is no UTF-8; the client cannot give any of its headers."""


def headers_of(message: Message) -> Sequence[Header]:
    """Return a message's headers.

    Raises:
        UnreadableHeadersError: never ask this message again, its second answer holds a null pointer.
    """
    try:
        headers: Any = _headers(message)
    except Exception as error:
        raise UnreadableHeadersError("a header's name is no UTF-8") from error
    return headers or ()
