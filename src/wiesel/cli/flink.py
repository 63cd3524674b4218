"""``wiesel flink``: a real Apache Flink on this machine, to run the same scripts on, and the way back from one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from wiesel.cli.flink_stop import offsets, stop
from wiesel.cli.kafka.options import reporting_errors
from wiesel.core import exit_codes

DEFAULT_DIRECTORY: Final = Path(".wiesel") / "flink"
#: Flink's own.
DEFAULT_PORT: Final = 8081
# As `systemctl status` answers for a service that is not active.
NOT_RUNNING: Final = 3

_directory_option = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help="The cluster's directory; one Flink each.",
)


@click.group()
def flink() -> None:
    """Start and stop a real Apache Flink on this machine: a JobManager and TaskManagers, as on a cluster.

    \b
    Examples:
      wiesel flink up                                          REST API and web page on port 8081
      wiesel run --target flink --cluster localhost:8081 job.py
      wiesel flink stop JOB --group orders                     stop a job there, so that it can move
      wiesel flink down
    """


flink.add_command(stop)
flink.add_command(offsets)


@flink.command(short_help="Start Flink; returns when it is ready for jobs.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Of the REST API on 127.0.0.1; 0 takes a free one.  [default: {DEFAULT_PORT}]",
)
@_directory_option
@click.option("--taskmanagers", type=click.IntRange(1, 9), default=1, show_default=True, help="How many.")
@click.option("--slots", type=click.IntRange(1, 64), default=2, show_default=True, help="Of each TaskManager.")
@click.option(
    "-c", "--conf", "assignments", metavar="KEY=VALUE", multiple=True, help="A key of Flink's config.yaml; repeatable."
)
@reporting_errors
def up(port: int | None, directory: Path, taskmanagers: int, slots: int, assignments: tuple[str, ...]) -> int:
    """Start Flink on this machine; returns when it is ready for jobs, and prints where.

    The first start on a machine downloads PyFlink, which brings all of Flink (0.8 GB); Java comes with 'wiesel[broker]'
    if there is none. Flink goes on after this command and this shell; 'down' stops it. If it runs already, nothing
    happens. Each process takes about a gigabyte of memory.

    \b
    Examples:
      wiesel flink up
      wiesel flink up --port 0 --taskmanagers 2 --dir scratch/flink
      wiesel flink up -c taskmanager.memory.process.size=2g
    """
    from wiesel.cli.kafka.progress import StartProgress
    from wiesel.flink.environment import prepare
    from wiesel.flink.local import LocalFlink, Wanted

    overrides = dict(_pair(assignment) for assignment in assignments)
    if port is None:
        running = LocalFlink.find(directory)
        port = int(running.address.rpartition(":")[2]) if running else DEFAULT_PORT
    with StartProgress() as progress:
        wanted = Wanted(port, taskmanagers, slots, overrides)
        started = LocalFlink.start(directory, wanted, prepare(progress), progress)
    click.echo(f"rest.address={started.address}")
    return exit_codes.OK


@flink.command(short_help="Stop it, and keep its checkpoints.")
@_directory_option
@click.option("--delete", is_flag=True, help="Remove checkpoints, savepoints and logs too.")
@reporting_errors
def down(directory: Path, delete: bool) -> int:
    """Stop Flink with the jobs that run on it, and keep their checkpoints and the logs.

    The processes are asked to end (SIGTERM), and made to (SIGKILL) after 15 seconds. Nothing is left running.
    """
    from wiesel.flink.local import stop_flink

    if stop_flink(directory, delete) is None:
        click.echo(f"no Flink runs in {directory}", err=True)
    return exit_codes.OK


@flink.command(short_help="Tell whether it runs, and where.")
@_directory_option
@reporting_errors
def status(directory: Path) -> int:
    """Tell whether Flink runs, and where: exit code 0 if all its processes do, 3 if not.

    \b
    Examples:
      wiesel flink status
      wiesel flink status >/dev/null || wiesel flink up
    """
    from wiesel.flink.local import LocalFlink

    running = LocalFlink.find(directory)
    if running is None:
        click.echo(f"no Flink runs in {directory}", err=True)
        return NOT_RUNNING
    found = running.overview()
    click.echo(f"rest.address={running.address}")
    click.echo(f"flink.version={found.version}")
    click.echo(f"slots={found.slots} free={found.free_slots}")
    click.echo(f"jobs.running={found.running_jobs}")
    for name, pid in running.processes.items():
        click.echo(f"{name}=" + (f"pid={pid}" if pid else "down"))
    click.echo(f"dir={running.directory}")
    return exit_codes.OK if all(running.processes.values()) else NOT_RUNNING


@flink.command(short_help="Download and verify ahead what Flink needs.")
@reporting_errors
def fetch() -> int:
    """Download and verify all that 'up' and 'run --target flink' need: for images, and machines that go offline.

    The cache is $XDG_CACHE_HOME/wiesel, by default ~/.cache/wiesel.
    """
    from wiesel.cli.kafka.progress import StartProgress
    from wiesel.flink.environment import FLINK_VERSION, prepare

    with StartProgress() as progress:
        environment = prepare(progress)
    java = environment.java
    click.echo(f"flink.version={FLINK_VERSION}")
    click.echo(f"flink.home={environment.flink_home}")
    click.echo(f"python={environment.python}")
    click.echo(f"java={java.executable} ({java.version}, from {java.source})")
    for jar in environment.connectors:
        click.echo(f"connector={jar}")
    return exit_codes.OK


def _pair(assignment: str) -> tuple[str, str]:
    key, equals, value = assignment.partition("=")
    if not equals or not key:
        raise click.UsageError(f"-c '{assignment}' is no KEY=VALUE.")
    return key, value
