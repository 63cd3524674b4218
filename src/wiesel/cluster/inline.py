"""The inline driver: the whole job on one thread, with I/O threads beside it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from wiesel.cluster.deployment import DeploymentContext, deploy
from wiesel.cluster.driver import JobDriver
from wiesel.cluster.garbage import StateFreezer
from wiesel.cluster.step_timer import TimedTask, new_window, task_in_step
from wiesel.cluster.task_failures import close_all, described
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.options import catalog, value_of
from wiesel.runtime.job_master import commands as c
from wiesel.runtime.reports import TaskFailed, TaskId
from wiesel.runtime.task import Task
from wiesel.runtime.task_figures import TaskFigures

_log = logging.getLogger("wiesel.cluster")


class InlineDriver(JobDriver):
    """Steps all tasks on the calling thread, so that a debugger works in the user's functions.

    Args:
        arguments: see ``JobDriver``.
    """

    def __init__(self, *arguments: Any) -> None:
        self._tasks: dict[TaskId, Task] = {}
        self._timed: list[TimedTask] = []
        self._window = new_window()
        super().__init__(*arguments)
        self._freezer = StateFreezer(value_of(self._options.configuration, catalog.FREEZE_STATE))

    def _step_tasks(self) -> bool:
        worked, window = False, self._window
        for timed in self._timed:  # downstream first, so that queues stay short
            try:
                worked = timed.step(window) or worked
            except Exception as error:
                self._fail_task(timed.task_id, timed.task, error)
                return True
        return worked

    def tasks_in_step(self) -> list[tuple[TaskId, float]]:
        """Return the task that is in a step now, with the seconds since it began."""
        found = task_in_step(self._window)
        return [] if found is None else [found]

    def _fail_task(self, task_id: TaskId, task: Task, error: BaseException) -> None:
        self._event(TaskFailed(self.master.attempt, task_id, described(task_id, task, error)))

    def _tasks_due(self) -> Iterable[float]:
        return [task.next_due() for task in self._tasks.values()]

    def figures(self) -> list[TaskFigures]:
        """Return the counters of the tasks."""
        return [timed.figures() for timed in self._timed]

    def _deploy(self, command: c.DeployTasks) -> None:
        context = DeploymentContext(
            self._options,
            self._checkpoint_access(),
            self._clock,
            self.wake,
            self._report,
            self._disk,
            TaskMetricGroup(),
        )
        try:
            self._tasks = deploy(self._graph, command.attempt, self._restore_of(command), context)
            self._timed = [TimedTask(task_id, task) for task_id, task in self._tasks.items()]
            sources = {(t.vertex_id, t.subtask): task for t, task in self._tasks.items() if task.source is not None}
            self._coordinate_sources(sources, command.restore)
        except Exception as error:
            self._event(c.DeployFailed(command.attempt, error))
            return
        self._freezer.at_start(again=command.attempt > 0)
        self._event(c.TasksDeployed(command.attempt))

    def _trigger_sources(self, command: c.TriggerCheckpoint) -> None:
        self._freezer.at_checkpoint()
        for task in self._tasks.values():
            if task.source is not None:
                task.trigger_checkpoint(command.checkpoint_id, command.suspend)

    def _end_input(self, command: c.EndInput) -> None:
        for task in self._tasks.values():
            task.end_input()

    def _notify_complete(self, command: c.NotifyCheckpointComplete) -> None:
        for task_id, task in self._tasks.items():
            if task.source is not None:
                uid = task.chain.vertex.operators[0].uid
                part = command.manifest.operators[uid].subtasks[task_id.subtask]
                task.notify_checkpoint_complete(list(part.splits))

    def _close_tasks(self, failing: bool) -> None:
        self._freezer.close()
        tasks, self._tasks = self._tasks, {}
        self._timed = []
        for failure in close_all(tasks, _log, failing):
            self._close_failure = failure
