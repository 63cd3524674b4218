"""``wiesel checkpoints``: the last checkpoints of a running job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from wiesel.cli.control import about_job, duration, moment, size
from wiesel.cli.table import show_rows

if TYPE_CHECKING:
    from wiesel.rest.client import RunningJob


_COLUMNS: Final = ("checkpoint", "status", "triggered", "took", "state", "subtasks", "path or failure")


@click.command()
@about_job
def checkpoints(job: RunningJob) -> int:
    """Show the last ten checkpoints of a running job, newest first, and how many there were.

    In a pipe one JSON object a line, with the fields of the history in Flink's /jobs/:jobid/checkpoints.

    \b
    Examples:
      wiesel checkpoints flights
      wiesel checkpoints flights | jq -r 'select(.status == "COMPLETED") | .external_path'
    """
    answer = job.get("/checkpoints")
    history = answer["history"]
    show_rows(list(map(_row, history)), _COLUMNS, history)
    if sys.stdout.isatty():
        counts, restored = answer["counts"], answer["latest"]["restored"]
        click.echo(f"{counts['completed']} completed, {counts['failed']} failed, {counts['in_progress']} under way")
        if restored is not None:
            click.echo(f"restored from {restored['external_path']} at {moment(restored['restore_timestamp'])}")
    return 0


def _row(entry: dict[str, Any]) -> dict[str, str]:
    return {
        "checkpoint": str(entry["id"]),
        "status": entry["status"],
        "triggered": moment(entry["trigger_timestamp"]),
        "took": duration(entry["end_to_end_duration"]) if entry["status"] != "IN_PROGRESS" else "",
        "state": size(entry["state_size"]),
        "subtasks": f"{entry['num_acknowledged_subtasks']}/{entry['num_subtasks']}",
        "path or failure": entry.get("external_path") or entry.get("failure_message") or "",
    }
