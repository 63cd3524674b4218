"""Judges what the second model's jobs have published: what a `read_committed` consumer sees."""

from __future__ import annotations

import itertools
import sys

from .explorer import Kind, Violation
from .job_world import Claim, JobDirectory, LineageId, LineageKind, Log, Process, Segment


def fault_in_log(log: Log, directories: tuple[JobDirectory, ...], *, rewinds: bool) -> Violation | None:
    """What is wrong with the published segments already, however the run goes on."""
    published = [record for record in log if isinstance(record, Segment)]
    return (
        _duplicate(published, rewinds)
        or _phantom(published, directories)
        or _disorder(published)
        or _late_output(log, directories)
        or _alternation(published)
        or _undone_rewind(directories)
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
    """Once a newer lineage has claimed, others may publish only what belongs to its history."""
    newest: dict[int, LineageId] = {}
    for record in log:
        store = record.lineage.store
        if isinstance(record, Claim):
            newest[store] = max(newest.get(store, record.lineage), record.lineage)
        elif store in newest and record.records[-1] > _history(directories[store], newest[store]).get(
            record.lineage, 0
        ):
            return Violation(Kind.LATE, str(record))
    return None


def _alternation(published: list[Segment]) -> Violation | None:
    """A prefix may change hands between stores once, not back again."""
    owners = [segment.lineage.store for segment in published]
    changes = sum(before != after for before, after in itertools.pairwise(owners))
    return Violation(Kind.ALTERNATING, f"stores {owners}") if changes > 1 else None


def _undone_rewind(directories: tuple[JobDirectory, ...]) -> Violation | None:
    """Only the user's -s may leave the newest lineage's history."""
    for directory in directories:
        for before, after in itertools.pairwise(directory.lineages):
            continues = after.base == before.base or (after.base is not None and after.base.lineage == before.id)
            if after.kind is not LineageKind.REWIND and not continues:
                return Violation(Kind.UNDO, f"lineage {after.id.ordinal} does not continue {before.id.ordinal}")
    return None


def missing_records(log: Log, directory: JobDirectory, process: Process, records: int) -> set[int]:
    """Records that the history of a finished process has not published."""
    ends = _history(directory, process.lineage)
    published = {
        record
        for segment in log
        if isinstance(segment, Segment)
        for record in segment.records
        if record <= ends.get(segment.lineage, 0)
    }
    return set(range(1, records + 1)) - published


def _history(directory: JobDirectory, lineage: LineageId) -> dict[LineageId, int]:
    """Up to which record each lineage belongs to the history of `lineage`: an ancestor up to where it was left."""
    end = sys.maxsize
    ends = {lineage: end}
    current = directory.lineages[lineage.ordinal]
    while current.base is not None:
        end = min(end, current.offset)
        ends[current.base.lineage] = end
        current = directory.lineages[current.base.lineage.ordinal]
    return ends
