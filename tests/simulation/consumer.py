"""A consumer as ``confluent_kafka.Consumer`` behaves with ``assign``, over the simulated brokers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_NOT_AVAILABLE, KafkaError, Message, TopicPartition

from tests.simulation.broker import PartitionName, SimulatedKafka
from tests.simulation.network import Call, Link

#: The most records of one fetch.
_FETCH: Final = 30
#: A fetch that is still under way.
_NOTHING_YET: Final = 0.2


class SimulatedConsumer:
    """Reads what it is assigned.

    Args:
        kafka: the cluster.
        link: the way there.
        configuration: librdkafka's.
    """

    def __init__(self, kafka: SimulatedKafka, link: Link, configuration: Mapping[str, Any]) -> None:
        self._kafka = kafka
        self._link = link
        self._scheduler = link.scheduler
        self._committed_only = configuration.get("isolation.level", "read_committed") == "read_committed"
        self._tells_ends = bool(configuration.get("enable.partition.eof", False))
        self._group: str = configuration["group.id"]
        self._on_commit: Callable[[KafkaError | None, list[TopicPartition]], None] | None = configuration.get(
            "on_commit"
        )
        self._outcomes: list[tuple[KafkaError | None, list[TopicPartition]]] = []
        self._positions: dict[PartitionName, int] = {}
        self._ends: dict[PartitionName, int] = {}
        self._paused: set[PartitionName] = set()

    # ------------------------------------------------------------------------------------------------ assignment

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these."""
        self._positions.clear()
        self.incremental_assign(partitions)

    def incremental_assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these too."""
        for partition in partitions:
            self._positions[partition.topic, partition.partition] = partition.offset

    def incremental_unassign(self, partitions: Sequence[TopicPartition]) -> None:
        """Do not read these any more."""
        for partition in partitions:
            self._positions.pop((partition.topic, partition.partition), None)
            self._ends.pop((partition.topic, partition.partition), None)

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Do not fetch these for now."""
        self._paused.update((partition.topic, partition.partition) for partition in partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Fetch these again."""
        self._paused.difference_update((partition.topic, partition.partition) for partition in partitions)

    # --------------------------------------------------------------------------------------------------- reading

    def poll(self, timeout: float) -> Message | None:
        """Return the next message."""
        messages = self.consume(1, timeout)
        return messages[0] if messages else None

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Return what is there, events among it, waiting for the first."""
        scheduler = self._scheduler
        deadline = scheduler.monotonic() + timeout
        scheduler.give_way()
        while True:
            self._serve_commits()
            if not self._link.happens(_NOTHING_YET):
                messages = self._fetch(num_messages)
                if messages:
                    return messages
            left = deadline - scheduler.monotonic()
            if left <= 0:
                return []
            scheduler.wait(self._kafka.waiting, min(left, 0.05))

    def _fetch(self, limit: int) -> list[Message]:
        names = [name for name in self._positions if name not in self._paused]
        if not names:
            return []
        first = int(self._scheduler.random.random() * len(names))
        messages: list[Message] = []
        for name in names[first:] + names[:first]:
            left = limit - len(messages)
            if left > 0:
                messages += self._fetch_of(name, min(left, _FETCH))
        return messages

    def _fetch_of(self, name: PartitionName, limit: int) -> list[Message]:
        log, position = self._kafka.partition(name), self._positions[name]
        if not log.start <= position <= log.end:
            del self._positions[name]
            return [_event(name, position, KafkaError(KafkaError._AUTO_OFFSET_RESET))]
        records = list(log.read(position, limit, self._committed_only))
        end = log.last_stable_offset if self._committed_only else log.end
        messages = [
            Message(
                topic=name[0],
                partition=name[1],
                offset=record.offset,
                key=record.key,
                value=record.value,
                headers=record.headers,
                timestamp=(TIMESTAMP_CREATE_TIME, record.timestamp),
            )
            for record in records
        ]
        position = self._positions[name] = records[-1].offset + 1 if len(records) == limit else max(position, end)
        if self._tells_ends and position >= end and len(messages) < limit and self._ends.get(name) != end:
            self._ends[name] = end
            messages.append(_event(name, position, KafkaError(KafkaError._PARTITION_EOF)))
        return messages

    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = 0.0, cached: bool = False
    ) -> tuple[int, int]:
        """Return the first offset and the end."""
        log = self._kafka.partition((partition.topic, partition.partition))
        return log.start, log.last_stable_offset if self._committed_only else log.end

    # --------------------------------------------------------------------------------------------------- commits

    def commit(self, offsets: list[TopicPartition], asynchronous: bool = True) -> None:
        """Commit offsets to the group; ``on_commit`` is told while messages are asked for."""

        def request() -> None:
            group = self._kafka.groups.setdefault(self._group, {})
            group.update({(offset.topic, offset.partition): offset.offset for offset in offsets})

        def done(call: Call) -> None:
            self._outcomes.append((None if call.error is None else KafkaError(call.error), offsets))

        self._link.call(request, done)

    def _serve_commits(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        for error, offsets in outcomes:
            if self._on_commit is not None:
                self._on_commit(error, offsets)

    def close(self) -> None:
        """Leave the cluster."""
        self._scheduler.give_way()
        self._positions.clear()
        self._link.is_closed = True


def _event(name: PartitionName, offset: int, error: KafkaError) -> Message:
    return Message(
        topic=name[0], partition=name[1], offset=offset, error=error, timestamp=(TIMESTAMP_NOT_AVAILABLE, -1)
    )
