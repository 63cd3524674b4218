"""Counts kills and what came of them, adds them up over runs, and prints the table."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

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
        """The rows as text."""
        lines = [f"{'':10}{'kills':>7}" + "".join(f"{column:>9}" for column in COLUMNS)]
        for row, counts in [*sorted(self.rows.items()), ("all", self._sums())]:
            cells = "".join(f"{counts[column]:>9}" for column in COLUMNS)
            lines.append(f"{row:10}{sum(counts.values()):>7}{cells}")
        return "\n".join(lines)

    def _sums(self) -> dict[str, int]:
        return {column: sum(counts[column] for counts in self.rows.values()) for column in COLUMNS}


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
    content = {"kills": total.kills, "bad": total.bad, "rows": rows, "runs": [*before["runs"], asdict(run)]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
    return total
