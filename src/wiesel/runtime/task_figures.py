"""What a task's counters say at one moment; read now and then on the task's thread, never by record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.metrics import MetricReading
from wiesel.runtime.held_back import InputTime
from wiesel.runtime.reports import TaskId
from wiesel.runtime.task import Task

_LAG_METRIC = "pendingRecords"
_BYTES_METRIC = "numBytesIn"


@dataclass(frozen=True, slots=True)
class TaskFigures:
    """Counters of one task since it was deployed.

    Args:
        task: which one.
        is_source: whether it reads a source.
        records_in: records it has taken.
        records_out: records it has sent to other tasks, and those that its sinks have taken.
        records_written: of these, records its sinks have taken.
        late_dropped: records its operators dropped as too late.
        watermark: its event time, None before the first watermark.
        output_watermark: the event time of its last operator, None before the first watermark.
        lag: records its reader has still to read, where the source knows.
        busy_ns: nanoseconds in steps that had something to do.
        back_pressured_ns: nanoseconds in which an output had no room.
        is_back_pressured: whether that is so now.
        reader: gauges of the source reader by Flink's name.
        user: metrics that functions have registered.
        inputs: what makes its watermarks: splits of its source, operators that assign timestamps.
        next_event_timer: event time of its earliest timer (an open window has one); None without any.
        bytes_in: bytes of the records that came from other processes, or that its reader has fetched, where it knows.
        bytes_out: bytes of those that went to other processes, and those that its sinks have taken, where they know.
    """

    task: TaskId
    is_source: bool
    records_in: int
    records_out: int
    records_written: int
    late_dropped: int
    watermark: int | None
    output_watermark: int | None
    lag: int | None
    busy_ns: int
    back_pressured_ns: int
    is_back_pressured: bool
    reader: Mapping[str, float]
    user: Sequence[MetricReading]
    inputs: Sequence[InputTime] = ()
    next_event_timer: int | None = None
    bytes_in: int = 0
    bytes_out: int = 0


def figures_of(task_id: TaskId, task: Task, busy_ns: int = 0, back_pressured_ns: int = 0) -> TaskFigures:
    """Read a task's counters.

    Args:
        task_id: which one.
        task: the task.
        busy_ns: what its loop measured, see ``TaskFigures``.
        back_pressured_ns: likewise.
    """
    reader = {} if task.source is None else dict(task.source.reader.metrics())
    lag, read = reader.get(_LAG_METRIC), reader.pop(_BYTES_METRIC, 0)
    sinks = [sink for _, sink in task.chain.sinks()]
    written = sum(sink.records_written() for sink in sinks)
    output_watermark = task.chain.current_watermark()
    return TaskFigures(
        task=task_id,
        is_source=task.source is not None,
        records_in=task.records_in,
        records_out=task.records_out + written,
        records_written=written,
        late_dropped=task.chain.late_records_dropped,
        watermark=task.time.watermark,
        output_watermark=None if output_watermark == MIN_TIMESTAMP else output_watermark,
        lag=None if lag is None else int(lag),
        busy_ns=busy_ns,
        back_pressured_ns=back_pressured_ns,
        is_back_pressured=task.is_back_pressured,
        reader=reader,
        user=list(task.chain.metrics.readings()),
        inputs=_inputs(task_id, task),
        next_event_timer=None if task.chain.backend is None else task.chain.backend.next_event_time(),
        bytes_in=task.bytes_in + int(read),
        bytes_out=task.bytes_out + sum(sink.bytes_written() for sink in sinks),
    )


def _inputs(task_id: TaskId, task: Task) -> list[InputTime]:
    splits = [] if task.source is None else task.source.input_times()
    return [*splits, *task.chain.input_times(task_id.subtask)]
