"""Every metric of a job by Flink's name, for REST answers and for Prometheus alike (Flink docs: "Metrics")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.metrics import MetricReading
from wiesel.rest.job_view import JobView, SubtaskView
from wiesel.runtime.reports import TaskId
from wiesel.runtime.task_figures import TaskFigures

_PARTITION: Final = re.compile(r"KafkaSourceReader\.topic\.(?P<topic>.+)\.partition\.(?P<partition>\d+)\.(?P<name>\w+)")
#: What a reading's numbers are called behind a metric's name.
_SUFFIXES: Final = {"": "", "rate": ""}


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One number.

    Args:
        name: Flink's name within its scope, dots between groups.
        value: the number.
        is_counter: whether it only ever grows.
        operator: the operator it belongs to; None for a whole task or job.
        labels: what of the name is a label to Prometheus.
        family: the name without the values of labels.
    """

    name: str
    value: float
    is_counter: bool = False
    operator: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    family: str = ""

    @property
    def full_name(self) -> str:
        """The name as REST answers have it."""
        return self.name if self.operator is None else f"{self.operator}.{self.name}"


def job_metrics(view: JobView) -> Iterator[MetricValue]:
    """Yield what is counted once a job."""
    checkpoints = view.checkpoints
    yield MetricValue("numRestarts", view.restarts, is_counter=True)
    yield MetricValue("fullRestarts", view.restarts, is_counter=True)
    ended = view.end_ms if view.end_ms >= 0 else view.now_ms
    running_since = view.timestamps.get("RUNNING", 0)
    is_running = view.state == "RUNNING"
    yield MetricValue("uptime", ended - running_since if is_running else 0)
    yield MetricValue("downtime", ended - view.timestamps.get("RESTARTING", ended) if view.state == "RESTARTING" else 0)
    yield MetricValue("numberOfCompletedCheckpoints", checkpoints.completed, is_counter=True)
    yield MetricValue("numberOfFailedCheckpoints", checkpoints.failed, is_counter=True)
    yield MetricValue("totalNumberOfCheckpoints", checkpoints.total, is_counter=True)
    in_progress = checkpoints.total - checkpoints.completed - checkpoints.failed
    yield MetricValue("numberOfInProgressCheckpoints", in_progress)
    last = checkpoints.latest_completed
    if last is not None:
        yield MetricValue("lastCheckpointDuration", last.ended_ms - last.triggered_ms)
        yield MetricValue("lastCheckpointSize", last.state_size)
        yield MetricValue("lastCheckpointFullSize", last.state_size)
        yield MetricValue("lastCompletedCheckpointId", last.checkpoint_id)
    if checkpoints.latest_restored is not None:
        yield MetricValue("lastCheckpointRestoreTimestamp", checkpoints.latest_restored.restored_ms)


def task_metrics(view: JobView, task: TaskId) -> Iterator[MetricValue]:
    """Yield what is counted for one subtask, the metrics of its functions included."""
    subtask = view.subtasks[task]
    yield from _rates(subtask)
    if subtask.figures is not None:
        yield from _counted(subtask.figures)
        yield from _reader(subtask.figures)
        for reading in subtask.figures.user:
            yield from _user(reading)


def _rates(subtask: SubtaskView) -> Iterator[MetricValue]:
    rates = subtask.rates
    yield MetricValue("numRecordsInPerSecond", rates.records_in)
    yield MetricValue("numRecordsOutPerSecond", rates.records_out)
    yield MetricValue("numBytesInPerSecond", rates.bytes_in)
    yield MetricValue("numBytesOutPerSecond", rates.bytes_out)
    yield MetricValue("busyTimeMsPerSecond", rates.busy_ms)
    yield MetricValue("backPressuredTimeMsPerSecond", rates.back_pressured_ms)
    yield MetricValue("idleTimeMsPerSecond", rates.idle_ms)


def _counted(figures: TaskFigures) -> Iterator[MetricValue]:
    yield MetricValue("numRecordsIn", figures.records_in, is_counter=True)
    yield MetricValue("numRecordsOut", figures.records_out, is_counter=True)
    yield MetricValue("numBytesIn", figures.bytes_in, is_counter=True)
    yield MetricValue("numBytesOut", figures.bytes_out, is_counter=True)
    yield MetricValue("numLateRecordsDropped", figures.late_dropped, is_counter=True)
    yield MetricValue("accumulateBusyTimeMs", figures.busy_ns // 1_000_000, is_counter=True)
    yield MetricValue("accumulateBackPressuredTimeMs", figures.back_pressured_ns // 1_000_000, is_counter=True)
    yield MetricValue("isBackPressured", int(figures.is_back_pressured))
    if not figures.is_source:
        yield MetricValue("currentInputWatermark", _watermark(figures.watermark))
    yield MetricValue("currentOutputWatermark", _watermark(figures.output_watermark))


def _watermark(watermark: int | None) -> int:
    return MIN_TIMESTAMP if watermark is None else watermark


def _reader(figures: TaskFigures) -> Iterator[MetricValue]:
    for name, number in figures.reader.items():
        partition = _PARTITION.fullmatch(name)
        is_counter = name.endswith(("commitsSucceeded", "commitsFailed"))
        if partition is None:
            yield MetricValue(name, number, is_counter)
        else:
            labels = {"topic": partition["topic"], "partition": partition["partition"]}
            family = f"KafkaSourceReader.topic.partition.{partition['name']}"
            yield MetricValue(name, number, is_counter, labels=labels, family=family)


def _user(reading: MetricReading) -> Iterator[MetricValue]:
    # The first three groups are the task's name, its subtask and the operator's name.
    operator, names = reading.scope[2], reading.scope[3:]
    hidden = set(reading.labels.values())
    family = ".".join(name for name in names if name not in hidden)
    for suffix, number in reading.numbers.items():
        end = _SUFFIXES.get(suffix, f"_{suffix}")
        is_counter = reading.kind == "Counter" or (reading.kind, suffix) == ("Meter", "count")
        yield MetricValue(".".join(names) + end, number, is_counter, operator, reading.labels, family + end)
