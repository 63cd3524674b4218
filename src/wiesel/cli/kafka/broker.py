"""``wiesel kafka up``, ``down`` and ``status``."""

from __future__ import annotations

from pathlib import Path

import click

from wiesel.cli.kafka.options import DEFAULT_PORT, directory_option, reporting_errors
from wiesel.core import exit_codes

# As `systemctl status` answers for a service that is not active.
NOT_RUNNING = 3


@click.command(short_help="Start Apache Kafka; returns when it answers.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Port on 127.0.0.1; 0 takes a free one.  [default: {DEFAULT_PORT}]",
)
@directory_option
@click.option(
    "-c",
    "--conf",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    help="A property of Kafka's broker, which wins over Wiesel's; repeatable.",
)
@reporting_errors
def up(port: int | None, directory: Path, assignments: tuple[str, ...]) -> int:
    """Start Apache Kafka on this machine; returns when it answers, and prints where.

    The first start on a machine downloads Kafka (45 MB) and verifies it; Java comes with 'wiesel[broker]' if there is
    none. The broker goes on after this command and this shell; 'down' stops it. If it runs already, nothing happens.
    Topics are created by 'topics create', never by merely naming them (auto.create.topics.enable=false).

    \b
    Examples:
      wiesel kafka up
      wiesel kafka up --port 0 --dir scratch/kafka       a second one, on a free port
      wiesel kafka up -c auto.create.topics.enable=true -c message.max.bytes=5000000
      wiesel kafka up | cut -d= -f2                      just the address
    """
    from wiesel.broker import LocalBroker
    from wiesel.broker.properties import parse_assignments
    from wiesel.cli.kafka.progress import StartProgress

    properties = parse_assignments(assignments)
    if port is None:
        running = LocalBroker.find(directory)
        port = running.port if running else DEFAULT_PORT
    with StartProgress() as progress:
        broker = LocalBroker.start(directory, port, properties, report=progress)
    click.echo(f"bootstrap.servers={broker.bootstrap_servers}")
    return exit_codes.OK


@click.command(short_help="Stop it, and keep its data.")
@directory_option
@click.option("--delete", is_flag=True, help="Remove the broker's data too.")
@reporting_errors
def down(directory: Path, delete: bool) -> int:
    """Stop the broker and keep its data, for the next 'up'.

    It is asked to end (SIGTERM), and made to (SIGKILL) if it has not after 15 seconds. Nothing is left running.

    \b
    Examples:
      wiesel kafka down
      wiesel kafka down --dir scratch/kafka --delete
    """
    from wiesel.broker import stop_broker

    broker = stop_broker(directory, delete)
    if broker is None:
        click.echo(f"no broker runs in {directory}", err=True)
    return exit_codes.OK


@click.command(short_help="Tell whether it runs, and where.")
@directory_option
@reporting_errors
def status(directory: Path) -> int:
    """Tell whether the broker runs, and where: exit code 0 if it does, 3 if not.

    \b
    Examples:
      wiesel kafka status
      wiesel kafka status >/dev/null || wiesel kafka up
    """
    from wiesel.broker import LocalBroker

    broker = LocalBroker.find(directory)
    if broker is None:
        click.echo(f"no broker runs in {directory}", err=True)
        return NOT_RUNNING
    click.echo(f"bootstrap.servers={broker.bootstrap_servers}")
    click.echo(f"kafka.version={broker.kafka_version}")
    click.echo(f"pid={broker.pid}")
    click.echo(f"dir={broker.directory}")
    return exit_codes.OK


@click.command(short_help="Download and verify ahead what a start needs.")
@reporting_errors
def fetch() -> int:
    """Download and verify all that 'up' needs, and start nothing: for images, and machines that go offline.

    The cache is $XDG_CACHE_HOME/wiesel, by default ~/.cache/wiesel.

    \b
    Examples:
      wiesel kafka fetch
    """
    from wiesel.broker.distribution import KAFKA_VERSION, install
    from wiesel.cli.kafka.progress import StartProgress

    with StartProgress() as progress:
        installation = install(progress)
    java = installation.java
    click.echo(f"kafka.version={KAFKA_VERSION}")
    click.echo(f"jars={len(installation.jars)}")
    click.echo(f"java={java.executable} ({java.version}, from {java.source})")
    return exit_codes.OK
