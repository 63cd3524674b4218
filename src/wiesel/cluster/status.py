"""Figures of a running job for its observers, a few times a second; nothing here is on the record path."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from wiesel.cluster.held_back_log import HeldBackLog
from wiesel.cluster.meters import INTERVAL, Meters
from wiesel.cluster.options import JobOptions
from wiesel.core.contracts import Clock
from wiesel.core.elements import MAX_WATERMARK, MIN_TIMESTAMP
from wiesel.core.observer import JobStatusReport
from wiesel.runtime.job_master.commands import JobState
from wiesel.runtime.job_master.master import JobMaster
from wiesel.runtime.task_figures import TaskFigures

_log = logging.getLogger("wiesel.cluster")
_INTERVAL: Final = 0.25


class StatusReporter:
    """Makes reports from the counters of tasks.

    Args:
        options: names the job and its observers.
        master: its state.
        clock: time.
        figures: returns the counters of the current attempt's tasks.
        meters: remembers them for rates.
        held_back: told of them, to say which input keeps windows open.
    """

    def __init__(
        self,
        options: JobOptions,
        master: JobMaster,
        clock: Clock,
        figures: Callable[[], Sequence[TaskFigures]],
        meters: Meters,
        held_back: HeldBackLog,
    ) -> None:
        self._options = options
        self._master = master
        self._clock = clock
        self._figures = figures
        self._meters = meters
        self._held_back = held_back
        self._report_due = clock.monotonic() if options.observers else float("inf")
        self._look_due = clock.monotonic()
        self._due = self._look_due
        self._last_checkpoint: tuple[int, float] | None = None
        self._name = options.configuration.get_string("pipeline.name", "Flink Streaming Job")

    def next_due(self) -> float:
        """Return the monotonic time of the next report or look at the counters."""
        return self._due

    def report_if_due(self) -> None:
        """Report, and look at the counters, if it is time."""
        now = self._clock.monotonic()
        if now < self._due:
            return
        if now >= self._look_due:
            figures = self._figures()
            # Before there are tasks there is nothing to measure rates from.
            self._look_due = now + (INTERVAL if figures else _INTERVAL)
            self._meters.look(now, self._master.attempt, figures)
            self._held_back.look(now, figures)
        if now >= self._report_due:
            self._report_due = now + _INTERVAL
            self._send(self._master.state)
        self._due = min(self._report_due, self._look_due)

    def checkpoint_completed(self, checkpoint_id: int) -> None:
        """Note a complete checkpoint."""
        self._last_checkpoint = (checkpoint_id, self._clock.monotonic())

    def ended(self, state: JobState) -> None:
        """Send the last report."""
        if self._options.observers:
            self._send(state)

    def _send(self, state: JobState) -> None:
        report = self._report(state)
        for observer in self._options.observers:
            try:
                observer.on_report(report)
            except Exception as error:
                _log.debug("An observer failed: %s", error)

    def _report(self, state: JobState) -> JobStatusReport:
        tasks = self._figures()
        watermarks = [task.watermark for task in tasks if task.watermark is not None]
        lags = [task.lag for task in tasks if task.lag is not None]
        delay = None
        if watermarks and MIN_TIMESTAMP < min(watermarks) < MAX_WATERMARK:
            delay = self._clock.now_ms() - min(watermarks)
        last = self._last_checkpoint
        return JobStatusReport(
            job_id=self._options.job_id,
            job_name=self._name,
            state=state.value,
            time_ms=int(self._clock.monotonic() * 1000),
            records_in=sum(task.records_in for task in tasks if task.is_source),
            records_out=sum(task.records_written for task in tasks),
            lag=sum(lags) if lags else None,
            watermark_delay_ms=delay,
            last_checkpoint_id=None if last is None else last[0],
            last_checkpoint_age_ms=None if last is None else int((self._clock.monotonic() - last[1]) * 1000),
            restarts=self._master.restarts,
        )
