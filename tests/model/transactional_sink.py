"""A job with transactional Kafka sinks under crashes, a zombie, a bad network and broker timeouts.

Every design of the sink runs through the same misfortunes; a design says what follows what. The designs are in
wal_and_marker.py and rejected_designs.py, the data in sink_world.py.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from dataclasses import dataclass

from .coordinator import Answer, Status, TransactionalId
from .explorer import Kind, Violation
from .sink_world import (
    PRODUCE_ORDER,
    RECORDS_PER_SEGMENT,
    Checkpoint,
    Incarnation,
    Marker,
    Phase,
    Row,
    Segment,
    Step,
    Who,
    World,
    another_is_open,
    incarnation,
    replaced,
    with_incarnation,
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is explored."""

    checkpoints: int = 3
    sinks: int = 1
    crashes: int = 2
    zombie: bool = True
    """Whether a crash may turn out to be a pause: the old incarnation lives on and wakes at any time."""
    delayed_end_txns: int = 0
    timeouts: int = 0
    rewinds: int = 0
    restarts: int = 3
    """How often a refused incarnation is started again."""


class Design(abc.ABC):
    """A model of one design of the sink. Subclasses fill in what follows what."""

    wal = False
    """Whether output is durable with the checkpoint, so that publishing what no checkpoint decided is a fault."""
    lease = True
    """Whether only the newest incarnation can complete a checkpoint (rule 6)."""
    reads_past_lso = True
    """Whether a marker read sees everything committed, whatever other transactions are open (rule 4)."""
    silent_fallback = False
    """Whether recovery falls back to the checkpoint before the newest (rule 7)."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.idle = (Step.NOTHING,) * bounds.sinks
        self.no_producers = (-1,) * bounds.sinks

    # ---- what a design decides

    @abc.abstractmethod
    def begin_epoch(self, process: Incarnation) -> Incarnation:
        """The source has filled an epoch."""

    @abc.abstractmethod
    def checkpointed(self, process: Incarnation) -> Incarnation:
        """The checkpoint is durable."""

    @abc.abstractmethod
    def restored(self, world: World, newest: Checkpoint) -> Incarnation:
        """A new incarnation starts and finds a checkpoint."""

    def prepared(self, process: Incarnation) -> Incarnation:
        """All sinks have written their open transactions."""
        return process._replace(phase=Phase.CHECKPOINTING)

    def delivered(self, process: Incarnation, lineage: int) -> Incarnation:
        """All sinks are done."""
        return self.next_epoch(process, lineage)

    def after_fence(self, process: Incarnation) -> Step:
        """What a sink does under its fence."""
        return Step.PRODUCE_FIRST

    def after_produce(self, process: Incarnation, step: Step) -> Step:
        """What a sink does after a record."""
        if step is not Step.PRODUCE_MARKER:
            return PRODUCE_ORDER[PRODUCE_ORDER.index(step) + 1]
        return Step.PREPARED if process.phase is Phase.WRITING else Step.COMMIT

    def marker_says_published(self, sink: TransactionalId, process: Incarnation) -> bool:
        """Whether the marker of this checkpoint or of a later one is committed."""
        return any(
            record.checkpoint >= process.checkpoint and record.lineage == process.lineage
            for record in sink.log
            if isinstance(record, Marker)
        )

    def commit_refused(self, world: World, who: Who, sink: int) -> World | None:
        """EndTxn was refused: by default the incarnation fails."""
        return self.fail(world, who)

    # ---- helpers for designs

    def next_epoch(self, process: Incarnation, lineage: int) -> Incarnation:
        """Run the sources again."""
        return process._replace(
            checkpoint=process.checkpoint + 1, segment=None, phase=Phase.RUNNING, steps=self.idle, lineage=lineage
        )

    def all_sinks(self, step: Step) -> tuple[Step, ...]:
        """The same step for every sink."""
        return (step,) * self.bounds.sinks

    def fail(self, world: World, who: Who) -> World | None:
        """An incarnation ends by itself; the current one is started again while restarts are left."""
        if who is Who.ZOMBIE:
            return world._replace(zombie=None)
        if not world.restarts:
            return None
        return self.recover(world._replace(restarts=world.restarts - 1), world.zombie)

    def recover(self, world: World, zombie: Incarnation | None) -> World:
        """Start the next incarnation from the newest checkpoint."""
        world = world._replace(incarnations=world.incarnations + 1, zombie=zombie)
        if world.checkpoints:
            return world._replace(current=self.restored(world, world.checkpoints[-1]))
        return world._replace(current=self.fresh_incarnation(world, 1))

    def fresh_incarnation(self, world: World, checkpoint: int) -> Incarnation:
        """An incarnation that begins an epoch and has no producers."""
        return Incarnation(
            world.incarnations, checkpoint, None, Phase.RUNNING, self.idle, self.no_producers, world.lineage
        )

    def advance(
        self,
        world: World,
        who: Who,
        sink: int,
        step: Step,
        *,
        epoch: int | None = None,
        kafka: TransactionalId | None = None,
    ) -> World:
        """One sink goes on to `step`; where all sinks have arrived together, the incarnation goes on."""
        process = incarnation(world, who)
        process = process._replace(steps=replaced(process.steps, sink, step))
        if epoch is not None:
            process = process._replace(producer_epochs=replaced(process.producer_epochs, sink, epoch))
        if kafka is not None:
            world = world._replace(sinks=replaced(world.sinks, sink, kafka))
        if all(step is Step.PREPARED for step in process.steps):
            process = self.prepared(process)
        elif all(step is Step.DONE for step in process.steps):
            process = self.delivered(process, world.lineage if who is Who.CURRENT else process.lineage)
        return with_incarnation(world, who, process)

    # ---- the model

    def initial(self) -> World:
        """The job's first start."""
        sinks, bounds = self.bounds.sinks, self.bounds
        first = Incarnation(1, 1, None, Phase.RUNNING, self.idle, self.no_producers, 0)
        kafka, in_flight = (TransactionalId(),) * sinks, (frozenset[int](),) * sinks
        misfortunes = (bounds.crashes, bounds.timeouts, bounds.rewinds, bounds.delayed_end_txns, bounds.restarts)
        return World((), 1, 0, kafka, in_flight, first, None, *misfortunes)

    def steps(self, world: World) -> Iterator[tuple[str, World]]:
        """Both incarnations may go on, and delayed requests may arrive."""
        yield from self.incarnation_steps(world, Who.CURRENT)
        if world.zombie is not None:
            yield from self.incarnation_steps(world, Who.ZOMBIE)
        for sink, epochs in enumerate(world.in_flight):
            for epoch in epochs:
                _, kafka = world.sinks[sink].end_txn(epoch)
                arrived = world._replace(
                    sinks=replaced(world.sinks, sink, kafka),
                    in_flight=replaced(world.in_flight, sink, epochs - {epoch}),
                )
                yield f"a delayed EndTxn of sink {sink}, epoch {epoch}, arrives", arrived

    def faults(self, world: World) -> Iterator[tuple[str, World]]:
        """Broker timeouts, crashes, pauses, rewinds, an unreadable checkpoint."""
        for sink, kafka in enumerate(world.sinks):
            if world.timeouts and kafka.status is Status.OPEN:
                aborted = replaced(world.sinks, sink, kafka.time_out())
                yield (
                    f"TIMEOUT of sink {sink}'s transaction",
                    world._replace(sinks=aborted, timeouts=world.timeouts - 1),
                )
        if world.crashes and not self._finished(world):
            crashed = world._replace(crashes=world.crashes - 1)
            yield "CRASH, restart", self.recover(crashed, world.zombie)
            if self.bounds.zombie:
                yield "PAUSE (zombie), restart", self.recover(crashed, world.current)
        if world.rewinds and len(world.checkpoints) >= 2:
            again = world._replace(rewinds=world.rewinds - 1)
            if self.silent_fallback:
                fallen_back = again._replace(checkpoints=world.checkpoints[:-1])
                yield "newest checkpoint unreadable, silent FALLBACK", self.recover(fallen_back, None)
            elif world.current.phase is Phase.RUNNING:
                rewound = again._replace(checkpoints=world.checkpoints[:1], lineage=world.lineage + 1)
                yield "REWIND to the first checkpoint", self.recover(rewound, None)

    def violation(self, world: World) -> Violation | None:
        """Judge what a `read_committed` consumer sees, at any moment and at the end of the run."""
        for sink, kafka in enumerate(world.sinks):
            rows = [record for record in kafka.log if isinstance(record, Row)]
            kind = self._fault_in(world, rows)
            if kind is not None:
                output = " ".join(f"{row.segment.checkpoint}.{row.position}/{row.segment.incarnation}" for row in rows)
                return Violation(kind, f"sink {sink} holds checkpoint.record/incarnation {output or 'nothing'}")
        return None

    def _fault_in(self, world: World, rows: list[Row]) -> Kind | None:
        if len(set(rows)) < len(rows):
            return Kind.DUPLICATE
        rewindable = bool(self.bounds.rewinds) and not self.silent_fallback
        if not rewindable:  # after a rewind an epoch's output may rightly be there twice
            if len({(row.segment.checkpoint, row.position) for row in rows}) < len(rows):
                return Kind.DUPLICATE
            decided = {checkpoint.segment for checkpoint in world.checkpoints}
            if self.wal and any(row.segment not in decided for row in rows):
                return Kind.PHANTOM
        if self._finished(world):
            wanted = [
                Row(checkpoint.segment, k) for checkpoint in world.checkpoints for k in range(RECORDS_PER_SEGMENT)
            ]
            if not set(wanted) <= set(rows):
                return Kind.LOSS
            if not self.bounds.rewinds and rows != wanted:
                return Kind.ORDER
        return None

    def violation_at_rest(self, world: World) -> Violation | None:
        """A job that still may restart must never be stuck."""
        return Violation(Kind.WEDGE) if world.restarts and not self._finished(world) else None

    def _finished(self, world: World) -> bool:
        return world.current.phase is Phase.RUNNING and world.current.checkpoint > self.bounds.checkpoints

    def incarnation_steps(self, world: World, who: Who) -> Iterator[tuple[str, World]]:
        """What one incarnation may do next."""
        process = incarnation(world, who)
        name = f"{'job' if who == 'current' else 'zombie'}#{process.number}"
        if process.phase is Phase.RUNNING:
            if process.checkpoint <= self.bounds.checkpoints:
                segment = Segment(process.checkpoint, process.number)
                begun = self.begin_epoch(process._replace(segment=segment))
                yield f"{name} runs epoch {process.checkpoint}", with_incarnation(world, who, begun)
        elif process.phase is Phase.CHECKPOINTING:
            if who is Who.CURRENT or not self.lease:
                yield f"{name} completes checkpoint {process.checkpoint}", self._complete_checkpoint(world, who)
        else:
            for sink in range(self.bounds.sinks):
                for action, after in self._sink_steps(world, who, sink):
                    yield f"{name} sink {sink} {action}", after

    def _complete_checkpoint(self, world: World, who: Who) -> World:
        process = incarnation(world, who)
        assert process.segment is not None
        checkpoint = Checkpoint(process.checkpoint, process.segment, process.lineage, process.producer_epochs)
        older = tuple(other for other in world.checkpoints if other.number < process.checkpoint)
        return with_incarnation(world._replace(checkpoints=(*older, checkpoint)), who, self.checkpointed(process))

    def _sink_steps(self, world: World, who: Who, sink: int) -> Iterator[tuple[str, World]]:
        process, kafka = incarnation(world, who), world.sinks[sink]
        step = process.steps[sink]
        if step in _FENCES:
            fenced = kafka.init_producer()
            next_step = _FENCES[step] or self.after_fence(process)
            yield step, self.advance(world, who, sink, next_step, epoch=fenced.epoch, kafka=fenced)
        elif step is Step.READ_MARKER:
            published = self.marker_says_published(kafka, process)
            found = "published" if published else "not published"
            yield f"{step}: {found}", self.advance(world, who, sink, Step.DONE if published else Step.PRODUCE_FIRST)
            if published and not self.reads_past_lso and another_is_open(world, sink):
                pinned = self.advance(world, who, sink, Step.PRODUCE_FIRST)
                yield f"{step}: hidden behind another open transaction", pinned
        elif step is Step.READ_MARKER_UNFENCED:
            published = self.marker_says_published(kafka, process)
            yield step, self.advance(world, who, sink, Step.FENCE_AND_SKIP if published else Step.FENCE_AND_PUSH)
        elif step in PRODUCE_ORDER:
            yield from self._produce(world, who, sink)
        elif step is Step.COMMIT:
            yield from self._commit(world, who, sink)

    def _produce(self, world: World, who: Who, sink: int) -> Iterator[tuple[str, World]]:
        process, kafka = incarnation(world, who), world.sinks[sink]
        step = process.steps[sink]
        if not kafka.accepts_produce(process.producer_epochs[sink], first=step is Step.PRODUCE_FIRST):
            failed = self.fail(world, who)
            if failed is not None:
                yield f"{step}: refused, and fails", failed
            return
        record: Row | Marker
        if step is Step.PRODUCE_MARKER:
            record = Marker(process.checkpoint, process.lineage)
        else:
            assert process.segment is not None
            record = Row(process.segment, PRODUCE_ORDER.index(step))
        next_step = self.after_produce(process, step)
        yield step, self.advance(world, who, sink, next_step, kafka=kafka.produce(record))

    def _commit(self, world: World, who: Who, sink: int) -> Iterator[tuple[str, World]]:
        kafka, epoch = world.sinks[sink], incarnation(world, who).producer_epochs[sink]
        answer, after = kafka.end_txn(epoch)
        if answer is Answer.OK:
            yield "commits", self.advance(world, who, sink, Step.DONE, kafka=after)
            if kafka.status is Status.OPEN:
                lost = self.advance(world, who, sink, Step.COMMIT, kafka=after)
                yield "commits, but the answer is lost and the client asks again", lost
        else:
            refused = self.commit_refused(world, who, sink)
            if refused is not None:
                yield f"commits: {answer}", refused
        if world.delays and epoch not in world.in_flight[sink]:
            in_flight = replaced(world.in_flight, sink, world.in_flight[sink] | {epoch})
            delayed = world._replace(delays=world.delays - 1, in_flight=in_flight)
            yield "commits, but the request is stuck in the network and the client asks again", delayed


# A fence, and what follows where the design has no say.
_FENCES = {Step.FENCE: None, Step.FENCE_AND_SKIP: Step.DONE, Step.FENCE_AND_PUSH: Step.PRODUCE_FIRST}
