"""What the driver is told: one script, its settings, and where it is to run. Pure."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from wiesel.flink.environment import FlinkEnvironment

_LOCALE: Final = ("LC_ALL", "LC_CTYPE", "LANG")


@dataclass(frozen=True)
class Submission:
    """One script on its way to Flink; `driver.py` reads it as JSON.

    Args:
        script: its file; None for a module.
        module: its name, for ``-m``.
        arguments: the script's own.
        root: the folder that leads the import path.
        configuration: Flink's keys, below those that the script sets.
        cluster: ``host:port`` of a cluster's REST API; None runs a mini cluster in the script's own process.
        jars: what a cluster's workers need and its distribution lacks.
        is_detached: whether `execute()` returns when the cluster has the job.
        report: the file for the reason, if the script fails.
    """

    script: str | None
    module: str | None
    arguments: list[str]
    root: str
    report: str
    configuration: dict[str, str] = field(default_factory=dict)
    cluster: str | None = None
    jars: list[str] = field(default_factory=list)
    is_detached: bool = False

    def to_json(self) -> str:
        """As the driver reads it."""
        return json.dumps(asdict(self))


def worker_settings(
    environment: FlinkEnvironment,
    *,
    on_this_machine: bool,
    shipped: Sequence[Path] = (),
    packages: Path | None = None,
    named: Path | None = None,
) -> dict[str, str]:
    """Where the processes that run the script's functions find Python, its modules and its packages.

    Args:
        environment: PyFlink's.
        on_this_machine: whether those processes run here; elsewhere Flink's default holds: ``python`` of their PATH.
        shipped: folders and archives that go with the job, as entries of the import path.
        packages: the folder of its installed requirements.
        named: its requirements.txt, for workers elsewhere, which install from it.
    """
    settings = {"python.client.executable": str(environment.python)}
    if on_this_machine:
        settings["python.executable"] = str(environment.python)
    if shipped:
        settings["python.files"] = ",".join(map(str, shipped))
    if packages is not None and on_this_machine:
        settings["python.pythonpath"] = str(packages)
    elif named is not None and not on_this_machine:
        settings["python.requirements"] = str(named)
    return settings


def driver_environment(
    environment: FlinkEnvironment, inherited: Mapping[str, str], import_path: Sequence[Path], logs: Path
) -> dict[str, str]:
    """The variables of the driver's process and, through it, of the JVM and the mini cluster's Python."""
    dropped = ("FLINK_", "PYTHONHOME", "PYTHONSAFEPATH", "VIRTUAL_ENV", "JDK_JAVA_OPTIONS")
    variables = {key: value for key, value in inherited.items() if not key.startswith(dropped)}
    variables |= {
        # Flink starts its workers as "python" where nothing else is said, so the environment has to come first.
        "PATH": f"{environment.folder / 'bin'}{os.pathsep}{inherited.get('PATH', os.defpath)}",
        "JAVA_HOME": str(environment.java.executable.parent.parent),
        "FLINK_LOG_DIR": str(logs),
        # PyFlink takes what is there into the class path of its own JVM.
        "HADOOP_CLASSPATH": os.pathsep.join(
            [*map(str, environment.connectors), *filter(None, [inherited.get("HADOOP_CLASSPATH")])]
        ),
        "PYTHONUTF8": "1",
    }
    if not any(inherited.get(name) for name in _LOCALE):
        variables["LC_CTYPE"] = "C.UTF-8"  # Java 17 asks the locale how text is written
    if import_path:
        entries = [*map(str, import_path), *filter(None, [inherited.get("PYTHONPATH")])]
        variables["PYTHONPATH"] = os.pathsep.join(entries)
    return variables
