"""A job as the control plane sees it, made by hand: a source in two subtasks and a keyed counter in one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.tasks import job_graph
from wiesel.core.metrics import MetricReading
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.rest.job_view import (
    CheckpointsView,
    CheckpointView,
    ExceptionView,
    JobView,
    OperationView,
    Rates,
    RefusedError,
    RestoreView,
    SubtaskView,
)
from wiesel.runtime.job_master.coordinator import CheckpointSettings
from wiesel.runtime.reports import TaskId
from wiesel.runtime.task_figures import TaskFigures


def build(env: StreamExecutionEnvironment) -> Any:
    numbers = env.from_collection(range(10)).map(lambda v: v).set_parallelism(2).name("Double")
    return numbers.key_by(lambda v: v % 2).map(lambda v: v).set_parallelism(1).name("Count").print()


GRAPH = job_graph(build)


def reading(
    *names: str, kind: str = "Counter", labels: dict[str, str] | None = None, value: float = 1.0, **parts: float
) -> MetricReading:
    return MetricReading(("task", "0", "Double", *names), labels or {}, kind, parts or {"": value})


def figures(task: TaskId, *user: MetricReading, **changes: Any) -> TaskFigures:
    made = TaskFigures(
        task=task,
        is_source=False,
        records_in=100,
        records_out=50,
        records_written=0,
        late_dropped=3,
        watermark=5_000,
        output_watermark=4_000,
        lag=None,
        busy_ns=2_000_000_000,
        back_pressured_ns=1_000_000_000,
        is_back_pressured=False,
        reader={},
        user=user,
        bytes_in=7_000,
        bytes_out=3_000,
    )
    return replace(made, **changes)


DONE = CheckpointView(7, "COMPLETED", 1_000, 1_250, 4096, 4, 4, Path("/data/job/chk-7"))
FAILED = CheckpointView(6, "FAILED", 500, 600, 0, 4, 2, failure="no room")
PENDING = CheckpointView(8, "IN_PROGRESS", 2_000, -1, 0, 4, 1)


def view(**changes: Any) -> JobView:
    tasks = [TaskId(v.vertex_id, n) for v in GRAPH.vertices for n in range(v.parallelism)]
    made = JobView(
        job_id="job-1",
        name="my job",
        state="RUNNING",
        graph=GRAPH,
        parallelism=2,
        workers=0,
        start_ms=1_000,
        end_ms=-1,
        now_ms=61_000,
        age_ms=0,
        timestamps={"INITIALIZING": 1_000, "RUNNING": 2_000},
        subtasks={t: SubtaskView("RUNNING", figures(t), Rates(10.0, 5.0, 300.0, 200.0, 500.0)) for t in tasks},
        checkpoints=CheckpointsView(
            total=3,
            completed=1,
            failed=1,
            restored=1,
            history=[PENDING, DONE, FAILED],
            latest_completed=DONE,
            latest_failed=FAILED,
            latest_restored=RestoreView(5, 900, Path("/data/job/chk-5")),
        ),
        settings=CheckpointSettings(interval_ms=1000),
        checkpoint_directory=Path("/data/job"),
        restarts=2,
        exceptions=[ExceptionView("ValueError", "Traceback …\nValueError: x", 1_500, "Double (1/2)")],
        configuration={"pipeline.name": "my job", "sasl.password": "******"},
    )
    return replace(made, **changes)


class StandingJob:
    """A ``JobControl`` over a view that does not move; remembers what it was asked for."""

    job_id = "job-1"

    def __init__(self, shown: JobView | None = None) -> None:
        self.shown = shown or view()
        self.asked: list[Any] = []

    def view(self) -> JobView:
        return self.shown

    def cancel(self) -> None:
        self.asked.append("cancel")

    def stop(self, directory: Path | None, drain: bool) -> str:
        self.asked.append(("stop", directory, drain))
        return "stop-1"

    def savepoint(self, directory: Path | None, cancel_job: bool) -> str:
        if directory is None:
            raise RefusedError("Where is it to go?")
        self.asked.append(("savepoint", directory, cancel_job))
        return "savepoint-2"

    def operation(self, request_id: str) -> OperationView | None:
        return {
            "under-way": OperationView(False),
            "done": OperationView(True, "/sp/1"),
            "failed": OperationView(True, failure="no room"),
        }.get(request_id)

    def rescale(self, parallelism: int) -> None:
        self.asked.append(("rescale", parallelism))
