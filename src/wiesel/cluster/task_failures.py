"""What failed in a task, in the words that the user sees, and tasks closed; the same in one process and in a worker."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from wiesel.core.errors import JobExecutionError
from wiesel.runtime.failures import describe
from wiesel.runtime.reports import TaskId
from wiesel.runtime.task import Task


def described(task_id: TaskId, task: Task, error: BaseException) -> JobExecutionError:
    """Return the error that fails the job, naming operator, subtask, record and place."""
    vertex = task.chain.vertex
    return describe(
        error,
        task_name=vertex.name,
        subtask=task_id.subtask,
        parallelism=vertex.parallelism,
        operator_of=task.chain.operator_of,
        locate=task.locate,
    )


def close_all(tasks: Mapping[TaskId, Task], log: logging.Logger, failing: bool) -> Iterator[JobExecutionError]:
    """Close all tasks, whatever one of them raises; yield what fails the job, nothing if it is failing already."""
    for task_id, task in tasks.items():
        try:
            task.close()
        except Exception as error:
            failure = described(task_id, task, error)
            log.log(logging.DEBUG if failing else logging.WARNING, "Closing a task failed: %s", failure)
            if not failing:
                yield failure
