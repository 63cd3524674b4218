"""The options of ``wiesel run`` that are about a real Flink, and which of the others have no meaning there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FILE: Final = click.Path(exists=True, path_type=Path)
_OPTIONS: Final[list[Callable[[Any], Any]]] = [
    click.option("--cluster", metavar="HOST:PORT", help="With --target flink: REST address of a running cluster."),
    click.option("--py-files", type=_FILE, multiple=True, help="With --target flink: ship this too; repeatable."),
    click.option("--requirements", type=_FILE, help="With --target flink; by default the one beside SCRIPT."),
]
#: Options by their parameter that only --target flink has.
_FLINK_ONLY: Final = {"cluster": "--cluster", "py_files": "--py-files", "requirements": "--requirements"}
#: Those that are about Wiesel's own jobs, and what to do on Flink.
_LOCAL_ONLY: Final = {
    "resume": ("--resume", "Flink goes on from a checkpoint or savepoint that is named: -s PATH"),
    "fresh": ("--fresh", "every start on Flink is one unless -s names a savepoint"),
    "trust_pickle": ("--trust-pickle", "Flink reads savepoints of Flink only"),
    "workers": ("--workers", "a cluster has TaskManagers; -p gives the parallelism"),
    "job_id": ("--job-id", "Flink gives each job an id"),
}


def flink_options(command: _Command) -> _Command:
    """Add what says where a real Flink is and what to send it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def refuse_without_target(options: Mapping[str, Any]) -> None:
    """Raise a usage error for options that have no meaning with the target that was chosen."""
    if options["target"] == "flink":
        for name, (option, instead) in _LOCAL_ONLY.items():
            if options[name] not in (None, False):
                raise click.UsageError(f"{option} has no meaning with --target flink: {instead}.")
        if options["detached"] and options["cluster"] is None:
            raise click.UsageError("--detached needs --cluster: a mini cluster ends with the script.")
        return
    for name, option in _FLINK_ONLY.items():
        if options[name]:
            raise click.UsageError(f"{option} has no meaning without --target flink.")
