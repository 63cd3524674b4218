"""Savepoints as the JobMaster decides about them: events in, commands out."""

import pytest

from tests.unit.test_job_master import SINK, SOURCE, acknowledge, job_master, kinds, only, output, running
from wiesel.core.errors import CheckpointError
from wiesel.runtime.job_master import commands as c
from wiesel.runtime.job_master.commands import JobState
from wiesel.runtime.job_master.master import JobMaster
from wiesel.runtime.job_master.restart import NoRestart
from wiesel.runtime.reports import CheckpointDeclined, InputEnded, TaskFailed

PLAIN, STOP, DRAIN = c.SavepointRequested(1), c.SavepointRequested(1, stop=True), c.SavepointRequested(1, True, True)


def publish(master: JobMaster, number: int, now_ms: int, *outputs: str) -> list[c.Command]:
    acknowledge(master, number, now_ms, *map(output, outputs))
    return master.handle(c.CheckpointPublished(number), now_ms)


def ask_and_publish(master: JobMaster, request: c.SavepointRequested, *outputs: str) -> list[c.Command]:
    master.handle(request, 10)
    return publish(master, 1, 20, *outputs)


def test_a_savepoint_does_not_wait_for_the_interval_and_is_a_copy_of_a_checkpoint_like_any_other() -> None:
    master = running()
    assert master.handle(PLAIN, 10) == [c.TriggerCheckpoint(1, suspend=False)]
    commands = publish(master, 1, 20, "a")
    assert only(commands, c.Commit).committables == [output("a")]
    manifest = only(commands, c.WriteSavepoint).manifest
    assert manifest == master.latest
    assert manifest.pending == [output("a")], "it brings along what is not delivered yet"
    master.handle(c.SavepointWritten(1), 30)
    assert master.state is JobState.RUNNING


def test_a_savepoint_waits_for_the_checkpoint_under_way_and_those_that_wait_share_one() -> None:
    master = running()
    master.tick(100)
    assert master.handle(PLAIN, 105) == []
    assert master.handle(c.SavepointRequested(2), 106) == []
    commands = publish(master, 1, 110)
    assert only(commands, c.TriggerCheckpoint).checkpoint_id == 2
    commands = publish(master, 2, 120)
    assert [command.trigger_id for command in commands if isinstance(command, c.WriteSavepoint)] == [1, 2]


def test_a_savepoint_waits_like_a_checkpoint_while_two_wait_for_their_output() -> None:
    master = running()
    for number in (1, 2):
        master.tick(100 * number)
        publish(master, number, 100 * number, f"{number}")
    assert master.handle(PLAIN, 210) == []
    assert master.handle(c.Committed(1, {}), 220) == [c.TriggerCheckpoint(3, suspend=False)]


def test_a_checkpoint_is_kept_until_its_copy_is_made() -> None:
    master = running()
    ask_and_publish(master, PLAIN)
    master.tick(110)
    retain = only(publish(master, 2, 120), c.RetainCheckpoints)
    assert [manifest.checkpoint_id for manifest in retain.manifests] == [1, 2]
    retain = only(master.handle(c.SavepointWritten(1), 130), c.RetainCheckpoints)
    assert [manifest.checkpoint_id for manifest in retain.manifests] == [2]


def test_a_stop_writes_its_savepoint_when_all_output_is_delivered_and_ends_when_it_is_written() -> None:
    master = running()
    assert master.handle(STOP, 10) == [c.TriggerCheckpoint(1, suspend=True)]
    assert c.WriteSavepoint not in kinds(publish(master, 1, 20, "a"))
    manifest = only(master.handle(c.Committed(1, {"sink": 7}), 30), c.WriteSavepoint).manifest
    assert (manifest.checkpoint_id, manifest.pending, manifest.committers) == (1, (), {"sink": 7})
    commands = master.handle(c.SavepointWritten(1), 40)
    assert only(commands, c.Terminate) == c.Terminate(JobState.FINISHED, None)
    assert master.stopped_early


def test_a_drained_stop_ends_the_input_first_and_takes_its_savepoint_behind_all_of_it() -> None:
    master = running(interval_ms=None)
    assert master.handle(DRAIN, 10) == [c.EndInput()]
    assert master.handle(InputEnded(0, SOURCE), 20) == []
    assert master.handle(InputEnded(0, SINK), 30) == [c.TriggerCheckpoint(1, suspend=True)]
    commands = publish(master, 1, 40)
    assert only(commands, c.WriteSavepoint).manifest.checkpoint_id == 1
    master.handle(c.SavepointWritten(1), 50)
    assert (master.state, master.stopped_early) == (JobState.FINISHED, True)


def test_a_second_stop_is_declined_while_one_is_under_way() -> None:
    master = running()
    master.handle(STOP, 10)
    declined = only(master.handle(c.SavepointRequested(2, stop=True), 11), c.DeclineSavepoint)
    assert declined.trigger_id == 2
    assert "being stopped with a savepoint already" in str(declined.error)


def test_a_savepoint_of_a_job_that_does_not_run_is_declined_with_its_state() -> None:
    master = running()
    master.handle(TaskFailed(0, SINK, ValueError("x")), 5)
    assert "RESTARTING" in str(only(master.handle(PLAIN, 10), c.DeclineSavepoint).error)
    master = running()
    master.handle(c.StopRequested(), 10)
    assert "stopping" in str(only(master.handle(PLAIN, 20), c.DeclineSavepoint).error)


@pytest.mark.parametrize("request_", [PLAIN, STOP, DRAIN], ids=["plain", "stop", "drain"])
def test_a_savepoint_that_is_asked_for_while_tasks_are_deployed_waits_until_they_run(
    request_: c.SavepointRequested,
) -> None:
    master = job_master()
    master.start()
    assert master.handle(request_, 10) == []
    assert kinds(master.handle(c.CommittersRecovered({}), 20)) == [c.DeployTasks]
    told = master.handle(c.TasksDeployed(0), 30)
    assert told == ([c.EndInput()] if request_.drain else [c.TriggerCheckpoint(1, suspend=request_.stop)])


def test_a_savepoint_that_waits_for_tasks_that_cannot_be_deployed_is_declined() -> None:
    master = job_master(NoRestart())
    master.start()
    master.handle(STOP, 10)
    master.handle(c.CommittersRecovered({}), 20)
    commands = master.handle(c.DeployFailed(0, ValueError("no room")), 30)
    assert "no room" in str(only(commands, c.DeclineSavepoint).error)


def test_a_savepoint_that_fails_is_declined_and_does_not_count_as_a_failed_checkpoint() -> None:
    master = running(NoRestart(), tolerable_failures=0)
    master.handle(PLAIN, 10)
    commands = master.handle(CheckpointDeclined(0, SOURCE, 1, OSError("full")), 20)
    assert kinds(commands) == [c.DiscardCheckpoint, c.DeclineSavepoint]
    assert master.state is JobState.RUNNING


def test_a_savepoint_has_the_timeout_of_checkpoints() -> None:
    master = running(timeout_ms=1000)
    master.handle(PLAIN, 10)
    declined = only(master.tick(1010), c.DeclineSavepoint)
    assert "did not complete within its timeout of 1000 ms" in str(declined.error)


def test_a_stop_whose_checkpoint_fails_lets_the_job_go_on_by_a_restart_because_its_sources_have_stopped() -> None:
    master = running(tolerable_failures=5)
    master.handle(STOP, 10)
    commands = master.handle(CheckpointDeclined(0, SOURCE, 1, OSError("full")), 20)
    assert kinds(commands) == [c.DiscardCheckpoint, c.DeclineSavepoint, c.CancelTasks]
    assert only(master.tick(70), c.DeployTasks).attempt == 1


def test_a_stop_whose_savepoint_cannot_be_written_lets_the_job_go_on_from_the_checkpoint_it_was_to_be_made_of() -> None:
    master = running()
    ask_and_publish(master, STOP)
    commands = master.handle(c.SavepointWriteFailed(1, CheckpointError("full")), 30)
    assert kinds(commands) == [c.RetainCheckpoints, c.CancelTasks]
    assert only(master.tick(80), c.DeployTasks).restore.checkpoint_id == 1
    master.handle(c.TasksDeployed(1), 80)
    assert master.state is JobState.RUNNING
    assert not master.stopped_early


def test_a_drained_job_whose_savepoint_cannot_be_written_fails_because_its_windows_are_closed() -> None:
    master = running(interval_ms=None)
    master.handle(DRAIN, 10)
    master.handle(InputEnded(0, SOURCE), 20)
    master.handle(InputEnded(0, SINK), 20)
    publish(master, 1, 30)
    error = CheckpointError("full")
    assert only(master.handle(c.SavepointWriteFailed(1, error), 40), c.Terminate) == c.Terminate(JobState.FAILED, error)


def test_a_failure_of_the_job_declines_the_savepoints_that_no_checkpoint_holds_yet() -> None:
    master = running()
    master.handle(PLAIN, 10)
    master.handle(c.SavepointRequested(2), 11)
    commands = master.handle(TaskFailed(0, SINK, ValueError("x")), 20)
    assert {k.trigger_id for k in commands if isinstance(k, c.DeclineSavepoint)} == {1, 2}


def test_a_failure_behind_the_barrier_of_a_stop_does_not_keep_it_from_ending() -> None:
    master = running()
    master.handle(STOP, 10)
    acknowledge(master, 1, 20, output("a"))
    master.handle(TaskFailed(0, SINK, ValueError("x")), 30)
    master.handle(c.CheckpointPublished(1), 40)
    assert master.tick(1000) == [], "it does not restart: the last checkpoint holds everything"
    assert kinds(master.handle(c.Committed(1, {}), 50)) == [c.WriteSavepoint]
    assert only(master.handle(c.SavepointWritten(1), 60), c.Terminate).state is JobState.FINISHED


def test_the_end_of_the_input_takes_along_whoever_waits_for_a_savepoint() -> None:
    master = running()
    master.tick(100)
    master.handle(PLAIN, 101)
    master.handle(InputEnded(0, SOURCE), 105)
    master.handle(InputEnded(0, SINK), 105)
    assert only(publish(master, 1, 110), c.TriggerCheckpoint).suspend
    assert only(publish(master, 2, 120), c.WriteSavepoint).manifest.checkpoint_id == 2
    assert only(master.handle(c.SavepointWritten(1), 130), c.Terminate).state is JobState.FINISHED
    assert not master.stopped_early


@pytest.mark.parametrize("end", [c.CancelRequested(), c.CommitFailed(1, CheckpointError("x"))])
def test_whoever_waits_when_the_job_ends_otherwise_gets_an_answer(end: c.MasterEvent) -> None:
    master = running()
    master.handle(PLAIN, 10)
    commands = master.handle(end, 20)
    assert only(commands, c.DeclineSavepoint).trigger_id == 1
    assert c.Terminate in kinds(commands)
