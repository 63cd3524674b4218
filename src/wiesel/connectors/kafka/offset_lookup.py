"""Answers an offsets initializer's questions from a real cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from wiesel.connectors.kafka.admin import Cluster
from wiesel.connectors.kafka.partitions import Partition

_TIMEOUT_SECONDS: Final = 30.0


class ClusterOffsets:
    """``OffsetLookup`` over a real cluster.

    Args:
        cluster: where to ask.
        properties: the user's consumer properties (group id, isolation level).
        group_id: whose offsets ``committed`` returns.
    """

    def __init__(self, cluster: Cluster, properties: Mapping[str, str], group_id: str | None) -> None:
        self._cluster = cluster
        self._read_committed = properties.get("isolation.level", "read_uncommitted") == "read_committed"
        self._group_id = group_id

    def earliest(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return the offsets of the oldest records."""
        from confluent_kafka.admin import OffsetSpec

        return self._list(partitions, OffsetSpec.earliest())

    def latest(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return the offsets after the newest records (for read_committed: the newest settled ones)."""
        from confluent_kafka.admin import OffsetSpec

        return self._list(partitions, OffsetSpec.latest())

    def at_timestamp(self, partitions: Sequence[Partition], timestamp_ms: int) -> dict[Partition, int | None]:
        """Return the offsets of the first records not older than ``timestamp_ms``; None where there is none."""
        from confluent_kafka.admin import OffsetSpec

        found = self._list(partitions, OffsetSpec.for_timestamp(timestamp_ms))
        return {partition: offset if offset >= 0 else None for partition, offset in found.items()}

    def committed(self, partitions: Sequence[Partition]) -> dict[Partition, int | None]:
        """Return the consumer group's offsets; None where it has none."""
        if self._group_id is None:
            return dict.fromkeys(partitions)
        return self._cluster.committed_offsets(self._group_id, partitions)

    def _list(self, partitions: Sequence[Partition], spec: Any) -> dict[Partition, int]:
        from confluent_kafka import IsolationLevel, KafkaException, TopicPartition

        if not partitions:
            return {}
        level = IsolationLevel.READ_COMMITTED if self._read_committed else IsolationLevel.READ_UNCOMMITTED
        admin = self._cluster.connect()  # held until all is answered
        futures = admin.list_offsets(
            {TopicPartition(*partition): spec for partition in partitions},
            isolation_level=level,
            request_timeout=_TIMEOUT_SECONDS,
        )
        result: dict[Partition, int] = {}
        for asked, future in futures.items():
            try:
                result[Partition(asked.topic, asked.partition)] = future.result().offset
            except KafkaException as error:
                raise self._cluster.cause_of(
                    error.args[0], f"looking up offsets of {asked.topic}-{asked.partition}"
                ) from error
        return result
