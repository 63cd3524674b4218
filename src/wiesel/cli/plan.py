"""``wiesel plan``: what a script would run, without running it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import click

from wiesel.cli.options import launch_of, program_of, program_options
from wiesel.cli.program import Program, run_program
from wiesel.core import exit_codes
from wiesel.core.launch import LaunchOptions


class _PlanReached(BaseException):
    """Leaves the script at its first job; no ``Exception``, so that the script does not catch it."""


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--json", "as_json", is_flag=True, help="Flink's execution plan as JSON, for its plan visualizer.")
@program_options
def plan(as_json: bool, **options: Any) -> Callable[[], int]:
    """Show the job graph of a script: its vertices, the operators chained in each, and the edges between them.

    The script runs up to its first execute(); nothing is read, written or started. Scripts with several jobs show the
    first.

    \b
    Examples:
      wiesel plan job.py
      wiesel plan -p 4 job.py --its --own args
      wiesel plan --json job.py > plan.json
    """
    program = program_of(options)
    return partial(_plan, program, launch_of(program, options), as_json)


def _plan(program: Program, options: LaunchOptions, as_json: bool) -> int:
    def show(stream_graph: Any, job_graph: Any, _configuration: Any) -> NoReturn:
        from wiesel.graph import plan as plans

        print(plans.to_json(stream_graph) if as_json else plans.to_text(job_graph), file=stdout)
        raise _PlanReached

    stdout = sys.stdout
    try:
        # The plan has stdout to itself, so that it can be piped; what the script prints goes to stderr.
        with redirect_stdout(sys.stderr):
            code = run_program(program, replace(options, on_plan=show))
    except _PlanReached:
        return exit_codes.OK
    if code == exit_codes.OK:
        click.echo(f"error: {program.name} ended without calling execute(), so there is no plan to show", err=True)
        return exit_codes.FAILED
    return code
