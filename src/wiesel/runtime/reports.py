"""What tasks tell the JobMaster. Every report carries the attempt it belongs to; stale ones are dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wiesel.core.contracts import Committable, Json, KeptFile, SourceSplit


@dataclass(frozen=True, slots=True)
class TaskId:
    """One subtask of one vertex."""

    vertex_id: int
    subtask: int


#: A state file of a checkpoint.
StateFile = KeptFile


@dataclass(frozen=True, slots=True)
class OperatorSnapshot:
    """One operator of one subtask as of a barrier.

    Args:
        state: its non-keyed state.
        keyed: the file of its keyed state.
        splits: a source's, with their positions.
        committables: what a sink has made durable since the barrier before.
        keyed_files: the backend's own files beside ``keyed``.
    """

    state: Json | None = None
    keyed: StateFile | None = None
    splits: Sequence[SourceSplit] = ()
    committables: Sequence[Committable] = ()
    keyed_files: Sequence[StateFile] = ()

    def keyed_state(self) -> list[StateFile]:
        """Return all files of keyed state."""
        return [] if self.keyed is None else [self.keyed, *self.keyed_files]


@dataclass(frozen=True, slots=True)
class CheckpointAcknowledged:
    """Everything the task has to give for a checkpoint is durable."""

    attempt: int
    task: TaskId
    checkpoint_id: int
    operators: Mapping[str, OperatorSnapshot]


@dataclass(frozen=True, slots=True)
class CheckpointDeclined:
    """The task could not take its snapshot; the job goes on."""

    attempt: int
    task: TaskId
    checkpoint_id: int
    error: BaseException


@dataclass(frozen=True, slots=True)
class InputEnded:
    """The task has processed its whole input."""

    attempt: int
    task: TaskId


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """The task raised; its attempt is over."""

    attempt: int
    task: TaskId
    error: BaseException


@dataclass(frozen=True, slots=True)
class WatermarkReported:
    """The event time of a source task under watermark alignment, None while it holds nobody back.

    It is meant for the sources' coordinator; the JobMaster does not see it.
    """

    attempt: int
    task: TaskId
    watermark: int | None


TaskReport = CheckpointAcknowledged | CheckpointDeclined | InputEnded | TaskFailed
