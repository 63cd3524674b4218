"""``wiesel health``: an exit code for probes of a supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wiesel.cli.control import about_job, duration
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.rest.client import RunningJob


@click.command()
@click.option("--ready", is_flag=True, help="Ask whether it processes records now, not whether it is alive.")
@click.option(
    "--within",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    help="Seconds it may be silent.",
)
@about_job
def health(job: RunningJob, ready: bool, within: float) -> int:
    """Exit with 0 if a job is alive, with 1 if not: for liveness and readiness probes.

    Alive is a job whose process answers and whose loop has shown itself within --within seconds; one that waits for its
    next restart is. With --ready only one that is RUNNING counts. JOB is its id, its name, or the beginning of either.

    \b
    Examples:
      wiesel health orders
      wiesel health orders --ready
    """
    details = job.get()
    state, silent = details["state"], details["unresponsive-for"]
    if silent > within * 1000:
        click.echo(f"{details['jid']} is {state}, and its loop has not answered for {duration(silent)}", err=True)
        return exit_codes.FAILED
    click.echo(f"{details['jid']} is {state}")
    return exit_codes.FAILED if ready and state != "RUNNING" else exit_codes.OK
