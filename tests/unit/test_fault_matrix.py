"""docs/fault-matrix.md names every row, every bug of others and only tests that exist; and what two of them rest on."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import confluent_kafka
import pytest

from tests.tools import fault_tally

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fault-matrix.md").read_text()
ROWS = [f"F{number}" for number in range(1, 46)]
#: EXACTLY_ONCE.md §4.
BUGS = re.findall(
    r"\S+",
    """
KAFKA-17754 KAFKA-14402 KAFKA-9144 KAFKA-12671 KAFKA-19999 KAFKA-16352 KAFKA-20090 KAFKA-17507 KAFKA-10167
#3575 #3087 #3325 #3297 #4849 #3041 #4420 #3020 #3369 #2993 #3400 #3255 #4898 #2374 #4869
FLINK-40689 FLINK-31363 FLINK-31305 FLINK-33545 FLINK-28250 FLINK-25126 FLINK-37356 FLINK-37613 FLINK-23854 FLINK-40626
FLINK-9295 FLINK-11654 FLINK-20227 FLINK-24773 FLINK-34470 FLINK-28303 FLINK-36780 FLINK-38453 FLINK-38681 FLINK-31319
FLINK-39728 FLINK-27041 FLINK-28185 FLINK-39888 FLINK-23025 FLINK-33201 FLINK-20645 FLINK-35351 FLINK-38483 FLINK-34518
#15846 #10892 #18098 #930 #11534 #10061 #11588 #11471 #1099 #1114 #1017 #769 #12540 #24990
""",
)
#: Those that have no number.
NAMED_BUGS = [
    "a topic that leaves the metadata", "the iterator ends", "reading unpickles", "keeps the lock", "a truncated log",
]  # fmt: skip
#: The last fix of a silent loss in an idempotent producer.
OLDEST_CLIENT = (2, 5, 0)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


LINES = [cells(line) for line in PAGE.splitlines() if line.startswith("|") and not line.startswith("|---")]
TESTS = {
    node.name
    for path in (ROOT / "tests").rglob("test_*.py")
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef)
}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_told_once_with_its_oracle_its_test_and_where_it_runs(row: str) -> None:
    (line,) = (line for line in LINES if line[0] == row and len(line) == 5)
    assert all(line)
    assert "`test_" in line[3]


@pytest.mark.parametrize("bug", BUGS + NAMED_BUGS)
def test_a_bug_of_others_is_told_once_with_its_test(bug: str) -> None:
    (line,) = (line for line in LINES if len(line) == 2 and re.search(rf"{re.escape(bug)}(?!\d)", line[0]))
    assert "`test_" in line[1]


def test_every_test_that_is_named_exists() -> None:
    assert [name for name in re.findall(r"`(test_\w+)`", PAGE) if name not in TESTS] == []


def test_the_tally_is_what_was_counted_and_no_row_of_kafka_is_without_one() -> None:
    counted = json.loads(fault_tally.RESULTS.read_text())["rows"]
    rows = fault_tally.rows_of_page(PAGE)
    assert fault_tally.table(rows, counted) in PAGE
    assert [row for row in fault_tally.ROWS if not counted[row]["passed"]] == []


def test_a_report_is_counted_for_each_row_that_names_its_test() -> None:
    cases = [
        '<testcase name="test_a[1]" time="1"/>',
        '<testcase name="test_a[2]"><failure message="x"/></testcase>',
        '<testcase name="test_a[without it]"/>',
        '<testcase name="test_b"><skipped message="x"/></testcase>',
    ]
    ended = fault_tally.outcomes([f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"])
    rows = {"F1": ("O1", frozenset({"test_a"})), "F2": ("O1", frozenset({"test_a", "test_b"}))}
    assert fault_tally.counted(rows, ended) == {
        "F1": {"passed": 1, "failed": 1, "harm_found": 1},
        "F2": {"passed": 1, "failed": 1, "harm_found": 1, "skipped": 1},
    }


def test_the_client_is_not_older_than_its_last_known_loss() -> None:
    version = confluent_kafka.libversion()[1]
    assert (version >> 24, version >> 16 & 255, version >> 8 & 255) >= OLDEST_CLIENT


def test_processes_are_never_forked() -> None:
    """A fork of a process with a Kafka client in it has neither the client's threads nor its own connections."""
    forks = re.compile(r"os\.fork\(|import multiprocessing|from multiprocessing|preexec_fn")
    assert [path.name for path in (ROOT / "src").rglob("*.py") if forks.search(path.read_text())] == []
