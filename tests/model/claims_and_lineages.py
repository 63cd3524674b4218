"""Protocol D, second half: claims, starts, lineages, several pending segments (rule 8).

Disk, Kafka and processes are in job_world.py; 4c, 4d and 4f are asked of decisions.py, and so of the shipped code.

- A start makes its durable records, then for each transactional id: fence, look, claim; then it decides all of them.
- Then: pending segments of the past, strictly in order; then sources, checkpoints, pushes.
- The source has records 1 to N, of which an epoch takes one or more, so an epoch that is run again may differ.
- Reads of the progress topic under a fence are complete (the echo's job), and see only the newest claim of a tid and
  the newest marker of a (tid, lineage), as the topic is compacted.

Not modelled: delayed EndTxn and transaction timeouts (wal_and_marker.py has them), the echo's mechanics, deletion of
write-ahead logs, several sinks, claims or markers lost by the broker, two stores with a zombie or after a rewind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .decisions import ShippedDecisions
from .explorer import Kind, Violation
from .job_world import (
    LOSE_NEWEST_CHECKPOINT,
    REWIND,
    Checkpoint,
    Claim,
    JobDirectory,
    Lineage,
    LineageId,
    LineageKind,
    Log,
    Operation,
    Phase,
    Process,
    Push,
    Segment,
    StartId,
    TransactionalId,
    World,
    confirm,
    confirmed_seq,
    highest_seq,
    replaced,
)
from .process_turn import Turn
from .published_output import fault_in_log, missing_records

Steps = Iterator[tuple[str, World]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """How much is explored, and which parts of the protocol are broken."""

    records: int = 3
    records_per_epoch: tuple[int, ...] = (1, 2)
    tids: int = 1
    parallelism: int = 1
    stores: int = 1
    """Jobs with the same transactional id prefix. With more than one, a supervisor restarts whoever stops."""
    crashes: int = 2
    zombie: bool = False
    """Whether one crash may be a pause: the old incarnation lives on and wakes at any time."""
    operations: tuple[Operation, ...] = ()
    aborted_checkpoints: int = 0
    max_open_epochs: int = 2
    """Decided but unconfirmed epochs at which no further checkpoint is triggered."""
    may_stop: bool = False
    """Whether a stop is right once a checkpoint was lost."""

    decisions: ShippedDecisions = field(default_factory=ShippedDecisions)
    durable_lineages: bool = True
    rescale_begins_lineage: bool = True
    rescale_follows_lineage: bool = True
    """Whether a rescaling continues the newest lineage, not the newest checkpoint on disk."""
    rescale_inherits_rewind: bool = True
    """Whether rescaling a rewound lineage before its first checkpoint still counts as rewound."""
    rewind_is_inherited: bool = True
    """Whether a --resume before the new lineage's first checkpoint still counts as rewound."""
    cap_counts_aborted: bool = False
    aborted_segments_join_next: bool = True


class ClaimsAndLineages:
    """The model of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.decisions = scenario.decisions
        self._fault_of: dict[tuple[Log, tuple[JobDirectory, ...]], Violation | None] = {}

    def initial(self) -> World:
        """Every store has just been started for the first time."""
        scenario = self.scenario
        directories, processes = [], []
        for store in range(scenario.stores):
            directory, process = self._start(JobDirectory((), (), (), 0, False), store)
            directories.append(directory)
            processes.append(process)
        return World(
            directories=tuple(directories),
            tids=(TransactionalId(None, None),) * scenario.tids,
            log=(),
            processes=(*processes, None) if scenario.stores == 1 else tuple(processes),
            crashes=scenario.crashes,
            operations=scenario.operations,
            aborts=scenario.aborted_checkpoints,
        )

    def steps(self, world: World) -> Steps:
        """Every process that lives may go on."""
        for index, process in enumerate(world.processes):
            if process is not None and process.phase is not Phase.STOPPED:
                yield from self._process_steps(Turn(world, index, process))

    def faults(self, world: World) -> Steps:
        """Crashes and pauses, with what the operator does at the restart."""
        for store, directory in enumerate(world.directories):
            process = world.processes[store]
            assert process is not None
            if not world.crashes or (self._finished(process) and not world.operations):
                continue
            if process.phase is Phase.STOPPED and self.scenario.stores == 1:
                continue
            for kind, argument, operations in self._restarts(world, directory):
                stopped_cleanly = isinstance(argument, int)
                new_directory, new_process = self._start(directory, store, kind, argument)
                after = world._replace(
                    directories=replaced(world.directories, store, new_directory),
                    processes=replaced(world.processes, store, new_process),
                    operations=operations,
                    crashes=world.crashes if stopped_cleanly else world.crashes - 1,
                )
                yield f"{'STOP' if stopped_cleanly else 'CRASH'}, {_in_words(kind, argument)}", after
                if self.scenario.zombie and world.processes[1] is None:
                    paused = process._replace(zombie=True)
                    yield (
                        f"PAUSE (zombie), {_in_words(kind, argument)}",
                        after._replace(processes=(new_process, paused)),
                    )

    def violation(self, world: World) -> Violation | None:
        """Judge the log, undone rewinds and stops."""
        key = world.log, world.directories
        if key not in self._fault_of:
            self._fault_of[key] = fault_in_log(*key, rewinds=REWIND in self.scenario.operations)
        if self._fault_of[key] is not None:
            return self._fault_of[key]
        for process, directory in zip(world.processes, world.directories, strict=False):
            assert process is not None
            if process.lineage != directory.lineages[-1].id:
                return Violation(Kind.UNDO, f"lineage {process.lineage.ordinal}")
            stop_is_right = self.scenario.stores > 1 or (self.scenario.may_stop and directory.lost_checkpoints)
            if process.phase is Phase.STOPPED and not stop_is_right:
                return Violation(Kind.ILLEGITIMATE_STOP, process.stopped_because)
        return None

    def violation_at_rest(self, world: World) -> Violation | None:
        """A job may end only finished, with everything published, or rightly stopped."""
        jobs = [process for process in world.processes[: self.scenario.stores] if process is not None]
        if len(jobs) > 1 and all(process.phase is Phase.STOPPED for process in jobs):
            return Violation(Kind.BOTH_STOPPED)
        for process, directory in zip(jobs, world.directories, strict=True):
            if process.phase is Phase.STOPPED:
                continue
            if not self._finished(process):
                return Violation(Kind.WEDGE)
            missing = missing_records(world.log, directory, process, self.scenario.records)
            if missing:
                return Violation(Kind.LOSS, f"records {sorted(missing)}")
        return None

    def _finished(self, process: Process) -> bool:
        all_read = process.phase is Phase.RUNNING and process.offset == self.scenario.records
        return all_read and not process.queue and not process.closed

    # ---- the durable part of a start

    def _start(
        self, directory: JobDirectory, store: int, kind: str = "--resume", argument: Checkpoint | int | None = None
    ) -> tuple[JobDirectory, Process]:
        """Lineage record and start counter, then the process image."""
        if kind == LOSE_NEWEST_CHECKPOINT.kind:
            kept, lost = directory.checkpoints[:-1], directory.checkpoints[-1:]
            directory = directory._replace(checkpoints=kept, lost_checkpoints=directory.lost_checkpoints + lost)
        lineages = self._lineages_at_start(directory, store, argument)
        lineage = lineages[-1]
        own = [checkpoint for checkpoint in directory.checkpoints if checkpoint.lineage == lineage.id]
        restored = own[-1] if own else lineage.base
        if not self.scenario.durable_lineages and kind == "--resume" and directory.checkpoints:
            restored = directory.checkpoints[-1]  # broken: the newest checkpoint on disk decides
            lineage = lineages[restored.lineage.ordinal]
        lineage = lineage._replace(attempts=lineage.attempts + 1)
        starts = directory.starts + 1
        directory = directory._replace(lineages=replaced(lineages, lineage.id.ordinal, lineage), starts=starts)
        process = Process(
            start=StartId(store, starts),
            lineage=lineage.id,
            attempt=lineage.attempts,
            parallelism=lineage.parallelism,
            phase=Phase.FENCING,
            tid=0,
            restored=restored,
            queue=tuple((0, segment) for segment in restored.pending) if restored else (),
            push=Push.IDLE,
            offset=restored.offset if restored else 0,
            closed=(),
            aborted_epochs=0,
            next_seq=tuple(highest_seq(restored, tid, lineage.id) + 1 for tid in range(self.scenario.tids)),
            confirmed=restored.confirmed if restored else (),
            waits=False,
            zombie=False,
        )
        return directory, process

    def _lineages_at_start(
        self, directory: JobDirectory, store: int, argument: Checkpoint | int | None
    ) -> tuple[Lineage, ...]:
        lineages = directory.lineages
        if not lineages:
            first = LineageId(store, 0)
            return (Lineage(first, LineageKind.FIRST, None, 0, self.scenario.parallelism, 0, rewound=False),)
        if argument is None:
            return lineages
        latest, next_id = lineages[-1], LineageId(store, len(lineages))
        if isinstance(argument, Checkpoint):
            offset, parallelism = argument.offset, latest.parallelism
            return (*lineages, Lineage(next_id, LineageKind.REWIND, argument, offset, parallelism, 0, rewound=True))
        if not self.scenario.rescale_begins_lineage:
            return (*lineages[:-1], latest._replace(parallelism=argument))
        own = [checkpoint for checkpoint in directory.checkpoints if checkpoint.lineage == latest.id]
        if not self.scenario.rescale_follows_lineage:
            own = list(directory.checkpoints)  # broken: the newest checkpoint on disk, whatever lineage it is of
        base = own[-1] if own else latest.base
        inherits = self.scenario.rescale_inherits_rewind and latest.rewound and not own
        offset = base.offset if base else 0
        return (*lineages, Lineage(next_id, LineageKind.RESCALE, base, offset, argument, 0, rewound=inherits))

    def _restarts(
        self, world: World, directory: JobDirectory
    ) -> Iterator[tuple[str, Checkpoint | int | None, tuple[Operation, ...]]]:
        """How a restart may go: (kind, checkpoint or parallelism, operations that are left)."""
        yield "--resume", None, world.operations
        if not world.operations:
            return
        operation, left = world.operations[0], world.operations[1:]
        if operation == LOSE_NEWEST_CHECKPOINT:
            if directory.checkpoints:
                yield operation.kind, None, left
        elif operation == REWIND:
            for checkpoint in directory.checkpoints[:-1]:
                yield operation.kind, checkpoint, left
        else:
            yield operation.kind, operation.parallelism, left

    # ---- what a process does

    def _process_steps(self, turn: Turn) -> Steps:
        process = turn.process
        if process.phase in (Phase.FENCING, Phase.LOOKING, Phase.CLAIMING):
            yield from self._claim_steps(turn)
        elif process.phase is Phase.DECIDING:
            yield self._decide_all(turn)
        else:
            if process.queue:
                yield from self._push_steps(turn, process.queue[0][1])
            past_is_pending = any(epoch == 0 for epoch, _ in process.queue)
            if not process.zombie and not past_is_pending:  # a zombie has no lease and completes no checkpoint
                yield from self._source_steps(turn)

    def _claim_steps(self, turn: Turn) -> Steps:
        """Fence, look, claim, one transactional id after the other."""
        process, tid = turn.process, turn.process.tid
        if process.phase is Phase.FENCING:
            if not turn.must_wait_for_holder(tid):
                looks = self.decisions.looks_before_claiming
                yield turn.fence(tid, phase=Phase.LOOKING if looks else Phase.CLAIMING)
        elif process.phase is Phase.LOOKING:
            stop = self.decisions.claim_stop(turn.world.log, tid, process, turn.directory, claiming=True)
            yield turn.stop(stop) if stop else turn.go("sees no newer claim", phase=Phase.CLAIMING)
        elif turn.world.tids[tid].owner != process.start:
            yield self._retry(turn, phase=Phase.FENCING)
        else:
            claim = Claim(tid, process.lineage, process.attempt, process.start)
            claimed = turn.world._replace(log=(*turn.world.log, claim))
            action = f"claims tid {tid} (lineage {process.lineage.ordinal}, attempt {process.attempt})"
            if tid + 1 < self.scenario.tids:
                yield turn.go(action, claimed, phase=Phase.FENCING, tid=tid + 1)
            else:
                yield turn.go(action, claimed, phase=Phase.DECIDING, tid=0)

    def _retry(self, turn: Turn, **changes: Any) -> tuple[str, World]:
        stop = self.decisions.stop_after_error(turn.process, turn.directory)
        return turn.stop(stop) if stop else turn.go("is fenced, tries again", waits=True, **changes)

    def _decide_all(self, turn: Turn) -> tuple[str, World]:
        """4c and 4d for every transactional id, pending or not."""
        turn = Turn(turn.with_directory(claimed=True), turn.index, turn.process)
        process, log = turn.process, turn.world.log
        queue, confirmed = process.queue, process.confirmed
        lineages = {process.lineage, process.restored.lineage if process.restored else process.lineage}
        for tid in range(self.scenario.tids):
            stop = self.decisions.claim_stop(log, tid, process, turn.directory, claiming=False)
            if stop:
                return turn.stop(stop)
            for lineage in sorted(lineages):
                decision = self.decisions.delivery(
                    log,
                    tid,
                    lineage,
                    _pending(queue, tid, lineage),
                    confirmed_seq(confirmed, tid, lineage),
                    rewound=self._rewound(turn, lineage),
                )
                if isinstance(decision, str):
                    return turn.stop(decision)
                skipped = {segment.seq for segment in decision.skip}
                queue = tuple(entry for entry in queue if entry[1][:2] != (tid, lineage) or entry[1].seq not in skipped)
                if decision.confirmed:
                    confirmed = confirm(confirmed, tid, lineage, decision.confirmed)
        return turn.go(f"decides, {len(queue)} to push", phase=Phase.RUNNING, queue=queue, confirmed=confirmed)

    def _rewound(self, turn: Turn, lineage: LineageId) -> bool:
        """Whether the marker of `lineage` may be ahead, because this process's lineage left it by -s."""
        process = turn.process
        rewound = turn.directory.lineages[process.lineage.ordinal].rewound
        inherited = self.scenario.rewind_is_inherited or process.attempt == 1
        return rewound and lineage != process.lineage and inherited

    def _push_steps(self, turn: Turn, segment: Segment) -> Steps:
        """Strictly in queue order: fence, read claim and marker, produce, commit, confirm."""
        process, tid = turn.process, segment.tid
        owns = turn.world.tids[tid].owner == process.start
        if process.push is Push.IDLE:
            if not turn.must_wait_for_holder(tid):
                yield turn.fence(tid, push=Push.FENCED)
        elif process.push is Push.FENCED:
            yield self._skip_or_push(turn, segment)
        elif process.push is Push.COMMITTED:
            yield turn.confirm("confirms", segment)
        elif not owns:
            yield self._retry(turn, push=Push.IDLE)
        elif process.push is Push.MARKER_READ:
            yield turn.go(f"produces {segment}", turn.with_tid(tid, segment), push=Push.PRODUCED)
        else:
            world = turn.with_tid(tid, None)
            yield turn.go(f"commits {segment}", world._replace(log=(*world.log, segment)), push=Push.COMMITTED)

    def _skip_or_push(self, turn: Turn, segment: Segment) -> tuple[str, World]:
        process, log = turn.process, turn.world.log
        tid, lineage = segment.tid, segment.lineage
        stop = self.decisions.claim_stop(log, tid, process, turn.directory, claiming=False)
        if stop:
            return turn.stop(stop)
        pending, last_confirmed = _pending(process.queue, tid, lineage), confirmed_seq(process.confirmed, tid, lineage)
        decision = self.decisions.delivery(log, tid, lineage, pending, last_confirmed, rewound=False)
        if isinstance(decision, str):
            return turn.stop(decision)
        if decision.skip:
            return turn.confirm("skips", segment)
        return turn.go(f"reads marker {decision.confirmed}", push=Push.MARKER_READ)

    def _source_steps(self, turn: Turn) -> Steps:
        """Read an epoch, close its segments, complete or abort the checkpoint."""
        scenario, process = self.scenario, turn.process
        if process.phase is Phase.CHECKPOINTING:
            yield self._complete_checkpoint(turn)
            if turn.world.aborts:
                yield turn.go(
                    "aborts the checkpoint",
                    turn.world._replace(aborts=turn.world.aborts - 1),
                    phase=Phase.RUNNING,
                    aborted_epochs=process.aborted_epochs + 1,
                    closed=process.closed if scenario.aborted_segments_join_next else (),
                )
            return
        open_epochs = len({epoch for epoch, _ in process.queue})
        if scenario.cap_counts_aborted:
            open_epochs += process.aborted_epochs
        if open_epochs >= scenario.max_open_epochs:
            return
        if process.offset < scenario.records:
            sizes = scenario.records_per_epoch
        else:
            sizes = (0,) if process.closed else ()  # segments of an aborted epoch still want their checkpoint
        for size in sizes:
            if process.offset + size <= scenario.records:
                closed, next_seq = _close_segments(process, size)
                yield turn.go(
                    f"barrier at {process.offset + size}",
                    phase=Phase.CHECKPOINTING,
                    offset=process.offset + size,
                    closed=process.closed + closed,
                    next_seq=next_seq,
                )

    def _complete_checkpoint(self, turn: Turn) -> tuple[str, World]:
        process = turn.process
        confirmed = process.confirmed
        if (
            not self.scenario.rescale_begins_lineage
        ):  # broken: seqs of transactional ids that are not in use are forgotten
            confirmed = tuple(entry for entry in confirmed if entry.tid < process.parallelism)
        pending = tuple(segment for _, segment in process.queue) + process.closed
        checkpoint = Checkpoint(process.lineage, process.offset, pending, confirmed, process.parallelism)
        epoch = max((epoch for epoch, _ in process.queue), default=0) + 1
        queue = process.queue + tuple((epoch, segment) for segment in process.closed)
        after = turn.with_directory(checkpoints=(*turn.directory.checkpoints, checkpoint))
        action = f"completes the checkpoint at {process.offset}"
        return turn.go(action, after, phase=Phase.RUNNING, queue=queue, closed=(), aborted_epochs=0)


def _in_words(kind: str, argument: Checkpoint | int | None) -> str:
    if isinstance(argument, Checkpoint):
        return f"{kind} (at {argument.offset})"
    return kind if argument is None else f"{kind} to {argument}"


def _pending(queue: tuple[tuple[int, Segment], ...], tid: int, lineage: LineageId) -> list[Segment]:
    return [segment for _, segment in queue if segment[:2] == (tid, lineage)]


def _close_segments(process: Process, size: int) -> tuple[tuple[Segment, ...], tuple[int, ...]]:
    """The next `size` records as segments, one per subtask that has any, and the next seqs after them."""
    records = range(process.offset + 1, process.offset + size + 1)
    segments, next_seq = [], list(process.next_seq)
    for tid in range(process.parallelism):
        own = tuple(record for record in records if record % process.parallelism == tid)
        if own:
            segments.append(Segment(tid, process.lineage, next_seq[tid], own, process.start))
            next_seq[tid] += 1
    return tuple(segments), tuple(next_seq)
