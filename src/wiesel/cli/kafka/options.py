"""What the commands have in common: their options, which cluster they mean, and how errors are shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from wiesel.cli.errors import exit_code, message_line
from wiesel.core.errors import WieselError
from wiesel.core.redaction import redact

if TYPE_CHECKING:
    from wiesel.broker.client import Cluster

_Command = TypeVar("_Command", bound=Callable[..., Any])

DEFAULT_DIRECTORY: Final = Path(".wiesel") / "kafka"
DEFAULT_PORT: Final = 9092

directory_option = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help="The broker's directory; one broker, or one cluster, each.",
)

_bootstrap_option = click.option(
    "--bootstrap-server",
    "--bootstrap",
    metavar="HOST:PORT",
    help=f"Default: the broker that runs in --dir, else 127.0.0.1:{DEFAULT_PORT}.",
)
_property_file_option = click.option(
    "--command-config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A Java properties file for the client, which keeps secrets off the command line.",
)


def _property_option(*names: str) -> Callable[[Any], Any]:
    return click.option(
        *names,
        "assignments_of_client",
        metavar="KEY=VALUE",
        multiple=True,
        help="A property of the client, as jobs give it: security.protocol=SASL_SSL; repeatable.",
    )


def cluster_options(command: _Command) -> _Command:
    """Where and how to connect, which becomes the argument ``cluster``; ``-c`` is a property of the client."""
    return _with_cluster(command, _property_option("-c", "-X", "--client-property"))


def cluster_options_without_c(command: _Command) -> _Command:
    """The same for a command to which ``-c`` means something else."""
    return _with_cluster(command, _property_option("-X", "--client-property"))


def _with_cluster(command: _Command, property_option: Callable[[Any], Any]) -> _Command:
    @wraps(command)
    def with_cluster(
        *,
        bootstrap_server: str | None,
        directory: Path,
        command_config: Path | None,
        assignments_of_client: tuple[str, ...],
        **options: Any,
    ) -> Any:
        cluster = _cluster(bootstrap_server, directory, command_config, assignments_of_client)
        return command(cluster=cluster, **options)

    return _bootstrap_option(property_option(_property_file_option(directory_option(reporting_errors(with_cluster)))))  # type: ignore[no-any-return]


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


def _cluster(bootstrap_server: str | None, directory: Path, file: Path | None, assignments: tuple[str, ...]) -> Cluster:
    from wiesel.broker.client import Cluster
    from wiesel.broker.properties import parse_assignments, read_properties
    from wiesel.connectors.kafka.oauth import with_tokens
    from wiesel.connectors.kafka.properties import translate

    properties = read_properties(file.read_text(encoding="utf-8")) if file is not None else {}
    properties.update(parse_assignments(assignments))
    in_properties = properties.pop("bootstrap.servers", None)
    connection = with_tokens(translate(properties))
    return Cluster(bootstrap_server or in_properties or _servers_of(directory), connection, properties)


def _servers_of(directory: Path) -> str:
    from wiesel.broker import find_running

    broker = find_running(directory)
    return broker.bootstrap_servers if broker else f"127.0.0.1:{DEFAULT_PORT}"
