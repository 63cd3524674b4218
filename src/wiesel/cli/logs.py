"""``wiesel logs``: what a detached job has said."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from wiesel.cli.control import reporting
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.cli.detached import DetachedJob

_PAUSE: Final = 0.2


@click.command()
@click.argument("job", metavar="JOB")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until the job ends.")
@click.option("-n", "--lines", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
def logs(job: str, follow: bool, lines: int | None) -> int:
    """Show the log of a detached job, also when it is over; of several with the id the newest.

    JOB is its id, the beginning of it, or its pid. What the job printed and what Wiesel has to say are both in it.

    \b
    Examples:
      wiesel logs flights -f
      wiesel logs flights -n 100
    """
    return reporting(lambda: _show(_find(job), follow, lines))


def _find(text: str) -> DetachedJob:
    from wiesel.cli.detached import detached_jobs
    from wiesel.rest.client import NoSuchJobError

    known = list(detached_jobs())
    exact = [job for job in known if text in (job.job_id, str(job.pid))]
    matching = exact or [job for job in known if job.job_id.startswith(text)]
    ids = sorted({job.job_id for job in matching})
    if len(ids) > 1:
        raise NoSuchJobError(f"'{text}' could be {', '.join(ids)}.")
    if not matching:
        listed = ", ".join(sorted({job.job_id for job in known}))
        raise NoSuchJobError(
            f"No job '{text}' was started with wiesel run --detached" + (f"; these were: {listed}." if known else ".")
        )
    return matching[0]


def _show(job: DetachedJob, follow: bool, lines: int | None) -> int:
    with Path(job.log).open(errors="replace") as file:
        sys.stdout.writelines(file if lines is None else deque(file, lines))
        while follow:
            is_over = not _is_alive(job.pid)
            sys.stdout.writelines(file)
            sys.stdout.flush()
            if is_over:
                break
            time.sleep(_PAUSE)
    return exit_codes.OK


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
