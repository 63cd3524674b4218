"""How the job was started: what the command line hands to ``StreamExecutionEnvironment.execute()``.

The command line runs the user's script in its own process and cannot pass arguments through it, so the options of the
launch are set for the process before the script starts and read when the script executes a job. A script that is run by
plain ``python`` sees the defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from wiesel.core.observer import JobObserver


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """One start of one script, as asked for on the command line; None means: not given, the next source decides.

    Args:
        script: the script's file; None for a module, and when started by plain ``python`` or in a notebook.
        program_name: the script's file name without its suffix, or the module's name; names jobs without an id.
        parallelism: ``-p``; overrides the configuration, and is overridden by the script, as in Flink.
        configuration: ``-c KEY=VALUE`` pairs, Flink's own keys, values as text.
        config_file: ``--config``, a Flink ``config.yaml``.
        resume: ``--resume``: go on from the latest checkpoint of the newest lineage, fresh if there is none.
        from_savepoint: ``-s``: path of the savepoint or checkpoint to start a new lineage from.
        fresh: ``--fresh``: a new lineage even though an unfinished one is there.
        allow_non_restored_state: state without an operator to take it is dropped instead of refused.
        trust_pickle: pickled state of another installation may be unpickled.
        job_id: ``--job-id``; names the job directory, else the script's name and the index of its ``execute()`` do.
        workers: ``--workers``; number of worker processes, 0 runs everything in this one.
        verbose: engine frames in error reports.
        observers: told the job's figures while it runs.
        on_plan: when set, ``execute()`` builds the graphs, hands (stream graph, job graph, configuration) to it and
            runs nothing; it does not return, because the script has no result to go on with.
    """

    script: Path | None = None
    program_name: str | None = None
    parallelism: int | None = None
    configuration: Mapping[str, str] = field(default_factory=dict)
    config_file: Path | None = None
    resume: bool = False
    from_savepoint: str | None = None
    fresh: bool = False
    allow_non_restored_state: bool = False
    trust_pickle: bool = False
    job_id: str | None = None
    workers: int | None = None
    verbose: bool = False
    observers: tuple[JobObserver, ...] = ()
    on_plan: Callable[[Any, Any, Any], NoReturn] | None = None


# A module variable, not a context variable: a script may call execute() from a thread that it started itself.
_current = LaunchOptions()


def current() -> LaunchOptions:
    """The options of this process's launch."""
    return _current


def set_current(options: LaunchOptions) -> LaunchOptions:
    """Replace the options of this process's launch and return the earlier ones, so that tests can put them back."""
    global _current
    previous, _current = _current, options
    return previous
