"""How far a job has read and published, from its latest checkpoint and what Kafka says now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wiesel.connectors.kafka.committer import Segment
from wiesel.connectors.kafka.partitions import Partition, PartitionPosition
from wiesel.connectors.kafka.progress import Progress, decode
from wiesel.core.contracts import Committable, Json, SourceSplit


@dataclass(frozen=True, slots=True)
class SourceOffset:
    """How far a source has read a partition, as of the checkpoint; ``offset`` is that of the next record."""

    operator: str
    partition: Partition
    offset: int


@dataclass(frozen=True, slots=True)
class SinkProgress:
    """How far an exactly-once sink's subtask has published.

    Args:
        sink: its operator's uid.
        transactional_id: of the subtask.
        confirmed: the last segment that the checkpoint knows to be published; 0 for none.
        published: the last one that the progress topic says to be; None when it says nothing.
        pending: segments that the checkpoint decided and has not confirmed, and the progress topic neither.
    """

    sink: str
    transactional_id: str
    confirmed: int
    published: int | None
    pending: int


def source_offsets(operator: str, splits: Iterable[SourceSplit]) -> Iterator[SourceOffset]:
    """Return the offsets of an operator's splits; splits of other connectors are passed over."""
    for split in splits:
        if {"topic", "partition", "offset", "stop"} <= split.position.keys():
            position = PartitionPosition.of(split)
            yield SourceOffset(operator, position.partition, position.offset)


def progress_topics(committers: Mapping[str, Json]) -> set[str]:
    """Return the progress topics that the committers of a checkpoint use."""
    return {state["progress_topic"] for state in committers.values() if _is_kafka(state)}


def progress_of(records: Iterable[tuple[bytes | None, bytes | None]]) -> Progress:
    """Return what the records (key, value) of a progress topic say."""
    progress = Progress()
    for key, value in records:
        progress.observe(decode(key, value))
    return progress


def sink_progress(
    committers: Mapping[str, Json], pending: Sequence[Committable], progress: Mapping[str, Progress]
) -> Iterator[SinkProgress]:
    """Return how far each subtask of each exactly-once Kafka sink of a checkpoint is.

    Args:
        committers: the states of its committers, by sink uid.
        pending: what it decided and had not confirmed.
        progress: what each progress topic says now.
    """
    for sink, state in committers.items():
        if not _is_kafka(state):
            continue
        known = progress[state["progress_topic"]]
        waiting = [Segment.from_json(one.data) for one in pending if one.sink_uid == sink]
        tids = {*state["confirmed"], *(segment.tid for segment in waiting)}
        for tid in sorted(tids):
            lineage = state["lineage"]
            marker = known.marker(tid, lineage)
            published = marker.seq if marker else None
            yield SinkProgress(
                sink,
                tid,
                state["confirmed"].get(tid, {}).get(lineage, 0),
                published,
                sum(
                    segment.tid == tid and (segment.lineage != lineage or segment.seq > (published or 0))
                    for segment in waiting
                ),
            )


def _is_kafka(state: Json) -> bool:
    return isinstance(state, dict) and "progress_topic" in state
