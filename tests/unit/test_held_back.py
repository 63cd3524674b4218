"""Why a window does not close, told from the counters of tasks and from a job that runs."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.support.tasks import TaskHarness, job_graph
from wiesel.cluster.held_back_log import HeldBackLog
from wiesel.common import Types, WatermarkStrategy
from wiesel.common.time import Time
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.core.elements import Batch, Watermark
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.window import TumblingEventTimeWindows
from wiesel.runtime.held_back import InputTime, diagnose
from wiesel.runtime.reports import TaskId
from wiesel.runtime.task_figures import TaskFigures, figures_of

NOON = 1_768_478_400_000  # 2026-01-15T12:00:00Z


class TakeTimestamp(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value)


def build(env: StreamExecutionEnvironment) -> Any:
    flights = env.from_collection([("LX", 1)], Types.TUPLE([Types.STRING(), Types.INT()]))
    windows = flights.key_by(lambda f: f[0]).window(TumblingEventTimeWindows.of(Time.minutes(1)))
    return windows.reduce(lambda a, b: a).name("Delays").print()


GRAPH = job_graph(build)
SOURCE, WINDOW = (vertex.vertex_id for vertex in GRAPH.vertices[:2])


def task(vertex: int, **changes: Any) -> TaskFigures:
    figures: dict[str, Any] = {
        "task": TaskId(vertex, 0), "is_source": vertex == SOURCE, "records_in": 0, "records_out": 0,
        "records_written": 0, "late_dropped": 0, "watermark": None, "output_watermark": None, "lag": None,
        "busy_ns": 0, "back_pressured_ns": 0, "is_back_pressured": False, "reader": {}, "user": (),
    }  # fmt: skip
    return TaskFigures(**{**figures, **changes})


def source(*inputs: InputTime, **changes: Any) -> TaskFigures:
    return task(SOURCE, inputs=inputs, **changes)


def window(due: int | None = NOON, watermark: int | None = NOON - 30_000) -> TaskFigures:
    return task(WINDOW, next_event_timer=due, watermark=watermark)


BUSY = InputTime("flights-3", NOON + 5_000, 0.1, idle=False)
SILENT = InputTime("flights-7", NOON - 30_000, 42.0, idle=False)


def test_an_open_window_names_the_partition_that_holds_it_back_and_for_how_long_it_is_silent() -> None:
    (found,) = diagnose(GRAPH, [source(BUSY, SILENT), window()])
    assert (found.held_back_by, found.operator, found.is_window, found.due) == ("flights-7", "Delays", True, NOON)
    assert str(found).startswith(
        "Delays: window open until 2026-01-15T12:00:00.000Z, watermark 2026-01-15T11:59:30.000Z held back by flights-7 "
        "(at 2026-01-15T11:59:30.000Z, no record for 42 s). "
    )
    assert "with_idleness" in str(found)
    assert "wiesel.watermark.advance-after" in str(found)


def test_a_partition_that_never_had_a_record_holds_back_more_than_any_other() -> None:
    (found,) = diagnose(GRAPH, [source(SILENT, InputTime("flights-9", None, 60.0, idle=False)), window(watermark=None)])
    assert (found.held_back_by, found.input_watermark) == ("flights-9", None)
    assert "watermark not yet held back by flights-9" in str(found)


@pytest.mark.parametrize(
    "tasks",
    [
        [source(BUSY, SILENT), window(due=None)],
        [source(BUSY, SILENT), window(watermark=NOON)],
        [source(BUSY, InputTime("flights-7", NOON - 30_000, 2.0, idle=False)), window()],
        [source(BUSY, InputTime("flights-7", NOON - 30_000, 42.0, idle=True)), window()],
        [source(BUSY, SILENT, is_back_pressured=True), window()],
        [source(), window()],
    ],
    ids=["no window", "about to close", "silent for a moment", "idle", "back-pressure", "no event time"],
)
def test_nothing_is_said_where_nothing_is_held_back(tasks: list[TaskFigures]) -> None:
    assert diagnose(GRAPH, tasks) == []


def test_the_earliest_timer_of_a_task_is_the_end_of_its_open_window() -> None:
    harness = TaskHarness(build, vertex=1)
    harness.put(Batch([("LX", 1)], [NOON - 30_000], ["LX"]), Watermark(NOON - 40_000))
    harness.settle()
    figures = figures_of(TaskId(WINDOW, 0), harness.task)
    assert (figures.next_event_timer, figures.watermark) == (NOON - 1, NOON - 40_000)
    harness.put(Watermark(NOON))
    harness.settle()
    assert figures_of(TaskId(WINDOW, 0), harness.task).next_event_timer is None


def test_an_operator_that_assigns_timestamps_tells_for_how_long_it_had_no_record() -> None:
    def assigned(env: StreamExecutionEnvironment) -> Any:
        strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(TakeTimestamp())
        return env.from_collection([1, 2, 3]).assign_timestamps_and_watermarks(strategy).name("Stamps").print()

    harness = TaskHarness(assigned)
    harness.start_source()
    harness.task.step()
    for _ in range(100):
        harness.clock.advance(200)
        harness.task.chain.periodic_watermarks()
    (given,) = figures_of(TaskId(SOURCE, 0), harness.task).inputs
    assert (given.name, given.watermark, round(given.quiet_seconds)) == ("Stamps (1)", 2, 20)


def test_the_log_speaks_when_the_watermark_stands_still_and_not_at_every_look(caplog: pytest.LogCaptureFixture) -> None:
    log = HeldBackLog(GRAPH)
    with caplog.at_level(logging.WARNING, logger="wiesel.cluster"):
        for second in range(0, 600, 5):
            log.look(second, [source(BUSY, SILENT), window()])
    assert [record.message[:40] for record in caplog.records] == ["Delays: window open until 2026-01-15T12:"] * 2


def test_silence_of_all_inputs_is_told_and_not_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    log = HeldBackLog(GRAPH)
    with caplog.at_level(logging.INFO, logger="wiesel.cluster"):
        for second in (0, 5):
            log.look(second, [source(SILENT), window()])
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_a_watermark_that_moves_is_slow_and_not_held() -> None:
    log = HeldBackLog(GRAPH)
    for second in range(5, 50, 5):
        assert log.look(second, [source(BUSY, SILENT), window(watermark=NOON - 60_000 + second)]) == []
