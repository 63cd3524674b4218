"""Which partition a record goes to, where the sink decides (Flink: ``FlinkKafkaPartitioner`` and its subclasses).

Without a partitioner the client decides as Java's does by default: records with a key go where the key's hash says,
records without one stay with a partition for a batch and then change (sticky).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

_MASK: Final = 0xFFFFFFFF
_FACTOR: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C


class FlinkKafkaPartitioner(ABC):
    """Chooses a record's partition; a script may subclass it (Flink: ``FlinkKafkaPartitioner``)."""

    def open(self, parallel_instance_id: int, parallel_instances: int) -> None:
        """Prepare; called once in each sink subtask before the first record.

        Args:
            parallel_instance_id: number of the sink subtask, from 0.
            parallel_instances: how many there are.
        """

    @abstractmethod
    def partition(
        self, record: Any, key: bytes | None, value: bytes | None, target_topic: str, partitions: Sequence[int]
    ) -> int:
        """Return one of ``partitions``, or -1 to leave it to the client.

        Args:
            record: the value before it was serialised.
            key: the record's key.
            value: the record's value.
            target_topic: the topic.
            partitions: the topic's partitions as they were when the sink started.
        """


class FlinkFixedPartitioner(FlinkKafkaPartitioner):
    """Each sink subtask writes to one partition, chosen by its number (Flink: ``FlinkFixedPartitioner``)."""

    def __init__(self) -> None:
        self._subtask = 0

    def open(self, parallel_instance_id: int, parallel_instances: int) -> None:
        """See the base class."""
        self._subtask = parallel_instance_id

    def partition(
        self, record: Any, key: bytes | None, value: bytes | None, target_topic: str, partitions: Sequence[int]
    ) -> int:
        """See the base class."""
        return partitions[self._subtask % len(partitions)]


class RoundRobinPartitioner(FlinkKafkaPartitioner):
    """One partition after the other, for each topic, whatever the key is (Kafka: ``RoundRobinPartitioner``).

    Subtasks begin at different partitions.
    """

    def __init__(self) -> None:
        self._first = 0
        self._next: dict[str, int] = {}

    def open(self, parallel_instance_id: int, parallel_instances: int) -> None:
        """See the base class."""
        self._first = parallel_instance_id

    def partition(
        self, record: Any, key: bytes | None, value: bytes | None, target_topic: str, partitions: Sequence[int]
    ) -> int:
        """See the base class."""
        turn = self._next.get(target_topic, self._first)
        self._next[target_topic] = turn + 1
        return partitions[turn % len(partitions)]


class KeyHashPartitioner(FlinkKafkaPartitioner):
    """The hash of the key, as Java's client does it; records without key are left to the client (sticky).

    What happens without a partitioner anyway, whatever the client property ``partitioner`` says. A subclass may hash a
    part of the key: ``key_hash_partition(key[:4], len(partitions))``.
    """

    def partition(
        self, record: Any, key: bytes | None, value: bytes | None, target_topic: str, partitions: Sequence[int]
    ) -> int:
        """See the base class."""
        return -1 if key is None else key_hash_partition(key, len(partitions))


def key_hash_partition(key: bytes, number_of_partitions: int) -> int:
    """Return the partition that Java's client gives to ``key``."""
    return (murmur2(key) & 0x7FFFFFFF) % number_of_partitions


def murmur2(data: bytes) -> int:
    """Return the 32-bit MurmurHash2 of ``data`` with Kafka's seed, as a signed number like Java's."""
    value = (_SEED ^ len(data)) & _MASK
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        part = int.from_bytes(data[start : start + 4], "little") * _FACTOR & _MASK
        value = (value * _FACTOR & _MASK) ^ ((part ^ part >> 24) * _FACTOR & _MASK)
    if len(data) > whole:
        value = (value ^ int.from_bytes(data[whole:], "little")) * _FACTOR & _MASK
    value = (value ^ value >> 13) * _FACTOR & _MASK
    value ^= value >> 15
    return value - (1 << 32) if value & 0x80000000 else value
