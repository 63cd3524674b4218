"""Offsets that a source commits to its consumer group: for monitoring only, so nothing here fails the job."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wiesel.connectors.kafka.partitions import Partition

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, TopicPartition

logger = logging.getLogger(__name__)


class OffsetCommits:
    """Commits and counts.

    Args:
        group: the consumer group, for messages.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._warned_of_rights = False
        self.committed: dict[Partition, int] = {}
        self.succeeded = 0
        self.failed = 0

    def changed(self, offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return those of ``offsets`` that are not committed yet."""
        return {partition: offset for partition, offset in offsets.items() if self.committed.get(partition) != offset}

    def commit(self, consumer: Consumer, offsets: Mapping[Partition, int]) -> None:
        """Commit without waiting."""
        from confluent_kafka import KafkaException, TopicPartition

        if self._warned_of_rights:
            # The client would wait for the group's coordinator, and a close for the client.
            self.failed += 1
            return
        wanted = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
        try:
            consumer.commit(offsets=wanted, asynchronous=True)
        except KafkaException as error:
            self.on_commit(error.args[0], wanted)

    def on_commit(self, error: KafkaError | None, partitions: Sequence[TopicPartition]) -> None:
        """Count a commit's outcome (the client's ``on_commit``)."""
        from confluent_kafka import KafkaError

        if error is not None:
            self.failed += 1
            if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                self.warn_of_rights()
                return
            logger.warning("committing offsets to the consumer group failed, the job goes on: %s", error.str())
            return
        self.succeeded += 1
        self.committed.update({Partition(p.topic, p.partition): p.offset for p in partitions})

    def warn_of_rights(self) -> None:
        """Say once that the group is not ours to commit to."""
        if not self._warned_of_rights:
            self._warned_of_rights = True
            logger.warning(
                "the principal may not commit offsets to consumer group %r, and the job goes on without: grant it Read "
                "on the group",
                self._group,
            )
