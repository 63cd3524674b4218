"""The decisions 4c, 4d and 4f as the model asks for them: the shipped ones, and rejected variants of each.

`ShippedDecisions` calls the functions of `wiesel.connectors.kafka.committer` that the sink itself calls, so that model
and code cannot drift apart. Each subclass changes one answer; the search shows what goes wrong then.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TypeAlias

from wiesel.connectors.kafka import committer

from .job_world import Claim, JobDirectory, LineageId, Log, Process, Segment

Delivery: TypeAlias = committer.Delivery | str
"""What to skip and push, or why to stop."""


class ShippedDecisions:
    """Protocol D as it is built."""

    looks_before_claiming = True

    def __init__(self) -> None:
        self._progress_of: dict[Log, committer.Progress] = {}

    def claim_stop(
        self, log: Log, tid: int, process: Process, directory: JobDirectory, *, claiming: bool
    ) -> str | None:
        """4c: why the newest claim of `tid` stops the process, or None."""
        first_start = claiming and not directory.claimed
        store, start = store_name(process.start.store), process.start.number
        stop = committer.check_claim(self.progress(log), tid_name(tid), store, start, first_start)
        return None if stop is None else stop.reason.value

    def delivery(
        self, log: Log, tid: int, lineage: LineageId, pending: Sequence[Segment], last_confirmed: int, *, rewound: bool
    ) -> Delivery:
        """4d: which pending segments are published already."""
        segments = [as_shipped(segment) for segment in pending]
        names = tid_name(tid), lineage_name(lineage)
        decision = committer.decide(self.progress(log), *names, segments, last_confirmed, rewound)
        return decision.reason.value if isinstance(decision, committer.Stop) else decision

    def stop_after_error(self, process: Process, directory: JobDirectory) -> str | None:
        """4f: why a fenced process must not try again, or None."""
        verdict = committer.after_error(directory.starts, process.start.number)
        return verdict.reason.value if isinstance(verdict, committer.Stop) else None

    def progress(self, log: Log) -> committer.Progress:
        """What a reader of the compacted progress topic knows."""
        if log not in self._progress_of:
            progress = committer.Progress()
            for key, value in _compacted(log).items():
                progress.observe(committer.decode(key, value))
            self._progress_of[log] = progress
        return self._progress_of[log]

    def published(self, log: Log, tid: int, lineage: LineageId) -> int:
        """Seq of the newest marker, 0 if none."""
        marker = self.progress(log).marker(tid_name(tid), lineage_name(lineage))
        return 0 if marker is None else marker.seq


class ClaimsWithoutLooking(ShippedDecisions):
    """Claims as built, but written before anything was read: a waking zombie buries the newer claim."""

    looks_before_claiming = False


class ClaimsOfLineageAndAttempt(ClaimsWithoutLooking):
    """4c as first written: claims carry (lineage, attempt), and another lineage's stops everybody."""

    def claim_stop(
        self, log: Log, tid: int, process: Process, directory: JobDirectory, *, claiming: bool
    ) -> str | None:
        claim = newest_claim(log, tid)
        if claim is None:
            return None
        if claim.lineage != process.lineage:
            return "claim of another lineage"
        return "claim of a newer attempt" if claim.attempt > process.attempt else None


class NewestClaimMustBeOurs(ClaimsWithoutLooking):
    """4c: stop for any claim but our own. A zombie that claims and is fenced again stops the job."""

    def claim_stop(
        self, log: Log, tid: int, process: Process, directory: JobDirectory, *, claiming: bool
    ) -> str | None:
        claim = newest_claim(log, tid)
        if claim is None or (claim.lineage, claim.attempt) == (process.lineage, process.attempt):
            return None
        return "newest claim is not ours"


class NoClaims(ClaimsWithoutLooking):
    """4c: nobody reads claims."""

    def claim_stop(
        self, log: Log, tid: int, process: Process, directory: JobDirectory, *, claiming: bool
    ) -> str | None:
        return None


class TakesOverAtEveryStart(ShippedDecisions):
    """4c: every start, not only a store's first, may take a transactional id over from another store."""

    def claim_stop(
        self, log: Log, tid: int, process: Process, directory: JobDirectory, *, claiming: bool
    ) -> str | None:
        never_claimed = directory._replace(claimed=False)
        return super().claim_stop(log, tid, process, never_claimed, claiming=claiming)


class AsksOwnJobMaster(ShippedDecisions):
    """4f: the process asks its own JobMaster whether it is current; a zombie's says yes."""

    def stop_after_error(self, process: Process, directory: JobDirectory) -> str | None:
        return None


class AsksOwnJobMasterWithFirstClaims(ClaimsOfLineageAndAttempt, AsksOwnJobMaster):
    """Both."""


class MarkerMustBeNextToSegment(ShippedDecisions):
    """4d per segment: the marker is at seq or at seq-1, else stop. Wrong as soon as two segments are pending."""

    def delivery(
        self, log: Log, tid: int, lineage: LineageId, pending: Sequence[Segment], last_confirmed: int, *, rewound: bool
    ) -> Delivery:
        if pending and self.published(log, tid, lineage) not in (pending[0].seq - 1, pending[0].seq):
            return "marker neither at seq nor at seq-1"
        return super().delivery(log, tid, lineage, pending, last_confirmed, rewound=rewound)


class SkipsWhateverIsBelowTheMarker(ShippedDecisions):
    """4d: a marker at or above a segment's seq means that it is published, whoever wrote it."""

    def delivery(
        self, log: Log, tid: int, lineage: LineageId, pending: Sequence[Segment], last_confirmed: int, *, rewound: bool
    ) -> Delivery:
        published = self.published(log, tid, lineage)
        segments = [as_shipped(segment) for segment in pending]
        return committer.Delivery(
            skip=tuple(segment for segment in segments if segment.seq <= published),
            push=tuple(segment for segment in segments if segment.seq > published),
            confirmed=published,
        )


def _compacted(log: Log) -> dict[bytes, bytes]:
    """The topic's records as bytes, of each key only the last, in order."""
    records: dict[bytes, bytes] = {}
    for record in log:
        if isinstance(record, Claim):
            start = record.start
            key, value = committer.encode(committer.Claim(tid_name(record.tid), store_name(start.store), start.number))
        else:
            key, value = committer.encode(as_shipped(record).marker())
        records.pop(key, None)
        records[key] = value
    return records


def newest_claim(log: Log, tid: int) -> Claim | None:
    """The last claim of `tid` in the log."""
    return next((record for record in reversed(log) if isinstance(record, Claim) and record.tid == tid), None)


def tid_name(tid: int) -> str:
    """Transactional id."""
    return f"prefix-sink-{tid}"


def lineage_name(lineage: LineageId) -> str:
    """Lineage id."""
    return f"{store_name(lineage.store)}.{lineage.ordinal}"


def store_name(store: int) -> str:
    """Store uuid."""
    return f"store-{store}"


@functools.cache
def as_shipped(segment: Segment) -> committer.Segment:
    """The segment as the sink knows it. Within a lineage the start that wrote it stands for the contents."""
    return committer.Segment(
        tid=tid_name(segment.tid),
        lineage=lineage_name(segment.lineage),
        seq=segment.seq,
        checkpoint_id=0,
        count=len(segment.records),
        size=0,
        crc=segment.written_by.number,
        path="",
    )
