"""Dead letters as they lie in their topic: read back, told apart from replay marks, and filtered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wiesel.connectors.kafka import bad_records, client
from wiesel.connectors.kafka.decoding import whole
from wiesel.connectors.kafka.partitions import Partition
from wiesel.connectors.kafka.records import ConsumerRecord, Header
from wiesel.core.errors import ConfigurationError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

#: Header of a mark in the dead-letter topic: letters of a partition that were replayed. Its value says which.
REPLAY_MARK: Final = "__wiesel.dlq.replayed"
#: Header of a replayed record: topic, partition and offset of its dead letter, joined by slashes.
REPLAYED_FROM: Final = "__wiesel.dlq.replayed-from"

_DRAIN: Final = 1000
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter.

    Args:
        partition: of the dead-letter topic.
        offset: there.
        key: of the record that was bad.
        value: of that record.
        headers: of that record, without those that a replay or a dead letter adds.
        facts: what the dead letter's headers say, by their names; the newest where it died more than once.
    """

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    facts: Mapping[str, str]

    @property
    def topic(self) -> str | None:
        """Return the topic that the record was read from; None for letters of a stranger's."""
        return self.facts.get(bad_records.TOPIC)

    @property
    def partition_read(self) -> int | None:
        """Return the partition that the record was read from."""
        return _number(self.facts.get(bad_records.PARTITION))

    @property
    def offset_read(self) -> int | None:
        """Return the record's offset there."""
        return _number(self.facts.get(bad_records.OFFSET))

    @property
    def error(self) -> str:
        """Return class and message of the error."""
        parts = (self.facts.get(bad_records.ERROR_CLASS), self.facts.get(bad_records.ERROR_MESSAGE))
        return ": ".join(part for part in parts if part)

    @property
    def timestamp(self) -> int | None:
        """Return the record's own timestamp, None without one."""
        return _number(self.facts.get(bad_records.TIMESTAMP)) or None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def letter_of(record: ConsumerRecord) -> DeadLetter:
    """Return a record of a dead-letter topic as a letter."""
    added = bad_records.HEADER_NAMES | {REPLAYED_FROM}
    facts = {name: (value or b"").decode(errors="replace") for name, value in record.headers if name in added}
    own = [(name, value) for name, value in record.headers if name not in added]
    return DeadLetter(record.partition, record.offset, record.key, record.value, own, facts)


class Filter:
    """Letters of certain kinds; all of its conditions must hold.

    Args:
        conditions: ``FIELD=TEXT`` each: ``topic``, ``partition`` and ``offset`` of the record that was bad, ``key``
            (exactly, as UTF-8), ``error`` (a part of its class or message), or ``header.NAME`` of the record's own.

    Raises:
        ConfigurationError: a condition is of no such form.
    """

    def __init__(self, conditions: Sequence[str]) -> None:
        self._conditions = [_condition(text) for text in conditions]

    def takes(self, letter: DeadLetter) -> bool:
        """Whether a letter is meant."""
        return all(_holds(letter, field, wanted) for field, wanted in self._conditions)


_FIELDS: Final = {"topic": bad_records.TOPIC, "partition": bad_records.PARTITION, "offset": bad_records.OFFSET}


def _condition(text: str) -> tuple[str, str]:
    field, equals, wanted = text.partition("=")
    if not equals or not (field in {*_FIELDS, "key", "error"} or field.startswith("header.")):
        raise ConfigurationError(
            f"{text!r} is no filter. Filters are topic=…, partition=…, offset=…, key=…, error=… and header.NAME=…."
        )
    return field, wanted


def _holds(letter: DeadLetter, field: str, wanted: str) -> bool:
    if field == "error":
        return wanted in letter.error
    if field == "key":
        return letter.key == wanted.encode()
    if field in _FIELDS:
        return letter.facts.get(_FIELDS[field]) == wanted
    return (field.removeprefix("header."), wanted.encode()) in letter.headers


def mark_of(to: str, offsets: Sequence[int]) -> bytes:
    """Return the value of a mark for letters of one partition."""
    return json.dumps({"to": to, "offsets": list(offsets)}).encode()


class DeadLetterTopic:
    """A topic of dead letters, read as far as it reaches when it is asked; every method may wait.

    Args:
        bootstrap_servers: the cluster.
        properties: client properties, Java style or librdkafka's.
        topic: its name.
    """

    def __init__(self, bootstrap_servers: str, properties: Mapping[str, str], topic: str) -> None:
        self._properties = {**properties, "bootstrap.servers": bootstrap_servers}
        self._events = client.ClientEvents(bootstrap_servers)
        self.topic = topic

    def replayed(self) -> set[tuple[int, int]]:
        """Return partition and offset of all letters that were replayed."""
        found: set[tuple[int, int]] = set()
        for record in self._records():
            mark = dict(record.headers).get(REPLAY_MARK)
            if mark is not None:
                offsets = json.loads(record.value or b"{}").get("offsets", ())
                found |= {(int(mark), offset) for offset in offsets}
        return found

    def letters(self) -> Iterator[DeadLetter]:
        """Yield the letters, in the order of each partition."""
        for record in self._records():
            if all(name != REPLAY_MARK for name, _ in record.headers):
                yield letter_of(record)

    def _records(self) -> Iterator[ConsumerRecord]:
        from confluent_kafka import KafkaError, KafkaException

        ours = {
            "group.id": "wiesel-dlq",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            # The end of a partition is told by a fetch that has waited this long for more: the default is 500 ms.
            "fetch.wait.max.ms": 10,
        }
        consumer = client.consumer(self._properties, ours, self._events)
        try:
            unfinished = self._assign(consumer)
            while unfinished:
                for message in consumer.consume(_DRAIN, _POLL_SECONDS):
                    error = message.error()
                    if error is None:
                        yield whole(Partition(self.topic, _partition(message)), message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        unfinished.discard(_partition(message))
                    elif not error.retriable():
                        raise self._events.cause_of(error, f"reading {self.topic}")
                refused = self._events.refused(f"reading {self.topic}")
                if refused is not None:
                    raise refused
        except KafkaException as error:
            raise self._events.cause_of(error.args[0], f"reading {self.topic}") from error
        finally:
            consumer.close()

    def _assign(self, consumer: Consumer) -> set[int]:
        from confluent_kafka import OFFSET_BEGINNING, TopicPartition

        metadata: Any = client.wait_for_cluster(consumer, self._events, f"reading {self.topic}", self.topic)
        found = metadata.topics[self.topic]
        if found.error is not None:
            raise self._events.cause_of(found.error, f"reading {self.topic}")
        consumer.assign([TopicPartition(self.topic, number, OFFSET_BEGINNING) for number in found.partitions])
        return set(found.partitions)


def _partition(message: Message) -> int:
    number = message.partition()
    assert number is not None
    return number
