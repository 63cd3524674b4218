"""``wiesel run``: a PyFlink script in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import click

from wiesel.cli.flink_options import flink_options, refuse_without_target
from wiesel.cli.options import launch_of, program_of, program_options
from wiesel.cli.program import Program, run_program
from wiesel.core.launch import LaunchOptions

_TARGET_HELP: Final = "flink: run the same file with the real PyFlink, on a mini cluster or on --cluster."


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--resume", is_flag=True, help="Go on from the job's latest checkpoint; start fresh if there is none.")
@click.option("-s", "--from-savepoint", metavar="PATH", help="Start from this savepoint or checkpoint.")
@click.option("--fresh", is_flag=True, help="Start anew although an unfinished run of this job is there.")
@click.option("--allow-non-restored-state", is_flag=True, help="Drop state whose operator is gone.")
@click.option("--trust-pickle", is_flag=True, help="Unpickle state of another installation; that can run its code.")
@click.option("--workers", type=click.IntRange(min=0), metavar="N", help="Worker processes; 0: all in this process.")
@click.option("--detached", is_flag=True, help="Return once the job runs, and print its id; see wiesel logs.")
@click.option("--target", type=click.Choice(["local", "flink"]), default="local", show_default=True, help=_TARGET_HELP)
@flink_options
@program_options
def run(**options: Any) -> Callable[[], int]:
    """Run a PyFlink script in this process; everything after SCRIPT goes to the script.

    The script's own output is on stdout, everything of Wiesel's on stderr. Ctrl-C or SIGTERM stops the job with a last
    checkpoint, a second one at once; --resume goes on from there.

    \b
    Examples:
      wiesel run job.py
      wiesel run -p 4 -c execution.checkpointing.interval=1s job.py --its --own args
      wiesel run --resume job.py                       what a supervisor calls
      wiesel run -s savepoints/before-upgrade job.py
      wiesel run -m my.package.job --its --own args
      wiesel run --detached job.py                     then: wiesel jobs, wiesel logs, wiesel stop
      wiesel run --target flink --cluster localhost:8081 job.py
    """
    refuse_without_target(options)
    if options["target"] == "flink":
        from wiesel.cli.flink_run import run_on_flink

        return partial(run_on_flink, program_of(options), options)
    _refuse_contradictions(options)
    program = program_of(options)
    if options["detached"]:
        from wiesel.cli.detached import run_detached

        return partial(run_detached, launch_of(program, options))
    return partial(_run, program, launch_of(program, options))


def _refuse_contradictions(options: dict[str, Any]) -> None:
    starts = {"--resume": "resume", "--fresh": "fresh", "--from-savepoint": "from_savepoint"}
    asked = [option for option, name in starts.items() if options[name]]
    if len(asked) > 1:
        raise click.UsageError(f"{' and '.join(asked)} contradict each other: choose one.")


def _run(program: Program, options: LaunchOptions) -> int:
    if program.log_format == "json" or not sys.stderr.isatty():
        return run_program(program, options)
    from wiesel.cli.terminal import LiveLines

    with LiveLines() as live_lines:
        return run_program(program, replace(options, observers=(live_lines,)))
