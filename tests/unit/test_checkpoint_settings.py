"""Flink's checkpoint settings in whole jobs: timeout, tolerated failures, how many are kept, what cancelling leaves."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.counting import Count, CountingJob, counted, finish, key_of, values_of
from tests.support.segments import SegmentSink
from wiesel.cluster.driver import JobDriver
from wiesel.common import Types
from wiesel.core.disk import OsDisk
from wiesel.core.errors import CheckpointError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink
from wiesel.runtime.checkpoint.manifest import SealKey
from wiesel.runtime.checkpoint.storage import CheckpointStorage
from wiesel.runtime.job_master.commands import JobState

BOTH_DRIVERS = pytest.mark.parametrize("workers", [0, 2], ids=["inline", "workers"])
RETENTION = "execution.checkpointing.externalized-checkpoint-retention"


def checkpoints(job: CountingJob) -> list[int]:
    return sorted(int(path.parent.name.removeprefix("chk-")) for path in job.path.glob("chk-*/_metadata"))


@BOTH_DRIVERS
def test_as_many_checkpoints_are_on_disk_as_are_to_be_retained_and_no_more(tmp_path: Path, workers: int) -> None:
    job = CountingJob(tmp_path, settings={"execution.checkpointing.num-retained": "3"})

    def act(driver: JobDriver) -> None:
        job.wait_until(lambda: driver.master.coordinator.completed >= 6)
        job.source.allow(120)

    job.run_and(act, workers=workers)
    kept = checkpoints(job)
    assert kept == list(range(kept[-1] - 2, kept[-1] + 1))
    assert {path.name for path in job.path.glob("chk-*")} == {f"chk-{number}" for number in kept}


@BOTH_DRIVERS
def test_output_files_that_no_retained_checkpoint_lists_are_removed(tmp_path: Path, workers: int) -> None:
    job = CountingJob(tmp_path, settings={"execution.checkpointing.num-retained": "2"})
    job.sink = SegmentSink()

    def act(driver: JobDriver) -> None:
        for count in (30, 60, 90, 120):
            job.publish(count)

    job.run_and(act, workers=workers)
    assert values_of(job) == counted(range(120))
    storage = CheckpointStorage(OsDisk(), job.path, SealKey((tmp_path / "key").read_bytes()))
    listed = {item.path for number in checkpoints(job) for item in storage.load(storage.path_of(number)).pending}
    assert {f"wal/{path.name}" for path in (job.path / "wal").iterdir()} <= listed


def waiting_for(gate: Path) -> Any:
    """A function that does not return while the file is there."""

    def wait(value: int) -> int:
        while gate.exists():
            threading.Event().wait(0.005)
        return value

    return wait


def test_a_checkpoint_that_runs_into_its_timeout_fails_the_job_when_none_may(tmp_path: Path) -> None:
    job = CountingJob(tmp_path, settings={"execution.checkpointing.timeout": "50 ms", "restart-strategy.type": "none"})
    job.sink.available = False  # so no barrier gets there
    job.source.allow(60)
    with pytest.raises(CheckpointError, match="did not complete within its timeout of 50 ms"):
        job.run()


@BOTH_DRIVERS
def test_timeouts_that_are_tolerated_leave_nothing_behind_and_the_output_is_exact(tmp_path: Path, workers: int) -> None:
    tolerable = "execution.checkpointing.tolerable-failed-checkpoints"
    job = CountingJob(tmp_path, settings={"execution.checkpointing.timeout": "300 ms", tolerable: "1000"})
    gate = tmp_path / "gate"

    def program(env: StreamExecutionEnvironment) -> Any:
        numbers = job.numbers(env).key_by(key_of, Types.LONG()).process(Count())
        passed = numbers if workers == 0 else numbers.map(waiting_for(gate))
        return passed.sink_to(Sink(job.sink))

    if workers:
        gate.touch()
    job.sink.available = workers > 0

    def act(driver: JobDriver) -> None:
        job.source.allow(60)
        job.wait_until(lambda: driver.master.coordinator.failures >= 2)
        gate.unlink(missing_ok=True)
        job.sink.available = True
        job.publish(60)
        job.source.allow(120)

    assert job.built(program).run_and(act, workers=workers).state is JobState.FINISHED
    assert values_of(job) == counted(range(120))
    assert len(list(job.path.glob("chk-*"))) == 1


def cancelled(job: CountingJob, workers: int = 0) -> None:
    def act(driver: JobDriver) -> None:
        job.publish(60)
        driver.cancel()

    assert job.run_and(act, workers=workers).state is JobState.CANCELED


def test_a_cancelled_job_leaves_its_checkpoints_and_resume_goes_on(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    cancelled(job)
    assert len(checkpoints(job)) == 1
    finish(job, resume=True)
    assert values_of(job) == counted(range(120))


@BOTH_DRIVERS
@pytest.mark.parametrize("retention", ["DELETE_ON_CANCELLATION", "NO_EXTERNALIZED_CHECKPOINTS"])
def test_a_cancelled_job_whose_checkpoints_are_not_to_be_retained_leaves_none_and_begins_anew(
    tmp_path: Path, workers: int, retention: str, caplog: pytest.LogCaptureFixture
) -> None:
    job = CountingJob(tmp_path, settings={RETENTION: retention})
    cancelled(job, workers)
    assert list(job.path.glob("chk-*")) == []
    caplog.set_level("INFO")
    job.sink.published.clear()
    finish(job, resume=True, workers=workers)
    assert "begins anew" in caplog.text
    assert values_of(job) == counted(range(120))


def test_checkpoints_that_are_deleted_on_cancellation_outlive_every_other_end(tmp_path: Path) -> None:
    job = CountingJob(tmp_path, settings={RETENTION: "DELETE_ON_CANCELLATION"})

    def stop(driver: JobDriver) -> None:
        job.publish(60)
        driver.stop()

    job.run_and(stop)
    assert len(checkpoints(job)) == 1
    finish(job, resume=True)
    assert values_of(job) == counted(range(120))


def test_more_than_one_checkpoint_at_a_time_is_not_available_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    finish(CountingJob(tmp_path, settings={"execution.checkpointing.max-concurrent-checkpoints": "2"}))
    assert "One checkpoint is taken at a time" in caplog.text
