"""Async I/O in a whole job: whatever fails, and however it is stopped and rescaled, each answer is there once."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import Job
from tests.support.sinks import PublishingSink
from wiesel.cluster.driver import JobDriver
from wiesel.common import Time, WatermarkStrategy
from wiesel.datastream import AsyncDataStream, AsyncFunction, StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink
from wiesel.datastream.connectors.number_seq import NumberSequenceSource

TOTAL = 1500


class Ask(AsyncFunction):
    """Answers after a while that differs from record to record, so that many are in flight at each barrier."""

    async def async_invoke(self, value: int) -> list[int]:
        await asyncio.sleep(value % 7 / 1000)
        return [value * 10]


def build(sink: PublishingSink, ordered: bool) -> Any:
    def program(env: StreamExecutionEnvironment) -> Any:
        source = NumberSequenceSource(0, TOTAL - 1)
        numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "n").uid("n").rebalance()
        wait = AsyncDataStream.ordered_wait if ordered else AsyncDataStream.unordered_wait
        return wait(numbers, Ask(), Time.seconds(30), 40).uid("ask").sink_to(Sink(sink)).uid("s")

    return program


def stop_at(sink: PublishingSink, count: int) -> Any:
    """Stop a driver once so much is published, or the job is over."""

    def on_driver(driver: JobDriver) -> None:
        def watch() -> None:
            while len(sink.published) < count and not driver.master.state.is_terminal:
                threading.Event().wait(0.001)
            driver.stop()

        threading.Thread(target=watch, daemon=True).start()

    return on_driver


@pytest.mark.parametrize("ordered", [True, False])
def test_answers_are_published_once_through_failures_stops_and_rescaling(tmp_path: Path, ordered: bool) -> None:
    sink = PublishingSink()
    sink.failing_writes = {200, 700}
    for parallelism, stop in ((1, 300), (3, 800)):
        job = Job(tmp_path, build(sink, ordered), parallelism)
        job.run_with(stop_at(sink, stop), resume=True)
    Job(tmp_path, build(sink, ordered), 2).run(resume=True)
    assert sorted(sink.published) == [value * 10 for value in range(TOTAL)]


def test_at_parallelism_one_ordered_answers_stay_in_order_through_a_failure(tmp_path: Path) -> None:
    sink = PublishingSink()
    sink.failing_writes = {400}
    Job(tmp_path, build(sink, ordered=True)).run()
    assert sink.published == [value * 10 for value in range(TOTAL)]
