"""Replays dead letters: each goes back as the record it was, once, however often and wherever a replay dies.

A transaction holds some records and marks in the dead-letter topic that name their letters. Whoever replays next reads
the marks first, behind the fence of its producer, so that a replay that was still under way is aborted or seen whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wiesel.connectors.kafka import client
from wiesel.connectors.kafka.admin import cluster
from wiesel.connectors.kafka.dead_letters import (
    REPLAY_MARK,
    REPLAYED_FROM,
    DeadLetter,
    DeadLetterTopic,
    Filter,
    mark_of,
)
from wiesel.core.errors import ConfigurationError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

_LETTERS: Final = 500
_BYTES: Final = 8 << 20
_SECONDS: Final = 30.0


@dataclass(slots=True)
class Replay:
    """What a replay has done.

    Args:
        replayed: letters written.
        already: letters that an earlier replay wrote.
        filtered: letters that were not meant.
    """

    replayed: int = 0
    already: int = 0
    filtered: int = 0


class Replayer:
    """Replays the letters of one topic.

    Args:
        bootstrap_servers: the cluster.
        properties: client properties, Java style or librdkafka's.
        topic: of the dead letters.
        to: where they go; None is the topic that each was read from.
        wanted: which of them.
        again: also those that were replayed before.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        properties: Mapping[str, str],
        topic: str,
        to: str | None,
        wanted: Filter,
        *,
        again: bool = False,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._properties = properties
        self._letters = DeadLetterTopic(bootstrap_servers, properties, topic)
        self._topic = topic
        self._to = to
        self._wanted = wanted
        self._again = again
        self._events = client.ClientEvents(bootstrap_servers)
        self._failed: KafkaError | None = None

    def run(self) -> Replay:
        """Replay what is there now.

        Raises:
            MissingTopicError: there is no such topic, or none to replay to.
            ConfigurationError: a letter does not say where it came from, and neither does ``to``.
            WieselError: Kafka refuses a record or does not answer; what was written before stays, and is marked.
        """
        from confluent_kafka import KafkaException

        known = cluster(self._bootstrap_servers, self._properties)
        known.describe([self._topic] if self._to is None else [self._topic, self._to])
        producer = client.producer(
            {**self._properties, "bootstrap.servers": self._bootstrap_servers},
            {
                "transactional.id": f"wiesel-dlq-{self._topic}",
                "transaction.timeout.ms": 60_000,
                "delivery.timeout.ms": 60_000,
                "message.max.bytes": 1_000_000_000,
                "delivery.report.only.error": True,
            },
            self._events,
        )
        done = Replay()
        checked = {self._to}
        try:
            producer.init_transactions(_SECONDS)
            for batch in self._batches(done):
                targets = {self._target(letter) for letter in batch} - checked
                known.describe(sorted(targets))
                checked |= targets
                self._write(producer, batch)
                done.replayed += len(batch)
        except KafkaException as error:
            raise self._events.cause_of(self._failed or error.args[0], f"replaying {self._topic}") from error
        finally:
            producer.purge()
        return done

    def _batches(self, done: Replay) -> Iterator[list[DeadLetter]]:
        replayed = set() if self._again else self._letters.replayed()
        batch: list[DeadLetter] = []
        size = 0
        for letter in self._letters.letters():
            if not self._wanted.takes(letter):
                done.filtered += 1
            elif (letter.partition, letter.offset) in replayed:
                done.already += 1
            else:
                batch.append(letter)
                size += len(letter.key or b"") + len(letter.value or b"")
            if len(batch) == _LETTERS or size >= _BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _target(self, letter: DeadLetter) -> str:
        target = self._to or letter.topic
        if target is None:
            raise ConfigurationError(
                f"{self._topic}-{letter.partition} offset {letter.offset} does not say which topic it came from: give "
                "--to TOPIC."
            )
        return target

    def _write(self, producer: Producer, batch: list[DeadLetter]) -> None:
        producer.begin_transaction()
        offsets: dict[tuple[int, str], list[int]] = {}
        for letter in batch:
            target = self._target(letter)
            origin = f"{self._topic}/{letter.partition}/{letter.offset}".encode()
            self._produce(
                producer,
                target,
                letter.key,
                letter.value,
                [*letter.headers, (REPLAYED_FROM, origin)],
                letter.timestamp or 0,
            )
            offsets.setdefault((letter.partition, target), []).append(letter.offset)
        for (partition, target), replayed in offsets.items():
            # A key of its own, so that compaction keeps every mark.
            key = f"{REPLAY_MARK}/{partition}/{replayed[0]}/{target}".encode()
            mark: list[tuple[str, bytes | None]] = [(REPLAY_MARK, str(partition).encode())]
            self._produce(producer, self._topic, key, mark_of(target, replayed), mark, 0)
        producer.commit_transaction(_SECONDS)

    def _produce(
        self,
        producer: Producer,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes | None]],
        timestamp: int,
    ) -> None:
        while True:
            try:
                producer.produce(topic, value, key, -1, self._on_delivery, None, timestamp, headers)  # type: ignore[arg-type]  # its stub forbids null headers
                return
            except BufferError:
                producer.poll(0.1)

    def _on_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is not None and self._failed is None:
            self._failed = error
