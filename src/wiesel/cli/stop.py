"""``wiesel stop``: end a running job so that it can go on later."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wiesel.cli.control import about_job, wait_for_operation

if TYPE_CHECKING:
    from wiesel.rest.client import RunningJob


@click.command()
@about_job
@click.option("--drain", is_flag=True, help="End event time first: all windows and event-time timers fire.")
@click.option(
    "--savepoint",
    "directory",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its savepoint goes; by default execution.checkpointing.savepoint-dir.",
)
def stop(job: RunningJob, drain: bool, directory: Path | None) -> int:
    """Stop a running job with everything decided delivered, and print where its last state is.

    Without a directory given or configured that is its last checkpoint, from which wiesel run --resume goes on. The
    job's own process ends with exit code 0.

    \b
    Examples:
      wiesel stop flights
      wiesel stop flights --savepoint savepoints
      wiesel stop flights --drain --savepoint savepoints
    """
    target = None if directory is None else job.path_there(directory)
    answer = job.ask("POST", "/stop", {"targetDirectory": target, "drain": drain})
    location = wait_for_operation(job, answer["request-id"])
    if location is not None:
        click.echo(location)
    return 0
