"""Finds partitions, fixes where each starts and stops, and says who owns it (Flink: ``KafkaSourceEnumerator``)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from wiesel.connectors.kafka.admin import TopicDescription
from wiesel.connectors.kafka.errors import TopicChangedError
from wiesel.connectors.kafka.offsets import Earliest, OffsetLookup, OffsetsInitializer
from wiesel.connectors.kafka.partitions import Partition, PartitionPosition, owner_of, partition_of
from wiesel.core.contracts import Json, SourceSplit
from wiesel.core.errors import ConfigurationError

logger = logging.getLogger(__name__)

#: Kafka's own topics, and ours: a pattern never means them.
_INTERNAL: Final = ("__consumer_offsets", "__share_group_state", "__transaction_state", "__wiesel-")


class Topics(Protocol):
    """What the enumerator asks a cluster; every method may wait."""

    def topic_names(self) -> list[str]:
        """Return the names of all topics."""

    def describe(self, topics: Sequence[str]) -> dict[str, TopicDescription]:
        """Return a description of each topic, or raise ``MissingTopicError``."""


@dataclass(frozen=True, slots=True)
class TopicList:
    """All partitions of the topics named."""

    topics: tuple[str, ...]

    def find(self, cluster: Topics) -> tuple[dict[str, TopicDescription], list[Partition]]:
        """Return the topics and their partitions."""
        found = cluster.describe(self.topics)
        return found, _all_partitions(found)


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """All partitions of the topics whose whole name matches a regular expression."""

    pattern: str

    def find(self, cluster: Topics) -> tuple[dict[str, TopicDescription], list[Partition]]:
        """Return the topics and their partitions; none at all is a mistake in the pattern more often than not."""
        names = [name for name in cluster.topic_names() if not name.startswith(_INTERNAL)]
        matching = [name for name in names if re.fullmatch(self.pattern, name)]
        if not matching:
            logger.warning("no topic matches the pattern %r; waiting for one", self.pattern)
        found = cluster.describe(matching)
        return found, _all_partitions(found)


@dataclass(frozen=True, slots=True)
class PartitionSet:
    """Exactly these partitions."""

    partitions: tuple[Partition, ...]

    def find(self, cluster: Topics) -> tuple[dict[str, TopicDescription], list[Partition]]:
        """Return the topics and the partitions, all of which must exist."""
        found = cluster.describe(sorted({partition.topic for partition in self.partitions}))
        for topic, partition in self.partitions:
            if partition >= found[topic].partitions:
                raise ConfigurationError(
                    f"Topic {topic!r} has partitions 0 to {found[topic].partitions - 1}, but set_partitions asks for "
                    f"{partition}."
                )
        return found, list(self.partitions)


Subscription = TopicList | TopicPattern | PartitionSet


def _all_partitions(topics: Mapping[str, TopicDescription]) -> list[Partition]:
    return [Partition(topic.name, number) for topic in topics.values() for number in range(topic.partitions)]


class KafkaSplitEnumerator:
    """One a source and job.

    Args:
        subscription: which partitions.
        start: where partitions of the first discovery start; later ones start at their oldest record.
        stop: where they stop, None for never.
        cluster: where to ask for topics.
        lookup: where to ask for offsets.
        parallelism: number of readers.
        discovery_interval_ms: time between two discoveries, None for one only.
        state: ``snapshot`` of the checkpoint that the job continues.
    """

    def __init__(
        self,
        subscription: Subscription,
        start: OffsetsInitializer,
        stop: OffsetsInitializer | None,
        cluster: Topics,
        lookup: OffsetLookup,
        parallelism: int,
        discovery_interval_ms: int | None,
        state: Json | None,
    ) -> None:
        self.discovery_interval_ms = discovery_interval_ms
        self._subscription = subscription
        self._start = start
        self._stop = stop
        self._cluster = cluster
        self._lookup = lookup
        self._parallelism = parallelism
        self._given: set[str] = set(state["given"]) if state else set()
        self._topic_ids: dict[str, str] = dict(state["topic_ids"]) if state else {}
        self._discovered_before = bool(state and state["discovered"])
        self._reported_gone: set[str] = set()

    def discover(self) -> Json:
        """Look for partitions that nobody has been given, and resolve their offsets."""
        topics, partitions = self._subscription.find(self._cluster)
        ids = {topic.name: topic.topic_id for topic in topics.values()}
        self._refuse_recreated(ids)
        gone = sorted(self._given - {partition.split_id for partition in partitions})
        new = [partition for partition in partitions if partition.split_id not in self._given]
        # A partition that appears later has nothing that the job was told to skip.
        first = not self._discovered_before
        starts = (self._start if first else Earliest()).resolve(new, self._lookup)
        stops = self._stop.resolve(new, self._lookup) if self._stop is not None else {}
        splits = [[*partition, starts[partition], stops.get(partition)] for partition in new]
        return {"topic_ids": ids, "splits": splits, "gone": gone}

    def on_discovered(self, result: Json) -> Sequence[SourceSplit]:
        """Return the splits of ``result`` that no reader has been given yet; they count as given from now on."""
        self._discovered_before = True
        self._topic_ids.update(result["topic_ids"])
        self._report_gone(set(result["gone"]))
        splits = [
            PartitionPosition(Partition(topic, number), offset, stop).to_split()
            for topic, number, offset, stop in result["splits"]
        ]
        new = [split for split in splits if split.split_id not in self._given]
        self._given.update(split.split_id for split in new)
        return new

    def owner(self, split_id: str) -> int:
        """Return the index of the reader that owns ``split_id``."""
        return owner_of(partition_of(split_id), self._parallelism)

    def snapshot(self) -> Json:
        """Return which partitions were ever given out, and the ids of their topics."""
        return {
            "discovered": self._discovered_before,
            "given": sorted(self._given),
            "topic_ids": dict(self._topic_ids),
        }

    def close(self) -> None:
        """Nothing to release: the connection goes with the object."""

    def _refuse_recreated(self, ids: Mapping[str, str]) -> None:
        for topic, topic_id in ids.items():
            known = self._topic_ids.get(topic, topic_id)
            if known != topic_id:
                raise TopicChangedError(
                    f"Topic {topic!r} was deleted and created anew since this job read it (topic id {known}, now "
                    f"{topic_id}): the job's offsets mean nothing there. Start anew with `wiesel run --fresh`, or "
                    "restore the topic."
                )

    def _report_gone(self, gone: set[str]) -> None:
        for split_id in sorted(gone - self._reported_gone):
            logger.warning("%s does not exist any more; the job had been reading it", split_id)
        self._reported_gone = gone
