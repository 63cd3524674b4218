"""The JobMaster on its own: events in, commands out, a number for the time."""

from collections.abc import Sequence
from typing import Any

import pytest

from wiesel.core.contracts import Committable
from wiesel.core.errors import CheckpointCorruptError, CheckpointError, JobDirectoryLostError
from wiesel.runtime.checkpoint.manifest import CheckpointManifest
from wiesel.runtime.job_master import commands as c
from wiesel.runtime.job_master.commands import JobState
from wiesel.runtime.job_master.coordinator import CheckpointSettings
from wiesel.runtime.job_master.facts import JobFacts, OperatorFacts
from wiesel.runtime.job_master.master import JobMaster
from wiesel.runtime.job_master.restart import FixedDelay, NoRestart, RestartStrategy
from wiesel.runtime.reports import (
    CheckpointAcknowledged,
    CheckpointDeclined,
    InputEnded,
    OperatorSnapshot,
    TaskFailed,
    TaskId,
)

SOURCE, SINK = TaskId(1, 0), TaskId(2, 0)
TASKS = [SOURCE, SINK]
OPERATORS = [OperatorFacts("source", "Source", 1, 1, 128), OperatorFacts("sink", "Sink", 2, 1, 128)]


def job_master(
    strategy: RestartStrategy | None = None,
    *,
    restore: CheckpointManifest | None = None,
    pending: Sequence[Committable] = (),
    has_storage: bool = True,
    **settings: Any,
) -> JobMaster:
    return JobMaster(
        JobFacts(TASKS, OPERATORS, "lineage", has_storage),
        CheckpointSettings(**{"interval_ms": 100, **settings}),
        strategy or FixedDelay(10, 50),
        restore,
        pending,
        next_checkpoint_id=1 if restore is None else restore.checkpoint_id + 1,
    )


def running(*args: Any, **settings: Any) -> JobMaster:
    master = job_master(*args, **settings)
    master.start()
    master.handle(c.CommittersRecovered({}), 0)
    master.handle(c.TasksDeployed(0), 0)
    return master


def output(name: str) -> Committable:
    return Committable("sink", {"name": name})


def acknowledge(master: JobMaster, number: int, now_ms: int, *committables: Committable) -> list[c.Command]:
    commands = master.handle(
        CheckpointAcknowledged(master.attempt, SOURCE, number, {"source": OperatorSnapshot()}), now_ms
    )
    part = OperatorSnapshot(committables=committables)
    return commands + master.handle(CheckpointAcknowledged(master.attempt, SINK, number, {"sink": part}), now_ms)


def only(commands: list[c.Command], kind: type[Any]) -> Any:
    found = [command for command in commands if isinstance(command, kind)]
    assert len(found) == 1, commands
    return found[0]


def kinds(commands: list[c.Command]) -> list[type[Any]]:
    return [type(command) for command in commands]


def test_sinks_are_settled_before_any_task_is_deployed() -> None:
    restore = CheckpointManifest(7, "lineage", 0, committers={"sink": 3})
    master = job_master(restore=restore, pending=[output("a")])
    assert master.start() == [c.RecoverCommitters([output("a")], {"sink": 3})]
    assert master.handle(c.CommittersRecovered({"sink": 4}), 0) == [c.DeployTasks(0, restore)]


def test_a_checkpoint_is_triggered_at_its_interval_and_not_before() -> None:
    master = running()
    assert master.next_due_ms() == 100
    assert master.tick(99) == []
    assert master.tick(100) == [c.TriggerCheckpoint(1, suspend=False)]
    assert master.tick(150) == []


def test_output_is_committed_only_when_its_checkpoint_exists() -> None:
    master = running()
    master.tick(100)
    assert kinds(acknowledge(master, 1, 110, output("a"))) == [c.PublishCheckpoint]
    commands = master.handle(c.CheckpointPublished(1), 120)
    assert only(commands, c.Commit) == c.Commit(1, [output("a")])
    assert only(commands, c.NotifyCheckpointComplete).manifest is master.latest


def test_the_output_of_a_checkpoint_is_committed_once_although_the_next_one_listed_it_as_pending() -> None:
    master = running()
    master.tick(100)
    acknowledge(master, 1, 110, output("a"))
    master.handle(c.CheckpointPublished(1), 120)
    master.tick(200)
    manifest = only(acknowledge(master, 2, 210, output("b")), c.PublishCheckpoint).manifest
    assert manifest.pending == [output("a"), output("b")]
    master.handle(c.Committed(1, {"sink": 1}), 215)
    commands = master.handle(c.CheckpointPublished(2), 220)
    assert only(commands, c.Commit) == c.Commit(2, [output("b")])


def test_no_checkpoint_is_triggered_while_two_wait_for_their_output() -> None:
    master = running()
    for number in (1, 2):
        master.tick(100 * number)
        acknowledge(master, number, 100 * number, output(f"{number}"))
        master.handle(c.CheckpointPublished(number), 100 * number)
    assert master.tick(500) == []
    assert master.next_due_ms() is None, "only a confirmation helps, so the driver must not spin"
    assert master.handle(c.Committed(1, {}), 510) == [c.TriggerCheckpoint(3, suspend=False)]


def test_the_driver_need_not_look_again_while_a_checkpoint_is_being_published() -> None:
    master = running()
    master.tick(100)
    acknowledge(master, 1, 110)
    assert master.next_due_ms() is None
    master.handle(TaskFailed(0, SINK, ValueError()), 120)
    assert master.next_due_ms() is None, "the restart waits for the checkpoint, not for its delay"


def test_the_pause_between_checkpoints_begins_when_the_earlier_one_is_complete() -> None:
    master = running(min_pause_ms=80)
    master.tick(100)
    acknowledge(master, 1, 190)
    master.handle(c.CheckpointPublished(1), 190)
    assert master.tick(269) == []
    assert master.tick(270) == [c.TriggerCheckpoint(2, suspend=False)]


def test_a_checkpoint_that_runs_into_its_timeout_is_discarded_and_fails_the_job_when_none_is_tolerated() -> None:
    master = running(NoRestart(), timeout_ms=1000)
    master.tick(100)
    assert master.next_due_ms() == 1100
    commands = master.tick(1100)
    assert kinds(commands) == [c.DiscardCheckpoint, c.CancelTasks, c.Terminate]
    assert "did not complete within its timeout of 1000 ms" in str(only(commands, c.Terminate).error)


def test_a_tolerated_failure_lets_the_job_go_on_and_its_output_joins_the_next_checkpoint() -> None:
    master = running(tolerable_failures=1)
    master.tick(100)
    master.handle(CheckpointAcknowledged(0, SINK, 1, {"sink": OperatorSnapshot(committables=[output("a")])}), 105)
    assert kinds(master.handle(CheckpointDeclined(0, SOURCE, 1, OSError("full")), 110)) == [c.DiscardCheckpoint]
    assert master.state is JobState.RUNNING
    master.tick(200)
    manifest = only(acknowledge(master, 2, 210, output("b")), c.PublishCheckpoint).manifest
    assert manifest.pending == [output("a"), output("b")]


def test_a_checkpoint_that_no_later_one_can_replace_fails_the_job_however_many_are_tolerated() -> None:
    master = running(tolerable_failures=100)
    master.tick(100)
    acknowledge(master, 1, 110, output("a"))
    commands = master.handle(c.CheckpointPublishFailed(1, JobDirectoryLostError("gone")), 120)
    assert kinds(commands) == [c.DiscardCheckpoint, c.CancelTasks, c.Terminate]
    assert "gone" in str(only(commands, c.Terminate).error)


def test_the_part_of_a_task_that_comes_after_its_checkpoint_was_given_up_joins_the_next_one() -> None:
    master = running(tolerable_failures=1)
    master.tick(100)
    master.handle(CheckpointDeclined(0, SOURCE, 1, OSError("full")), 110)
    master.handle(CheckpointAcknowledged(0, SINK, 1, {"sink": OperatorSnapshot(committables=[output("a")])}), 120)
    master.tick(200)
    assert only(acknowledge(master, 2, 210), c.PublishCheckpoint).manifest.pending == [output("a")]


def test_output_of_a_checkpoint_that_could_not_be_published_joins_the_next_one() -> None:
    master = running(tolerable_failures=1)
    master.tick(100)
    acknowledge(master, 1, 110, output("a"))
    commands = master.handle(c.CheckpointPublishFailed(1, OSError("full")), 120)
    assert only(commands, c.DiscardCheckpoint).checkpoint_id == 1
    master.tick(220)
    assert only(acknowledge(master, 2, 230), c.PublishCheckpoint).manifest.pending == [output("a")]


def test_tasks_come_back_only_when_nothing_is_left_of_a_checkpoint_that_was_published_half_way() -> None:
    """They remove the output behind the one they go on from, which that one lists and a start may find."""
    master = running(FixedDelay(2, 50))
    master.tick(100)
    acknowledge(master, 1, 110, output("a"))
    assert kinds(master.handle(c.CheckpointPublishFailed(1, OSError("full")), 120)) == [
        c.DiscardCheckpoint,
        c.CancelTasks,
    ]
    assert master.tick(500) == []
    assert master.next_due_ms() is None, "only an answer helps"
    assert master.handle(c.CheckpointDiscarded(1, OSError("full")), 500) == []
    assert master.next_due_ms() == 550
    assert master.tick(550) == [c.DiscardCheckpoint(1)]
    assert master.handle(c.CheckpointDiscarded(1, None), 560) == []
    assert kinds(master.tick(560)) == [c.DeployTasks]


def test_a_job_whose_half_published_checkpoint_cannot_be_removed_restarts_no_more_often_than_the_strategy_says() -> (
    None
):
    master = running(FixedDelay(1, 50))
    master.tick(100)
    acknowledge(master, 1, 110, output("a"))
    master.handle(c.CheckpointPublishFailed(1, OSError("full")), 120)
    master.handle(c.CheckpointDiscarded(1, OSError("full")), 130)
    assert master.tick(170) == [c.DiscardCheckpoint(1)]
    ended = only(
        master.handle(c.CheckpointDiscarded(1, OSError(28, "No space left", "/jobs/_store")), 180), c.Terminate
    )
    assert ended.state is JobState.FAILED
    assert "No space left" in str(ended.error)
    assert "/jobs/_store" in str(ended.error)


def test_a_half_published_checkpoint_that_could_not_be_removed_is_removed_behind_the_next_one() -> None:
    master = running(tolerable_failures=1)
    master.tick(100)
    acknowledge(master, 1, 110)
    master.handle(c.CheckpointPublishFailed(1, OSError("full")), 120)
    master.handle(c.CheckpointDiscarded(1, OSError("full")), 130)
    master.tick(220)
    acknowledge(master, 2, 230)
    assert only(master.handle(c.CheckpointPublished(2), 240), c.DiscardCheckpoint).checkpoint_id == 1


def test_failures_are_tolerated_in_a_row_only() -> None:
    master = running(NoRestart(), tolerable_failures=1)
    for number, now in ((1, 100), (3, 300)):
        master.tick(now)
        master.handle(CheckpointDeclined(0, SOURCE, number, OSError()), now)
        assert master.state is JobState.RUNNING
        master.tick(now + 100)
        acknowledge(master, number + 1, now + 100)
        master.handle(c.CheckpointPublished(number + 1), now + 100)


def test_a_failed_task_restarts_the_job_from_the_newest_checkpoint_after_the_delay() -> None:
    master = running()
    master.tick(100)
    acknowledge(master, 1, 110)
    master.handle(c.CheckpointPublished(1), 120)
    assert kinds(master.handle(TaskFailed(0, SINK, ValueError("x")), 130)) == [c.CancelTasks]
    assert master.state is JobState.RESTARTING
    assert master.next_due_ms() == 180
    assert master.tick(179) == []
    assert master.tick(180) == [c.DeployTasks(1, master.latest)]
    assert master.latest is not None
    assert master.latest.checkpoint_id == 1


def test_a_restart_waits_until_it_is_known_whether_the_checkpoint_being_published_exists() -> None:
    master = running()
    master.tick(100)
    acknowledge(master, 1, 110, output("a"))
    master.handle(TaskFailed(0, SINK, ValueError("x")), 120)
    assert master.tick(1000) == []
    commands = master.handle(c.CheckpointPublished(1), 1010)
    assert only(commands, c.Commit).committables == [output("a")]
    assert only(master.tick(1011), c.DeployTasks).restore.checkpoint_id == 1


def test_reports_of_an_earlier_attempt_are_dropped() -> None:
    master = running()
    master.handle(TaskFailed(0, SINK, ValueError("x")), 10)
    master.tick(60)
    master.handle(c.TasksDeployed(1), 60)
    master.handle(TaskFailed(0, SOURCE, ValueError("late")), 61)
    master.handle(InputEnded(0, SOURCE), 61)
    master.handle(InputEnded(0, SINK), 61)
    master.handle(c.DeployFailed(0, ValueError("late")), 61)
    assert master.state is JobState.RUNNING
    assert master.tick(62) == []


def test_an_error_that_no_retry_can_mend_fails_the_job() -> None:
    master = running()
    error = CheckpointCorruptError("damaged")
    commands = master.handle(TaskFailed(0, SINK, error), 10)
    assert kinds(commands) == [c.CancelTasks, c.Terminate]
    assert only(commands, c.Terminate) == c.Terminate(JobState.FAILED, error)


def test_a_failing_job_ends_only_when_everything_decided_is_delivered() -> None:
    master = running(NoRestart())
    master.tick(100)
    acknowledge(master, 1, 110, output("a"))
    master.handle(c.CheckpointPublished(1), 120)
    assert kinds(master.handle(TaskFailed(0, SINK, ValueError("x")), 130)) == [c.CancelTasks]
    assert master.state is JobState.FAILING
    assert only(master.handle(c.Committed(1, {}), 140), c.Terminate).state is JobState.FAILED


def test_the_end_of_all_input_takes_one_last_checkpoint_and_finishes_when_its_output_is_delivered() -> None:
    master = running(interval_ms=None)
    assert master.handle(InputEnded(0, SOURCE), 10) == []
    assert master.handle(InputEnded(0, SINK), 20) == [c.TriggerCheckpoint(1, suspend=True)]
    acknowledge(master, 1, 30, output("a"))
    assert c.Terminate not in kinds(master.handle(c.CheckpointPublished(1), 40))
    commands = master.handle(c.Committed(1, {}), 50)
    assert kinds(commands) == [c.CancelTasks, c.Terminate]
    assert only(commands, c.Terminate).state is JobState.FINISHED
    assert not master.stopped_early


def test_a_failure_behind_the_last_checkpoint_changes_nothing() -> None:
    master = running(NoRestart())
    master.handle(InputEnded(0, SOURCE), 10)
    master.handle(InputEnded(0, SINK), 10)
    acknowledge(master, 1, 20, output("a"))
    master.handle(c.CheckpointPublished(1), 30)
    assert master.handle(TaskFailed(0, SINK, ValueError("x")), 40) == []
    assert only(master.handle(c.Committed(1, {}), 50), c.Terminate).state is JobState.FINISHED


def test_without_storage_the_last_barrier_only_flushes() -> None:
    master = running(NoRestart(), interval_ms=None, has_storage=False)
    master.handle(InputEnded(0, SOURCE), 10)
    master.handle(InputEnded(0, SINK), 10)
    assert kinds(acknowledge(master, 1, 20)) == [c.CancelTasks, c.Terminate]


def test_a_stop_takes_a_final_checkpoint_behind_the_one_under_way() -> None:
    master = running()
    master.tick(100)
    assert master.handle(c.StopRequested(), 105) == []
    acknowledge(master, 1, 110)
    commands = master.handle(c.CheckpointPublished(1), 120)
    assert only(commands, c.TriggerCheckpoint) == c.TriggerCheckpoint(2, suspend=True)
    acknowledge(master, 2, 130)
    assert only(master.handle(c.CheckpointPublished(2), 140), c.Terminate).state is JobState.FINISHED
    assert master.stopped_early


def test_a_stop_while_restarting_ends_at_the_checkpoint_there_is() -> None:
    master = running()
    master.handle(TaskFailed(0, SINK, ValueError("x")), 10)
    assert only(master.handle(c.StopRequested(), 20), c.Terminate).state is JobState.FINISHED


def test_a_stop_while_restarting_waits_for_the_checkpoint_being_published_and_its_output() -> None:
    master = running()
    master.tick(100)
    acknowledge(master, 1, 110, output("a"))
    master.handle(TaskFailed(0, SINK, ValueError("x")), 120)
    assert master.handle(c.StopRequested(), 130) == []
    assert only(master.handle(c.CheckpointPublished(1), 140), c.Commit).committables == [output("a")]
    assert only(master.handle(c.Committed(1, {}), 150), c.Terminate).state is JobState.FINISHED


def test_a_stop_before_the_sinks_are_settled_ends_when_they_are() -> None:
    master = job_master(pending=[output("a")])
    master.start()
    assert master.handle(c.StopRequested(), 0) == []
    assert only(master.handle(c.CommittersRecovered({}), 10), c.Terminate).state is JobState.FINISHED


def test_a_failure_while_stopping_fails_the_job_instead_of_restarting_it() -> None:
    master = running()
    master.handle(c.StopRequested(), 10)
    assert only(master.handle(TaskFailed(0, SINK, ValueError("x")), 20), c.Terminate).state is JobState.FAILED


def test_a_cancel_ends_the_job_at_once_but_for_what_is_decided() -> None:
    master = running()
    master.tick(100)
    acknowledge(master, 1, 110, output("a"))
    master.handle(c.CheckpointPublished(1), 120)
    assert kinds(master.handle(c.CancelRequested(), 130)) == [c.CancelTasks]
    assert only(master.handle(c.Committed(1, {}), 140), c.Terminate).state is JobState.CANCELED


def test_tasks_that_come_up_after_the_job_was_cancelled_do_not_revive_it() -> None:
    master = job_master()
    master.start()
    master.handle(c.CommittersRecovered({}), 0)
    assert only(master.handle(c.CancelRequested(), 1), c.Terminate).state is JobState.CANCELED
    assert master.handle(c.TasksDeployed(0), 2) == []
    assert master.state is JobState.CANCELED


@pytest.mark.parametrize("event", [c.CommitFailed(1, CheckpointError("x")), c.CommittersFailed(CheckpointError("x"))])
def test_a_committer_that_gives_up_ends_the_job_for_good(event: c.MasterEvent) -> None:
    master = running()
    commands = master.handle(event, 10)
    assert kinds(commands) == [c.CancelTasks, c.Terminate]
    assert only(commands, c.Terminate).state is JobState.FAILED


def test_as_many_checkpoints_are_kept_as_configured() -> None:
    master = running(retained=2)
    kept: list[int] = []
    for number in (1, 2, 3):
        master.tick(100 * number)
        acknowledge(master, number, 100 * number)
        retain = only(master.handle(c.CheckpointPublished(number), 100 * number), c.RetainCheckpoints)
        kept = [manifest.checkpoint_id for manifest in retain.manifests]
    assert kept == [2, 3]


def test_a_checkpoint_holds_the_enumerators_as_of_its_trigger() -> None:
    master = running()
    master.tick(100)
    master.enumerators_at_barrier({"source": {"given": True}})
    manifest = only(acknowledge(master, 1, 110), c.PublishCheckpoint).manifest
    assert manifest.operators["source"].enumerator == {"given": True}
    assert manifest.operators["sink"].enumerator is None


def test_a_batch_that_sorts_takes_no_savepoint_and_stops_without_a_checkpoint() -> None:
    master = running(interval_ms=None, only_final=True)
    (declined,) = master.handle(c.SavepointRequested(1, stop=False, drain=False), 10)
    assert isinstance(declined, c.DeclineSavepoint)
    assert "sorted-inputs.enabled=false" in str(declined.error)
    commands = master.handle(c.StopRequested(), 20)
    assert not any(isinstance(command, c.TriggerCheckpoint) for command in commands)
    assert master.state is JobState.CANCELED


def test_a_batch_that_sorts_has_a_checkpoint_behind_all_input() -> None:
    master = running(interval_ms=None, only_final=True)
    master.handle(InputEnded(0, SOURCE), 10)
    assert c.TriggerCheckpoint(1, suspend=True) in master.handle(InputEnded(0, SINK), 20)
