"""Times the steps of a loop's tasks, and shows from outside which task is in one: a function may never return.

Costs two looks at the clock a step, nothing a record. A task whose records take long is given fewer of them a step, so
that what else there is (a stop, a barrier, the other tasks of the thread) need not wait for hundreds of them.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Final

from wiesel.runtime.reports import TaskId
from wiesel.runtime.task import STEP_RECORDS, Task
from wiesel.runtime.task_figures import TaskFigures, figures_of

#: Bytes that a window needs: which task is in a step, and since when.
WINDOW_BYTES: Final = 16
_SUBTASK_BITS: Final = 20
#: Records in a task's first step: nobody knows yet how long they take, or how large they are.
FIRST_STEP_RECORDS: Final = 32
#: Nanoseconds: a longer step makes the next ones shorter, to come to the second; after a shorter one than the third
#: they grow again.
_LONG_STEP: Final = 100_000_000
_WANTED_STEP: Final = 50_000_000
_SHORT_STEP: Final = 20_000_000


class TimedTask:
    """A task and where its time went: steps that did something are busy, waiting for room is back-pressure.

    The rest is idle, the steps of the other tasks of its thread included.
    """

    __slots__ = ("_back_pressured_ns", "_busy_ns", "_ended_ns", "_number", "_was_back_pressured", "task", "task_id")

    def __init__(self, task_id: TaskId, task: Task) -> None:
        self.task_id = task_id
        self.task = task
        self._number = (task_id.vertex_id << _SUBTASK_BITS | task_id.subtask) + 1
        self._busy_ns = 0
        self._back_pressured_ns = 0
        self._ended_ns = monotonic_ns()
        self._was_back_pressured = False
        task.step_records = FIRST_STEP_RECORDS

    def step(self, window: memoryview) -> bool:
        """Step the task; return whether there was anything to do."""
        began = monotonic_ns()
        window[1] = began
        window[0] = self._number
        try:
            worked = self.task.step()
        finally:
            window[0] = 0
        ended = monotonic_ns()
        if worked:
            took = ended - began
            self._busy_ns += took
            if took > _LONG_STEP or (took < _SHORT_STEP and self.task.step_records < STEP_RECORDS):
                self.task.step_records = next_step_records(self.task.step_records, took)
        if self._was_back_pressured:
            self._back_pressured_ns += began - self._ended_ns
        self._was_back_pressured = self.task.is_back_pressured
        self._ended_ns = ended
        return worked

    def figures(self) -> TaskFigures:
        """Read the task's counters."""
        waiting = monotonic_ns() - self._ended_ns if self._was_back_pressured else 0
        return figures_of(self.task_id, self.task, self._busy_ns, self._back_pressured_ns + waiting)


def next_step_records(records: int, took: int) -> int:
    """Return how many records a step may have after one of ``records`` that took so many nanoseconds."""
    if took > _LONG_STEP:
        return max(1, records * _WANTED_STEP // took)
    return min(STEP_RECORDS, 2 * records) if took < _SHORT_STEP else records


def new_window(memory: bytearray | memoryview | None = None) -> memoryview:
    """Return what ``TimedTask.step`` writes and ``task_in_step`` reads, over memory that processes may share."""
    return memoryview(bytearray(WINDOW_BYTES) if memory is None else memory).cast("q")


def task_in_step(window: memoryview) -> tuple[TaskId, float] | None:
    """Return which task is in a step and for how many seconds; from any thread, in any process of the machine."""
    number, began = window[0], window[1]
    if number == 0:
        return None
    vertex_id, subtask = divmod(number - 1, 1 << _SUBTASK_BITS)
    return TaskId(vertex_id, subtask), max(0, monotonic_ns() - began) / 1e9
