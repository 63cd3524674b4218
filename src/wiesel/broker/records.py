"""Records of a topic, read for the command line: by partition without a trace, or as a member of a group."""

from __future__ import annotations

import operator
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from wiesel.broker.client import TIMEOUT_SECONDS, Cluster, kafka_errors, make_client, translated

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message, TopicPartition
    from confluent_kafka.admin import ClusterMetadata

_BATCH = 1000


@dataclass(frozen=True)
class Record:
    """One record as it lies in its partition; `timestamp` in milliseconds since 1970, None if it has none."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Reading:
    """
    What is to be read of a topic, and when it is enough.

    Args:
        from_beginning: from the first record that is kept; else those that are written after the call (in a group:
            after what the group has committed).
        partitions: only these; none means all.
        offset: where each of `partitions` starts, in the place of `from_beginning`.
        maximum: so many records at most.
        to_end: until the end of each partition.
        idle_seconds: until none came for so long.
        isolation_level: whether records of open and aborted transactions are shown.
        group: consume as a member of this group and commit what was taken; None leaves no trace.
        assignor: how the group shares its partitions: range, roundrobin or cooperative-sticky.
    """

    from_beginning: bool = False
    partitions: Sequence[int] = ()
    offset: int | None = None
    maximum: int | None = None
    to_end: bool = False
    idle_seconds: float | None = None
    isolation_level: str = "read_committed"
    group: str | None = None
    assignor: str = "range"


def consume_batches(where: str | Cluster, topic: str, reading: Reading) -> Iterator[list[Record]]:
    """
    The records of a topic, for ever or as `reading` says.

    A batch is what is there, in the order of each partition; it is never waited for to fill. In a group, a batch is
    committed when the next one is asked for, so what was not taken is not lost.
    """
    from confluent_kafka import Consumer

    consumer = make_client(
        Consumer,
        where,
        {
            "group.id": reading.group
            or "wiesel-kafka-consume",  # required; without a group of the user's it is not used
            "enable.auto.commit": reading.group is not None,
            "enable.auto.offset.store": False,
            "auto.offset.reset": _reset(reading),
            "partition.assignment.strategy": reading.assignor,
            "isolation.level": reading.isolation_level,
            "enable.partition.eof": reading.to_end,
            "fetch.queue.backoff.ms": 10,
        },
    )
    try:
        with kafka_errors(where, topic):
            unfinished = (_join if reading.group else _assign)(consumer, topic, where, reading)
            remaining = reading.maximum
            for polled in _poll(consumer, where, topic, unfinished, reading):
                batch = polled[:remaining]
                yield [_record(topic, message) for message in batch]
                if reading.group is not None:
                    for message in batch:
                        consumer.store_offsets(message)
                if remaining is not None:
                    remaining -= len(batch)
                    if remaining <= 0:
                        return
    finally:
        consumer.close()


def _reset(reading: Reading) -> str:
    if reading.group is None:
        return "error"
    return "earliest" if reading.from_beginning else "latest"


class _Unfinished:
    """The partitions whose end was not met; None is added until a group has given its first ones."""

    def __init__(self, partitions: Sequence[int | None]) -> None:
        self.partitions: set[int | None] = set(partitions)


def _join(consumer: Consumer, topic: str, where: str | Cluster, _reading: Reading) -> _Unfinished:
    unfinished = _Unfinished([None])

    def on_assign(_: Consumer, given: list[TopicPartition]) -> None:
        unfinished.partitions.discard(None)
        unfinished.partitions |= {one.partition for one in given}

    def on_revoke(_: Consumer, taken: list[TopicPartition]) -> None:
        unfinished.partitions -= {one.partition for one in taken}
        unfinished.partitions.add(None)

    # A topic that is missing is told at once; the group would wait for it.
    _partitions(consumer.list_topics(topic, TIMEOUT_SECONDS), topic, where)
    consumer.subscribe([topic], on_assign=on_assign, on_revoke=on_revoke)
    return unfinished


def _assign(consumer: Consumer, topic: str, where: str | Cluster, reading: Reading) -> _Unfinished:
    from confluent_kafka import OFFSET_BEGINNING, TopicPartition

    partitions = _partitions(consumer.list_topics(topic, TIMEOUT_SECONDS), topic, where)
    wanted = [number for number in partitions if not reading.partitions or number in reading.partitions]
    start = []
    for number in wanted:
        partition = TopicPartition(topic, number, OFFSET_BEGINNING)
        if reading.offset is not None:
            partition.offset = reading.offset
        elif not reading.from_beginning:
            # Asked for now: "the end" would be found at the first fetch, after records that were written meanwhile.
            partition.offset = consumer.get_watermark_offsets(partition, TIMEOUT_SECONDS)[1]
        start.append(partition)
    consumer.assign(start)
    return _Unfinished(wanted)


def _poll(
    consumer: Consumer, where: str | Cluster, topic: str, unfinished: _Unfinished, reading: Reading
) -> Iterator[list[Message]]:
    last = time.monotonic()
    # A member that its group has given nothing has no end to come to: it waits for what it will be given.
    while (unfinished.partitions or not reading.to_end) and (
        reading.idle_seconds is None or time.monotonic() - last < reading.idle_seconds
    ):
        first = consumer.poll(0.1)
        if first is None:
            continue
        batch = []
        for message in (first, *consumer.consume(_BATCH, 0)):
            error = message.error()
            if error is None:
                batch.append(message)
            elif error.name() == "_PARTITION_EOF":
                unfinished.partitions.discard(cast(int, message.partition()))
            else:
                raise translated(error, where, topic)
        if batch:
            yield batch
            last = time.monotonic()


def _partitions(metadata: ClusterMetadata, topic: str, where: str | Cluster) -> list[int]:
    found = metadata.topics[topic]
    if found.error is not None:
        raise translated(found.error, where, topic)
    return sorted(found.partitions)


def _record(topic: str, message: Message) -> Record:
    from confluent_kafka import TIMESTAMP_NOT_AVAILABLE

    kind, timestamp = message.timestamp()
    return Record(
        topic,
        cast(int, message.partition()),
        cast(int, message.offset()),
        None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        message.key(),
        message.value(),
        _headers_of(message),
    )


# For a name that is no UTF-8 the client sets an exception and returns a tuple with a null pointer. A plain call that
# the interpreter has specialized does not look whether an exception is set, and the process dies; this call looks.
_headers = operator.methodcaller("headers")


def _headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    try:
        return cast(list[tuple[str, bytes | None]], _headers(message) or [])
    except SystemError:
        return [("(unreadable: a header's name is no UTF-8)", None)]
