"""What the driver and its workers say to each other, and how any frame between two processes begins.

All sockets are unnamed pairs that only this job's processes hold, so pickles that arrive on them are our own.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wiesel.cluster.deployment import CheckpointAccess, Restore
from wiesel.cluster.options import JobOptions
from wiesel.cluster.workers.errors import ShippedError
from wiesel.core.contracts import SourceSplit
from wiesel.runtime.reports import CheckpointAcknowledged, InputEnded, TaskId, WatermarkReported
from wiesel.runtime.task_figures import TaskFigures

#: Length of what follows, channel, kind.
HEADER: Final = struct.Struct("<IIB")
#: Kinds of frames: an element of a channel (between workers) or a message (to and from the driver); credit for a
#: channel, whose payload is a number of records and one of bytes.
DATA: Final = 0
CREDIT: Final = 1
CREDIT_PAYLOAD: Final = struct.Struct("<IQ")
LONGEST: Final = (1 << 32) - 1
#: Exit code of a worker that has no memory left, and perhaps too little to say so.
NO_MEMORY: Final = 77


def worker_of(subtask: int, workers: int) -> int:
    """Return the worker in which subtask number ``subtask`` of every vertex lives (Flink: slot sharing)."""
    return subtask % workers


# --------------------------------------------------------------------------------------------- driver → worker


@dataclass(frozen=True, slots=True)
class Setup:
    """First message: what makes the new interpreter like the driver's. Nothing in it needs an import of the user's.

    Args:
        worker: number of the worker, from 0.
        workers: how many there are.
        peers: descriptor of the socket to each other worker, by its number.
        sys_path: where modules are found.
        argv: the script and its arguments.
        main_file: the script's file, if it is one.
        log_levels: levels of loggers by name.
        verbose: whether error reports keep the engine's frames.
    """

    worker: int
    workers: int
    peers: Mapping[int, int]
    sys_path: Sequence[str]
    argv: Sequence[str]
    main_file: str | None
    log_levels: Mapping[str, int]
    verbose: bool


@dataclass(frozen=True, slots=True)
class Deploy:
    """Create the tasks of an attempt that belong to this worker; answer ``Deployed`` or ``DeployFailed``.

    Args:
        main_classes: the script's own classes, pickled (``ship_main_classes``).
        graph: the pickled job graph; it refers to the user's modules.
        options: how the job is run, without observers.
        attempt: its number.
        restore: the checkpoint it goes on from.
        checkpoints: the job directory; None without one.
        figures_interval: seconds between two messages with counters.
    """

    main_classes: bytes
    graph: bytes
    options: JobOptions
    attempt: int
    restore: Restore | None
    checkpoints: CheckpointAccess | None
    figures_interval: float


@dataclass(frozen=True, slots=True)
class AddSplits:
    """Splits for one source task."""

    task: TaskId
    splits: Sequence[SourceSplit]
    no_more: bool


@dataclass(frozen=True, slots=True)
class LimitWatermark:
    """How far the splits of one source task may go (watermark alignment)."""

    task: TaskId
    max_watermark: int


@dataclass(frozen=True, slots=True)
class TriggerCheckpoint:
    """Let every source task send a barrier."""

    checkpoint_id: int
    suspend: bool


@dataclass(frozen=True, slots=True)
class EndInput:
    """Let every source task end its input."""


@dataclass(frozen=True, slots=True)
class NotifyComplete:
    """A checkpoint is complete; positions in it by source task."""

    splits: Mapping[TaskId, Sequence[SourceSplit]]


@dataclass(frozen=True, slots=True)
class Stop:
    """Close all tasks and end.

    Args:
        failing: the attempt has failed, so errors of closing are of no interest.
    """

    failing: bool


# --------------------------------------------------------------------------------------------- worker → driver


@dataclass(frozen=True, slots=True)
class Deployed:
    """All tasks of this worker run."""


@dataclass(frozen=True, slots=True)
class DeployFailed:
    """They could not be created."""

    error: ShippedError


@dataclass(frozen=True, slots=True)
class Reported:
    """A task's report that holds no error."""

    report: CheckpointAcknowledged | InputEnded | WatermarkReported


@dataclass(frozen=True, slots=True)
class Failed:
    """A task has failed."""

    attempt: int
    task: TaskId
    error: ShippedError


@dataclass(frozen=True, slots=True)
class Declined:
    """A task could not take its snapshot."""

    attempt: int
    task: TaskId
    checkpoint_id: int
    error: ShippedError


@dataclass(frozen=True, slots=True)
class CloseFailed:
    """A task could not be closed at the end of a job that goes well."""

    error: ShippedError


@dataclass(frozen=True, slots=True)
class Figures:
    """Counters of this worker's tasks."""

    tasks: Sequence[TaskFigures]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A log record made in the worker, as its fields."""

    fields: Mapping[str, Any]
