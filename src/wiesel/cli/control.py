"""What the commands about running jobs share: finding the job, waiting for it, and what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.rest.client import RunningJob

#: Seconds between two looks at a job that is waited for.
_PAUSE: Final = 0.1
_TERMINAL: Final = {"FINISHED", "CANCELED", "FAILED"}


def about_job(command: Callable[..., int | None]) -> Callable[..., int]:
    """Give a command the running job that its argument ``JOB`` names, and report what goes wrong in a line."""

    @wraps(command)
    def run(job: str, **options: Any) -> int:
        from wiesel.rest.client import find_job

        return reporting(lambda: command(find_job(job), **options))

    return click.argument("job", metavar="JOB")(run)


def reporting(action: Callable[[], int | None]) -> int:
    """Return an action's exit code; what jobs and their sockets say against it becomes a line on stderr."""
    from wiesel.rest.client import FailedError, NoAnswerError, NoSuchJobError
    from wiesel.rest.registry import RegistryError

    try:
        return action() or exit_codes.OK
    except (FailedError, NoAnswerError, NoSuchJobError, RegistryError) as error:
        click.echo(f"error: {error}", err=True)
        return exit_codes.FAILED


def wait_for_operation(job: RunningJob, request_id: str) -> str | None:
    """Wait for a savepoint or a stop and return where it left the job's state.

    Raises:
        FailedError: there is none; the text says why.
        NoAnswerError: the process ended before it could say.
    """
    from wiesel.rest.client import FailedError

    while True:
        answer = job.get(f"/savepoints/{request_id}")
        if answer["status"]["id"] == "COMPLETED":
            break
        time.sleep(_PAUSE)
    operation = answer["operation"]
    if "failure-cause" in operation:
        raise FailedError(operation["failure-cause"]["stack-trace"])
    location: str | None = operation["location"]
    return location


def wait_until(job: RunningJob, reached: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any] | None:
    """Wait until the job's details are as wanted, and return them; None when it has ended before."""
    from wiesel.rest.client import NoAnswerError

    while True:
        try:
            details: Mapping[str, Any] = job.get()
        except NoAnswerError:
            return None
        if reached(details):
            return details
        if details["state"] in _TERMINAL:
            return None
        time.sleep(_PAUSE)


def moment(milliseconds: int) -> str:
    """A time of the day for people, with the date when it was not today."""
    then = datetime.fromtimestamp(milliseconds / 1000).astimezone()
    today = datetime.now().astimezone().date() == then.date()
    return then.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")


def duration(milliseconds: float) -> str:
    """A length of time for people."""
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 1 else f"{milliseconds:.0f} ms"
    for limit, unit, word in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds / 86_400:.0f} d"


def size(count: int) -> str:
    """A number of bytes for people."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} TB"
