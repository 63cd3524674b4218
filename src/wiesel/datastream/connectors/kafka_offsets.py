"""Where a Kafka source starts and stops."""

from __future__ import annotations

from collections.abc import Mapping

from wiesel.connectors.kafka import offsets as initializers
from wiesel.connectors.kafka.offsets import OffsetResetStrategy as KafkaOffsetResetStrategy
from wiesel.connectors.kafka.partitions import Partition

__all__ = ["KafkaOffsetResetStrategy", "KafkaOffsetsInitializer", "KafkaTopicPartition"]


class KafkaTopicPartition:
    """A partition of a topic.

    Args:
        topic: name of the topic.
        partition: number of the partition, from 0.
    """

    __slots__ = ("_partition", "_topic")

    def __init__(self, topic: str, partition: int) -> None:
        if type(topic) is not str or type(partition) is not int or partition < 0:
            raise TypeError(f"KafkaTopicPartition takes a topic and a number from 0, got {topic!r}, {partition!r}")
        self._topic = topic
        self._partition = partition

    def to_partition(self) -> Partition:
        """Return the partition as the connector knows it."""
        return Partition(self._topic, self._partition)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KafkaTopicPartition) and self.to_partition() == other.to_partition()

    def __hash__(self) -> int:
        return hash((self._topic, self._partition))

    def __repr__(self) -> str:
        return f"KafkaTopicPartition({self._topic!r}, {self._partition})"


class KafkaOffsetsInitializer:
    """Says at which offset each partition starts (or stops).

    Made by its static methods; ``initializer`` is the connector's data behind it.
    """

    __slots__ = ("initializer",)

    def __init__(self, initializer: initializers.OffsetsInitializer) -> None:
        self.initializer = initializer

    @staticmethod
    def committed_offsets(
        offset_reset_strategy: KafkaOffsetResetStrategy = KafkaOffsetResetStrategy.NONE,
    ) -> KafkaOffsetsInitializer:
        """Return the offsets that the consumer group has committed.

        Args:
            offset_reset_strategy: for partitions without one; NONE makes the job fail.
        """
        return KafkaOffsetsInitializer(initializers.Committed(_checked(offset_reset_strategy)))

    @staticmethod
    def timestamp(timestamp: int) -> KafkaOffsetsInitializer:
        """Return the first records with a timestamp not before ``timestamp`` (milliseconds since 1970)."""
        if type(timestamp) is not int or timestamp < 0:
            raise ValueError(f"timestamp takes milliseconds since 1970, got {timestamp!r}")
        return KafkaOffsetsInitializer(initializers.AtTimestamp(timestamp))

    @staticmethod
    def earliest() -> KafkaOffsetsInitializer:
        """Return the oldest records."""
        return KafkaOffsetsInitializer(initializers.Earliest())

    @staticmethod
    def latest() -> KafkaOffsetsInitializer:
        """Return the end of each partition as it is when the job first looks."""
        return KafkaOffsetsInitializer(initializers.Latest())

    @staticmethod
    def offsets(
        offsets: Mapping[KafkaTopicPartition, int],
        offset_reset_strategy: KafkaOffsetResetStrategy = KafkaOffsetResetStrategy.EARLIEST,
    ) -> KafkaOffsetsInitializer:
        """Return the offsets given by partition.

        Args:
            offsets: offset of the first record to read, by partition.
            offset_reset_strategy: for partitions that ``offsets`` leaves out.
        """
        for partition, offset in offsets.items():
            if type(partition) is not KafkaTopicPartition or type(offset) is not int or offset < 0:
                raise TypeError(f"offsets takes KafkaTopicPartition to offset from 0, got {partition!r}: {offset!r}")
        by_partition = {partition.to_partition(): offset for partition, offset in offsets.items()}
        return KafkaOffsetsInitializer(initializers.Specific(by_partition, _checked(offset_reset_strategy)))


def _checked(strategy: KafkaOffsetResetStrategy) -> KafkaOffsetResetStrategy:
    if not isinstance(strategy, KafkaOffsetResetStrategy):
        raise TypeError(f"offset_reset_strategy takes a KafkaOffsetResetStrategy, got {strategy!r}")
    return strategy
