"""The committer of an exactly-once Kafka sink: checkpoints on one side, deliveries on the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from wiesel.connectors.kafka.admin import cluster
from wiesel.connectors.kafka.committer import Segment
from wiesel.connectors.kafka.delivery import Deliverer
from wiesel.connectors.kafka.naming import is_transactional_id, progress_topic, transactional_id, wal_directory
from wiesel.connectors.kafka.offset_lookup import ClusterOffsets
from wiesel.connectors.kafka.partitions import Partition
from wiesel.connectors.kafka.progress_log import KafkaProgressLog, open_progress_topic
from wiesel.connectors.kafka.transactions import KafkaTransactions
from wiesel.core.contracts import Committable, CommitterContext, Json
from wiesel.core.disk import Disk
from wiesel.core.errors import WieselError
from wiesel.core.host import host

logger = logging.getLogger(__name__)

_SLICE_SECONDS: Final = 0.1


class KafkaCommitter:
    """Settles with earlier starts, then publishes what checkpoints decide.

    Args:
        bootstrap_servers: the cluster.
        properties: the user's client properties.
        prefix: of the transactional ids.
        output_topic: the topic that the sink writes, None when a selector chooses.
        context: the start and its store.
        disk: where segments lie.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        properties: Mapping[str, str],
        prefix: str,
        output_topic: str | None,
        context: CommitterContext,
        disk: Disk,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._properties = properties
        self._prefix = prefix
        self._output_topics = [] if output_topic is None else [output_topic]
        self._context = context
        self._disk = disk
        self._cluster = cluster(bootstrap_servers, properties)
        self._topic = properties.get(PROGRESS_TOPIC, progress_topic(prefix))
        self._topic_id: str | None = None
        self._deliverer: Deliverer | None = None
        self._opened: list[tuple[Deliverer, KafkaProgressLog]] = []
        self._kept_lineages = {context.lineage}

    def recover(self, pending: Sequence[Committable], state: Json | None) -> None:
        """Take the transactional ids over, publish what earlier starts have decided, sweep what nobody decided."""
        restored: Mapping[str, Any] = state or {}
        segments = [Segment.from_json(committable.data) for committable in pending]
        confirmed: Mapping[str, Mapping[str, int]] = restored.get("confirmed", {})
        lineages = {self._context.lineage, *self._context.continues, *(segment.lineage for segment in segments)}
        if "lineage" in restored:
            lineages.add(restored["lineage"])
        self._kept_lineages = lineages
        own = self._own_ids()
        earlier = sorted((set(confirmed) | {segment.tid for segment in segments}) - set(own))
        old_topic = restored.get("progress_topic", self._topic)
        old_id = restored.get("progress_topic_id")
        if old_topic != self._topic:
            # Another prefix: what was decided under the old one is delivered there, by its own progress topic.
            old = self._open(old_topic, old_id)
            old.settle(earlier, confirmed, segments, lineages)
            earlier, segments, old_id = [], [], None
        self._deliverer = self._open(self._topic, old_id)
        self._deliverer.settle([*own, *earlier], confirmed, segments, lineages, self._is_ours)
        self._sweep({committable.path for committable in pending})
        self._deliverer.prepare(own[: self._context.parallelism])

    def _own_ids(self) -> list[str]:
        # Ids of subtasks that an earlier start had: one of its processes may still be about to use them.
        count = max(self._context.parallelism, self._context.max_started_parallelism)
        return [transactional_id(self._prefix, self._context.sink_uid, subtask) for subtask in range(count)]

    def _is_ours(self, tid: str) -> bool:
        return is_transactional_id(tid, self._prefix, self._context.sink_uid)

    def _open(self, topic: str, known_id: str | None) -> Deliverer:
        context = self._context
        topic_id = self._patiently(lambda: open_progress_topic(self._cluster, topic, known_id, self._output_topics))
        if topic == self._topic:
            self._topic_id = topic_id
        partition = Partition(topic, 0)
        offsets = ClusterOffsets(self._cluster, {}, None)
        log = KafkaProgressLog(
            self._bootstrap_servers,
            self._properties,
            topic,
            f"{context.job_id}/{context.sink_uid}",
            lambda: offsets.earliest([partition])[partition],
            context.stopping,
        )
        transactions = KafkaTransactions(
            self._bootstrap_servers, self._properties, self._cluster, topic, context.stopping
        )
        deliverer = Deliverer(context, transactions, log, self._disk, _waiter(context.stopping), host().random)
        self._opened.append((deliverer, log))
        return deliverer

    def _patiently(self, ask: Callable[[], str]) -> str:
        """Ask again while no broker answers: a start waits for the cluster as a push does."""
        while True:
            try:
                return ask()
            except WieselError as error:
                if not error.retriable or self._context.stopping():
                    raise
                logger.warning("the exactly-once sink is not settled yet, trying again: %s", error)
                _waiter(self._context.stopping)(1.0)

    def _sweep(self, pending: set[str | None]) -> None:
        """Remove segments that no checkpoint lists: writers of earlier starts left them behind."""
        listed = pending | self._context.listed
        folder = wal_directory(self._context.sink_uid)
        for name in self._disk.list(self._context.job_directory / folder):
            if name.endswith(".wal") and f"{folder}/{name}" not in listed:
                self._disk.remove(self._context.job_directory / folder / name)

    def commit(self, committables: Sequence[Committable]) -> None:
        """Publish the segments of a complete checkpoint."""
        assert self._deliverer is not None
        self._deliverer.deliver([Segment.from_json(committable.data) for committable in committables])

    def snapshot(self) -> Json:
        """Return what is confirmed, for the lineages that a start may still ask about."""
        confirmed: dict[str, dict[str, int]] = {}
        for deliverer, _ in list(self._opened):
            for tid, by_lineage in deliverer.confirmed().items():
                kept = {lineage: seq for lineage, seq in by_lineage.items() if lineage in self._kept_lineages}
                if kept:
                    confirmed[tid] = kept
        return {
            "lineage": self._context.lineage,
            "confirmed": confirmed,
            "progress_topic": self._topic,
            "progress_topic_id": self._topic_id,
        }

    def close(self) -> None:
        """Give up all producers and leave the cluster."""
        for deliverer, log in self._opened:
            deliverer.close()
            log.close()


#: Property of the sink that names another progress topic.
PROGRESS_TOPIC: Final = "wiesel.progress-topic"


def _waiter(stopping: Callable[[], bool]) -> Callable[[float], None]:
    def wait(seconds: float) -> None:
        deadline = host().monotonic() + seconds
        while not stopping() and (left := deadline - host().monotonic()) > 0:
            host().sleep(min(left, _SLICE_SECONDS))

    return wait
