"""The whole engine on the inline driver: whatever fails and whenever it is stopped, output is exactly once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.jobs import Job
from tests.support.sinks import PublishingSink
from wiesel.cluster.driver import JobDriver
from wiesel.common import Types, WatermarkStrategy
from wiesel.core.disk import OsDisk
from wiesel.core.host import Machine, running_on
from wiesel.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.state import ListStateDescriptor, ValueStateDescriptor

TOTAL, KEYS = 6000, 20


class FlakyDisk(OsDisk):
    """The real disk, but for some publications that fail."""

    failing: frozenset[int] = frozenset()
    published = 0

    def rename(self, old: Path, new: Path) -> None:
        if new.name == "_metadata":
            FlakyDisk.published += 1
            if FlakyDisk.published in FlakyDisk.failing:
                raise OSError("flaky")
        super().rename(old, new)


class FlakyMachine(Machine):
    """A machine with a flaky disk."""

    disk = staticmethod(FlakyDisk)


@pytest.fixture(autouse=True)
def _flaky_disk() -> Iterator[None]:
    with running_on(FlakyMachine()):
        yield


class Count(KeyedProcessFunction):
    """Counts in one state, and tells from another, at the end, that nothing of it was lost."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))
        self.seen = runtime_context.get_list_state(ListStateDescriptor("seen", Types.LONG()))

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        self.count.update((self.count.value() or 0) + 1)
        self.seen.add(value)
        ctx.timer_service().register_event_time_timer(2**62)
        yield ctx.get_current_key(), self.count.value()

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Any]:
        yield ctx.get_current_key(), sorted(self.seen.get())


def build(sink: PublishingSink) -> Any:
    def program(env: StreamExecutionEnvironment) -> Any:
        numbers = env.from_source(NumberSequenceSource(0, TOTAL - 1), WatermarkStrategy.no_watermarks(), "n").uid("n")
        counts = numbers.rebalance().map(lambda v: v).uid("m").key_by(lambda v: v % KEYS).process(Count()).uid("c")
        return counts.sink_to(Sink(sink)).uid("s")

    return program


def expected() -> set[Any]:
    counts = {(key, n) for key in range(KEYS) for n in range(1, TOTAL // KEYS + 1)}
    return counts | {(key, tuple(range(key, TOTAL, KEYS))) for key in range(KEYS)}


def seen(sink: PublishingSink) -> list[Any]:
    return [(key, tuple(value) if isinstance(value, list) else value) for key, value in sink.published]


def stop_at(sink: PublishingSink, count: int) -> Any:
    """Stop a driver once so much is published, or the job is over."""

    def on_driver(driver: JobDriver) -> None:
        def watch() -> None:
            while len(sink.published) < count and not driver.master.state.is_terminal:
                threading.Event().wait(0.001)
            driver.stop()

        threading.Thread(target=watch, daemon=True).start()

    return on_driver


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    failing_writes=st.sets(st.integers(1, TOTAL), max_size=3),
    failing_publications=st.frozensets(st.integers(1, 12), max_size=4),
    stops=st.lists(st.integers(0, TOTAL), max_size=2),
    parallelism=st.lists(st.integers(1, 3), min_size=3, max_size=3),
)
def test_output_is_exactly_once_through_failures_stops_and_rescaling(
    failing_writes: set[int], failing_publications: frozenset[int], stops: list[int], parallelism: list[int]
) -> None:
    sink = PublishingSink()
    sink.failing_writes = failing_writes
    FlakyDisk.failing, FlakyDisk.published = failing_publications, 0
    with TemporaryDirectory() as directory:
        patience = {
            "execution.checkpointing.interval": "2 ms",
            "execution.checkpointing.tolerable-failed-checkpoints": "20",
            "restart-strategy.fixed-delay.attempts": "20",
        }
        for index, count in enumerate(stops):
            Job(Path(directory), build(sink), parallelism[index], patience).run_with(stop_at(sink, count), resume=True)
            output = seen(sink)
            assert len(output) == len(set(output)), "twice"
        Job(Path(directory), build(sink), parallelism[-1], patience).run(resume=True)
    output = seen(sink)
    assert len(output) == len(set(output)), "twice"
    assert set(output) == expected()
