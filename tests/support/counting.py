"""A job that counts metered numbers by key, and what a test does with its savepoints."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.jobs import Build, Job
from tests.support.sinks import PublishingSink
from tests.support.sources import MeteredSource
from wiesel.cluster.driver import JobDriver
from wiesel.cluster.savepoints import SavepointState
from wiesel.common import Types, WatermarkStrategy
from wiesel.datastream import DataStream, KeyedProcessFunction, StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink, Source
from wiesel.datastream.state import ValueStateDescriptor
from wiesel.runtime.job_master.commands import JobState

#: As many as the source has splits: all values of a key come in order.
KEYS = 6
SECONDS = 60.0


def key_of(value: Any) -> int:
    return int(value) % KEYS


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

    def __init__(self, directory: Path, last: int = 119, settings: dict[str, str] | None = None) -> None:
        self.sink = PublishingSink()
        self.source = MeteredSource(directory / "meter", last)
        super().__init__(
            directory, self.program, settings={"pipeline.auto-watermark-interval": "10 ms", **(settings or {})}
        )

    def numbers(self, env: StreamExecutionEnvironment) -> DataStream:
        """The source."""
        strategy = WatermarkStrategy.for_monotonous_timestamps()
        return env.from_source(Source(self.source), strategy, "numbers", Types.LONG()).uid("numbers")

    def program(self, env: StreamExecutionEnvironment) -> Any:
        """Source, count, sink."""
        counted = self.numbers(env).key_by(key_of, Types.LONG()).process(Count()).uid("count").name("count")
        return counted.sink_to(Sink(self.sink)).uid("sink")

    def built(self, build: Build) -> CountingJob:
        """The same job after its script was changed."""
        self.build = build
        return self

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
