"""Designs that protocol D was compared with, and one that it may grow into.

A to C and E are what others do or would come to mind first; each loses or repeats output in a case that D survives.
`EagerWal` holds: the transaction stays open during the epoch, and the write-ahead log is there for recovery only.
"""

from __future__ import annotations

from collections.abc import Iterator

from .sink_world import Checkpoint, Incarnation, Marker, Phase, Step, Who, World, incarnation, with_incarnation
from .transactional_sink import Design
from .wal_and_marker import WalAndMarker


class _WritesDuringTheEpoch(Design):
    """Records go into an open transaction at once."""

    def begin_epoch(self, process: Incarnation) -> Incarnation:
        return process._replace(phase=Phase.WRITING, steps=self.all_sinks(Step.FENCE))

    def checkpointed(self, process: Incarnation) -> Incarnation:
        return process._replace(phase=Phase.COMMITTING, steps=self.all_sinks(Step.COMMIT))

    def restored(self, world: World, newest: Checkpoint) -> Incarnation:
        return self.fresh_incarnation(world, newest.number + 1)


class TwoPhaseCommitWithoutResume(_WritesDuringTheEpoch):
    """A: commit after the checkpoint; a restarted process cannot resume the open transaction."""


class CommitThenCheckpoint(_WritesDuringTheEpoch):
    """B: commit first, checkpoint afterwards."""

    def prepared(self, process: Incarnation) -> Incarnation:
        return process._replace(phase=Phase.COMMITTING, steps=self.all_sinks(Step.COMMIT))

    def delivered(self, process: Incarnation, lineage: int) -> Incarnation:
        return process._replace(phase=Phase.CHECKPOINTING)

    def checkpointed(self, process: Incarnation) -> Incarnation:
        return self.next_epoch(process, process.lineage)


class ResumeTransaction(_WritesDuringTheEpoch):
    """C: Flink's. A restarted process commits the predecessor's transaction with its producer id and epoch."""

    def restored(self, world: World, newest: Checkpoint) -> Incarnation:
        return Incarnation(
            world.incarnations,
            newest.number,
            newest.segment,
            Phase.COMMITTING,
            self.all_sinks(Step.COMMIT),
            newest.producer_epochs,
            newest.lineage,
        )

    def commit_refused(self, world: World, who: Who, sink: int) -> World | None:
        return self.advance(world, who, sink, Step.DONE)  # logged as a possible loss of data, and on


class KafkaDecides(Design):
    """E: the snapshot is written first; the transaction's commit, with its marker, decides that it counts."""

    def begin_epoch(self, process: Incarnation) -> Incarnation:
        return process._replace(phase=Phase.CHECKPOINTING)

    def checkpointed(self, process: Incarnation) -> Incarnation:
        return process._replace(phase=Phase.PUSHING, steps=self.all_sinks(Step.FENCE))

    def restored(self, world: World, newest: Checkpoint) -> Incarnation:
        return self.fresh_incarnation(world, 0)._replace(phase=Phase.ASKING_KAFKA)

    def incarnation_steps(self, world: World, who: Who) -> Iterator[tuple[str, World]]:
        if incarnation(world, who).phase is Phase.ASKING_KAFKA:
            yield f"{who} asks Kafka what was decided", self._ask_kafka(world, who)
        else:
            yield from super().incarnation_steps(world, who)

    def _ask_kafka(self, world: World, who: Who) -> World:
        fenced = tuple(sink.init_producer() for sink in world.sinks)
        decided = min(max((r.checkpoint for r in sink.log if isinstance(r, Marker)), default=0) for sink in fenced)
        kept = tuple(checkpoint for checkpoint in world.checkpoints if checkpoint.number <= decided)
        process = incarnation(world, who)._replace(
            checkpoint=decided + 1, phase=Phase.RUNNING, producer_epochs=tuple(sink.epoch for sink in fenced)
        )
        return with_incarnation(world._replace(sinks=fenced, checkpoints=kept), who, process)


class EagerWal(WalAndMarker):
    """D with the transaction open during the epoch: lower latency, same recovery. Valid, but not what is built."""

    def begin_epoch(self, process: Incarnation) -> Incarnation:
        return process._replace(phase=Phase.WRITING, steps=self.all_sinks(Step.FENCE))

    def checkpointed(self, process: Incarnation) -> Incarnation:
        return process._replace(phase=Phase.COMMITTING, steps=self.all_sinks(Step.PRODUCE_MARKER))

    def after_fence(self, process: Incarnation) -> Step:
        return Step.READ_MARKER if process.phase is Phase.PUSHING else Step.PRODUCE_FIRST

    def after_produce(self, process: Incarnation, step: Step) -> Step:
        if process.phase is Phase.WRITING and step is Step.PRODUCE_SECOND:
            return Step.PREPARED  # the marker follows when the checkpoint is durable
        return super().after_produce(process, step)
