"""Options that ``run`` and ``plan`` share, and how they become a program to run and the options of its launch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from wiesel.cli.program import Program
from wiesel.core.launch import LaunchOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _KeyValue(click.ParamType[tuple[str, str]]):
    """``KEY=VALUE`` → (key, value); the value may hold further equal signs and may be empty."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        key, equals, text = str(value).partition("=")
        if not equals or not key.strip():
            self.fail(f"'{value}' is no KEY=VALUE, as in -c execution.checkpointing.interval=1s", param, ctx)
        return key.strip(), text.strip()


_LEVELS: Final = ["DEBUG", "INFO", "WARNING", "ERROR"]
_CONFIG_HELP: Final = """A Flink config.yaml. ${NAME} in it stands for an environment variable, which keeps secrets off
the command line."""

_OPTIONS: Final[list[Callable[[Any], Any]]] = [
    click.option("-p", "--parallelism", type=click.IntRange(min=1), metavar="N", help="Default parallelism."),
    click.option(
        "-c", "--conf", "configuration", type=_KeyValue(), multiple=True, help="A key of Flink's; repeatable."
    ),
    click.option(
        "--config", "config_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=_CONFIG_HELP
    ),
    click.option("--job-id", metavar="ID", help="Name of the job's directory; by default the script's name."),
    click.option("-m", "--module", "is_module", is_flag=True, help="SCRIPT is the name of a module, as for python -m."),
    click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True),
    click.option("--log-level", type=click.Choice(_LEVELS, case_sensitive=False), default="INFO", show_default=True),
    click.option("--verbose", is_flag=True, help="Show the engine's frames in error reports too."),
    click.argument("script", metavar="SCRIPT"),
    click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]..."),
]


def program_options(command: _Command) -> _Command:
    """Add what says which program to run and how; options end at SCRIPT."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def program_of(options: Mapping[str, Any]) -> Program:
    """The program that the options name; a missing file is a usage error that names a similar one."""
    name, is_module = options["script"], options["is_module"]
    return Program(
        script=None if is_module else _existing(name),
        module=name if is_module else None,
        arguments=options["arguments"],
        log_format=options["log_format"],
        log_level=options["log_level"].upper(),
        verbose=options["verbose"],
    )


def launch_of(program: Program, options: Mapping[str, Any]) -> LaunchOptions:
    """The options of the launch that have the same name on the command line; the rest keeps its defaults."""
    given = {field.name: options[field.name] for field in fields(LaunchOptions) if field.name in options}
    given.update(script=program.script, program_name=program.name, configuration=dict(given.pop("configuration", ())))
    return LaunchOptions(**given)


def _existing(script: str) -> Path:
    path = Path(script)
    if path.is_file():
        return path
    from wiesel.compat.nearest import did_you_mean

    neighbours = [file.name for file in path.parent.glob("*.py")] if path.parent.is_dir() else []
    raise click.UsageError(f"There is no file '{script}'.{did_you_mean(path.name, neighbours)}")
