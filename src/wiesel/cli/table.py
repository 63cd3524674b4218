"""Rows for a person or for a program: a table on a terminal, one JSON object a line in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click


def show_rows(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], objects: Sequence[Mapping[str, Any]] | None = None
) -> None:
    """
    Show rows on standard output.

    Args:
        rows: column → value, as JSON; None is an empty cell.
        columns: what the table shows, in order; in a pipe each object has all that its row has.
        objects: what a pipe gets in the place of the rows, where those are made for people.
    """
    if not sys.stdout.isatty():
        for row in rows if objects is None else objects:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        numbers = bool(rows) and all(isinstance(row.get(column), int) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if numbers else "left")
    for row in rows:
        table.add_row(
            *(Text(_cell(row.get(column))) for column in columns)
        )  # Text, because a name may look like markup
    Console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
