"""Rates of tasks, from looks at their counters every few seconds (Flink: ``MeterView``, ``TimerGauge``)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from wiesel.rest.job_view import Rates
from wiesel.runtime.reports import TaskId
from wiesel.runtime.task_figures import TaskFigures

#: Seconds between two looks, and what records per second are averaged over. Both are Flink's.
INTERVAL: Final = 5.0
_SPAN: Final = 60.0

_Look = tuple[float, Mapping[TaskId, TaskFigures]]


class Meters:
    """Remembers the looks of the last minute."""

    def __init__(self) -> None:
        self._looks: deque[_Look] = deque()
        self._attempt = -1

    def look(self, now: float, attempt: int, figures: Iterable[TaskFigures]) -> None:
        """Remember counters; those of another attempt began anew.

        Args:
            now: monotonic clock, seconds.
            attempt: number of the attempt.
            figures: counters of its tasks.
        """
        if attempt != self._attempt:
            self._looks.clear()
            self._attempt = attempt
        while len(self._looks) > 1 and self._looks[1][0] <= now - _SPAN:
            self._looks.popleft()
        self._looks.append((now, {entry.task: entry for entry in figures}))

    def rates(self, now: float, figures: TaskFigures) -> Rates:
        """Return a task's rates at this moment."""
        minute = self._base(now, now - _SPAN, figures.task)
        recent = self._base(now, now - INTERVAL, figures.task)
        if minute is None or recent is None:
            return Rates()
        (since, base), (recently, latest) = minute, recent
        seconds, span = now - since, (now - recently) * 1e6  # of nanoseconds, milliseconds a second are left
        busy = _share(figures.busy_ns - latest.busy_ns, span)
        back_pressured = min(_share(figures.back_pressured_ns - latest.back_pressured_ns, span), 1000.0 - busy)
        return Rates(
            records_in=max(0, figures.records_in - base.records_in) / seconds,
            records_out=max(0, figures.records_out - base.records_out) / seconds,
            busy_ms=busy,
            back_pressured_ms=back_pressured,
            idle_ms=1000.0 - busy - back_pressured,
            bytes_in=max(0, figures.bytes_in - base.bytes_in) / seconds,
            bytes_out=max(0, figures.bytes_out - base.bytes_out) / seconds,
        )

    def _base(self, now: float, wanted: float, task: TaskId) -> tuple[float, TaskFigures] | None:
        """Return the latest look that is at least as old as ``wanted``, or else the oldest one there is."""
        found = None
        for time, figures in self._looks:
            if time < now and task in figures and (found is None or time <= wanted):
                found = time, figures[task]
        return found


def _share(nanoseconds: int, span: float) -> float:
    return min(1000.0, max(0.0, nanoseconds / span))
