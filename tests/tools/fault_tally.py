"""Counts how often the tests of each row of docs/fault-matrix.md were run on real brokers, and how they ended.

    .venv/bin/python -m pytest tests/integration --junitxml run.xml …
    .venv/bin/python -m tests.tools.fault_tally run.xml …     # adds to tests/integration/results/faults.json
    .venv/bin/python -m tests.tools.fault_tally               # prints the table for the page

A story that is told with a rule switched off has to find the harm, and is counted apart.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from wiesel.broker.distribution import KAFKA_VERSION

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "fault-matrix.md"
RESULTS: Final = ROOT / "tests" / "integration" / "results" / "faults.json"
#: Kafka and what stands around it; the other rows are of disks and processes, and the kills' tally has them.
ROWS: Final = [f"F{number}" for number in (*range(16, 26), *range(27, 41))]
#: The parameter of stories that are told with a rule switched off.
_RULE_OFF: Final = "without it"
_COLUMNS: Final = ("passed", "failed", "skipped", "harm_found")


def rows_of_page(page: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Oracle and tests of each row that is counted here."""
    found = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and cells[0] in ROWS:
            found[cells[0]] = cells[2], frozenset(re.findall(r"`(test_\w+)`", cells[3]))
    return found


def outcomes(reports: Iterable[str]) -> list[tuple[str, str]]:
    """Name and outcome of each test case that pytest's XML reports tell of."""
    found = []
    for report in reports:
        for case in ElementTree.fromstring(report).iter("testcase"):
            name, _, parameters = case.attrib["name"].partition("[")
            kinds = {child.tag for child in case}
            outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
            found.append((name, "harm_found" if outcome == "passed" and _RULE_OFF in parameters else outcome))
    return found


def counted(
    rows: Mapping[str, tuple[str, frozenset[str]]], ended: Iterable[tuple[str, str]]
) -> dict[str, Counter[str]]:
    """How the tests of each row ended."""
    ended = list(ended)
    return {row: Counter(outcome for name, outcome in ended if name in tests) for row, (_, tests) in rows.items()}


def table(rows: Mapping[str, tuple[str, frozenset[str]]], tally: Mapping[str, Mapping[str, int]]) -> str:
    """The page's table."""
    lines = ["| row | oracle | stories told | held | failed | rule off, harm found |", "|---|---|---|---|---|---|"]
    for row, (oracle, _) in rows.items():
        counts = tally.get(row, {})
        passed, failed, harm = (counts.get(name, 0) for name in ("passed", "failed", "harm_found"))
        lines.append(f"| {row} | {oracle} | {passed + failed + harm} | {passed} | {failed} | {harm or ''} |")
    return "\n".join(lines)


def main() -> int:
    """Add reports, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.fault_tally", description=__doc__)
    parser.add_argument("reports", nargs="*", type=Path)
    reports = parser.parse_args().reports
    rows = rows_of_page(PAGE.read_text(encoding="utf-8"))
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"runs": [], "rows": {}}
    if reports:
        new = counted(rows, outcomes(path.read_text(encoding="utf-8") for path in reports))
        for row, counts in new.items():
            before = found["rows"].get(row, {})
            found["rows"][row] = {name: before.get(name, 0) + counts[name] for name in _COLUMNS}
        when = datetime.now(UTC).isoformat(timespec="minutes")
        found["runs"].append({"when": when, "kafka": KAFKA_VERSION, "cores": os.cpu_count(), "reports": len(reports)})
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(table(rows, found["rows"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
