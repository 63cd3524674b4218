"""The world of the first model: checkpoints, Kafka, the network, a job and its zombie.

An epoch yields one segment of `RECORDS_PER_SEGMENT` records per sink; an epoch that is run again after a crash has
other contents, as the source's batches and the clock are others.
"""

from __future__ import annotations

import enum
from typing import NamedTuple, TypeVar

from .coordinator import Status, TransactionalId

RECORDS_PER_SEGMENT = 2

T = TypeVar("T")


class Segment(NamedTuple):
    """One epoch's output. Its contents are told apart by the incarnation that computed it."""

    checkpoint: int
    incarnation: int


class Row(NamedTuple):
    """An output record."""

    segment: Segment
    position: int


class Marker(NamedTuple):
    """Written in the same transaction as the rows of a checkpoint's segment."""

    checkpoint: int
    lineage: int


class Checkpoint(NamedTuple):
    """A durable checkpoint."""

    number: int
    segment: Segment
    lineage: int
    producer_epochs: tuple[int, ...]


class Phase(enum.StrEnum):
    """What an incarnation of the job is doing."""

    RUNNING = "running"
    WRITING = "writing into open transactions"
    CHECKPOINTING = "checkpointing"
    COMMITTING = "committing"
    PUSHING = "pushing"
    ASKING_KAFKA = "asking Kafka what was decided"


class Who(enum.StrEnum):
    """The incarnation that goes on. Named as in traces."""

    CURRENT = "job"
    ZOMBIE = "zombie"


class Step(enum.StrEnum):
    """What one sink does next."""

    NOTHING = "nothing"
    FENCE = "fences"
    READ_MARKER = "reads the marker"
    PRODUCE_FIRST = "produces record 0"
    PRODUCE_SECOND = "produces record 1"
    PRODUCE_MARKER = "produces the marker"
    COMMIT = "commits"
    PREPARED = "prepared"
    DONE = "done"
    # Only with rule 1 broken: the marker is read first, the fence follows.
    READ_MARKER_UNFENCED = "reads the marker without a fence"
    FENCE_AND_SKIP = "fences too late, will skip"
    FENCE_AND_PUSH = "fences too late, will push"


PRODUCE_ORDER = (Step.PRODUCE_FIRST, Step.PRODUCE_SECOND, Step.PRODUCE_MARKER)


class Incarnation(NamedTuple):
    """One life of the job's process."""

    number: int
    checkpoint: int
    """The one that it works on."""
    segment: Segment | None
    phase: Phase
    steps: tuple[Step, ...]
    """Per sink."""
    producer_epochs: tuple[int, ...]
    """Per sink; -1 before the first init_transactions()."""
    lineage: int


class World(NamedTuple):
    """Disk, Kafka, network, processes, and how much misfortune is left."""

    checkpoints: tuple[Checkpoint, ...]
    incarnations: int
    lineage: int
    sinks: tuple[TransactionalId, ...]
    in_flight: tuple[frozenset[int], ...]
    """Per sink: the producer epochs of delayed EndTxn requests."""
    current: Incarnation
    zombie: Incarnation | None
    crashes: int
    timeouts: int
    rewinds: int
    delays: int
    restarts: int


def incarnation(world: World, who: Who) -> Incarnation:
    """The one of the two; it must live."""
    process = world.current if who is Who.CURRENT else world.zombie
    assert process is not None
    return process


def with_incarnation(world: World, who: Who, process: Incarnation) -> World:
    """The world with one of the two changed."""
    return world._replace(current=process) if who is Who.CURRENT else world._replace(zombie=process)


def another_is_open(world: World, sink: int) -> bool:
    """Whether any other sink's transaction is open."""
    return any(kafka.status is Status.OPEN for other, kafka in enumerate(world.sinks) if other != sink)


def replaced(values: tuple[T, ...], index: int, value: T) -> tuple[T, ...]:
    """`values` with another one at `index`."""
    return (*values[:index], value, *values[index + 1 :])
