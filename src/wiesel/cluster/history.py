"""What has happened to a job since its process began: states, checkpoints, failures; noted as it happens.

Told by the driver of every event and command of the JobMaster, on the thread that drives the job.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from wiesel.core.contracts import Clock
from wiesel.core.errors import JobExecutionError, WieselError
from wiesel.core.redaction import redact
from wiesel.core.tracebacks import format_user_traceback
from wiesel.graph.job_graph import JobGraph
from wiesel.rest.job_view import CheckpointsView, CheckpointView, ExceptionView, RestoreView
from wiesel.runtime.checkpoint.manifest import CheckpointManifest
from wiesel.runtime.job_master import commands as c
from wiesel.runtime.job_master.commands import Command, JobState, MasterEvent
from wiesel.runtime.job_master.master import JobMaster
from wiesel.runtime.reports import InputEnded, TaskFailed, TaskId, TaskReport

#: Checkpoints and failures that are remembered (Flink: ``web.checkpoints.history``, ``web.exception-history-size``).
_CHECKPOINTS: Final = 10
_EXCEPTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class _Counts:
    total: int = 0
    completed: int = 0
    failed: int = 0
    restored: int = 0


class JobHistory:
    """Remembers; see the module.

    Args:
        graph: the job.
        clock: time.
        directory: where its checkpoints are; None for a job that keeps none.
        savepoint_path: returns where the savepoint of a trigger id was written.
    """

    def __init__(
        self,
        graph: JobGraph,
        clock: Clock,
        directory: Path | None,
        savepoint_path: Callable[[int], Path | None],
    ) -> None:
        self.timestamps: dict[str, int] = {}
        self.ended_tasks: set[TaskId] = set()
        self._clock = clock
        self._directory = None if directory is None else directory.absolute()
        self._savepoint_path = savepoint_path
        self._copied: dict[int, CheckpointManifest] = {}
        self._task_names = {vertex.vertex_id: (vertex.name, vertex.parallelism) for vertex in graph.vertices}
        self._tasks = sum(vertex.parallelism for vertex in graph.vertices)
        self._state: JobState | None = None
        self._counts = _Counts()
        self._checkpoints: deque[CheckpointView] = deque(maxlen=_CHECKPOINTS)
        self._exceptions: deque[ExceptionView] = deque(maxlen=_EXCEPTIONS)
        self._completed: CheckpointView | None = None
        self._failed: CheckpointView | None = None
        self._savepoint: CheckpointView | None = None
        self._restored: RestoreView | None = None

    def note(self, event: MasterEvent | TaskReport | None, commands: Sequence[Command], master: JobMaster) -> None:
        """Take an event (None: time went on), what the JobMaster wants to be done because of it, and its state."""
        if isinstance(event, InputEnded) and event.attempt == master.attempt:
            self.ended_tasks.add(event.task)
        elif isinstance(event, c.CheckpointPublished) and master.latest is not None:
            self._complete(master.latest)
        elif isinstance(event, c.SavepointWritten):
            self._complete_savepoint(event.trigger_id)
        error = getattr(event, "error", None)
        if event is not None and isinstance(error, BaseException) and error is master.error:
            self._note_exception(event, error)
        for command in commands:
            if isinstance(command, c.TriggerCheckpoint):
                self._trigger(command)
            elif isinstance(command, c.DiscardCheckpoint):
                self._fail(command.checkpoint_id, master.checkpoint_failure)
            elif isinstance(command, c.WriteSavepoint):
                self._copied[command.trigger_id] = command.manifest
            elif isinstance(command, c.DeployTasks):
                self._deploy(command)
        if master.state is not self._state:
            self._state = master.state
            self.timestamps[master.state.value] = self._clock.now_ms()

    # --------------------------------------------------------------------------------------------- checkpoints

    def _trigger(self, command: c.TriggerCheckpoint) -> None:
        self._counts = replace(self._counts, total=self._counts.total + 1)
        self._checkpoints.appendleft(
            CheckpointView(command.checkpoint_id, "IN_PROGRESS", self._clock.now_ms(), -1, 0, self._tasks, 0)
        )

    def _complete(self, manifest: CheckpointManifest) -> None:
        self._counts = replace(self._counts, completed=self._counts.completed + 1)
        path = None if self._directory is None else self._directory / f"chk-{manifest.checkpoint_id}"
        self._completed = self._end(
            manifest.checkpoint_id,
            status="COMPLETED",
            state_size=_state_size(manifest),
            acknowledged=self._tasks,
            path=path,
        )

    def _complete_savepoint(self, trigger_id: int) -> None:
        manifest, now = self._copied.pop(trigger_id), self._clock.now_ms()
        self._savepoint = CheckpointView(
            checkpoint_id=manifest.checkpoint_id,
            status="COMPLETED",
            triggered_ms=now,
            ended_ms=now,
            state_size=_state_size(manifest),
            subtasks=self._tasks,
            acknowledged=self._tasks,
            path=self._savepoint_path(trigger_id),
            is_savepoint=True,
        )

    def _fail(self, checkpoint_id: int, failure: BaseException | None) -> None:
        if not any(
            entry.checkpoint_id == checkpoint_id and entry.status == "IN_PROGRESS" for entry in self._checkpoints
        ):
            return  # it is known already
        self._counts = replace(self._counts, failed=self._counts.failed + 1)
        text = "The job failed before it was complete." if failure is None else redact(str(failure))
        self._failed = self._end(checkpoint_id, status="FAILED", failure=text)

    def _end(self, checkpoint_id: int, **changes: Any) -> CheckpointView | None:
        for index, entry in enumerate(self._checkpoints):
            if entry.checkpoint_id == checkpoint_id:
                ended = replace(entry, ended_ms=self._clock.now_ms(), **changes)
                self._checkpoints[index] = ended
                return ended
        return None

    def _deploy(self, command: c.DeployTasks) -> None:
        self.ended_tasks.clear()
        if command.restore is not None:
            checkpoint_id = command.restore.checkpoint_id
            path = None if self._directory is None else self._directory / f"chk-{checkpoint_id}"
            self._restored = RestoreView(checkpoint_id, self._clock.now_ms(), path)
            self._counts = replace(self._counts, restored=self._counts.restored + 1)

    def checkpoints(self, acknowledged: int) -> CheckpointsView:
        """Return all that is known of checkpoints.

        Args:
            acknowledged: subtasks that have given their part of the one under way.
        """
        history = [
            replace(entry, acknowledged=acknowledged) if entry.status == "IN_PROGRESS" else entry
            for entry in self._checkpoints
        ]
        counts = self._counts
        return CheckpointsView(
            total=counts.total,
            completed=counts.completed,
            failed=counts.failed,
            restored=counts.restored,
            history=history,
            latest_completed=self._completed,
            latest_savepoint=self._savepoint,
            latest_failed=self._failed,
            latest_restored=self._restored,
        )

    # ---------------------------------------------------------------------------------------------- exceptions

    def _note_exception(self, event: MasterEvent | TaskReport, error: BaseException) -> None:
        task = None
        if isinstance(event, TaskFailed):
            name, parallelism = self._task_names[event.task.vertex_id]
            task = f"{name} ({event.task.subtask + 1}/{parallelism})"
        cause = error.__cause__ if isinstance(error, JobExecutionError) and error.__cause__ is not None else error
        text = redact(f"{_traceback(error, cause)}{error}")
        self._exceptions.appendleft(ExceptionView(type(cause).__name__, text, self._clock.now_ms(), task))

    def exceptions(self) -> Sequence[ExceptionView]:
        """Return the failures, newest first."""
        return list(self._exceptions)


def _state_size(manifest: CheckpointManifest) -> int:
    parts = [part for operator in manifest.operators.values() for part in operator.subtasks]
    return sum(file.size for part in parts for file in part.keyed_state())


def _traceback(error: BaseException, cause: BaseException) -> str:
    if isinstance(error, WieselError) and error.traceback_text is not None:
        return error.traceback_text  # it came from a worker
    return "" if cause is error else format_user_traceback(cause)
