"""Savepoints of running jobs: taken, stopped with, drained, moved, started from; on both drivers."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import Job
from tests.support.sinks import PublishingSink
from tests.support.sources import MeteredSource
from wiesel.cluster.driver import JobDriver
from wiesel.cluster.savepoints import SavepointState
from wiesel.common import Types, WatermarkStrategy
from wiesel.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink, Source
from wiesel.datastream.state import ValueStateDescriptor
from wiesel.runtime.job_master.commands import JobState

#: As many as the source has splits: all values of a key come in order.
KEYS = 6
SECONDS = 20.0
BOTH_DRIVERS = pytest.mark.parametrize("workers", [0, 2], ids=["inline", "workers"])


class Count(KeyedProcessFunction):
    """Counts the values of each key; a timer of event time 1000 tells the count."""

    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: Any, ctx: Any) -> Any:
        self.count.update((self.count.value() or 0) + 1)
        ctx.timer_service().register_event_time_timer(1000)
        yield value, self.count.value()

    def on_timer(self, timestamp: int, ctx: Any) -> Any:
        yield "timer", ctx.get_current_key(), self.count.value()


class CountingJob(Job):
    """Counts metered numbers by key into a sink that lives in this process."""

    def __init__(self, directory: Path, last: int = 119, **settings: str) -> None:
        self.sink = PublishingSink()
        self.source = MeteredSource(directory / "meter", last)
        super().__init__(directory, self.program, settings={"pipeline.auto-watermark-interval": "10 ms", **settings})

    def program(self, env: StreamExecutionEnvironment) -> Any:
        numbers = env.from_source(
            Source(self.source), WatermarkStrategy.for_monotonous_timestamps(), "numbers", Types.LONG()
        ).uid("numbers")
        counted = numbers.key_by(lambda value: value % KEYS, Types.LONG()).process(Count()).uid("count")
        return counted.sink_to(Sink(self.sink)).uid("sink")

    def run_and(self, act: Callable[[JobDriver], None], **options: Any) -> Any:
        """Run it to its end while ``act`` talks to it on another thread; if that fails the job is cancelled."""
        threads: list[threading.Thread] = []
        failures: list[BaseException] = []

        def talk(driver: JobDriver) -> None:
            try:
                act(driver)
            except BaseException as error:
                failures.append(error)
                driver.cancel()

        def on_driver(driver: JobDriver) -> None:
            threads.append(threading.Thread(target=talk, args=(driver,), daemon=True))
            threads[0].start()

        outcome = self.run_with(on_driver, **options)
        threads[0].join(SECONDS)
        if failures:
            raise failures[0]
        return outcome

    def publish(self, count: int) -> None:
        """Let the numbers below ``count`` come, and wait until what is made of them is published."""
        self.source.allow(count)
        published = self.sink.published
        self.wait_until(lambda: {item[0] for item in list(published)} >= set(range(min(count, self.source.last + 1))))

    @staticmethod
    def wait_until(condition: Callable[[], bool]) -> None:
        waiting = threading.Event()
        for _ in range(int(SECONDS * 200)):
            if condition():
                return
            waiting.wait(0.005)
        raise AssertionError("it never happened")


def counted(values: range) -> list[Any]:
    return sorted((value, value // KEYS + 1) for value in values)


def values_of(job: CountingJob) -> list[Any]:
    return sorted(item for item in job.sink.published if item[0] != "timer")


def timers_of(job: CountingJob) -> list[Any]:
    return sorted(item[1:] for item in job.sink.published if item[0] == "timer")


def taken(driver: JobDriver, trigger_id: int) -> Path:
    path = driver.savepoint_result(trigger_id).result(SECONDS)
    status = driver.savepoint_status(trigger_id)
    assert (status.state, status.path, status.error) == (SavepointState.COMPLETED, path, None)
    return path


def stop_at(job: CountingJob, count: int, target: Path, *, drain: bool = False, **options: Any) -> Path:
    """Run the job up to ``count`` numbers, stop it with a savepoint and return that."""
    paths: list[Path] = []

    def act(driver: JobDriver) -> None:
        job.publish(count)
        paths.append(taken(driver, driver.trigger_savepoint(target, stop=True, drain=drain)))

    outcome = job.run_and(act, **options)
    assert (outcome.state, outcome.stopped_early) == (JobState.FINISHED, True)
    return paths[0]


def finish(job: CountingJob, **options: Any) -> None:
    job.source.allow(job.source.last + 1)
    assert job.run(**options).state is JobState.FINISHED


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
