"""Rows are a table for a person at a terminal and one JSON object a line for a program in a pipe."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout

import pytest

from wiesel.cli.table import show_rows

ROWS = [
    {"topic": "[red]orders[/red]", "partitions": 4, "properties": {"retention.ms": "-1"}, "replicas": [1, 2]},
    {"topic": "über", "partitions": 12, "properties": {}, "replicas": []},
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_table_of_the_chosen_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with redirect_stdout(Terminal()) as shown:
        show_rows(ROWS, ["topic", "partitions", "properties"])
    text = re.sub(r"\x1b\[[\d;]*m", "", shown.getvalue())
    lines = [line.split() for line in text.splitlines() if line.strip(" ─")]
    # What looks like markup is a name, and stays one.
    assert lines == [
        ["topic", "partitions", "properties"],
        ["[red]orders[/red]", "4", "retention.ms=-1"],
        ["über", "12"],
    ]


def test_a_pipe_gets_one_json_object_a_line_with_all_that_a_row_has() -> None:
    with redirect_stdout(io.StringIO()) as piped:
        show_rows(ROWS, ["topic"])
    assert [json.loads(line) for line in piped.getvalue().splitlines()] == ROWS
    assert "über" in piped.getvalue()


def test_a_pipe_may_get_other_objects_than_a_person() -> None:
    with redirect_stdout(io.StringIO()) as piped:
        show_rows(ROWS, ["topic"], [{"raw": 1}])
    assert piped.getvalue() == '{"raw": 1}\n'
