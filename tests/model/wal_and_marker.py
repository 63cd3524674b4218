"""Protocol D, first half: write-ahead log and marker (rules 1 to 7).

An epoch's output is durable with the checkpoint. Only then is it pushed, in one short transaction that also writes a
marker: fence, read the marker, push or skip. What rule 8 adds (claims, several pending segments, rescaling, a lost
checkpoint) is in claims_and_lineages.py.
"""

from __future__ import annotations

import enum

from .coordinator import TransactionalId
from .sink_world import Checkpoint, Incarnation, Marker, Phase, Step, World
from .transactional_sink import Bounds, Design


class Rule(enum.Enum):
    """Each is necessary: without it the search finds a violation."""

    FENCE_BEFORE_READING_THE_MARKER = 1
    READ_THE_MARKER_AFTER_EVERY_FENCE = 2
    FRESH_PRODUCER_FOR_EVERY_TRANSACTION = 3
    READ_PAST_THE_LAST_STABLE_OFFSET = 4
    COMPARE_LINEAGE_AND_SEQ = 5
    ONE_JOB_MANAGER_COMPLETES_CHECKPOINTS = 6
    NEVER_FALL_BACK_SILENTLY = 7


class WalAndMarker(Design):
    """Protocol D. `without` breaks one of its rules."""

    wal = True

    def __init__(self, bounds: Bounds, without: Rule | None = None) -> None:
        super().__init__(bounds)
        self.fences_first = without is not Rule.FENCE_BEFORE_READING_THE_MARKER
        self.always_reads = without is not Rule.READ_THE_MARKER_AFTER_EVERY_FENCE
        self.fresh_producer = without is not Rule.FRESH_PRODUCER_FOR_EVERY_TRANSACTION
        self.reads_past_lso = without is not Rule.READ_PAST_THE_LAST_STABLE_OFFSET
        self.compares_lineage = without is not Rule.COMPARE_LINEAGE_AND_SEQ
        self.lease = without is not Rule.ONE_JOB_MANAGER_COMPLETES_CHECKPOINTS
        self.silent_fallback = without is Rule.NEVER_FALL_BACK_SILENTLY

    def begin_epoch(self, process: Incarnation) -> Incarnation:
        """Output goes to the write-ahead log, Kafka hears nothing yet."""
        return process._replace(phase=Phase.CHECKPOINTING)

    def checkpointed(self, process: Incarnation) -> Incarnation:
        """The checkpoint holds state and output: push."""
        steps = tuple(
            Step.FENCE if self.fresh_producer or epoch < 0 else Step.PRODUCE_FIRST for epoch in process.producer_epochs
        )
        return process._replace(phase=Phase.PUSHING, steps=steps)

    def restored(self, world: World, newest: Checkpoint) -> Incarnation:
        """Whether the newest checkpoint's output was pushed is not known: ask the marker, under a fence."""
        first = Step.FENCE if self.fences_first else Step.READ_MARKER_UNFENCED
        return Incarnation(
            world.incarnations,
            newest.number,
            newest.segment,
            Phase.PUSHING,
            self.all_sinks(first),
            self.no_producers,
            newest.lineage,
        )

    def after_fence(self, process: Incarnation) -> Step:
        """Every predecessor's transaction is resolved now, so the marker tells the truth."""
        recovering = process.segment is not None and process.segment.incarnation != process.number
        return Step.READ_MARKER if self.always_reads or recovering else Step.PRODUCE_FIRST

    def marker_says_published(self, sink: TransactionalId, process: Incarnation) -> bool:
        """Rule 5 broken: a marker of any lineage counts."""
        if self.compares_lineage:
            return super().marker_says_published(sink, process)
        return any(isinstance(record, Marker) and record.checkpoint >= process.checkpoint for record in sink.log)
