"""``wiesel cancel``: end a running job without a last checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wiesel.cli.control import about_job, wait_until

if TYPE_CHECKING:
    from wiesel.rest.client import RunningJob


@click.command()
@about_job
def cancel(job: RunningJob) -> int:
    """Cancel a running job and wait for its end.

    What was decided at a checkpoint is still delivered; what came after it is left for wiesel run --resume. A function
    that never returns is ended with its process after task.cancellation.timeout (10 s). The job's own process ends
    with exit code 6.

    \b
    Example:
      wiesel cancel flights
    """
    job.ask("PATCH", "?mode=cancel")
    wait_until(job, lambda details: False)
    click.echo(f"Job {job.job_id} is cancelled.", err=True)
    return 0
