"""What the control plane shows of a job and may ask of it: plain data, and the contract with whoever runs the job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wiesel.graph.job_graph import JobGraph
from wiesel.runtime.job_master.coordinator import CheckpointSettings
from wiesel.runtime.reports import TaskId
from wiesel.runtime.task_figures import TaskFigures


@dataclass(frozen=True, slots=True)
class Rates:
    """What a subtask does in a second: records and bytes over the last minute, milliseconds over the last seconds."""

    records_in: float = 0.0
    records_out: float = 0.0
    busy_ms: float = 0.0
    back_pressured_ms: float = 0.0
    idle_ms: float = 0.0
    bytes_in: float = 0.0
    bytes_out: float = 0.0


@dataclass(frozen=True, slots=True)
class SubtaskView:
    """One subtask.

    Args:
        status: Flink's ``ExecutionState`` name.
        figures: its counters, None before the first look at them.
        rates: what came of them.
        in_step_seconds: how long its present step has taken; a step takes milliseconds unless a function hangs.
    """

    status: str
    figures: TaskFigures | None
    rates: Rates
    in_step_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """One checkpoint; times in milliseconds since the epoch, sizes in bytes.

    Args:
        status: ``IN_PROGRESS``, ``COMPLETED`` or ``FAILED``.
        ended_ms: when it was completed or given up, -1 while it is under way.
        acknowledged: subtasks that have given their part.
        path: where it lies, once complete.
        failure: why it was given up.
    """

    checkpoint_id: int
    status: str
    triggered_ms: int
    ended_ms: int
    state_size: int
    subtasks: int
    acknowledged: int
    path: Path | None = None
    failure: str | None = None
    is_savepoint: bool = False


@dataclass(frozen=True, slots=True)
class RestoreView:
    """A restore from a checkpoint, at the start or after a failure."""

    checkpoint_id: int
    restored_ms: int
    path: Path | None


@dataclass(frozen=True, slots=True)
class CheckpointsView:
    """All checkpoints of this start: numbers of all of them, the last few themselves, newest first."""

    total: int = 0
    completed: int = 0
    failed: int = 0
    restored: int = 0
    history: Sequence[CheckpointView] = ()
    latest_completed: CheckpointView | None = None
    latest_savepoint: CheckpointView | None = None
    latest_failed: CheckpointView | None = None
    latest_restored: RestoreView | None = None


@dataclass(frozen=True, slots=True)
class ExceptionView:
    """A failure of the job, with or without a restart behind it."""

    name: str
    text: str
    time_ms: int
    task_name: str | None


@dataclass(frozen=True, slots=True)
class JobView:
    """A job at one moment.

    Args:
        job_id: its id.
        name: as given to ``execute()``.
        state: Flink's ``JobStatus`` name.
        graph: its vertices and edges.
        parallelism: of the job's widest vertex.
        workers: processes that hold its tasks; 0 is the job's own.
        start_ms: when it began, milliseconds since the epoch.
        end_ms: when it ended, -1 before.
        now_ms: when this was looked up.
        age_ms: how long ago the job's loop has last shown itself; a second and more says that a function keeps it.
        timestamps: when each state was last entered.
        subtasks: by vertex and number.
        checkpoints: see there.
        settings: the coordinator's.
        checkpoint_directory: the job directory; None for a job that keeps nothing.
        restarts: how often it was restarted inside this process.
        exceptions: failures, newest first.
        configuration: the job's, secrets hidden.
    """

    job_id: str
    name: str
    state: str
    graph: JobGraph
    parallelism: int
    workers: int
    start_ms: int
    end_ms: int
    now_ms: int
    age_ms: int
    timestamps: Mapping[str, int]
    subtasks: Mapping[TaskId, SubtaskView]
    checkpoints: CheckpointsView
    settings: CheckpointSettings
    checkpoint_directory: Path | None
    restarts: int
    exceptions: Sequence[ExceptionView]
    configuration: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OperationView:
    """What became of a savepoint or a stop that was asked for.

    Args:
        done: whether it is over.
        location: the savepoint or checkpoint that came of it.
        failure: why there is none.
    """

    done: bool
    location: str | None = None
    failure: str | None = None


class RefusedError(Exception):
    """The job cannot do what was asked; the text says why and what to do."""


class JobControl(Protocol):
    """Whoever runs a job. Called from the control plane's threads; nothing here waits for the record path."""

    @property
    def job_id(self) -> str:
        """The job's id."""

    def view(self) -> JobView:
        """Return the job as it is now, or as it was last seen when its loop does not answer."""

    def cancel(self) -> None:
        """End the job without a checkpoint; a function that never returns does not stop this."""

    def stop(self, directory: Path | None, drain: bool) -> str:
        """End the job with a savepoint, or with a last checkpoint without a directory; return the request's id.

        Raises:
            RefusedError: it cannot be done.
        """

    def savepoint(self, directory: Path | None, cancel_job: bool) -> str:
        """Take a savepoint and return the request's id.

        Raises:
            RefusedError: it cannot be done.
        """

    def operation(self, request_id: str) -> OperationView | None:
        """Return what became of a request; None when there was none of that id."""

    def rescale(self, parallelism: int) -> None:
        """Let the job go on with another parallelism from a last checkpoint.

        Raises:
            RefusedError: it cannot be done.
        """
