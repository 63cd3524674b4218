"""Judges what the second model's jobs have published: what a `read_committed` consumer sees."""

from __future__ import annotations

import itertools

from .explorer import Kind, Violation
from .job_world import Claim, JobDirectory, LineageId, Log, Process, Segment


def fault_in_log(log: Log, directories: tuple[JobDirectory, ...], *, rewinds: bool) -> Violation | None:
    """What is wrong with the published segments already, however the run goes on."""
    published = [record for record in log if isinstance(record, Segment)]
    return (
        _duplicate(published, rewinds)
        or _phantom(published, directories)
        or _disorder(published)
        or _late_output(log, directories)
        or _alternation(published)
    )


def _duplicate(published: list[Segment], rewinds: bool) -> Violation | None:
    """A record twice from one store, or, where the operator rewinds, twice from one lineage."""
    seen: set[tuple[LineageId | int, int]] = set()
    for segment in published:
        for record in segment.records:
            identity = (segment.lineage if rewinds else segment.lineage.store, record)
            if identity in seen:
                return Violation(Kind.DUPLICATE, f"record {record}")
            seen.add(identity)
    return None


def _phantom(published: list[Segment], directories: tuple[JobDirectory, ...]) -> Violation | None:
    """Output that no checkpoint ever listed."""
    for store, directory in enumerate(directories):
        decided = {s for c in directory.checkpoints + directory.lost_checkpoints for s in c.pending}
        for segment in published:
            if segment.lineage.store == store and segment not in decided:
                return Violation(Kind.PHANTOM, str(segment))
    return None


def _disorder(published: list[Segment]) -> Violation | None:
    last: dict[tuple[int, LineageId], int] = {}
    for segment in published:
        if segment.records[0] <= last.get((segment.tid, segment.lineage), 0):
            return Violation(Kind.ORDER, str(segment))
        last[segment.tid, segment.lineage] = segment.records[-1]
    return None


def _late_output(log: Log, directories: tuple[JobDirectory, ...]) -> Violation | None:
    """Once a newer lineage has claimed, its predecessors may publish only what lies before the point it began at."""
    begins_at = {lineage.id: lineage.offset for directory in directories for lineage in directory.lineages}
    newest: dict[int, int] = {}
    for record in log:
        store, ordinal = record.lineage
        if isinstance(record, Claim):
            newest[store] = max(newest.get(store, 0), ordinal)
            continue
        for later in range(ordinal + 1, newest.get(store, 0) + 1):
            if record.records[-1] > begins_at[LineageId(store, later)]:
                return Violation(Kind.LATE, str(record))
    return None


def _alternation(published: list[Segment]) -> Violation | None:
    """A prefix may change hands between stores once, not back again."""
    owners = [segment.lineage.store for segment in published]
    changes = sum(before != after for before, after in itertools.pairwise(owners))
    return Violation(Kind.ALTERNATING, f"stores {owners}") if changes > 1 else None


def missing_records(log: Log, directory: JobDirectory, process: Process, records: int) -> set[int]:
    """Records that a finished process's history has not published: its own lineage's, below that its parents'."""
    published: set[int] = set()
    end = records
    for lineage in reversed(directory.lineages[: process.lineage.ordinal + 1]):
        of_lineage = (record for record in log if isinstance(record, Segment) and record.lineage == lineage.id)
        published |= {record for segment in of_lineage for record in segment.records if record <= end}
        end = min(end, lineage.offset)
    return set(range(1, records + 1)) - published
