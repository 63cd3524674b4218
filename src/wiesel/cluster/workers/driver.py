"""The worker driver: the JobMaster on this thread, the tasks of slot i in worker i modulo their number."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from wiesel.cluster.driver import JobDriver
from wiesel.cluster.options import JobOptions
from wiesel.cluster.start import Start
from wiesel.cluster.step_timer import task_in_step
from wiesel.cluster.workers import protocol as p
from wiesel.cluster.workers.errors import restore_error
from wiesel.cluster.workers.spawn import WorkerPool
from wiesel.core import launch
from wiesel.core.contracts import Clock, SourceSplit
from wiesel.core.errors import ConfigurationError, WorkerLostError
from wiesel.core.operator_specs import SourceSpec
from wiesel.core.options import catalog, value_of
from wiesel.core.pickling import pickle_value
from wiesel.core.shipping import ship_main_classes
from wiesel.graph.job_graph import JobGraph
from wiesel.runtime.job_master import commands as c
from wiesel.runtime.reports import CheckpointDeclined, TaskFailed, TaskId
from wiesel.runtime.task_figures import TaskFigures

_log = logging.getLogger("wiesel.cluster")
#: Seconds between two messages with a worker's counters: for a live line, and for whoever asks the control plane.
_LIVE_INTERVAL: Final = 0.25
_FIGURES_INTERVAL: Final = 1.0


class WorkerDriver(JobDriver):
    """Runs tasks in spawned processes; every attempt gets fresh ones.

    Args:
        graph: the job.
        options: how to run it; ``workers`` is at least 1.
        start: its directory and what it continues.
        clock: time.

    Raises:
        ConfigurationError: the job cannot leave this process.
    """

    def __init__(self, graph: JobGraph, options: JobOptions, start: Start | None, clock: Clock) -> None:
        self._payload = _pickled(graph)
        self._main_classes = ship_main_classes()
        slots = max(vertex.parallelism for vertex in graph.vertices)
        self._count = min(options.workers, slots)
        if self._count < options.workers:
            _log.info(
                "%d of %d workers are used, because the job's parallelism is %d.", self._count, options.workers, slots
            )
        self._pool: WorkerPool | None = None
        self._close_failures: list[BaseException] = []
        self._deploying: set[int] = set()
        self._deployment: c.DeployTasks | None = None
        self._figures_of: dict[int, list[TaskFigures]] = {}
        self._source_uids = {v.vertex_id: v.operators[0].uid for v in graph.vertices if _is_source(v)}
        self._source_tasks = [
            TaskId(v.vertex_id, subtask) for v in graph.vertices if _is_source(v) for subtask in range(v.parallelism)
        ]
        super().__init__(graph, options, start, clock)

    def figures(self) -> list[TaskFigures]:
        """Return the counters that workers have sent last."""
        return [figures for of_worker in self._figures_of.values() for figures in of_worker]

    def tasks_in_step(self) -> list[tuple[TaskId, float]]:
        """Return for each worker the task that is in a step now, with the seconds since it began."""
        pool = self._pool
        found = [] if pool is None else [task_in_step(worker.window) for worker in pool.workers]
        return [task for task in found if task is not None]

    # ------------------------------------------------------------------------------------------------ commands

    def _deploy(self, command: c.DeployTasks) -> None:
        sys.stdout.flush()  # what the script printed comes before what the workers will
        lock = None if self._start is None else self._start.directory.lock
        self._deploying = set(range(self._count))
        self._deployment = command
        self._figures_of.clear()
        try:
            self._pool = self._spawn(lock)
            self._pool.send_all(
                p.Deploy(
                    main_classes=self._main_classes,
                    graph=self._payload,
                    options=replace(self._options, observers=()),
                    attempt=command.attempt,
                    restore=self._restore_of(command),
                    checkpoints=self._checkpoint_access(),
                    figures_interval=_LIVE_INTERVAL if self._options.observers else _FIGURES_INTERVAL,
                )
            )
        except Exception as error:
            self._event(c.DeployFailed(command.attempt, error))

    def _spawn(self, lock: int | None) -> WorkerPool:
        """Spawn workers whose messages come through the mailbox, as long as they are the present ones."""
        attempt = self.master.attempt

        def post(action: Callable[..., None], *arguments: Any) -> None:
            def act() -> None:
                if self._pool is not None and self.master.attempt == attempt:
                    action(*arguments)

            self._mailbox.put(act)

        def take_message(worker: int, message: Any) -> None:
            if isinstance(message, p.CloseFailed):
                # Not through the mailbox: the loop waits for the workers' end when this comes.
                self._close_failures.append(restore_error(message.error))
            else:
                post(self._take_message, worker, message)

        grace = value_of(self._options.configuration, catalog.TASK_CANCELLATION_TIMEOUT) / 1000
        return WorkerPool(self._count, lock, launch.current().verbose, grace, take_message, partial(post, self._lost))

    def _trigger_sources(self, command: c.TriggerCheckpoint) -> None:
        if self._pool is not None:
            self._pool.send_all(p.TriggerCheckpoint(command.checkpoint_id, command.suspend))

    def _end_input(self, command: c.EndInput) -> None:
        if self._pool is not None:
            self._pool.send_all(p.EndInput())

    def _notify_complete(self, command: c.NotifyCheckpointComplete) -> None:
        if self._pool is None:
            return
        operators = command.manifest.operators
        for worker in self._pool.workers:
            splits = {
                task: operators[self._source_uids[task.vertex_id]].subtasks[task.subtask].splits
                for task in self._source_tasks
                if p.worker_of(task.subtask, self._count) == worker.number
            }
            if splits:
                worker.send(p.NotifyComplete(splits))

    def _close_tasks(self, failing: bool) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close(failing)
            if not failing and self._close_failures:
                self._close_failure = self._close_failures[0]

    # ------------------------------------------------------------------------------------------------- messages

    def _take_message(self, worker: int, message: Any) -> None:
        if isinstance(message, p.Reported):
            self._take_report(message.report)
        elif isinstance(message, p.Figures):
            self._figures_of[worker] = list(message.tasks)
        elif isinstance(message, p.LogLine):
            _show(message.fields)
        elif isinstance(message, p.Deployed):
            self._deployed(worker)
        elif isinstance(message, p.Failed):
            self._event(TaskFailed(message.attempt, message.task, restore_error(message.error)))
        elif isinstance(message, p.Declined):
            error = restore_error(message.error)
            self._event(CheckpointDeclined(message.attempt, message.task, message.checkpoint_id, error))
        elif isinstance(message, p.DeployFailed):
            self._event(c.DeployFailed(self.master.attempt, restore_error(message.error)))

    def _deployed(self, worker: int) -> None:
        """Once all tasks run, sources begin to read."""
        self._deploying.discard(worker)
        command, pool = self._deployment, self._pool
        if self._deploying or command is None or pool is None:
            return
        self._deployment = None
        readers = {
            (task.vertex_id, task.subtask): _RemoteReader(task, pool, self._count) for task in self._source_tasks
        }
        try:
            self._coordinate_sources(readers, command.restore)
        except Exception as error:
            self._event(c.DeployFailed(command.attempt, error))
            return
        self._event(c.TasksDeployed(command.attempt))

    def _lost(self, number: int) -> None:
        assert self._pool is not None
        worker = self._pool.workers[number]
        error = WorkerLostError(
            f"Worker {number + 1} of {self._count} (pid {worker.process.pid}) {worker.how_it_ended()}."
        )
        self._event(c.JobFailed(error))


@dataclass(frozen=True, slots=True)
class _RemoteReader:
    """A source task in a worker."""

    task: TaskId
    pool: WorkerPool
    workers: int

    def add_splits(self, splits: list[SourceSplit], no_more: bool) -> None:
        """Send splits to it."""
        worker = self.pool.workers[p.worker_of(self.task.subtask, self.workers)]
        worker.send(p.AddSplits(self.task, splits, no_more))

    def limit_watermark(self, max_watermark: int) -> None:
        """Tell it how far its splits may go."""
        worker = self.pool.workers[p.worker_of(self.task.subtask, self.workers)]
        worker.send(p.LimitWatermark(self.task, max_watermark))


def _is_source(vertex: Any) -> bool:
    return isinstance(vertex.operators[0].spec, SourceSpec)


def _pickled(graph: JobGraph) -> bytes:
    try:
        return pickle_value(graph)
    except Exception as error:
        raise ConfigurationError(
            f"This job cannot run in worker processes, because a part of it cannot be pickled: {error}. "
            f"Leave --workers out to run it in this process; execute_and_collect() always needs that."
        ) from error


def _show(fields: Mapping[str, Any]) -> None:
    record = logging.makeLogRecord(dict(fields))
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)
