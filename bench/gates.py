"""Correctness before speed: the expected output comes from DuckDB; a wrong run has no number."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TypeVar

import duckdb

from bench.process import BenchmarkError, Run

Named = TypeVar("Named")


def keyed_state_lines(count: int, keys: int, every: int) -> list[str]:
    """What G1 prints, sorted."""
    rows = duckdb.execute(
        """
        WITH counted AS (
            SELECT range % $keys AS key, row_number() OVER (PARTITION BY range % $keys ORDER BY range) AS n
            FROM range($count))
        SELECT key, n FROM counted WHERE n % $every = 0
        """,
        {"count": count, "keys": keys, "every": every},
    ).fetchall()
    return sorted(f"({key}, {n})" for key, n in rows)


def mapped_lines(count: int, every: int) -> list[str]:
    """What G2 prints, sorted."""
    rows = duckdb.execute(
        "SELECT 3 * range + 1 FROM range($count) WHERE (3 * range + 1) % $every = 0", {"count": count, "every": every}
    ).fetchall()
    return sorted(str(value) for (value,) in rows)


def running_counts(events: Path) -> Counter[tuple[str, int]]:
    """What G3 writes for a file of its events: each user's counts from 1 on."""
    rows = duckdb.execute(
        "SELECT user, row_number() OVER (PARTITION BY user) FROM read_json(?, columns = {user: 'VARCHAR'})",
        [str(events)],
    ).fetchall()
    return Counter((user, count) for user, count in rows)


def check_lines(run: Run, expected: list[str], what: str) -> Run:
    """The run, if it printed the expected lines in any order; above parallelism 1 they name the subtask: `2> x`."""
    check(Counter(re.sub(r"^\d+> ", "", line) for line in run.stdout.splitlines()), Counter(expected), what)
    return run


def check(found: Counter[Named], expected: Counter[Named], what: str) -> None:
    """Raise unless both are the same multiset."""
    if found != expected:
        missing, unexpected = expected - found, found - expected
        raise BenchmarkError(
            f"{what} is wrong: {missing.total()} missing ({list(missing)[:3]}), "
            f"{unexpected.total()} unexpected ({list(unexpected)[:3]})"
        )
