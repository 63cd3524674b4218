"""`wiesel run --target flink`: prepare what a real Flink needs, run the script with PyFlink, tell how it ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from wiesel.core import exit_codes
from wiesel.flink.cluster_api import failed_task, require_fitting
from wiesel.flink.environment import FlinkEnvironment, prepare
from wiesel.flink.errors import FlinkConfigurationError
from wiesel.flink.failure import Failure, explain
from wiesel.flink.neighbours import copy_neighbours, imported_neighbours
from wiesel.flink.requirements import install_requirements, own_requirements
from wiesel.flink.submission import Submission, driver_environment, worker_settings
from wiesel.java.jars import Report

_DRIVER = Path(__file__).with_name("driver.py")


@dataclass(frozen=True)
class FlinkLaunch:
    """One start of one script on Flink, as asked for on the command line.

    Args:
        script: its file; None for a module.
        module: its name, for ``-m``.
        arguments: the script's own.
        configuration: Flink's keys, below those that the script sets.
        cluster: ``host:port`` of a REST API; None for a mini cluster in the script's process.
        py_files: further files and folders that the workers import from.
        requirements: a requirements.txt; None takes the one beside the script, if there is one.
        is_detached: leave the job to the cluster once it has it.
    """

    script: Path | None
    module: str | None
    arguments: tuple[str, ...] = ()
    configuration: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None
    py_files: tuple[Path, ...] = ()
    requirements: Path | None = None
    is_detached: bool = False


@dataclass(frozen=True)
class Outcome:
    """How it ended: the exit code of the script's process, and why it failed, if the script raised."""

    exit_code: int
    failure: Failure | None = None


def run_on_flink(launch: FlinkLaunch, report: Report, on_start: Callable[[], None]) -> Outcome:
    """Run the script on Flink; its output goes where this process's goes.

    Raises FlinkUnreachableError or FlinkConfigurationError for a cluster that cannot be used, before anything long.

    Args:
        launch: what to run, and where.
        report: told about downloads and steps.
        on_start: called when the preparations are done and the terminal is the script's.
    """
    text = _requirements(launch)
    if launch.cluster is not None:
        require_fitting(launch.cluster)
    environment = prepare(report)
    packages = install_requirements(text, environment, report) if text else None
    with tempfile.TemporaryDirectory(prefix="wiesel-flink-") as scratch:
        shipped = _ship(launch, Path(scratch) / "modules")
        submission = _submission(launch, environment, Path(scratch), shipped, packages, text)
        told = Path(scratch) / "submission.json"
        told.touch(0o600)  # the configuration may hold secrets
        told.write_text(submission.to_json(), encoding="utf-8")
        import_path = [*shipped, *([packages] if packages else [])]
        variables = driver_environment(environment, os.environ, import_path, Path(scratch))
        on_start()
        with subprocess.Popen([environment.python, _DRIVER, told], env=variables) as driver, _signals_to(driver):
            code = driver.wait()
        failure = _failure(submission)
    return Outcome(exit_codes.for_signal(-code) if code < 0 else code, failure)


def is_this_machine(cluster: str) -> bool:
    """Whether the host of `host:port` is this machine by a loopback address, so that paths mean the same there."""
    host = cluster.rpartition(":")[0].strip("[]")
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(str(address).startswith("127.") or address == "::1" for address in addresses)


def _ship(launch: FlinkLaunch, folder: Path) -> list[Path]:
    """The entries of the workers' import path: a folder with copies of modules and packages, and archives."""
    archives = [path.absolute() for path in launch.py_files if path.is_file() and path.suffix != ".py"]
    modules = [path.absolute() for path in launch.py_files if path.absolute() not in archives]
    neighbours = list(dict.fromkeys([*imported_neighbours(*_source(launch)), *modules]))
    if not neighbours:
        return archives
    copy_neighbours(neighbours, folder)
    return [folder, *archives]


def _submission(
    launch: FlinkLaunch,
    environment: FlinkEnvironment,
    scratch: Path,
    shipped: list[Path],
    packages: Path | None,
    requirements: str,
) -> Submission:
    _, root = _source(launch)
    named = scratch / "requirements.txt"
    named.write_text(requirements, encoding="utf-8")
    settings = worker_settings(
        environment,
        on_this_machine=launch.cluster is None or is_this_machine(launch.cluster),
        shipped=shipped,
        packages=packages,
        named=named if requirements else None,
    )
    return Submission(
        script=str(launch.script) if launch.script else None,
        module=launch.module,
        arguments=list(launch.arguments),
        root=str(root),
        report=str(scratch / "report.json"),
        # What the user says of Python wins over what was found.
        configuration={**settings, **launch.configuration},
        cluster=launch.cluster,
        jars=[str(jar) for jar in (environment.python_jar, *environment.connectors)] if launch.cluster else [],
        is_detached=launch.is_detached,
    )


def _source(launch: FlinkLaunch) -> tuple[Path, Path]:
    """The file that is run, and the folder that leads the import path."""
    if launch.script is not None:
        return launch.script.absolute(), launch.script.resolve().parent
    root = Path.cwd()
    # Not by importlib, which would run the packages around it.
    base = root.joinpath(*str(launch.module).split("."))
    for file in (base / "__main__.py", base.with_name(f"{base.name}.py")):
        if file.is_file():
            return file, root
    raise FlinkConfigurationError(f"no module named '{launch.module}' in {root}; check -m.")


def _requirements(launch: FlinkLaunch) -> str:
    beside = _source(launch)[1] / "requirements.txt"
    file = launch.requirements or (beside if beside.is_file() else None)
    return own_requirements(file.read_text(encoding="utf-8")) if file else ""


def _failure(submission: Submission) -> Failure | None:
    report, cluster = Path(submission.report), submission.cluster
    if not report.exists():
        return None
    told = json.loads(report.read_text(encoding="utf-8"))
    job_id = told["job_id"]
    return explain(told, failed_task(cluster, job_id) if cluster and job_id else None, submission.root)


@contextmanager
def _signals_to(driver: subprocess.Popen[bytes]) -> Iterator[None]:
    """Hand SIGTERM on; a terminal's Ctrl-C reaches the driver by itself, and this process waits for it."""

    def forward(number: int, _frame: FrameType | None) -> None:
        driver.send_signal(number)

    def wait(_number: int, _frame: FrameType | None) -> None:
        """Nothing; but unlike SIG_IGN, a child process does not inherit it."""

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, forward), signal.SIGINT: signal.signal(signal.SIGINT, wait)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
