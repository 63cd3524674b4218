"""``wiesel check``: what in a script will not work, without running it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wiesel.check.checker import TARGETS
from wiesel.core import exit_codes


@click.command()
@click.argument("paths", metavar="SCRIPT|DIR...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--target", type=click.Choice(TARGETS), help="Report as well what does not run there.")
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the report."
)
def check(paths: tuple[Path, ...], target: str | None, output: str) -> int:
    """Look through scripts for PyFlink names that will not work, settings without effect, and PyFlink's traps.

    Nothing of a script is run or imported. A finding names its place, a code (docs/check.md), and the fix; a comment
    '# wiesel: ignore[CODE]' on its line takes it away. Exits with 1 if there is an error among them.

    \b
    Examples:
      wiesel check job.py
      wiesel check jobs/ --format json
      wiesel check --target flink-2.3 job.py           will it run on a Flink cluster, too?
    """
    from wiesel.check import report
    from wiesel.check.checker import check_file, scripts

    files = list(dict.fromkeys(scripts(paths)))
    findings = [finding for file in files for finding in check_file(file, target)]
    if output == "json":
        click.echo(report.to_json(findings, len(files), target))
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
    return exit_codes.FAILED if report.has_errors(findings) else exit_codes.OK
