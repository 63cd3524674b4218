"""``wiesel jobs``: what runs on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from wiesel.cli.control import at_address, duration, moment, reporting, where
from wiesel.cli.table import show_rows

if TYPE_CHECKING:
    from wiesel.rest.client import Address

_COLUMNS: Final = ("job", "name", "state", "tasks", "since", "for", "pid")


@click.command()
@at_address
def jobs(address: str | None, token_file: Path | None, ca_file: Path | None) -> int:
    """List the jobs of yours that run on this machine, or the one that answers at an address.

    A table on a terminal, in a pipe one JSON object a line, with the fields of Flink's /jobs/overview.

    \b
    Examples:
      wiesel jobs
      wiesel jobs | jq -r .jid
      wiesel jobs --address 127.0.0.1:8081
    """
    return reporting(lambda: _show(where(address, token_file, ca_file)))


def _show(address: Address | None) -> None:
    from wiesel.rest.client import job_at, running_jobs

    found = running_jobs() if address is None else [job_at(address)]
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
        "pid": str(entry["pid"] or ""),
    }
