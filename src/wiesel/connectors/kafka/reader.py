"""Reads partitions (Flink: ``KafkaSourceReader``); how the client is drained is in owned_consumer.py."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from wiesel.connectors.kafka import errors
from wiesel.connectors.kafka.bad_records import BadRecords
from wiesel.connectors.kafka.client import ClientEvents
from wiesel.connectors.kafka.decoding import Decoder
from wiesel.connectors.kafka.offset_commits import OffsetCommits
from wiesel.connectors.kafka.owned_consumer import OwnedConsumer
from wiesel.connectors.kafka.partitions import Partition, PartitionPosition, partition_of
from wiesel.core.contracts import SourceBatch, SourceContext, SourceSplit

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

    OnCommit = Callable[[KafkaError | None, Sequence[TopicPartition]], None]

logger = logging.getLogger(__name__)

# Messages of one partition, in order.
_Run = tuple[Partition, "list[Message]"]


class KafkaSourceReader:
    """Reads the partitions given to it.

    Args:
        connect: makes a client with nothing assigned, ``enable.partition.eof`` on and ``auto.offset.reset=error``,
            that calls its argument with the outcome of commits.
        events: the consumer's events.
        decoder: turns messages into values.
        bad_records: where it puts those that it cannot decode.
        context: whom to ring.
        resets_offsets: ``earliest`` or ``latest`` when the user chose to go on there should records be gone.
        commits_offsets: whether to commit offsets to the consumer group when a checkpoint completes.
        group: its name, for messages.
    """

    def __init__(
        self,
        connect: Callable[[OnCommit], Consumer],
        events: ClientEvents,
        decoder: Decoder,
        bad_records: BadRecords,
        context: SourceContext,
        *,
        resets_offsets: str | None,
        commits_offsets: bool,
        group: str = "",
    ) -> None:
        from confluent_kafka import Message

        self._commits = OffsetCommits(group)
        self._client = OwnedConsumer(
            connect(self._commits.on_commit),
            events,
            context.wake,
            f"kafka-listener-{context.operator_uid}-{context.subtask}",
        )
        self._events = events
        self._timestamp_of, self._number_of, self._topic_of = Message.timestamp, Message.partition, Message.topic
        self._decoder = decoder
        self._bad_records = bad_records
        self._resets_offsets = resets_offsets
        self._commits_offsets = commits_offsets
        self._topics: list[str] = []
        self._positions: dict[Partition, PartitionPosition] = {}
        self._runs: deque[_Run] = deque()
        self._held: dict[Partition, deque[_Run]] = {}
        self._paused: frozenset[Partition] = frozenset()
        self._ended: list[str] = []
        self._finished_offsets: dict[Partition, int] = {}
        self._finished_at_snapshot: dict[Partition, int] = {}
        self._ends: dict[Partition, int] = {}
        self._no_more = False

    # ------------------------------------------------------------------------------------------------ splits

    def add_splits(self, splits: Sequence[SourceSplit]) -> None:
        """Take over more partitions."""
        from confluent_kafka import TopicPartition

        assigned = []
        for split in splits:
            position = PartitionPosition.of(split)
            self._positions[position.partition] = position
            if position.partition.topic not in self._topics:
                self._topics.append(position.partition.topic)
            if position.is_finished():
                self._finish(position)
            else:
                assigned.append(TopicPartition(*position.partition, position.offset))
        if assigned:
            self._client.order(lambda consumer: consumer.incremental_assign(assigned))

    def no_more_splits(self) -> None:
        """Learn that no further split will ever come."""
        self._no_more = True

    def is_finished(self) -> bool:
        """Whether every partition is read to its end and no more can come."""
        return self._no_more and not self._positions

    def finished_splits(self) -> Sequence[str]:
        """Return the partitions that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def snapshot(self) -> Sequence[SourceSplit]:
        """Return all unfinished partitions with the offsets behind the last polled records."""
        self._finished_at_snapshot = dict(self._finished_offsets)
        return [position.to_split() for position in self._positions.values()]

    def _finish(self, position: PartitionPosition) -> None:
        partition = position.partition
        del self._positions[partition]
        self._finished_offsets[partition] = position.offset
        self._ended.append(partition.split_id)

    def _stop_reading(self, position: PartitionPosition) -> None:
        from confluent_kafka import TopicPartition

        self._finish(position)
        self._held.pop(position.partition, None)
        unassigned = [TopicPartition(*position.partition)]
        self._client.order(lambda consumer: consumer.incremental_unassign(unassigned))

    # ----------------------------------------------------------------------------------------------- records

    def poll(self, max_records: int) -> SourceBatch | None:
        """Return up to ``max_records`` records of one partition that are there now, or None.

        Raises:
            RecordError: a record cannot be decoded.
            OffsetOutOfRangeError, AuthorizationError, MissingTopicError: the partition cannot be read on.
        """
        while self._runs or self._drain():
            partition, messages = self._runs.popleft()
            if partition in self._paused:
                self._held.setdefault(partition, deque()).append((partition, messages))
                continue
            if len(messages) > max_records:
                rest = [messages[i : i + max_records] for i in range(max_records, len(messages), max_records)]
                self._runs.extendleft((partition, part) for part in reversed(rest))
                messages = messages[:max_records]
            position = self._positions.get(partition)
            batch = None if position is None else self._read(position, messages)
            if batch is not None:
                return batch
        return None

    def _read(self, position: PartitionPosition, messages: list[Message]) -> SourceBatch | None:
        timestamps = [timestamp for _, timestamp in map(self._timestamp_of, messages)]
        # Events carry -1, records hardly ever: records pay one comparison for looking, and not a call each.
        if min(timestamps) < 0 and any(message.error() is not None for message in messages):
            return self._read_with_events(position, messages)
        first, following = _offset(messages[0]), _offset(messages[-1]) + 1
        stop = position.stop
        if first < position.offset or (stop is not None and following > stop):
            # Beyond the end; or returned before, should the client ever go back.
            end = following if stop is None else min(following, stop)
            inside = [index for index, m in enumerate(messages) if position.offset <= _offset(m) < end]
            messages, timestamps = [messages[i] for i in inside], [timestamps[i] for i in inside]
        batch = self._decoder.batch(position.partition, messages, timestamps) if messages else None
        position.offset = max(position.offset, following if stop is None else min(following, stop))
        if position.is_finished():
            self._stop_reading(position)
        return batch

    def _read_with_events(self, position: PartitionPosition, messages: list[Message]) -> SourceBatch | None:
        """Handle the first event; what follows it waits for the next call."""
        index = next(index for index, message in enumerate(messages) if message.error() is not None)
        if index:
            self._runs.appendleft((position.partition, messages[index:]))
            return self._read(position, messages[:index])
        if len(messages) > 1:
            self._runs.appendleft((position.partition, messages[1:]))
        self._on_event(position, messages[0])
        return None

    def _drain(self) -> bool:
        """Take what the client has; False when there is nothing."""
        if not self._positions:
            return False  # and the client stays ours, so that the first partitions are assigned at once
        messages = self._client.drain()
        if messages:
            self._sort(messages)
        return bool(messages)

    def _sort(self, messages: list[Message]) -> None:
        """Append runs of one partition; they are long, since the client fetches by partition."""
        numbers = list(map(self._number_of, messages))
        start = 0
        for number, group in groupby(numbers):
            end = start + len(list(group))
            run = messages if end - start == len(messages) else messages[start:end]
            start = end
            if number is None or number < 0:
                for message in run:
                    self._on_client_event(_error(message), "topics")
            elif len(self._topics) == 1:
                self._runs.append((Partition(self._topics[0], number), run))
            else:
                for topic, of_topic in groupby(run, self._topic_of):
                    self._runs.append((Partition(str(topic), number), list(of_topic)))

    # ------------------------------------------------------------------------------------------------ events

    def _on_event(self, position: PartitionPosition, message: Message) -> None:
        from confluent_kafka import KafkaError

        error = _error(message)
        code = error.code()
        if code == KafkaError._PARTITION_EOF:
            # The end is an offset, not a record: control records and removed ones before it are passed here.
            position.offset = max(position.offset, _offset(message))
            if position.is_finished():
                self._stop_reading(position)
        elif code in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            self._on_offset_out_of_range(position)
        else:
            self._on_client_event(error, position.partition.split_id)

    def _on_client_event(self, error: KafkaError, where: str) -> None:
        from confluent_kafka import KafkaError

        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            # The client looks for the group's coordinator even when nothing is committed, and commits report for
            # themselves: reading does not depend on the group.
            if self._commits_offsets:
                self._commits.warn_of_rights()
            logger.debug("Kafka client: %s", error.str())
            return
        if error.retriable() or error.code() in (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT):
            logger.debug("Kafka client, reading %s: %s", where, error)
            return
        raise self._events.cause_of(error, f"reading {where}")

    def _on_offset_out_of_range(self, position: PartitionPosition) -> None:
        """Stop, or go on where records are; asking where that is may wait, which nothing else here does."""
        self._client.order(lambda consumer: self._find_records(consumer, position))

    def _find_records(self, consumer: Consumer, position: PartitionPosition) -> None:
        from confluent_kafka import TopicPartition

        asked = TopicPartition(*position.partition)
        low, high = consumer.get_watermark_offsets(asked, timeout=10.0)
        gap = low - position.offset
        lost = f"{gap} records before offset {low} are gone" if gap > 0 else f"it ends at {high}: records were removed"
        text = f"{position.partition.split_id} has no offset {position.offset} any more, {lost}"
        if self._resets_offsets is None:
            raise errors.OffsetOutOfRangeError(
                f"{text} (retention, deleted records or an unclean leader election). To skip what is lost, set the "
                "property auto.offset.reset to earliest or latest on the source and start again."
            )
        position.offset = low if self._resets_offsets == "earliest" else high
        logger.warning("%s; going on at %d (auto.offset.reset)", text, position.offset)
        consumer.incremental_unassign([asked])
        consumer.incremental_assign([TopicPartition(*position.partition, position.offset)])

    # ----------------------------------------------------------------------------------- offsets and control

    def notify_checkpoint_complete(self, splits: Sequence[SourceSplit]) -> None:
        """Commit the offsets of a complete checkpoint to the consumer group, without waiting."""
        if not self._commits_offsets:
            return
        offsets = {partition_of(split.split_id): split.position["offset"] for split in splits}
        changed = self._commits.changed(offsets | self._finished_at_snapshot)
        if changed:
            self._client.order(lambda consumer: self._commit(consumer, changed))

    def _commit(self, consumer: Consumer, offsets: dict[Partition, int]) -> None:
        from confluent_kafka import KafkaError

        if not self._positions:
            # Nobody drains any more, and what lies there may say that the group is not ours.
            found = [message.error() for message in consumer.consume(100, 0)]
            if any(error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED for error in found):
                self._commits.warn_of_rights()
        self._commits.commit(consumer, offsets)

    def pause(self, split_ids: Iterable[str]) -> None:
        """Stop reading exactly these partitions, and read all others again."""
        from confluent_kafka import TopicPartition

        paused = frozenset(map(partition_of, split_ids)) & self._positions.keys()
        resumed = self._paused - paused
        added = paused - self._paused
        self._paused = frozenset(paused)
        if added:
            stopped = [TopicPartition(*partition) for partition in added]
            self._client.order(lambda consumer: consumer.pause(stopped))
        for partition in resumed:
            self._runs.extend(self._held.pop(partition, ()))
        still_read = [TopicPartition(*partition) for partition in resumed if partition in self._positions]
        if still_read:
            self._client.order(lambda consumer: consumer.resume(still_read))

    def metrics(self) -> Mapping[str, float]:
        """Return Flink's gauges of the Kafka source reader; ends of partitions may be a tenth of a second old."""
        self._client.order(self._refresh_ends)
        result: dict[str, float] = dict(self._bad_records.metrics())
        result["numBytesIn"] = self._events.bytes_received
        lags = []
        for partition, position in self._positions.items():
            prefix = f"KafkaSourceReader.topic.{partition.topic}.partition.{partition.partition}"
            result[f"{prefix}.currentOffset"] = position.offset - 1
            result[f"{prefix}.committedOffset"] = self._commits.committed.get(partition, -1)
            end = self._ends.get(partition, -1)
            if end >= 0:
                lags.append(max(0, end - position.offset))
        result["KafkaSourceReader.commitsSucceeded"] = self._commits.succeeded
        result["KafkaSourceReader.commitsFailed"] = self._commits.failed
        if lags:
            result["pendingRecords"] = sum(lags)
            result["records-lag-max"] = max(lags)
        return result

    def _refresh_ends(self, consumer: Consumer) -> None:
        """Remember the ends that came with the latest fetches (on the client's owner's thread)."""
        from confluent_kafka import TopicPartition

        self._ends = {
            partition: consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)[1]
            for partition in list(self._positions)
        }

    def close(self) -> None:
        """Leave the cluster; takes a tenth of a second at most, and a little for the client."""
        self._client.close()


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None
    return offset


def _error(message: Message) -> KafkaError:
    error = message.error()
    assert error is not None
    return error
