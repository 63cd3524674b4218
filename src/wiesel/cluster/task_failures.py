"""What failed in a task, in the words that the user sees; the same in one process and in a worker."""

from __future__ import annotations

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
