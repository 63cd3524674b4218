"""``wiesel kafka up``, ``down``, ``status``, ``kill``, ``restart`` and ``fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wiesel.cli.kafka.options import DEFAULT_PORT, directory_option, reporting_errors
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.broker import LocalBroker, LocalCluster

# As `systemctl status` answers for a service that is not active.
NOT_RUNNING = 3

_version_option = click.option(
    "--version", metavar="VERSION", help="Of Kafka, as in 3.9 or 4.3.  [default: 4.3, or that of the data]"
)


@click.command(short_help="Start Apache Kafka; returns when it answers.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Port on 127.0.0.1; 0 takes a free one. Of several brokers, the first's.  [default: {DEFAULT_PORT}]",
)
@directory_option
@click.option("--brokers", type=click.IntRange(1, 9), help="How many.  [default: 1, or as many as --dir has]")
@_version_option
@click.option(
    "-c",
    "--conf",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    help="A property of Kafka's broker, which wins over Wiesel's; repeatable.",
)
@reporting_errors
def up(
    port: int | None, directory: Path, brokers: int | None, version: str | None, assignments: tuple[str, ...]
) -> int:
    """Start Apache Kafka on this machine; returns when it answers, and prints where.

    The first start on a machine downloads Kafka (45 MB) and verifies it; Java comes with 'wiesel[broker]' if there is
    none. The broker goes on after this command and this shell; 'down' stops it. If it runs already, nothing happens.
    Topics are created by 'topics create', never by merely naming them (auto.create.topics.enable=false).

    With --brokers 3, topics have three replicas of which two must be in sync, and one broker may be killed.

    \b
    Examples:
      wiesel kafka up
      wiesel kafka up --port 0 --dir scratch/kafka       a second one, on a free port
      wiesel kafka up --brokers 3 --dir scratch/three    on ports 9092, 9093, 9094
      wiesel kafka up --version 3.9 --dir scratch/old
      wiesel kafka up -c auto.create.topics.enable=true -c message.max.bytes=5000000
      wiesel kafka up | cut -d= -f2                      just the address
    """
    from wiesel.broker import LocalBroker, LocalCluster, find_running
    from wiesel.broker.cluster import brokers_of
    from wiesel.broker.properties import parse_assignments
    from wiesel.cli.kafka.progress import StartProgress

    properties = parse_assignments(assignments)
    if port is None:
        running = find_running(directory)
        port = running.port if running else DEFAULT_PORT
    known = brokers_of(directory)
    with StartProgress() as progress:
        started: LocalBroker | LocalCluster
        if known or (brokers or 1) > 1:
            started = LocalCluster.start(
                directory, brokers or known, port, properties, version=version, report=progress
            )
        else:
            started = LocalBroker.start(directory, port, properties, version=version, report=progress)
    click.echo(f"bootstrap.servers={started.bootstrap_servers}")
    return exit_codes.OK


@click.command(short_help="Stop it, and keep its data.")
@directory_option
@click.option("--delete", is_flag=True, help="Remove the data too.")
@reporting_errors
def down(directory: Path, delete: bool) -> int:
    """Stop the broker, or all brokers of a cluster, and keep the data, for the next 'up'.

    They are asked to end (SIGTERM), and made to (SIGKILL) if they have not after 15 seconds. Nothing is left running.

    \b
    Examples:
      wiesel kafka down
      wiesel kafka down --dir scratch/kafka --delete
    """
    from wiesel.broker import stop_running

    if stop_running(directory, delete) is None:
        click.echo(f"no broker runs in {directory}", err=True)
    return exit_codes.OK


@click.command(short_help="Tell whether it runs, and where.")
@directory_option
@reporting_errors
def status(directory: Path) -> int:
    """Tell whether the broker runs, and where: exit code 0 if it does (of a cluster: all do), 3 if not.

    \b
    Examples:
      wiesel kafka status
      wiesel kafka status >/dev/null || wiesel kafka up
    """
    from wiesel.broker import LocalCluster, find_running

    running = find_running(directory)
    if running is None:
        click.echo(f"no broker runs in {directory}", err=True)
        return NOT_RUNNING
    click.echo(f"bootstrap.servers={running.bootstrap_servers}")
    click.echo(f"kafka.version={running.kafka_version}")
    if isinstance(running, LocalCluster):
        for number, address in running.addresses.items():
            broker = running.brokers[number]
            click.echo(f"broker.{number}={address} " + (f"pid={broker.pid}" if broker else "down"))
    else:
        click.echo(f"pid={running.pid}")
    click.echo(f"dir={running.directory}")
    if isinstance(running, LocalCluster) and not all(running.brokers.values()):
        return NOT_RUNNING
    return exit_codes.OK


@click.command(short_help="Kill one broker with SIGKILL, to see what happens.")
@click.argument("number", metavar="BROKER", type=click.IntRange(min=1))
@directory_option
@reporting_errors
def kill(number: int, directory: Path) -> int:
    """Kill one broker with SIGKILL, as a power failure would. Its data stay; 'restart' brings it back.

    \b
    Examples:
      wiesel kafka kill 2 && wiesel kafka status
    """
    _cluster(directory).kill(number)
    return exit_codes.OK


@click.command(short_help="Restart one broker of a cluster.")
@click.argument("number", metavar="BROKER", type=click.IntRange(min=1))
@directory_option
@reporting_errors
def restart(number: int, directory: Path) -> int:
    """Stop one broker cleanly if it runs, start it where it was, and return when it answers.

    \b
    Examples:
      wiesel kafka kill 2 && wiesel kafka restart 2
      for broker in 1 2 3; do wiesel kafka restart $broker; done        a rolling restart
    """
    from wiesel.cli.kafka.progress import StartProgress

    cluster = _cluster(directory)
    with StartProgress() as progress:
        broker = cluster.restart(number, progress)
    click.echo(f"broker.{number}={broker.bootstrap_servers} pid={broker.pid}")
    return exit_codes.OK


def _cluster(directory: Path) -> LocalCluster:
    from wiesel.broker import BrokerConfigurationError, LocalCluster

    cluster = LocalCluster.find(directory)
    if cluster is None:
        raise BrokerConfigurationError(
            f"no cluster of several brokers runs in {directory}; `wiesel kafka up --brokers 3` starts one."
        )
    return cluster


@click.command(short_help="Download and verify ahead what a start needs.")
@_version_option
@reporting_errors
def fetch(version: str | None) -> int:
    """Download and verify all that 'up' and 'wiesel txn' need: for images, and for machines that go offline.

    The cache is $XDG_CACHE_HOME/wiesel, by default ~/.cache/wiesel.

    \b
    Examples:
      wiesel kafka fetch
      wiesel kafka fetch --version 3.9
    """
    from wiesel.broker.distribution import KAFKA_VERSION, install, install_tools, pinned_version
    from wiesel.cli.kafka.progress import StartProgress

    pinned = pinned_version(version or KAFKA_VERSION)
    with StartProgress() as progress:
        installation = install(progress, pinned)
        if pinned == KAFKA_VERSION:
            install_tools(progress)
    java = installation.java
    click.echo(f"kafka.version={pinned}")
    click.echo(f"jars={len(installation.jars)}")
    click.echo(f"java={java.executable} ({java.version}, from {java.source})")
    return exit_codes.OK
