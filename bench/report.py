"""The suite's table on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench.goals import Start
from bench.pairs import Pairs


class Line(NamedTuple):
    """One line of the table."""

    goal: str
    work: str
    result: str
    against: str
    bar: str
    per_second: str = ""
    per_cpu_second: str = ""
    startup: str = ""


def goal_line(goal: str, work: str, against: str, pairs: Pairs, bar: float | None) -> Line:
    """A ratio with its range, and what the job did in absolute terms."""
    return Line(
        goal,
        work,
        f"{pairs.median:.2f} ({min(pairs.ratios):.2f} to {max(pairs.ratios):.2f})",
        f"of the {against}",
        verdict(pairs.median >= bar, f"≥ {bar}") if bar is not None else "",
        f"{median(pairs.job.records_per_second):,.0f}",
        f"{1e6 / median(pairs.job.cpu_seconds_per_million):,.0f}",
        f"{pairs.job.startup_wall_seconds:.2f} s",
    )


def start_lines(start: Start) -> list[Line]:
    """G10's figures."""
    first_record = median(start.first_kafka_record_seconds)
    return [
        Line(
            "G10",
            "four elements, start to exit",
            seconds(start.wall_seconds),
            "",
            verdict(start.median <= 0.5, "≤ 0.5 s"),
        ),
        Line(
            "G10",
            "start to the first record of a topic",
            seconds(start.first_kafka_record_seconds),
            "",
            verdict(first_record <= 0.5, "≤ 0.5 s"),
        ),
        Line(
            "G10",
            "idle Kafka job, memory",
            f"{start.idle_rss_mb:.0f} MB",
            "",
            verdict(start.idle_rss_mb <= 80, "≤ 80 MB"),
        ),
        Line("G10", "idle Kafka job, CPU", f"{start.idle_cpu_percent:.1f} % of a core", "", ""),
    ]


def seconds(values: Sequence[float]) -> str:
    """Median and range."""
    return f"{median(values):.2f} s ({min(values):.2f} to {max(values):.2f})"


def verdict(reached: bool, bar: str) -> str:
    """The bar and whether it was reached."""
    return f"{bar}: {'reached' if reached else 'missed'}"


def print_table(lines: Sequence[Line]) -> None:
    """All lines; wide enough for a pipe too."""
    table = Table(title="Speed by CPU time of the whole process, start-up taken off", title_justify="left")
    headers = ("goal", "work", "median (range)", "", "bar", "records/s", "records/CPU-s", "start-up")
    for index, header in enumerate(headers):
        table.add_column(header, justify="right" if index > 4 else "left", no_wrap=True)
    for line in lines:
        table.add_row(*line)
    console = Console()
    if not console.is_terminal:
        console = Console(width=180)
    console.print(table)
