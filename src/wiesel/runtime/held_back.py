"""Why a window does not close: which input holds the watermark back, and for how long it has been silent. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.operator_specs import WindowSpec
from wiesel.graph.job_graph import JobGraph

if TYPE_CHECKING:
    from wiesel.runtime.task_figures import TaskFigures  # which is made of the InputTime below

#: A shorter silence is nothing to be told of.
QUIET_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class InputTime:
    """The event time of one input that makes watermarks: a split of a source, or a subtask that assigns timestamps.

    Args:
        name: the split's id (``flights-7``), or the operator's name and subtask.
        watermark: its own; None before its first record.
        quiet_seconds: since its last record, or since it was given.
        idle: whether it counts as idle, and so holds nobody back.
    """

    name: str
    watermark: int | None
    quiet_seconds: float
    idle: bool


@dataclass(frozen=True, slots=True)
class HeldBack:
    """An operator whose windows, or event-time timers, wait for an input that has fallen silent.

    Args:
        vertex_id: its vertex.
        operator: its name.
        is_window: whether it is a window; else a function with event-time timers.
        due: event time of the earliest thing that waits, milliseconds: a window's end.
        watermark: the operator's; None before the first one.
        held_back_by: the input that holds it back.
        input_watermark: of that input; None before its first record.
        quiet_seconds: for how long that input has had no record.
        others_are_past: whether another input is beyond ``due`` already; else all of them are silent, or behind.
    """

    vertex_id: int
    operator: str
    is_window: bool
    due: int
    watermark: int | None
    held_back_by: str
    input_watermark: int | None
    quiet_seconds: float
    others_are_past: bool

    def __str__(self) -> str:
        what = f"window open until {_moment(self.due)}" if self.is_window else f"timer set for {_moment(self.due)}"
        return (
            f"{self.operator}: {what}, watermark {_moment(self.watermark)} held back by {self.held_back_by} "
            f"(at {_moment(self.input_watermark)}, no record for {self.quiet_seconds:.0f} s). If that input may be "
            "silent, add with_idleness(Duration.of_seconds(30)) to its WatermarkStrategy; to let event time go on when "
            "all inputs are silent, set wiesel.watermark.advance-after."
        )


def diagnose(graph: JobGraph, tasks: Iterable[TaskFigures]) -> list[HeldBack]:
    """Return the operators that wait for event time, each with the input that holds it back.

    Nothing is said of inputs that have records but are late (they get there), nor of tasks under back-pressure, whose
    inputs only look silent.
    """
    by_vertex: dict[int, list[TaskFigures]] = {}
    for figures in tasks:
        by_vertex.setdefault(figures.task.vertex_id, []).append(figures)
    found = []
    for vertex in graph.vertices:
        own = by_vertex.get(vertex.vertex_id, [])
        due = min((f.next_event_timer for f in own if f.next_event_timer is not None), default=None)
        watermark = min((MIN_TIMESTAMP if f.watermark is None else f.watermark for f in own), default=MIN_TIMESTAMP)
        if due is None or due <= watermark:
            continue
        upstream = [f for v in _upstream(graph, vertex.vertex_id) for f in by_vertex.get(v, [])]
        holder = _holder(upstream)
        if holder is not None:
            head = vertex.operators[0]
            found.append(
                HeldBack(
                    vertex.vertex_id,
                    head.name,
                    isinstance(head.spec, WindowSpec),
                    due,
                    None if watermark == MIN_TIMESTAMP else watermark,
                    holder.name,
                    holder.watermark,
                    holder.quiet_seconds,
                    any(_or_least(one.watermark) >= due for f in upstream for one in f.inputs),
                )
            )
    return found


def _holder(tasks: Sequence[TaskFigures]) -> InputTime | None:
    """The input of these tasks with the lowest watermark, if it is silent."""
    if any(f.is_back_pressured for f in tasks):
        return None
    counting = [one for f in tasks for one in f.inputs if not one.idle]
    lowest = min(counting, key=lambda one: (_or_least(one.watermark), -one.quiet_seconds), default=None)
    return lowest if lowest is not None and lowest.quiet_seconds >= QUIET_SECONDS else None


def _or_least(watermark: int | None) -> int:
    return MIN_TIMESTAMP if watermark is None else watermark


def _upstream(graph: JobGraph, vertex_id: int) -> set[int]:
    """All vertices that a vertex's input comes through, without itself."""
    found: set[int] = set()
    waiting = [vertex_id]
    while waiting:
        sources = {edge.source_vertex for edge in graph.in_edges(waiting.pop())} - found
        found |= sources
        waiting += sources
    return found


def _moment(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "not yet"
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # event time need not be a date
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
