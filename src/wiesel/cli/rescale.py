"""``wiesel rescale``: another parallelism for a running job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from wiesel.cli.control import about_job, wait_until
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.rest.client import RunningJob


@click.command()
@about_job
@click.option("-p", "--parallelism", type=click.IntRange(min=1), required=True, metavar="N", help="New parallelism.")
def rescale(job: RunningJob, parallelism: int) -> int:
    """Let a running job go on with another parallelism.

    It takes a last checkpoint, delivers what was decided, and goes on from there in the same process. Operators that
    set a parallelism of their own keep it.

    \b
    Example:
      wiesel rescale flights -p 4
    """
    vertices = job.get("/resource-requirements")
    wanted = {"parallelism": {"lowerBound": parallelism, "upperBound": parallelism}}
    job.ask("PUT", "/resource-requirements", dict.fromkeys(vertices, wanted))

    def is_rescaled(details: Mapping[str, Any]) -> bool:
        now = {vertex["id"]: vertex["parallelism"] for vertex in details["vertices"]}
        before = {key: requirement["parallelism"]["upperBound"] for key, requirement in vertices.items()}
        return details["state"] == "RUNNING" and now != before

    if wait_until(job, is_rescaled) is None:
        click.echo(f"error: Job {job.job_id} ended instead of going on with {parallelism}; see its log.", err=True)
        return exit_codes.FAILED
    return exit_codes.OK
