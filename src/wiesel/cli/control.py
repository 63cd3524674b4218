"""What the commands about running jobs share: finding the job, waiting for it, and what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.rest.client import Address, RunningJob

#: Seconds between two looks at a job that is waited for.
_PAUSE: Final = 0.1
#: Where nobody else listens in.
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_TERMINAL: Final = {"FINISHED", "CANCELED", "FAILED"}


def about_job(command: Callable[..., int | None]) -> Callable[..., int]:
    """Give a command the running job that its argument ``JOB`` names, and report what goes wrong in a line."""

    @wraps(command)
    def run(job: str, address: str | None, token_file: Path | None, ca_file: Path | None, **options: Any) -> int:
        from wiesel.rest.client import find_job

        return reporting(lambda: command(find_job(job, where(address, token_file, ca_file)), **options))

    return at_address(click.argument("job", metavar="JOB")(run))


def at_address(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say where a job answers: not on this machine's sockets, but over TCP."""
    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--ca-file", metavar="FILE", type=path, help="Certificates that its own is checked with, PEM."),
        click.option("--token-file", metavar="FILE", type=path, help="Its token; by default this user's own."),
        click.option("--address", metavar="[https://]HOST:PORT", help="Where it answers (its rest.bind-port)."),
    ):
        command = option(command)
    return command


def where(address: str | None, token_file: Path | None, ca_file: Path | None) -> Address | None:
    """Return the address that such options name, None for this machine's sockets.

    Raises:
        UsageError: it is none.
        TokenError: the token cannot be read.
    """
    if address is None:
        if token_file is not None or ca_file is not None:
            raise click.UsageError("--token-file and --ca-file go with --address.")
        return None
    from wiesel.rest.client import Address
    from wiesel.rest.token import own_token_file, read_token

    scheme, has_scheme, rest = address.rpartition("://")
    host, _, port = rest.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or scheme not in ("", "http", "https"):
        raise click.UsageError(f"{address} is no address: that is HOST:PORT.")
    is_own = host in _LOOPBACK
    if scheme == "http" and not is_own:
        raise click.UsageError(f"A token is not sent to {host} in clear text: leave http:// out.")
    encrypted = scheme == "https" or (not has_scheme and not is_own)
    tls = None
    if encrypted:
        import ssl

        tls = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    return Address(host, int(port), read_token(token_file or own_token_file()), tls)


def reporting(action: Callable[[], int | None]) -> int:
    """Return an action's exit code; what jobs and their sockets say against it becomes a line on stderr."""
    from wiesel.rest.client import FailedError, NoAnswerError, NoSuchJobError
    from wiesel.rest.registry import RegistryError
    from wiesel.rest.token import TokenError

    try:
        return action() or exit_codes.OK
    except (FailedError, NoAnswerError, NoSuchJobError, RegistryError, TokenError) as error:
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
