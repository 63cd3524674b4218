"""One live line for each running job on the terminal, below whatever the job prints."""

from __future__ import annotations

import sys
from threading import RLock
from typing import Any, Final, TextIO, cast

from wiesel.core.observer import JobStatusReport

_ERASE: Final = "\r\x1b[K"
_ERASE_ONE_ABOVE: Final = "\x1b[A\x1b[K"


class LiveLines:
    """A :class:`wiesel.core.observer.JobObserver` that draws on stderr while it is entered as a context.

    Whatever else is written to the terminal first erases the lines; they come back with the next report, unless the
    cursor stands behind unfinished text such as a debugger's prompt.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._terminal: TextIO = sys.stderr
        self._reports: dict[str, JobStatusReport] = {}
        self._lines: dict[str, str] = {}
        self._drawn = 0
        self._at_line_start = True

    def __enter__(self) -> LiveLines:
        self._replaced = sys.stdout, sys.stderr
        self._terminal = sys.stderr
        sys.stderr = cast(TextIO, _Above(self, sys.stderr))
        if sys.stdout.isatty():
            sys.stdout = cast(TextIO, _Above(self, sys.stdout))
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._erase()
            sys.stdout, sys.stderr = self._replaced

    def on_report(self, report: JobStatusReport) -> None:
        """Draw the job's line anew; the first report of a job only serves to measure its rates from."""
        with self._lock:
            earlier = self._reports.get(report.job_id)
            self._reports[report.job_id] = report
            if earlier is not None:
                self._lines[report.job_id] = describe(earlier, report)
            self._erase()
            if report.is_terminal:
                self._leave_standing(report.job_id)
            self._draw()

    def write_above(self, stream: TextIO, text: str) -> int:
        """Write something that is not ours, and note where it leaves the cursor."""
        with self._lock:
            self._erase()
            if text:
                self._at_line_start = text.endswith("\n")
            return stream.write(text)

    def _leave_standing(self, job_id: str) -> None:
        """A job that ended keeps its last line, if it lived long enough to have had one."""
        self._reports.pop(job_id)
        line = self._lines.pop(job_id, None)
        if line is not None and self._at_line_start:
            self._terminal.write(f"{self._fitted(line)}\n")

    def _draw(self) -> None:
        if self._lines and self._at_line_start:
            self._terminal.write("\n".join(self._fitted(line) for line in self._lines.values()))
            self._drawn = len(self._lines)
        self._terminal.flush()

    def _erase(self) -> None:
        if self._drawn:
            self._terminal.write(_ERASE + _ERASE_ONE_ABOVE * (self._drawn - 1))
            self._terminal.flush()
            self._drawn = 0

    def _fitted(self, line: str) -> str:
        from shutil import get_terminal_size

        # A line that wraps could not be erased.
        return line[: get_terminal_size().columns - 1]


class _Above:
    """Stands for a stream of the terminal's while live lines are drawn below what is written to it."""

    def __init__(self, live_lines: LiveLines, stream: TextIO) -> None:
        self._live_lines = live_lines
        self._stream = stream

    def write(self, text: str) -> int:
        return self._live_lines.write_above(self._stream, text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def describe(earlier: JobStatusReport, latest: JobStatusReport) -> str:
    """The live line: rates between two reports of a job, and the other figures of the later one."""
    seconds = max(latest.time_ms - earlier.time_ms, 1) / 1000
    parts = [
        f"{latest.job_name} {latest.state}",
        f"in {_count((latest.records_in - earlier.records_in) / seconds)}/s",
        f"out {_count((latest.records_out - earlier.records_out) / seconds)}/s",
    ]
    if latest.lag is not None:
        parts.append(f"lag {_count(latest.lag)}")
    if latest.watermark_delay_ms is not None:
        parts.append(f"watermark {_duration(latest.watermark_delay_ms)} behind")
    if latest.last_checkpoint_id is not None:
        age = "" if latest.last_checkpoint_age_ms is None else f" {_duration(latest.last_checkpoint_age_ms)} ago"
        parts.append(f"checkpoint {latest.last_checkpoint_id}{age}")
    if latest.restarts:
        parts.append(f"{latest.restarts} restarts")
    return " · ".join(parts)


def _count(number: float) -> str:
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            return f"{number / (1e3 if suffix == 'k' else size):.3g}{suffix}"
    return f"{number:.0f}"


def _duration(milliseconds: int) -> str:
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} d"
