"""``wiesel check``: what in a script will not work, without running it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wiesel.check.checker import TARGETS
from wiesel.core import exit_codes

if TYPE_CHECKING:
    from wiesel.cli.check_connect import ConnectFinding


@click.command()
@click.argument("paths", metavar="SCRIPT|DIR...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--target", type=click.Choice(TARGETS), help="Report as well what does not run there.")
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the report."
)
@click.option("--connect", is_flag=True, help="Then ask the clusters of the script's first job, without running it.")
@click.option("--args", "arguments", metavar="TEXT", default="", help="With --connect: the script's own arguments.")
@click.option(
    "-c",
    "--conf",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    help="With --connect: a key of Flink's; repeatable.",
)
def check(
    paths: tuple[Path, ...],
    target: str | None,
    output: str,
    connect: bool,
    arguments: str,
    assignments: tuple[str, ...],
) -> int:
    """Look through scripts for PyFlink names that will not work, settings without effect, and PyFlink's traps.

    Nothing of a script is run or imported. A finding names its place, a code (docs/check.md), and the fix; a comment
    '# wiesel: ignore[CODE]' on its line takes it away. Exits with 1 if there is an error among them.

    With --connect each script is run up to its first execute(), and its sources and sinks look at their clusters: do
    brokers answer, are they new enough, are topics and rights there, is what is kept kept for long enough? Nothing is
    read, written or created.

    \b
    Examples:
      wiesel check job.py
      wiesel check jobs/ --format json
      wiesel check --target flink-2.3 job.py           will it run on a Flink cluster, too?
      wiesel check --connect job.py --args "--bootstrap broker:9092"
    """
    from wiesel.check import report
    from wiesel.check.checker import check_file, scripts

    files = list(dict.fromkeys(scripts(paths)))
    findings = [finding for file in files for finding in check_file(file, target)]
    connected = _connect(files, arguments, assignments) if connect else []
    if output == "json":
        click.echo(
            report.to_json(findings, len(files), target, [asdict(one) for one in connected] if connect else None)
        )
    elif sys.stdout.isatty():
        from rich.console import Console

        console = Console()
        for table in report.to_tables(findings):
            console.print(table, "")
        console.print(report.summary(findings, len(files)))
    else:
        if findings:
            click.echo(report.to_lines(findings))
        click.echo(report.summary(findings, len(files)), err=True)
    if output == "text":
        for one in connected:
            click.echo(one.line())
    failed = report.has_errors(findings) or any(one.severity == "error" for one in connected)
    return exit_codes.FAILED if failed else exit_codes.OK


def _connect(files: list[Path], arguments: str, assignments: tuple[str, ...]) -> list[ConnectFinding]:
    import shlex

    from wiesel.cli.check_connect import connect_findings

    configuration = dict(_pair(assignment) for assignment in assignments)
    words = shlex.split(arguments)
    return [finding for file in files for finding in connect_findings(file, words, configuration)]


def _pair(assignment: str) -> tuple[str, str]:
    key, equals, value = assignment.partition("=")
    if not equals or not key:
        raise click.UsageError(f"-c '{assignment}' is no KEY=VALUE.")
    return key, value
