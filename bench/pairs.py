"""Two programs in turn, so that both see the same machine: A B B A A B B A …, and the ratio of each pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.process import Run

Start = Callable[[], Run]


@dataclass(frozen=True)
class Side:
    """What one program needed, its start-up (a run over next to nothing) taken off and told apart."""

    cpu_seconds_per_million: list[float]
    records_per_second: list[float]
    startup_cpu_seconds: float
    startup_wall_seconds: float


@dataclass(frozen=True)
class Pairs:
    """The job under test against its baseline; a ratio is the share of the baseline's speed, by CPU time."""

    job: Side
    baseline: Side
    ratios: list[float]

    @property
    def median(self) -> float:
        """Of the pairs' ratios."""
        return median(self.ratios)


def interleave(job: Start, base: Start, pairs: int) -> tuple[list[Run], list[Run]]:
    """The runs of both, in pairs whose order alternates."""
    runs: tuple[list[Run], list[Run]] = ([], [])
    for pair in range(pairs):
        order = (0, 1) if pair % 2 == 0 else (1, 0)
        for side in order:
            runs[side].append((job, base)[side]())
    return runs


def side(runs: list[Run], startups: list[Run], records: int) -> Side:
    """Costs of the records alone."""
    startup_cpu = median(one.cpu_seconds for one in startups)
    startup_wall = median(one.wall_seconds for one in startups)
    return Side(
        cpu_seconds_per_million=[(one.cpu_seconds - startup_cpu) / records * 1e6 for one in runs],
        records_per_second=[records / (one.wall_seconds - startup_wall) for one in runs],
        startup_cpu_seconds=startup_cpu,
        startup_wall_seconds=startup_wall,
    )


def compare(job: Side, base: Side) -> Pairs:
    """Pair by pair."""
    pairs = zip(job.cpu_seconds_per_million, base.cpu_seconds_per_million, strict=True)
    return Pairs(job, base, [by_hand / ours for ours, by_hand in pairs])
