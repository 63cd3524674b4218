"""``wiesel savepoint``: a savepoint of a running job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wiesel.cli.control import about_job, wait_for_operation

if TYPE_CHECKING:
    from wiesel.rest.client import RunningJob


@click.command()
@about_job
@click.argument("directory", required=False, metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
def savepoint(job: RunningJob, directory: Path | None) -> int:
    """Take a savepoint of a running job, wait for it, and print where it is.

    DIR gets a directory of the savepoint's own; by default it is execution.checkpointing.savepoint-dir.

    \b
    Examples:
      wiesel savepoint flights savepoints
      wiesel run -s "$(wiesel savepoint flights savepoints)" --job-id flights-test job.py
    """
    target = None if directory is None else job.path_there(directory)
    answer = job.ask("POST", "/savepoints", {"target-directory": target, "cancel-job": False})
    click.echo(wait_for_operation(job, answer["request-id"]))
    return 0
