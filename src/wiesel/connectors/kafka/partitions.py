"""Partitions as source splits: their ids, their positions, and which reader owns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from wiesel.core.contracts import SourceSplit
from wiesel.core.java_hash import string_hash


class Partition(NamedTuple):
    """A partition of a topic (Flink: ``KafkaTopicPartition``)."""

    topic: str
    partition: int

    @property
    def split_id(self) -> str:
        """Return ``topic-partition``."""
        return f"{self.topic}-{self.partition}"


def partition_of(split_id: str) -> Partition:
    """Return the partition behind a split id; the topic itself may contain dashes."""
    topic, _, number = split_id.rpartition("-")
    return Partition(topic, int(number))


def owner_of(partition: Partition, parallelism: int) -> int:
    """Return the reader that owns ``partition``, as Flink's ``KafkaSourceEnumerator.getSplitOwner`` does.

    The partitions of a topic go round the readers, beginning at one that the topic's hash chooses.
    """
    start = ((string_hash(partition.topic) * 31) & 0x7FFFFFFF) % parallelism
    return (start + partition.partition) % parallelism


@dataclass(slots=True)
class PartitionPosition:
    """How far a partition is read.

    Args:
        partition: which one.
        offset: of the next record to read.
        stop: the first offset that is not read any more; None never ends.
    """

    partition: Partition
    offset: int
    stop: int | None

    def is_finished(self) -> bool:
        """Whether nothing is left to read."""
        return self.stop is not None and self.offset >= self.stop

    def to_split(self) -> SourceSplit:
        """Return the position as a split for a checkpoint."""
        topic, number = self.partition
        return SourceSplit(
            self.partition.split_id,
            {"topic": topic, "partition": number, "offset": self.offset, "stop": self.stop},
        )

    @staticmethod
    def of(split: SourceSplit) -> PartitionPosition:
        """Return the position that ``to_split`` made ``split`` of."""
        position = split.position
        return PartitionPosition(
            Partition(position["topic"], position["partition"]), position["offset"], position["stop"]
        )
