"""What all drivers share: does what the JobMaster says, and sleeps in its mailbox when there is nothing to do.

Where the tasks are is a subclass's business: on this thread (``inline.py``) or in worker processes (``workers/``).
"""

from __future__ import annotations

import logging
import queue
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns
from typing import Any, Final

from wiesel.cluster.background import Background
from wiesel.cluster.checkpoint_files import CheckpointFiles
from wiesel.cluster.commit_service import CommitService
from wiesel.cluster.deployment import CheckpointAccess, Restore
from wiesel.cluster.held_back_log import HeldBackLog
from wiesel.cluster.history import JobHistory
from wiesel.cluster.meters import Meters
from wiesel.cluster.options import JobOptions
from wiesel.cluster.savepoints import SavepointService, SavepointStatus
from wiesel.cluster.sources import SourceCoordinator, SplitReceiver
from wiesel.cluster.start import Start
from wiesel.cluster.status import StatusReporter
from wiesel.core.contracts import Clock, Json
from wiesel.core.errors import ConfigurationError, JobExecutionError, WieselError
from wiesel.core.host import Mailbox, host
from wiesel.core.tracebacks import format_user_traceback
from wiesel.graph.job_graph import JobGraph
from wiesel.runtime.checkpoint.manifest import CheckpointManifest
from wiesel.runtime.job_master import commands as c
from wiesel.runtime.job_master.commands import Command, JobState, MasterEvent
from wiesel.runtime.job_master.facts import JobFacts, OperatorFacts
from wiesel.runtime.job_master.master import JobMaster
from wiesel.runtime.job_master.restart import restart_strategy
from wiesel.runtime.reports import InputEnded, TaskId, TaskReport, WatermarkReported
from wiesel.runtime.task_figures import TaskFigures

_log = logging.getLogger("wiesel.cluster")
#: Longest sleep without a look around, in seconds.
_MAX_SLEEP: Final = 0.5


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a job ended."""

    state: JobState
    error: BaseException | None
    runtime_ms: int
    stopped_early: bool


class JobDriver(ABC):
    """Runs one job to its end; its loop is on the calling thread.

    Args:
        graph: the job.
        options: how to run it.
        start: its directory and what it continues; None without checkpoints and without sinks that commit.
        clock: time.
    """

    def __init__(self, graph: JobGraph, options: JobOptions, start: Start | None, clock: Clock) -> None:
        self._graph = graph
        self._options = options
        self._start = start
        self._clock = clock
        self._mailbox: Mailbox = host().mailbox()
        self._woken = False
        self._background = Background(self._mailbox.put, 4, "wiesel-io")
        self._disk = Background(self._mailbox.put, 4, "wiesel-disk")
        self._background_commits = Background(self._mailbox.put, 1, "wiesel-commit")  # one: in order
        self._sources: SourceCoordinator | None = None
        self._at_once = False
        self._close_failure: BaseException | None = None
        self._told: BaseException | None = None
        self._told_checkpoint: BaseException | None = None
        self._outcome: JobOutcome | None = None
        self._began = monotonic_ns()
        self._files = None if start is None else CheckpointFiles(start, self._disk, self._mailbox.put)
        settings = options.checkpoint_settings()
        self.master = JobMaster(
            _facts(graph, start, options.job_id),
            settings,
            restart_strategy(options.configuration, settings.interval_ms is not None),
            restore=None if start is None else start.restore,
            pending=() if start is None else start.pending,
            next_checkpoint_id=1 if start is None else start.next_checkpoint_id,
        )
        self._savepoints = SavepointService(options, start)
        self._committers = None if start is None else CommitService(graph, options, start, lambda: self._at_once)
        directory = None if start is None else start.directory.path
        self.history = JobHistory(graph, clock, directory, lambda trigger_id: self.savepoint_status(trigger_id).path)
        self.meters = Meters()
        self._status = StatusReporter(options, self.master, clock, self.figures, self.meters, HeldBackLog(graph))
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            c.RecoverCommitters: self._recover_committers,
            c.DeployTasks: self._deploy,
            c.TriggerCheckpoint: self._trigger,
            c.PublishCheckpoint: self._publish,
            c.DiscardCheckpoint: self._discard,
            c.NotifyCheckpointComplete: self._notify_complete,
            c.Commit: self._commit,
            c.RetainCheckpoints: self._retain,
            c.EndInput: self._end_input,
            c.WriteSavepoint: self._write_savepoint,
            c.DeclineSavepoint: lambda command: self._savepoints.decline(command.trigger_id, command.error),
            c.CancelTasks: self._cancel_tasks,
            c.Terminate: self._terminate,
        }

    # ------------------------------------------------------------------------------------------ where tasks are

    @abstractmethod
    def _deploy(self, command: c.DeployTasks) -> None:
        """Create the tasks of an attempt; answer ``TasksDeployed`` or ``DeployFailed``."""

    @abstractmethod
    def _trigger_sources(self, command: c.TriggerCheckpoint) -> None:
        """Tell every source task to send a barrier."""

    @abstractmethod
    def _notify_complete(self, command: c.NotifyCheckpointComplete) -> None:
        """Tell every source task that a checkpoint is complete."""

    @abstractmethod
    def _end_input(self, command: c.EndInput) -> None:
        """Tell every source task to end its input."""

    @abstractmethod
    def _close_tasks(self, failing: bool) -> None:
        """Close all tasks; when this returns nothing of the attempt runs any more."""

    @abstractmethod
    def figures(self) -> list[TaskFigures]:
        """Return the counters of the tasks; on the thread that drives the job."""

    @abstractmethod
    def tasks_in_step(self) -> list[tuple[TaskId, float]]:
        """Return the tasks that are in a step now, with the seconds since it began; from any thread."""

    def _step_tasks(self) -> bool:
        """Step the tasks that live on this thread; return whether there was anything to do."""
        return False

    def _tasks_due(self) -> Iterable[float]:
        """Return when they want to be stepped again."""
        return ()

    # ------------------------------------------------------------------------------------------------ the loop

    def run(self) -> JobOutcome:
        """Drive the job to its end."""
        try:
            self._perform(self.master.start())
            while self._outcome is None:
                self._drain_mailbox()
                self._let_time_pass()  # before the tasks, which may get mail by it
                if not self._step_tasks() and self._outcome is None:
                    self._sleep()
            return self._outcome
        finally:
            self._close()

    def stop(self) -> None:
        """Ask, from any thread or a signal handler, for a final checkpoint and a clean end."""
        self._mailbox.put(lambda: self._event(c.StopRequested()))

    def cancel(self) -> None:
        """Ask, from any thread, for an end without a checkpoint."""
        self._mailbox.put(lambda: self._event(c.CancelRequested()))

    def trigger_savepoint(self, path: Path | None = None, *, stop: bool = False, drain: bool = False) -> int:
        """Ask, from any thread, for a savepoint, and return at once.

        Args:
            path: directory in which the savepoint gets one of its own, ``savepoint-<job id>-<random>``; None is
                ``execution.checkpointing.savepoint-dir``.
            stop: end the job with it, everything up to it delivered; a savepoint that fails lets the job go on.
            drain: with ``stop``, end event time first, so that all windows and event-time timers fire.

        Returns:
            the trigger id for ``savepoint_status`` and ``savepoint_result``.

        Raises:
            ConfigurationError: no directory is given or configured, it cannot be written, or the job keeps no state.
        """
        if drain and not stop:
            raise ConfigurationError("Only a job that is stopped can be drained.")
        trigger_id = self._savepoints.request(path)
        self._mailbox.put(lambda: self._event(c.SavepointRequested(trigger_id, stop, drain)))
        return trigger_id

    def savepoint_status(self, trigger_id: int) -> SavepointStatus:
        """Return, to any thread, how far a savepoint is; also when the job is over.

        Raises:
            KeyError: no savepoint of this job has that trigger id.
        """
        return self._savepoints.status(trigger_id)

    def savepoint_result(self, trigger_id: int) -> Future[Path]:
        """Return the future of a savepoint's directory."""
        return self._savepoints.result(trigger_id)

    def call(self, function: Callable[[], Any]) -> Future[Any]:
        """Let the loop call something between two steps, from any thread; no answer comes while a function hangs."""
        answer: Future[Any] = Future()

        def act() -> None:
            try:
                answer.set_result(function())
            except Exception as error:
                answer.set_exception(error)

        self._mailbox.put(act)
        return answer

    def wake(self) -> None:
        """Let the loop look around; from any thread, cheap when it is awake already."""
        if not self._woken:
            self._woken = True
            self._mailbox.put(None)

    def _drain_mailbox(self) -> None:
        while not self._mailbox.empty():
            self._take(self._mailbox.get())

    def _take(self, message: Callable[[], None] | None) -> None:
        if message is None:
            self._woken = False
        else:
            message()

    def _let_time_pass(self) -> None:
        due = self.master.next_due_ms()
        if due is not None and self._now_ms() >= due:
            self._perform(self.master.tick(self._now_ms()))
        if self._sources is not None:
            self._sources.discover_if_due()
        self._status.report_if_due()

    def _sleep(self) -> None:
        now = self._clock.monotonic()
        due = [now + _MAX_SLEEP, self._status.next_due()]
        master_due = self.master.next_due_ms()
        if master_due is not None:
            due.append(master_due / 1000)
        if self._sources is not None:
            due.append(self._sources.next_due())
        due += self._tasks_due()
        try:
            self._take(self._mailbox.get(timeout=max(0.0, min(due) - now)))
        except queue.Empty:
            pass

    def _now_ms(self) -> int:
        return int(self._clock.monotonic() * 1000)

    def _event(self, event: MasterEvent | TaskReport) -> None:
        self._perform(self.master.handle(event, self._now_ms()), event)

    def _report(self, report: TaskReport | WatermarkReported) -> None:
        self._mailbox.put(lambda: self._take_report(report))

    def _take_report(self, report: TaskReport | WatermarkReported) -> None:
        current = report.attempt == self.master.attempt
        if current and self._sources is not None and isinstance(report, WatermarkReported | InputEnded):
            self._sources.align(report.task, report.watermark if isinstance(report, WatermarkReported) else None)
        if not isinstance(report, WatermarkReported):
            self._event(report)

    # ------------------------------------------------------------------------------------------------ commands

    def _perform(self, commands: list[Command], event: MasterEvent | TaskReport | None = None) -> None:
        self.history.note(event, commands, self.master)
        if self.master.state is JobState.RESTARTING and self.master.error is not self._told:
            self._tell_restart()
        if self.master.checkpoint_failure is not self._told_checkpoint:
            self._told_checkpoint = self.master.checkpoint_failure
            if self.master.state is JobState.RUNNING:
                _log.warning("A checkpoint failed, and the job goes on: %s", self._told_checkpoint)
        for command in commands:
            self._handlers[type(command)](command)

    def _tell_restart(self) -> None:
        error = self._told = self.master.error
        if error is None:
            return
        now = self._now_ms()
        due = self.master.next_due_ms() or now  # unknown while a checkpoint is on its way to the disk
        _log.warning(
            "The job failed and restarts in %d ms: %s",
            max(0, due - now),
            error,
            extra={"exception": self._traceback_of(error)},
        )

    @staticmethod
    def _traceback_of(error: BaseException) -> str:
        if isinstance(error, WieselError) and error.traceback_text is not None:
            return error.traceback_text  # it came from a worker
        cause = error.__cause__ if isinstance(error, JobExecutionError) else error
        return "" if cause is None else format_user_traceback(cause)

    def _recover_committers(self, command: c.RecoverCommitters) -> None:
        if self._committers is None:
            self._event(c.CommittersRecovered({}))
            return
        committers = self._committers
        self._background_commits.run(
            lambda: committers.recover(command.pending, command.states),
            lambda result: self._event(
                c.CommittersFailed(result) if isinstance(result, BaseException) else c.CommittersRecovered(result)
            ),
        )

    def _checkpoint_access(self) -> CheckpointAccess | None:
        start = self._start
        return None if start is None else CheckpointAccess(start.storage, start.lineage.lineage_id)

    def _restore_of(self, command: c.DeployTasks) -> Restore | None:
        start, manifest = self._start, command.restore
        if start is None or manifest is None:
            return None
        at = start.restore_path if manifest is start.restore else None
        return Restore(manifest, at or start.storage.path_of(manifest.checkpoint_id))

    def _coordinate_sources(
        self, readers: Mapping[tuple[int, int], SplitReceiver], restore: CheckpointManifest | None
    ) -> None:
        """Begin to find splits for the source tasks, by vertex and subtask."""
        self._sources = SourceCoordinator(
            self._graph,
            readers,
            restore,
            self._background,
            self._clock,
            self._options.configuration,
            lambda error: self._event(c.JobFailed(error)),
        )

    def _trigger(self, command: c.TriggerCheckpoint) -> None:
        files, checkpoint_id = self._files, command.checkpoint_id
        if files is None:
            self._send_barriers(command)
            return

        def begun(result: Any) -> None:
            pending = self.master.coordinator.pending
            if pending is None or pending.checkpoint_id != checkpoint_id:
                self._discard(c.DiscardCheckpoint(checkpoint_id))  # given up meanwhile
            elif isinstance(result, BaseException):
                self._event(c.CheckpointPublishFailed(checkpoint_id, result))
            else:
                self._send_barriers(command)

        files.begin(checkpoint_id, begun)

    def _send_barriers(self, command: c.TriggerCheckpoint) -> None:
        self.master.enumerators_at_barrier(self._enumerator_snapshots())
        self._trigger_sources(command)

    def _enumerator_snapshots(self) -> Mapping[str, Json]:
        return {} if self._sources is None else self._sources.snapshot()

    def _publish(self, command: c.PublishCheckpoint) -> None:
        checkpoint_id = command.manifest.checkpoint_id

        def done(result: Any) -> None:
            if isinstance(result, BaseException):
                self._event(c.CheckpointPublishFailed(checkpoint_id, result))
            else:
                self._status.checkpoint_completed(checkpoint_id)
                self._event(c.CheckpointPublished(checkpoint_id))

        assert self._files is not None
        self._files.publish(command.manifest, done)

    def _discard(self, command: c.DiscardCheckpoint) -> None:
        checkpoint_id = command.checkpoint_id

        def done(error: BaseException | None) -> None:
            self._event(c.CheckpointDiscarded(checkpoint_id, error))

        if self._files is not None:
            self._files.discard(checkpoint_id, done)

    def _commit(self, command: c.Commit) -> None:
        assert self._committers is not None
        committers = self._committers
        self._background_commits.run(
            lambda: committers.commit(command.committables),
            lambda result: self._event(
                c.CommitFailed(command.checkpoint_id, result)
                if isinstance(result, BaseException)
                else c.Committed(command.checkpoint_id, result)
            ),
        )

    def _retain(self, command: c.RetainCheckpoints) -> None:
        assert self._files is not None
        self._files.retain(command.manifests)

    def _write_savepoint(self, command: c.WriteSavepoint) -> None:
        trigger_id = command.trigger_id

        def done(result: Any) -> None:
            if isinstance(result, BaseException):
                self._savepoints.decline(trigger_id, result)
                self._event(c.SavepointWriteFailed(trigger_id, result))
            else:
                self._savepoints.complete(trigger_id)
                self._event(c.SavepointWritten(trigger_id))

        self._disk.run(self._savepoints.writing(trigger_id, command.manifest), done)

    def _cancel_tasks(self, command: c.CancelTasks) -> None:
        if self._sources is not None:
            self._sources.close()
            self._sources = None
        self._close_tasks(self.master.state in (JobState.FAILING, JobState.RESTARTING))

    def _terminate(self, command: c.Terminate) -> None:
        state, error = command.state, command.error
        if state is JobState.FINISHED and self._close_failure is not None:
            # A close() of the user's that fails may have lost what it was to write, so the job has not succeeded.
            state, error = JobState.FAILED, self._close_failure
        early = self.master.stopped_early
        if self._files is not None:
            deletes = self._options.deletes_checkpoints_on_cancellation
            self._files.note_outcome(state, stopped_early=early, delete_if_cancelled=deletes)
        self._status.ended(state)
        runtime_ms = (monotonic_ns() - self._began) // 1_000_000
        self._outcome = JobOutcome(state, error, runtime_ms, early)

    def _close(self) -> None:
        self._at_once = True
        self._cancel_tasks(c.CancelTasks())
        if self._committers is not None:
            self._committers.close()
        self._background.close(wait=False)
        self._background_commits.close(wait=False)
        # Whoever gets the job directory next must not meet our last writes in it.
        self._disk.close(wait=True)
        if self._files is not None:
            self._files.close()
        self._savepoints.end()


def _facts(graph: JobGraph, start: Start | None, job_id: str) -> JobFacts:
    return JobFacts(
        tasks=[TaskId(vertex.vertex_id, i) for vertex in graph.vertices for i in range(vertex.parallelism)],
        operators=[
            OperatorFacts(operator.uid, operator.name, vertex.vertex_id, vertex.parallelism, vertex.max_parallelism)
            for vertex, operator in graph.operators()
        ],
        lineage="" if start is None else start.lineage.lineage_id,
        has_storage=start is not None,
        job_id=job_id,
    )
