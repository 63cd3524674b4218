"""Counts kills and what came of them, adds them up over runs, and prints the table."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.rows import in_order, row_of
from tests.chaos.verdict import Fault, Kind

OK: Final = "ok"
COLUMNS: Final = [OK, *(kind.value for kind in Kind)]


@dataclass
class Tally:
    """Outcomes per row; a kill with several kinds of fault counts under its worst one."""

    rows: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: dict.fromkeys(COLUMNS, 0)))

    def count(self, row: str, faults: Iterable[Fault]) -> None:
        """Count one kill."""
        kinds = {fault.kind for fault in faults}
        worst = next((kind.value for kind in Kind if kind in kinds), OK)
        self.rows[row][worst] += 1

    def add(self, rows: Mapping[str, Mapping[str, int]]) -> None:
        """Add another tally's counts."""
        for row, counts in rows.items():
            for column, number in counts.items():
                self.rows[row][column] += number

    @property
    def kills(self) -> int:
        """All kills."""
        return sum(sum(counts.values()) for counts in self.rows.values())

    @property
    def bad(self) -> int:
        """Kills that were not survived unharmed."""
        return self.kills - sum(counts[OK] for counts in self.rows.values())

    def table(self) -> str:
        """The rows of the fault matrix as text, each with what was done for it."""
        lines = [_line("", "", ["cycles", *COLUMNS])]
        by_row: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.rows):
            by_row[row_of(name)].append(name)
        for row in sorted(by_row, key=in_order):
            for name in by_row[row]:
                lines.append(_line(row, name, _cells([self.rows[name]])))
        return "\n".join([*lines, _line("all", "", _cells(self.rows.values()))])

    def by_row(self) -> dict[str, dict[str, int]]:
        """Return the outcomes of each row of the fault matrix."""
        sums: dict[str, dict[str, int]] = {}
        for name, counts in self.rows.items():
            row = sums.setdefault(row_of(name), dict.fromkeys(COLUMNS, 0))
            for column in COLUMNS:
                row[column] += counts[column]
        return {row: sums[row] for row in sorted(sums, key=in_order)}


def _cells(rows: Iterable[Mapping[str, int]]) -> list[int]:
    rows = list(rows)
    sums = [sum(counts[column] for counts in rows) for column in COLUMNS]
    return [sum(sums), *sums]


def _line(row: str, name: str, cells: Iterable[object]) -> str:
    return f"{row:5}{name:28}" + "".join(f"{cell!s:>9}" for cell in cells)


@dataclass(frozen=True)
class Run:
    """One run of the harness, as the results keep it."""

    date: str
    commit: str
    kafka: str
    seed: int
    kills: int
    seconds: int
    records: int
    aborted_records: int


def save(path: Path, run: Run, tally: Tally) -> Tally:
    """Add a run to the results in ``path`` and return the tally of all runs there."""
    before: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"rows": {}, "runs": []}
    total = Tally()
    total.add(before["rows"])
    total.add(tally.rows)
    rows = {row: total.rows[row] for row in sorted(total.rows)}
    content = {
        "kills": total.kills,
        "bad": total.bad,
        "matrix": total.by_row(),
        "rows": rows,
        "runs": [*before["runs"], asdict(run)],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_one_line_a_row(json.dumps(content, indent=1)) + "\n")
    return total


def _one_line_a_row(text: str) -> str:
    """Put the counts of a row on one line, for whoever reads the file."""
    return re.sub(r"\{\s+(\"ok\"[^{}]*?)\s+\}", lambda counts: "{" + re.sub(r"\s+", " ", counts[1]) + "}", text)
