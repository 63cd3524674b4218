"""``wiesel jobs``: what runs on this machine."""

from __future__ import annotations

from typing import Any, Final

import click

from wiesel.cli.control import duration, moment, reporting
from wiesel.cli.table import show_rows

_COLUMNS: Final = ("job", "name", "state", "tasks", "since", "for", "pid")


@click.command()
def jobs() -> int:
    """List the jobs of yours that run on this machine.

    A table on a terminal, in a pipe one JSON object a line, with the fields of Flink's /jobs/overview.

    \b
    Examples:
      wiesel jobs
      wiesel jobs | jq -r .jid
    """
    return reporting(_show)


def _show() -> None:
    from wiesel.rest.client import running_jobs

    found = running_jobs()
    entries = [{**job.overview, "pid": job.pid} for job in found]
    if not entries:
        click.echo("No job of yours is running on this machine.", err=True)
        return
    show_rows(list(map(_row, entries)), _COLUMNS, entries)


def _row(entry: dict[str, Any]) -> dict[str, str]:
    tasks = entry["tasks"]
    return {
        "job": entry["jid"],
        "name": entry["name"],
        "state": entry["state"],
        "tasks": f"{tasks['running']}/{tasks['total']}",
        "since": moment(entry["start-time"]),
        "for": duration(entry["duration"]),
        "pid": str(entry["pid"]),
    }
