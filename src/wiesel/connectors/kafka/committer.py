"""What an exactly-once Kafka sink may do next, decided from what is durable and what the progress topic says.

Pure functions: no I/O, no clock, no Kafka client. `tests/model/claims_and_lineages.py` runs these very functions
through every interleaving of crashes, zombies, rewinds and rescalings; docs/adr/0001 tells the protocol. Flink's
counterpart is `KafkaCommitter`, which resumes a prepared transaction instead.

A push asks in this order, each time under the fence of a fresh producer and behind an echo: `check_claim`, `decide`.
After any error it destroys its producer and asks `after_error`.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from wiesel.connectors.kafka.progress import (
    Claim,
    Echo,
    Marker,
    Progress,
    ProgressRecord,
    ProgressRecordError,
    decode,
    encode,
)
from wiesel.core.errors import CheckpointCorruptError, FencedError, ProgressLostError, WieselError

__all__ = [
    "Claim",
    "Delivery",
    "Echo",
    "Marker",
    "Progress",
    "ProgressRecord",
    "ProgressRecordError",
    "Retry",
    "Segment",
    "Stop",
    "StopReason",
    "after_error",
    "check_claim",
    "decide",
    "decode",
    "encode",
]


@dataclass(frozen=True, slots=True)
class Segment:
    """An immutable, checksummed write-ahead log file with output of one sink subtask, published by one transaction."""

    tid: str
    """Transactional id of the sink subtask that wrote it: `<prefix>-<sink uid>-<subtask>`. It never changes."""
    lineage: str
    seq: int
    """1, 2, 3, … per (tid, lineage), without gaps."""
    checkpoint_id: int
    """The checkpoint that decided it."""
    count: int
    """Number of records."""
    size: int
    """Bytes of the file."""
    crc: int
    """CRC-32 of the blocks, with the records in them."""
    path: str
    """Relative to the job directory."""
    topics: tuple[str, ...] = ()
    """Topics that it writes to, sorted."""

    def marker(self) -> Marker:
        """The marker to be produced last in the transaction that publishes this segment."""
        return Marker(self.tid, self.lineage, self.seq, self.checkpoint_id, self.count, self.crc)

    def to_json(self) -> dict[str, str | int | list[str]]:
        """The segment as a checkpoint lists it."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**fields, "topics": list(self.topics)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Segment:
        """The inverse of `to_json`; checkpoints are verified by checksum before, so no field is doubted here."""
        return cls(**{**fields, "topics": tuple(fields["topics"])})


class StopReason(enum.Enum):
    """Why a job must not go on writing. None of these is ever retried."""

    FENCED_BY_NEWER_START = "fenced by a newer start of this job"
    FENCED_BY_OTHER_STORE = "fenced by another job"
    PROGRESS_LOST = "progress lost"
    MARKER_AHEAD = "marker ahead of the checkpoint"
    CONTENT_DIFFERS = "published content differs"
    SEGMENT_MISSING = "segment missing"
    JOB_DIRECTORY_REPLACED = "job directory replaced"


_ERRORS: dict[StopReason, type[WieselError]] = {
    StopReason.FENCED_BY_NEWER_START: FencedError,
    StopReason.FENCED_BY_OTHER_STORE: FencedError,
    StopReason.PROGRESS_LOST: ProgressLostError,
    StopReason.MARKER_AHEAD: ProgressLostError,
    StopReason.CONTENT_DIFFERS: ProgressLostError,
    StopReason.SEGMENT_MISSING: CheckpointCorruptError,
    StopReason.JOB_DIRECTORY_REPLACED: ProgressLostError,
}


@dataclass(frozen=True, slots=True)
class Stop:
    """End this process with `message`, which tells the user what happened and what to do."""

    reason: StopReason
    message: str

    def error(self) -> WieselError:
        """The exception to raise for it; none of its kinds is retriable."""
        return _ERRORS[self.reason](self.message)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What to do with the pending segments of one (tid, lineage)."""

    skip: tuple[Segment, ...]
    """Already published: confirm them."""
    push: tuple[Segment, ...]
    """To be published, one transaction each, in this order."""
    confirmed: int
    """Highest seq known to be published once `skip` is confirmed; 0 if none is."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Back off for a random time, then start over with a new producer: fence, echo, claim, marker."""


Decision: TypeAlias = Delivery | Stop


def check_claim(progress: Progress, tid: str, store: str, start: int, first_start_of_store: bool) -> Stop | None:
    """Whether the newest claim of `tid` lets start number `start` of `store` go on. None means it does.

    `first_start_of_store` is true only while a start that found the store's durable flag `claimed` unset is still
    claiming; from the moment all its claims are committed it is false. Only such a start may take a transactional id
    over from another store, or two supervised jobs would retake one prefix from each other for ever.
    """
    claim = progress.claim(tid)
    if claim is None:
        return None
    if claim.store == store:
        # Start numbers order all incarnations of a store, across lineages: a lower one is a dead predecessor or a
        # zombie, and stopping for it would let the zombie stop the job.
        if claim.start <= start:
            return None
        return Stop(
            StopReason.FENCED_BY_NEWER_START,
            f"This process is start {start} of the job, and start {claim.start} has taken over transactional id "
            f"{tid!r}. This process ends without writing; the newer one delivers everything that is pending.",
        )
    if first_start_of_store:
        return None
    return Stop(
        StopReason.FENCED_BY_OTHER_STORE,
        f"Transactional id {tid!r} was claimed by another job (job directory {claim.store}, start {claim.start}); "
        f"this one is {store}. Two jobs must not share a transactional id prefix: stop one of them, and give it "
        "its own with KafkaSink.builder().set_transactional_id_prefix(...) before starting it again.",
    )


def decide(
    progress: Progress,
    tid: str,
    lineage: str,
    pending: Sequence[Segment],
    last_confirmed: int,
    rewound: bool,
) -> Decision:
    """Which pending segments of (tid, lineage) are published already, and which are to be pushed.

    A start asks for every tid that the checkpoint or the largest parallelism ever started knows, pending or not, both
    for its own lineage and for the restored checkpoint's. A push asks again after every fence. `pending` are the
    decided, unconfirmed segments of this (tid, lineage) in seq order; `last_confirmed` is the checkpoint's, or a later
    one that this process confirmed itself (0 if none). `rewound` lets the marker be ahead. It is true only when a start
    (not a push) decides about the restored checkpoint's lineage and its own lineage record says that `-s` left that
    one; the record of a lineage that rescales a rewound one before its first checkpoint inherits this.
    """
    _require_own(tid, lineage, pending)
    gap = _gap(tid, pending, last_confirmed)
    if gap is not None:
        return gap
    marker = progress.marker(tid, lineage)
    published = marker.seq if marker is not None else 0
    highest = pending[-1].seq if pending else last_confirmed
    if published < last_confirmed:
        return _progress_lost(tid, published, last_confirmed)
    if published > highest and not rewound:
        return _marker_ahead(tid, published, highest)
    for segment in pending:
        if marker is not None and segment.seq == published and not _same_content(segment, marker):
            return _content_differs(segment, marker)
    return Delivery(
        skip=tuple(segment for segment in pending if segment.seq <= published),
        push=tuple(segment for segment in pending if segment.seq > published),
        confirmed=published,
    )


def after_error(durable_start: int, own_start: int) -> Retry | Stop:
    """What to do after any error or doubt in a push: a producer in doubt is destroyed, never asked again.

    `durable_start` is the start counter read from the job directory after the error. A zombie's own JobMaster would
    confirm that it is current, and two processes that both believe so fence each other for ever.
    """
    if durable_start == own_start:
        return Retry()
    if durable_start > own_start:
        return Stop(
            StopReason.FENCED_BY_NEWER_START,
            f"This process is start {own_start} of the job, and start {durable_start} runs by now. This process ends "
            "without writing; the newer one delivers everything that is pending.",
        )
    return Stop(
        StopReason.JOB_DIRECTORY_REPLACED,
        f"The job directory's start counter went from {own_start} back to {durable_start} while the job was running: "
        "the directory was replaced or restored from a backup. Put the directory that this process used back, then "
        "continue with `wiesel run --resume`.",
    )


def _require_own(tid: str, lineage: str, pending: Sequence[Segment]) -> None:
    for segment in pending:
        if segment.tid != tid or segment.lineage != lineage:
            raise ValueError(f"segment of {segment.tid!r}, {segment.lineage!r} among those of {tid!r}, {lineage!r}")


def _gap(tid: str, pending: Sequence[Segment], last_confirmed: int) -> Stop | None:
    expected = min(last_confirmed + 1, pending[0].seq) if pending else 0
    for segment in pending:
        if segment.seq != expected:
            return Stop(
                StopReason.SEGMENT_MISSING,
                f"The checkpoint lists segment {segment.seq} of {tid!r} ({segment.path}), but segment {expected} is "
                "neither confirmed nor listed. Going on would lose its records. Restore the job directory.",
            )
        expected += 1
    return None


def _same_content(segment: Segment, marker: Marker) -> bool:
    return (segment.count, segment.crc) == (marker.count, marker.crc)


def _ends_at(seq: int) -> str:
    return f"ends at {seq}" if seq else "knows none"


def _progress_lost(tid: str, published: int, last_confirmed: int) -> Stop:
    return Stop(
        StopReason.PROGRESS_LOST,
        f"Segment {last_confirmed} of {tid!r} was confirmed, but the progress topic {_ends_at(published)}. Its records "
        "were lost (topic deleted or recreated, records deleted, unclean leader election), so what the output "
        "topics hold cannot be told. Restore the progress topic, or accept repeated output and start a new history: "
        "`wiesel run --fresh` with another transactional id prefix.",
    )


def _marker_ahead(tid: str, published: int, highest: int) -> Stop:
    return Stop(
        StopReason.MARKER_AHEAD,
        f"Segment {published} of {tid!r} is published, but the checkpoint {_ends_at(highest)}: a newer checkpoint has "
        "existed (it was deleted, or a disk or volume was rolled back). Going on from this one would repeat output. "
        "Bring the newest checkpoint back, or repeat output on purpose: `wiesel run -s CHECKPOINT`.",
    )


def _content_differs(segment: Segment, marker: Marker) -> Stop:
    return Stop(
        StopReason.CONTENT_DIFFERS,
        f"Segment {segment.seq} of {segment.tid!r} was published with {marker.count} records and checksum "
        f"{marker.crc:08x}; the job directory holds {segment.count}, {segment.crc:08x} ({segment.path}). A copied or "
        "rolled-back job directory has run this lineage a second time. Use the directory that published it, or repeat "
        "output on purpose from an earlier checkpoint: `wiesel run -s CHECKPOINT`.",
    )
