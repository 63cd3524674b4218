"""What a job remembers of its checkpoints and failures, told by a real JobMaster's events and commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.rest.views import GRAPH
from wiesel.cluster.history import JobHistory
from wiesel.core.configuration import Configuration
from wiesel.runtime.job_master import commands as c
from wiesel.runtime.job_master.coordinator import CheckpointSettings
from wiesel.runtime.job_master.facts import JobFacts, OperatorFacts
from wiesel.runtime.job_master.master import JobMaster
from wiesel.runtime.job_master.restart import restart_strategy
from wiesel.runtime.reports import CheckpointAcknowledged, InputEnded, OperatorSnapshot, StateFile, TaskFailed, TaskId
from wiesel.testing.clock import ManualClock

TASKS = [TaskId(v.vertex_id, n) for v in GRAPH.vertices for n in range(v.parallelism)]


class Story:
    """A JobMaster and its history on a clock that a test turns."""

    def __init__(self) -> None:
        operators = [
            OperatorFacts(o.uid, o.name, v.vertex_id, v.parallelism, v.max_parallelism) for v, o in GRAPH.operators()
        ]
        configuration = Configuration()
        configuration.set_string("restart-strategy.type", "fixed-delay")
        configuration.set_string("restart-strategy.fixed-delay.delay", "1 s")
        self.clock = ManualClock(1_000_000)
        self.master = JobMaster(
            JobFacts(TASKS, operators, "lineage", True),
            CheckpointSettings(interval_ms=1000, tolerable_failures=5),
            restart_strategy(configuration, True),
        )
        self.history = JobHistory(GRAPH, self.clock, Path("/job"), lambda trigger_id: Path(f"/sp/{trigger_id}"))
        self._note(None, self.master.start)
        self.tell(c.CommittersRecovered({}))
        self.tell(c.TasksDeployed(0))

    def _note(self, event: Any, act: Callable[[], list[Any]]) -> list[Any]:
        commands = act()
        self.history.note(event, commands, self.master)
        return commands

    @property
    def now(self) -> int:
        return int(self.clock.monotonic() * 1000)

    def tell(self, event: Any) -> list[Any]:
        return self._note(event, lambda: self.master.handle(event, self.now))

    def pass_time(self, milliseconds: int) -> list[Any]:
        self.clock.advance(milliseconds)
        return self._note(None, lambda: self.master.tick(self.now))

    def checkpoint(self, checkpoint_id: int, takes: int, size: int) -> None:
        self.pass_time(1000)
        keyed = OperatorSnapshot(keyed=StateFile("0.state", size, ""))
        uid = GRAPH.vertices[-1].operators[0].uid
        self.clock.advance(takes)
        for task in TASKS:
            parts = {uid: keyed} if task.vertex_id == GRAPH.vertices[-1].vertex_id else {}
            self.tell(CheckpointAcknowledged(self.master.attempt, task, checkpoint_id, parts))
        self.tell(c.CheckpointPublished(checkpoint_id))


def test_a_checkpoint_is_under_way_until_it_is_published() -> None:
    story = Story()
    story.pass_time(1000)
    shown = story.history.checkpoints(acknowledged=2)
    (entry,) = shown.history
    assert (entry.status, entry.acknowledged, entry.subtasks) == ("IN_PROGRESS", 2, len(TASKS))
    assert (shown.total, shown.completed) == (1, 0)


def test_a_complete_checkpoint_is_known_by_duration_size_and_path() -> None:
    story = Story()
    story.checkpoint(1, takes=250, size=4096)
    latest = story.history.checkpoints(0).latest_completed
    assert latest is not None
    assert (latest.ended_ms - latest.triggered_ms, latest.state_size) == (250, 4096)
    assert latest.path == Path("/job/chk-1")


def test_only_the_last_ten_are_kept_and_all_are_counted() -> None:
    story = Story()
    for number in range(1, 14):
        story.checkpoint(number, takes=1, size=number)
    shown = story.history.checkpoints(0)
    assert [entry.checkpoint_id for entry in shown.history] == list(range(13, 3, -1))
    assert (shown.total, shown.completed) == (13, 13)


def test_a_checkpoint_that_ran_out_of_time_failed_with_its_reason() -> None:
    story = Story()
    story.pass_time(1000)
    story.pass_time(600_000)
    shown = story.history.checkpoints(0)
    assert shown.failed == 1
    assert shown.latest_failed is not None and shown.latest_failed.failure is not None
    assert "timeout" in shown.latest_failed.failure


def test_a_failure_of_a_task_names_it_and_the_restart_its_checkpoint() -> None:
    story = Story()
    story.checkpoint(1, takes=1, size=1)
    error = ValueError("password=hunter2 is wrong")
    story.tell(TaskFailed(0, TASKS[1], error))
    (failure,) = story.history.exceptions()
    assert (failure.name, failure.task_name) == ("ValueError", f"{GRAPH.vertices[1].name} (1/2)")
    assert "hunter2" not in failure.text
    story.pass_time(1000)
    restored = story.history.checkpoints(0).latest_restored
    assert restored is not None and restored.path == Path("/job/chk-1")
    assert {"INITIALIZING", "RUNNING", "RESTARTING"} <= story.history.timestamps.keys()


def test_a_task_that_has_ended_is_known_until_it_is_deployed_anew() -> None:
    story = Story()
    story.tell(InputEnded(0, TASKS[0]))
    assert story.history.ended_tasks == {TASKS[0]}
    story.tell(TaskFailed(0, TASKS[1], ValueError()))
    story.pass_time(1000)
    assert story.history.ended_tasks == set()


def test_a_savepoint_is_told_apart_from_the_checkpoint_it_is_a_copy_of() -> None:
    story = Story()
    story.tell(c.SavepointRequested(4))
    story.checkpoint(1, takes=1, size=77)
    story.tell(c.SavepointWritten(4))
    shown = story.history.checkpoints(0).latest_savepoint
    assert shown is not None
    assert (shown.path, shown.state_size, shown.is_savepoint) == (Path("/sp/4"), 77, True)


def test_stale_reports_change_nothing() -> None:
    story = Story()
    story.tell(TaskFailed(9, TASKS[0], ValueError("of another attempt")))
    story.tell(InputEnded(9, TASKS[0]))
    assert story.history.ended_tasks == set()
    assert list(story.history.exceptions()) == []
