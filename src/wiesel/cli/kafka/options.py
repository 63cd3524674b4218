"""What the commands have in common: their options, which broker they mean, and how errors are shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from wiesel.cli.errors import exit_code, message_line
from wiesel.core.errors import WieselError
from wiesel.core.redaction import redact

_Command = TypeVar("_Command", bound=Callable[..., Any])

DEFAULT_DIRECTORY: Final = Path(".wiesel") / "kafka"
DEFAULT_PORT: Final = 9092

directory_option = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help="The broker's directory; one broker each.",
)

_bootstrap_option = click.option(
    "--bootstrap-server",
    metavar="HOST:PORT",
    help=f"Default: the broker that runs in --dir, else 127.0.0.1:{DEFAULT_PORT}.",
)


def cluster_options(command: _Command) -> _Command:
    """``--bootstrap-server`` and ``--dir``, which become the argument ``bootstrap_servers``."""

    @wraps(command)
    def with_cluster(*, bootstrap_server: str | None, directory: Path, **options: Any) -> Any:
        return command(bootstrap_servers=bootstrap_server or _servers_of(directory), **options)

    return _bootstrap_option(directory_option(with_cluster))  # type: ignore[return-value]  # the options are added


def reporting_errors(command: _Command) -> _Command:
    """Show an error of ours as one line on stderr, and make its code the command's."""

    @wraps(command)
    def reported(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except WieselError as error:
            # No traceback: nothing of the user's runs here, and the message says what to do.
            click.echo(redact(f"error: {message_line(error)}"), err=True)
            return exit_code(error)

    return reported  # type: ignore[return-value]  # the same signature


def _servers_of(directory: Path) -> str:
    from wiesel.broker import find_running

    broker = find_running(directory)
    return broker.bootstrap_servers if broker else f"127.0.0.1:{DEFAULT_PORT}"
