"""The world of the second model: job directories, transactional ids, the progress topic, processes.

Everything is an immutable tuple, so that worlds can be compared and hashed fast. Output records are numbered 1 to N.
"""

from __future__ import annotations

import enum
from typing import NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")


class StartId(NamedTuple):
    """An incarnation: the `number`-th start of a store."""

    store: int
    number: int


class LineageId(NamedTuple):
    """A lineage of a store; ordinals grow."""

    store: int
    ordinal: int


class LineageKind(enum.StrEnum):
    """Why a lineage was begun."""

    FIRST = "first"
    REWIND = "-s"
    RESCALE = "rescale"


class Segment(NamedTuple):
    """Output of one sink subtask. In the log it stands for its records and its marker, which commit together."""

    tid: int
    lineage: LineageId
    seq: int
    records: tuple[int, ...]
    written_by: StartId
    """Tells contents apart, as a checksum does."""

    def __str__(self) -> str:
        return f"tid {self.tid} lineage {self.lineage.ordinal} seq {self.seq} {list(self.records)}"


class Claim(NamedTuple):
    """A committed claim. The protocol reads tid and start; lineage and attempt serve its rejected wording."""

    tid: int
    lineage: LineageId
    attempt: int
    start: StartId


class Confirmed(NamedTuple):
    """Last confirmed seq of one (tid, lineage)."""

    tid: int
    lineage: LineageId
    seq: int


Confirmations: TypeAlias = tuple[Confirmed, ...]
Log: TypeAlias = tuple[Claim | Segment, ...]


class Checkpoint(NamedTuple):
    """A durable checkpoint."""

    lineage: LineageId
    offset: int
    """Records of the source before it."""
    pending: tuple[Segment, ...]
    confirmed: Confirmations
    parallelism: int


class Lineage(NamedTuple):
    """A durable lineage record."""

    id: LineageId
    kind: LineageKind
    base: Checkpoint | None
    """The checkpoint that it was begun from."""
    offset: int
    """The base's."""
    parallelism: int
    attempts: int
    rewound: bool
    """Whether the base's output may have been continued by the lineage that wrote it: begun by -s, or by rescaling such
    a lineage before its first checkpoint."""


class JobDirectory(NamedTuple):
    """What survives every crash."""

    checkpoints: tuple[Checkpoint, ...]
    lost_checkpoints: tuple[Checkpoint, ...]
    lineages: tuple[Lineage, ...]
    starts: int
    claimed: bool
    """Set once all claims of a start are committed."""


class TransactionalId(NamedTuple):
    """Only "is it still me" matters of an epoch, so the owner stands for it; endless fencing then shows as a cycle."""

    owner: StartId | None
    open_segment: Segment | None


class Phase(enum.StrEnum):
    """Where a process is. The first four are the start protocol, in order."""

    FENCING = "fencing"
    LOOKING = "looking"
    CLAIMING = "claiming"
    DECIDING = "deciding"
    RUNNING = "running"
    CHECKPOINTING = "checkpointing"
    STOPPED = "stopped"


class Push(enum.StrEnum):
    """How far the push of the oldest pending segment is."""

    IDLE = "idle"
    FENCED = "fenced"
    MARKER_READ = "marker read"
    PRODUCED = "produced"
    COMMITTED = "committed"


class Process(NamedTuple):
    """One incarnation of a job."""

    start: StartId
    lineage: LineageId
    attempt: int
    parallelism: int
    phase: Phase
    tid: int
    """Whose turn it is in the start protocol."""
    restored: Checkpoint | None
    queue: tuple[tuple[int, Segment], ...]
    """Pending segments with their epoch, oldest first. Epoch 0: decided before this start."""
    push: Push
    offset: int
    closed: tuple[Segment, ...]
    """Segments of the epoch that is being checkpointed, and of aborted ones before it."""
    aborted_epochs: int
    next_seq: tuple[int, ...]
    confirmed: Confirmations
    waits: bool
    """Was fenced and backs off."""
    zombie: bool
    stopped_because: str = ""


class World(NamedTuple):
    """Disks, Kafka, processes, and how much may still happen."""

    directories: tuple[JobDirectory, ...]
    tids: tuple[TransactionalId, ...]
    log: Log
    processes: tuple[Process | None, ...]
    """One per store; with a single store, its zombie (or None) comes second."""
    crashes: int
    operations: tuple[Operation, ...]
    aborts: int


class Operation(NamedTuple):
    """What the operator will do, in order, each at some restart."""

    kind: str
    parallelism: int = 0


LOSE_NEWEST_CHECKPOINT = Operation("newest checkpoint lost, --resume")
REWIND = Operation("-s an older checkpoint")


def rescale_to(parallelism: int) -> Operation:
    """A clean stop and a restart with another parallelism."""
    return Operation("rescale", parallelism)


def confirmed_seq(confirmed: Confirmations, tid: int, lineage: LineageId) -> int:
    """Last confirmed seq of (tid, lineage), 0 if none."""
    return next((entry.seq for entry in confirmed if entry[:2] == (tid, lineage)), 0)


def confirm(confirmed: Confirmations, tid: int, lineage: LineageId, seq: int) -> Confirmations:
    """`confirmed` with another last seq of (tid, lineage)."""
    others = [entry for entry in confirmed if entry[:2] != (tid, lineage)]
    return tuple(sorted([*others, Confirmed(tid, lineage, seq)]))


def highest_seq(checkpoint: Checkpoint | None, tid: int, lineage: LineageId) -> int:
    """The highest seq of (tid, lineage) that a checkpoint knows, 0 if none."""
    if checkpoint is None:
        return 0
    pending = [segment.seq for segment in checkpoint.pending if segment[:2] == (tid, lineage)]
    return max(pending, default=confirmed_seq(checkpoint.confirmed, tid, lineage))


def replaced(values: tuple[T, ...], index: int, value: T) -> tuple[T, ...]:
    """`values` with another one at `index`."""
    return (*values[:index], value, *values[index + 1 :])
