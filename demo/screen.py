"""What the demo shows: progress bars and a table on a terminal, plain lines in a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

Completed = Callable[[int], None]


class Screen:
    """One demo's output on stdout."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        if not self._console.is_terminal:
            self._console.width = 140  # a pipe has no width; tables take what they need
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        """One line, with the seconds since the demo's start."""
        self._console.print(f"[dim]{self.seconds:6.1f} s[/]  {escape(text)}")

    @property
    def seconds(self) -> float:
        """Since the demo's start."""
        return time.monotonic() - self._start

    @contextmanager
    def progress(self, total: int, *names: str) -> Iterator[list[Completed]]:
        """A bar for each name while the block runs; each is told how much is done. In a pipe a line at each quarter."""
        if not self._console.is_terminal:
            yield [_Quarters(self, name, total) for name in names]
            return
        columns = (TextColumn("          {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as progress:
            yield [partial(_advance, progress, progress.add_task(name, total=total)) for name in names]

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; the first column is text, the others are numbers or short words."""
        table = Table(title=title, title_justify="left")
        for index, name in enumerate(header):
            table.add_column(name, justify="left" if index == 0 else "right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self._console.print(table, soft_wrap=False)


def _advance(progress: Progress, task: TaskID, completed: int) -> None:
    progress.update(task, completed=completed)


class _Quarters:
    def __init__(self, screen: Screen, what: str, total: int) -> None:
        self._screen = screen
        self._what = what
        self._total = total
        self._said = 0

    def __call__(self, completed: int) -> None:
        quarter = completed * 4 // self._total if self._total else 4
        if quarter > self._said:
            self._said = quarter
            self._screen.say(f"{self._what}: {completed:,} of {self._total:,}")
