"""Savepoints of running jobs: taken, stopped with, drained, moved, started from; on both drivers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.counting import KEYS, SECONDS, CountingJob, counted, finish, stop_at, taken, timers_of, values_of
from tests.support.segments import SegmentSink
from tests.support.tasks import job_graph
from wiesel.cluster.driver import JobDriver
from wiesel.cluster.handle import LocalJobHandle
from wiesel.cluster.savepoints import SavepointState
from wiesel.core.errors import CheckpointError, ConfigurationError
from wiesel.core.job import JobStatus
from wiesel.runtime.job_master.commands import JobState

BOTH_DRIVERS = pytest.mark.parametrize("workers", [0, 2], ids=["inline", "workers"])


@BOTH_DRIVERS
def test_a_stop_with_a_savepoint_delivers_all_up_to_it_and_a_start_from_it_goes_on_after_all_else_is_gone(
    tmp_path: Path, workers: int
) -> None:
    job = CountingJob(tmp_path)
    path = stop_at(job, 60, tmp_path / "savepoints", workers=workers)
    assert path.parent == tmp_path / "savepoints"
    assert path.name.startswith("savepoint-job-")
    assert values_of(job) == counted(range(60))
    moved = shutil.move(path, tmp_path / "moved")
    shutil.rmtree(tmp_path / "checkpoints")
    finish(job, from_savepoint=str(moved), workers=workers)
    assert values_of(job) == counted(range(120))
    assert timers_of(job) == [(key, 20) for key in range(KEYS)]


@BOTH_DRIVERS
@pytest.mark.parametrize("drain", [False, True], ids=["", "drained"])
def test_a_stop_with_a_savepoint_that_comes_before_the_tasks_run_is_done_when_they_do(
    tmp_path: Path, workers: int, drain: bool
) -> None:
    """What a killed start has decided is delivered before the next one runs: whoever sees that may ask too early."""
    job = CountingJob(tmp_path)
    job.source.allow(60)
    asked: list[tuple[JobDriver, int]] = []

    def before_it_runs(driver: JobDriver) -> None:
        asked.append((driver, driver.trigger_savepoint(tmp_path / "savepoints", stop=True, drain=drain)))

    assert job.run_with(before_it_runs, workers=workers).stopped_early
    path = taken(*asked[0])
    finish(job, from_savepoint=str(path), workers=workers)
    assert values_of(job) == counted(range(120))


@BOTH_DRIVERS
def test_a_savepoint_is_taken_while_the_job_runs_on_and_a_start_from_it_repeats_exactly_what_came_after(
    tmp_path: Path, workers: int
) -> None:
    job = CountingJob(tmp_path)
    paths: list[Path] = []

    def act(driver: JobDriver) -> None:
        job.publish(60)
        paths.append(taken(driver, driver.trigger_savepoint(tmp_path)))
        job.source.allow(120)

    assert job.run_and(act, workers=workers).state is JobState.FINISHED
    assert values_of(job) == counted(range(120))
    shutil.rmtree(tmp_path / "checkpoints")
    job.sink.published.clear()
    finish(job, from_savepoint=str(paths[0]), workers=workers)
    assert values_of(job) == counted(range(60, 120))


@BOTH_DRIVERS
def test_a_drained_job_fires_all_its_event_timers_before_the_savepoint(tmp_path: Path, workers: int) -> None:
    job = CountingJob(tmp_path)
    stop_at(job, 60, tmp_path, drain=True, workers=workers)
    assert timers_of(job) == [(key, 10) for key in range(KEYS)]


def test_a_job_that_is_not_drained_keeps_its_timers_for_later(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    path = stop_at(job, 60, tmp_path)
    assert timers_of(job) == []
    finish(job, from_savepoint=str(path))
    assert timers_of(job) == [(key, 20) for key in range(KEYS)]


# ------------------------------------------------------------------------------------------- what is refused


def test_without_a_directory_given_or_configured_the_option_is_named(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)

    def ask(driver: JobDriver) -> None:
        with pytest.raises(ConfigurationError, match=r"execution\.checkpointing\.savepoint-dir"):
            driver.trigger_savepoint(None)
        with pytest.raises(ConfigurationError, match="can be drained"):
            driver.trigger_savepoint(tmp_path, drain=True)
        with pytest.raises(KeyError):
            driver.savepoint_status(7)
        job.source.allow(120)

    job.run_and(ask)
    assert values_of(job) == counted(range(120))


def test_the_configured_directory_is_where_savepoints_go_and_is_enough_to_take_them_without_checkpoints(
    tmp_path: Path,
) -> None:
    job = CountingJob(tmp_path, settings={"state.savepoints.dir": f"file://{tmp_path}/sp"})
    del job.settings["execution.checkpointing.interval"]
    job.sink.transactional = False
    paths: list[Path] = []

    def act(driver: JobDriver) -> None:
        job.publish(60)
        paths.append(taken(driver, driver.trigger_savepoint(None, stop=True)))

    job.run_and(act)
    assert paths[0].parent == tmp_path / "sp"
    finish(job, from_savepoint=str(paths[0]))
    assert values_of(job) == counted(range(120))


def test_a_job_that_keeps_no_state_says_how_to_start_it_so_that_it_does(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    del job.settings["execution.checkpointing.interval"]
    job.sink.transactional = False

    def ask(driver: JobDriver) -> None:
        with pytest.raises(ConfigurationError, match=r"execution\.checkpointing\.interval"):
            driver.trigger_savepoint(tmp_path)
        job.source.allow(120)

    job.run_and(ask)


def test_a_directory_that_cannot_be_written_is_refused_at_once_and_the_job_runs_on(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    (tmp_path / "file").touch()

    def ask(driver: JobDriver) -> None:
        with pytest.raises(ConfigurationError, match="file/savepoints cannot be written"):
            driver.trigger_savepoint(tmp_path / "file" / "savepoints", stop=True)
        job.source.allow(120)

    assert job.run_and(ask).stopped_early is False


@BOTH_DRIVERS
def test_a_stop_whose_savepoint_cannot_be_written_leaves_the_job_running_and_nothing_behind(
    tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = CountingJob(tmp_path)
    monkeypatch.setattr("secrets.token_hex", lambda size: "chosen")
    in_the_way = tmp_path / "savepoint-job-chosen"
    in_the_way.touch()

    def act(driver: JobDriver) -> None:
        job.publish(60)
        trigger_id = driver.trigger_savepoint(tmp_path, stop=True)
        with pytest.raises(CheckpointError, match="chosen could not be written: Not a directory"):
            driver.savepoint_result(trigger_id).result(SECONDS)
        assert driver.savepoint_status(trigger_id).state is SavepointState.FAILED
        job.source.allow(120)

    outcome = job.run_and(act, workers=workers)
    assert (outcome.state, outcome.stopped_early) == (JobState.FINISHED, False)
    assert values_of(job) == counted(range(120))
    assert not in_the_way.exists()


def test_a_savepoint_that_is_asked_for_when_the_job_is_over_fails(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    drivers: list[JobDriver] = []
    job.source.allow(120)
    job.run_and(drivers.append)
    status = drivers[0].savepoint_status(drivers[0].trigger_savepoint(tmp_path))
    assert (status.state, "ended before" in str(status.error)) == (SavepointState.FAILED, True)


def test_a_savepoint_is_private_and_holds_no_absolute_path(tmp_path: Path) -> None:
    path = stop_at(CountingJob(tmp_path), 60, tmp_path)
    files = [file for file in path.rglob("*") if file.is_file()]
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    assert oct(path.stat().st_mode & 0o777) == "0o700"
    assert [file for file in files if os.fsencode(tmp_path) in file.read_bytes()] == []


# --------------------------------------------------------------------------------------- output on its way


def test_a_savepoint_brings_along_output_that_is_not_delivered_yet_and_a_start_from_it_elsewhere_delivers_it(
    tmp_path: Path,
) -> None:
    job = CountingJob(tmp_path)
    del job.settings["execution.checkpointing.interval"]
    job.sink = sink = SegmentSink()
    sink.outside.clear()
    paths: list[Path] = []

    def act(driver: JobDriver) -> None:
        job.source.allow(60)
        job.wait_until(lambda: sink.writes >= 60)
        paths.append(taken(driver, driver.trigger_savepoint(tmp_path)))
        sink.outside.set()
        driver.cancel()

    job.run_and(act)
    assert len(list(paths[0].glob("wal/*.wal"))) == 1
    shutil.rmtree(tmp_path / "checkpoints")
    job.sink = SegmentSink()
    finish(job, from_savepoint=str(shutil.move(paths[0], tmp_path / "moved")))
    assert values_of(job) == counted(range(120))


def test_a_stop_waits_until_everything_is_delivered_and_its_savepoint_holds_no_output(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    del job.settings["execution.checkpointing.interval"]
    job.sink = sink = SegmentSink()
    sink.outside.clear()
    paths: list[Path] = []

    def act(driver: JobDriver) -> None:
        job.source.allow(60)
        job.wait_until(lambda: sink.writes >= 60)
        trigger_id = driver.trigger_savepoint(tmp_path, stop=True)
        job.wait_until(lambda: driver.master.coordinator.completed == 1)
        assert driver.savepoint_status(trigger_id).state is SavepointState.IN_PROGRESS
        sink.outside.set()
        paths.append(taken(driver, trigger_id))

    job.run_and(act)
    assert values_of(job) == counted(range(60))
    assert list(paths[0].rglob("*.wal")) == []


# ------------------------------------------------------------------------------------------ from the script


def test_a_client_of_the_running_job_gets_the_path_of_its_savepoint_or_the_error(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    handle = LocalJobHandle(job_graph(job.build), job.options())
    job.publish(60)
    with pytest.raises(ConfigurationError, match="Where is the savepoint to go"):
        handle.trigger_savepoint(None).result(SECONDS)
    first = Path(handle.trigger_savepoint(str(tmp_path)).result(SECONDS))
    last = Path(handle.stop_with_savepoint(drain=False, directory=f"file://{tmp_path}/last").result(SECONDS))
    assert (first.parent, last.parent) == (tmp_path, tmp_path / "last")
    handle.result().result(SECONDS)
    assert handle.status() is JobStatus.FINISHED
    finish(job, from_savepoint=str(last))
    assert values_of(job) == counted(range(120))
