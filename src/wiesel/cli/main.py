"""The ``wiesel`` command: a table of commands, each imported only when it is called."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Final, NamedTuple, NoReturn

import click

from wiesel.core import exit_codes


class _Entry(NamedTuple):
    """Where a command lives and what the overview says of it, so that the overview imports none."""

    location: str
    summary: str


_COMMANDS: Final[dict[str, _Entry]] = {
    "run": _Entry("wiesel.cli.run:run", "Run a PyFlink script in this process."),
    "plan": _Entry("wiesel.cli.plan:plan", "Show the job graph of a script without running it."),
    "jobs": _Entry("wiesel.cli.jobs:jobs", "List the jobs that run on this machine."),
    "job": _Entry("wiesel.cli.job:job", "Show a running job: rates, load, lag, watermarks, its last failure."),
    "checkpoints": _Entry("wiesel.cli.checkpoints:checkpoints", "Show the last checkpoints of a running job."),
    "savepoint": _Entry("wiesel.cli.savepoint:savepoint", "Take a savepoint of a running job."),
    "stop": _Entry("wiesel.cli.stop:stop", "Stop a running job with its state kept, to go on later."),
    "cancel": _Entry("wiesel.cli.cancel:cancel", "Cancel a running job."),
    "rescale": _Entry("wiesel.cli.rescale:rescale", "Give a running job another parallelism."),
    "health": _Entry("wiesel.cli.health:health", "Say by the exit code whether a job is alive, or ready."),
    "logs": _Entry("wiesel.cli.logs:logs", "Show the log of a detached job."),
    "check": _Entry("wiesel.cli.check:check", "Say what in a script will not work, without running it."),
    "offsets": _Entry("wiesel.cli.offsets:offsets", "Show how far a job, or a consumer group, has read and published."),
    "txn": _Entry("wiesel.cli.txn:txn", "List, describe and abort transactions of a Kafka cluster."),
    "kafka": _Entry("wiesel.cli.kafka:kafka", "Start, stop and look into a local Apache Kafka."),
    "flink": _Entry("wiesel.cli.flink:flink", "Start and stop a real Apache Flink on this machine."),
    "dlq": _Entry("wiesel.cli.dlq:dlq", "Look into a topic of dead letters, and send them back."),
    "version": _Entry("wiesel.cli.version:version", "Show the versions of Wiesel and of the PyFlink it answers for."),
}

_HELP: Final = """Run Apache Flink's Python programs in plain Python: no JVM, real Kafka, exactly-once.

\b
Examples:
  wiesel run job.py                   a script that imports pyflink
  wiesel run --resume job.py          go on where it stopped
  wiesel check job.py                 what in it will not work
  wiesel plan job.py                  what would run
  wiesel run --detached job.py        in the background; then wiesel jobs, logs, stop
  wiesel kafka up                     a local Apache Kafka
  wiesel run --help                   options and examples of a command
"""


class _LazyGroup(click.Group):
    """A group that reads its commands from the table, and names the nearest one for a command that it does not have."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.location.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            ctx.fail(_unknown_command(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in _COMMANDS.items()])


@click.group(cls=_LazyGroup, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
def wiesel() -> None:
    """See ``_HELP``."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the process's exit code.

    A command may return work to do instead of a code; it is done after the parser has left the stack, so a debugger in
    the user's code and the handling of Ctrl-C have nothing of the parser around them.
    """
    try:
        result: Callable[[], int] | int | None = wiesel.main(arguments, prog_name="wiesel", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return exit_codes.INTERRUPTED
    if callable(result):
        return result()
    return result or exit_codes.OK


def _unknown_command(name: str) -> str:
    from wiesel.compat.nearest import did_you_mean

    if name.endswith(".py"):
        return f"'{name}' is no command. To run a script: wiesel run {name}"
    return f"'{name}' is no command.{did_you_mean(name, _COMMANDS)}"


def process() -> NoReturn:
    """Be the ``wiesel`` process: :func:`main`, and an exit code that a late Ctrl-C does not change.

    Python takes tens of milliseconds to shut down; an interrupt there would turn the code of a job that has ended into
    a death by signal. Here it ends the process at once with the code that was decided.
    """
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # registered first, so the last to be called
    code: int | str | None = exit_codes.INTERRUPTED
    try:
        code = main()
    except KeyboardInterrupt:
        pass
    except SystemExit as end:
        code = end.code
    finally:
        signal.signal(signal.SIGINT, lambda *_: os._exit(code if isinstance(code, int) else bool(code)))
    sys.exit(code)


if __name__ == "__main__":
    process()
