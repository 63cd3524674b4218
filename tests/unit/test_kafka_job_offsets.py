"""How far a job has read and published, from its checkpoint and the progress topic."""

from __future__ import annotations

from wiesel.connectors.kafka.committer import Segment
from wiesel.connectors.kafka.job_offsets import (
    SinkProgress,
    progress_of,
    progress_topics,
    sink_progress,
    source_offsets,
)
from wiesel.connectors.kafka.partitions import Partition, PartitionPosition
from wiesel.connectors.kafka.progress import Echo, Marker, Progress, encode
from wiesel.core.contracts import Committable, SourceSplit

LINEAGE = "store.2"
TOPIC = "__wiesel-progress-p"


def segment(seq: int, tid: str = "p-sink-0", lineage: str = LINEAGE) -> Committable:
    return Committable("sink", Segment(tid, lineage, seq, seq, 10, 100, 7, f"wal/{seq}").to_json())


def state(**confirmed: int) -> dict[str, object]:
    ids = {tid.replace("_", "-"): {LINEAGE: seq} for tid, seq in confirmed.items()}
    return {"lineage": LINEAGE, "confirmed": ids, "progress_topic": TOPIC, "progress_topic_id": "id"}


def progress(*markers: tuple[str, int]) -> dict[str, Progress]:
    records = [encode(Marker(tid, LINEAGE, seq, seq, 10, 7)) for tid, seq in markers]
    return {TOPIC: progress_of([*records, encode(Echo("job", "nonce"))])}


def test_offsets_are_those_of_kafka_splits_only() -> None:
    splits = [PartitionPosition(Partition("flights-eu", 7), 42, None).to_split(), SourceSplit("file", {"offset": 3})]
    (found,) = source_offsets("flights", splits)
    assert (found.operator, found.partition, found.offset) == ("flights", Partition("flights-eu", 7), 42)


def test_what_is_published_and_not_yet_confirmed_does_not_wait_any_more() -> None:
    found = sink_progress({"sink": state(p_sink_0=3)}, [segment(4), segment(5)], progress(("p-sink-0", 4)))
    assert list(found) == [SinkProgress("sink", "p-sink-0", confirmed=3, published=4, pending=1)]


def test_a_subtask_that_never_published_is_shown_with_what_waits() -> None:
    found = sink_progress({"sink": state()}, [segment(1)], progress())
    assert list(found) == [SinkProgress("sink", "p-sink-0", confirmed=0, published=None, pending=1)]


def test_segments_of_an_earlier_lineage_wait_until_they_are_confirmed() -> None:
    found = sink_progress(
        {"sink": state(p_sink_0=1)}, [segment(9, lineage="store.1"), segment(1)], progress(("p-sink-0", 1))
    )
    assert [one.pending for one in found] == [1]


def test_committers_of_other_connectors_are_passed_over() -> None:
    committers = {"files": {"bucket": 1}, "other": None, "sink": state(p_sink_0=1)}
    assert progress_topics(committers) == {TOPIC}
    assert [one.sink for one in sink_progress(committers, [], progress())] == ["sink"]
