"""What is made of counters: rates, where time goes, which task is in a step; and what a job remembers of itself."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.unit.rest.views import figures
from wiesel.cluster.meters import Meters
from wiesel.cluster.step_timer import FIRST_STEP_RECORDS, TimedTask, new_window, next_step_records, task_in_step
from wiesel.cluster.workers import shared_memory
from wiesel.rest.job_view import Rates
from wiesel.runtime.reports import TaskId
from wiesel.runtime.task import STEP_RECORDS

TASK = TaskId(1, 0)
SECOND = 1_000_000_000


def counted(records: int, busy: float = 0, waited: float = 0) -> Any:
    return figures(
        TASK,
        records_in=records,
        records_out=records // 2,
        bytes_in=10 * records,
        bytes_out=20 * records,
        busy_ns=int(busy * SECOND),
        back_pressured_ns=int(waited * SECOND),
    )


def test_records_a_second_are_those_of_the_last_minute() -> None:
    meters = Meters()
    for second in range(0, 205, 5):
        meters.look(float(second), 0, [counted(100 * second)])
    rates = meters.rates(202.0, counted(20_200))
    assert (rates.records_in, rates.records_out) == (100, 50)
    assert (rates.bytes_in, rates.bytes_out) == (1000, 2000)
    silent = meters.rates(260.0, counted(20_000))
    assert silent.records_in == 0, "everything was read more than a minute ago"


def test_before_a_minute_is_over_they_are_those_since_the_start() -> None:
    meters = Meters()
    meters.look(10.0, 0, [counted(0)])
    assert meters.rates(12.0, counted(500)).records_in == 250
    assert meters.rates(10.0, counted(0)) == Rates()
    assert Meters().rates(10.0, counted(500)) == Rates()


def test_a_second_is_divided_into_busy_waiting_and_idle_by_the_last_seconds() -> None:
    meters = Meters()
    meters.look(0.0, 0, [counted(0)])
    meters.look(5.0, 0, [counted(0, busy=5.0)])
    meters.look(10.0, 0, [counted(0, busy=5.0)])
    rates = meters.rates(10.0, counted(0, busy=6.0, waited=2.0))
    assert (rates.busy_ms, rates.back_pressured_ms, rates.idle_ms) == (200, 400, 400)


def test_counters_of_another_attempt_begin_anew() -> None:
    meters = Meters()
    meters.look(0.0, 0, [counted(1_000_000)])
    meters.look(10.0, 1, [counted(0)])
    assert meters.rates(12.0, counted(20)).records_in == 10


class Steps:
    """A task whose steps a test can look into."""

    def __init__(self, window: memoryview) -> None:
        self.window = window
        self.seen: list[Any] = []
        self.is_back_pressured = False
        self.worked = True

    def step(self) -> bool:
        self.seen.append(task_in_step(self.window))
        if self.worked is None:
            raise ValueError("in the user's code")
        return self.worked


def test_the_task_in_a_step_is_seen_while_it_is_in_it_and_not_after_it() -> None:
    window = new_window()
    steps: Any = Steps(window)
    timed = TimedTask(TaskId(7, 3), steps)
    assert timed.step(window)
    (task, seconds) = steps.seen[0]
    assert (task, seconds < 60) == (TaskId(7, 3), True)
    assert task_in_step(window) is None
    steps.worked = None
    with pytest.raises(ValueError, match="in the user's code"):
        timed.step(window)
    assert task_in_step(window) is None, "a step that raised is over"


def test_steps_become_short_when_records_take_long_and_grow_again() -> None:
    milliseconds = 1_000_000
    assert next_step_records(512, 5120 * milliseconds) == 5, "10 ms a record: 50 ms a step"
    assert next_step_records(1, 5000 * milliseconds) == 1
    assert next_step_records(100, 50 * milliseconds) == 100
    assert next_step_records(32, 1 * milliseconds) == 64
    assert next_step_records(400, 1 * milliseconds) == STEP_RECORDS


def test_a_task_begins_with_a_short_step_and_is_given_more_when_that_was_quick() -> None:
    window = new_window()
    steps: Any = Steps(window)
    timed = TimedTask(TaskId(0, 0), steps)
    assert steps.step_records == FIRST_STEP_RECORDS
    while steps.step_records < STEP_RECORDS:
        timed.step(window)


def test_shared_memory_shows_the_step_in_another_mapping_of_it() -> None:
    fd = shared_memory.create()
    ours, theirs = new_window(shared_memory.attach(fd)), new_window(shared_memory.attach(fd))
    os.close(fd)
    steps: Any = Steps(ours)
    TimedTask(TaskId(0, 0), steps).step(theirs)
    assert steps.seen[0][0] == TaskId(0, 0)
    assert task_in_step(ours) is None
