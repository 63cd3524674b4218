"""A real Apache Flink on this machine: one JobManager and TaskManagers, processes of their own. Start, find, stop."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from wiesel.broker.probe import free_port, is_taken
from wiesel.flink.cluster_api import Overview, overview
from wiesel.flink.directory import JOBMANAGER, FlinkDirectory, FlinkState, taskmanager
from wiesel.flink.environment import FLINK_VERSION, FlinkEnvironment
from wiesel.flink.errors import FlinkConfigurationError, FlinkError, FlinkUnreachableError
from wiesel.flink.settings import HOST, cluster_settings
from wiesel.java import process
from wiesel.java.jars import Report

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.1
_SCRIPTS: Final = {JOBMANAGER: "jobmanager.sh"}


@dataclass(frozen=True)
class Wanted:
    """The Flink that is wanted.

    Args:
        port: of the REST API and the web page; 0 takes a free one.
        taskmanagers: how many.
        slots: of each: how many parallel pipelines it runs.
        overrides: Flink's keys that win over ours.
    """

    port: int = 0
    taskmanagers: int = 1
    slots: int = 2
    overrides: Mapping[str, str] = field(default_factory=dict)


class LocalFlink:
    """A running standalone Flink of this machine.

    Made by `start` or `find`; as a context manager it stops Flink at the end. The processes do not depend on the one
    that started them.
    """

    def __init__(
        self, home: FlinkDirectory, state: FlinkState, children: Mapping[str, subprocess.Popen[bytes]]
    ) -> None:
        self._home = home
        self._state = state
        self._children = dict(children)  # only their parent can reap them

    @classmethod
    def start(cls, dir: Path, wanted: Wanted, environment: FlinkEnvironment, report: Report) -> Self:
        """Start the Flink of `dir`, or find it if it runs already; returns when all TaskManagers have registered.

        Raises FlinkConfigurationError for a port or directory that will not do, FlinkError with the end of the log if
        Flink does not start.
        """
        home = FlinkDirectory(dir.absolute())
        home.create()
        with _at_work(home):
            if running := cls.find(home.root):
                return running._as_wanted(wanted)
            _end_all(home, home.read_state(), {})
            return cls._start(home, wanted, environment, report)

    @classmethod
    def find(cls, dir: Path) -> Self | None:
        """The Flink whose JobManager runs in `dir`, or None."""
        home = FlinkDirectory(dir.absolute())
        state = home.read_state()
        return cls(home, state, {}) if state and process.is_held(home.process_lock(JOBMANAGER)) else None

    @property
    def address(self) -> str:
        """`host:port` of the REST API."""
        return self._state.address

    @property
    def directory(self) -> Path:
        """As given by `--dir`, absolute."""
        return self._home.root

    @property
    def processes(self) -> dict[str, int | None]:
        """Process id by name (`jobmanager`, `taskmanager-1`, …), None for one that has ended."""
        return {
            name: pid if process.is_held(self._home.process_lock(name)) else None
            for name, pid in self._state.processes.items()
        }

    def overview(self) -> Overview:
        """What the JobManager says; raises FlinkUnreachableError if it does not answer."""
        return overview(self.address)

    def stop(self, delete: bool = False) -> None:
        """SIGTERM, and SIGKILL after 15 s; nothing is left running. `delete` removes checkpoints and logs too."""
        if not self._home.lock.exists():
            return  # somebody else has stopped and deleted it
        with _at_work(self._home):
            _end_all(self._home, self._state, self._children)
        if delete:
            self._home.delete()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _as_wanted(self, wanted: Wanted) -> Self:
        if wanted.port and wanted.port != int(self.address.rpartition(":")[2]):
            raise FlinkConfigurationError(
                f"the Flink of {self.directory} runs at {self.address} already; `wiesel flink down` stops it, another "
                "--dir makes a second one."
            )
        if wanted.taskmanagers != len(self._state.processes) - 1 or not all(self.processes.values()):
            raise FlinkConfigurationError(
                f"the Flink of {self.directory} runs with other TaskManagers (`wiesel flink status` shows them); "
                "`wiesel flink down` stops it, then `up` starts it with yours."
            )
        return self

    @classmethod
    def _start(cls, home: FlinkDirectory, wanted: Wanted, environment: FlinkEnvironment, report: Report) -> Self:
        import yaml

        port = wanted.port or free_port()
        if is_taken(HOST, port):
            raise FlinkConfigurationError(
                f"port {port} of {HOST} is in use by another program; choose one with --port (0: a free one)."
            )
        conf = environment.flink_home / "conf"
        distribution = yaml.safe_load((conf / "config.yaml").read_text(encoding="utf-8"))
        home.prepare(conf, cluster_settings(distribution, port, free_port(), wanted.slots, home.root, wanted.overrides))
        report(f"starting Apache Flink {FLINK_VERSION}", 0, 0)
        names = [JOBMANAGER, *(taskmanager(number) for number in range(1, wanted.taskmanagers + 1))]
        children: dict[str, subprocess.Popen[bytes]] = {}
        state = FlinkState(f"{HOST}:{port}", FLINK_VERSION, {})
        try:
            for name in names:
                children[name] = _spawn(home, name, environment)
            state = FlinkState(state.address, FLINK_VERSION, {name: child.pid for name, child in children.items()})
            home.write_state(state)
            _await_registered(home, state.address, children, wanted.taskmanagers)
        except BaseException:
            _end_all(
                home, FlinkState(state.address, FLINK_VERSION, {n: c.pid for n, c in children.items()}), children, 0
            )
            raise
        return cls(home, state, children)


def stop_flink(dir: Path, delete: bool = False) -> LocalFlink | None:
    """Stop the Flink of `dir`, if one runs, and return it; `delete` removes its checkpoints and logs in any case."""
    home = FlinkDirectory(dir.absolute())
    running = LocalFlink.find(home.root)
    if running is not None:
        running.stop(delete)
    elif home.root.exists() and home.lock.exists():
        with _at_work(home):
            _end_all(home, home.read_state(), {})  # TaskManagers may have outlived a killed JobManager
        if delete:
            home.delete()
    elif delete and home.root.exists():
        raise FlinkConfigurationError(f"{home.root} is no Flink's directory, and was left alone; check --dir.")
    return running


def process_variables(home: FlinkDirectory, environment: FlinkEnvironment) -> dict[str, str]:
    """Return the environment variables of a Flink process: ours but for what would lead it to another Flink."""
    variables = {
        key: value for key, value in os.environ.items() if not key.startswith(("FLINK_", "JDK_JAVA", "PYTHON"))
    }
    return variables | {
        "FLINK_HOME": str(environment.flink_home),
        "FLINK_CONF_DIR": str(home.configuration),
        "FLINK_LOG_DIR": str(home.temporary),
        "FLINK_PID_DIR": str(home.temporary),
        "JAVA_HOME": str(environment.java.executable.parent.parent),
        # Jobs that name no interpreter start "python".
        "PATH": f"{environment.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


def _spawn(home: FlinkDirectory, name: str, environment: FlinkEnvironment) -> subprocess.Popen[bytes]:
    script = environment.flink_home / "bin" / _SCRIPTS.get(name, "taskmanager.sh")
    variables = process_variables(home, environment)
    lock = process.LifeLock(home.process_lock(name))
    if not lock.acquire():
        raise FlinkError(f"{name} of {home.root} runs already: `wiesel flink down` stops it.")
    try:
        # In the foreground the script becomes the JVM, and so its descriptors are the JVM's.
        return process.spawn(
            ["bash", script, "start-foreground"], variables, home.root, home.log(name), lock.descriptor
        )
    finally:
        lock.close()


def _await_registered(
    home: FlinkDirectory, address: str, children: Mapping[str, subprocess.Popen[bytes]], taskmanagers: int
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(FlinkUnreachableError):
            if overview(address, 1.0).taskmanagers >= taskmanagers:
                return
        for name, child in children.items():
            if child.poll() is not None:
                raise FlinkError(_failure(home, name, f"{name} ended with exit code {child.returncode}"))
        if time.monotonic() > deadline:
            raise FlinkError(_failure(home, JOBMANAGER, f"Flink was not ready within {START_SECONDS:.0f} s"))
        time.sleep(_POLL_SECONDS)


def _failure(home: FlinkDirectory, name: str, what: str) -> str:
    return f"{what}. The end of {home.log(name)}:\n{home.log_tail(name)}"


def _end_all(
    home: FlinkDirectory,
    state: FlinkState | None,
    children: Mapping[str, subprocess.Popen[bytes]],
    grace_seconds: float = STOP_SECONDS,
) -> None:
    """End TaskManagers and JobManager, all at once: none of them waits for another."""
    if state is None:
        return

    def end(name: str) -> None:
        lock = home.process_lock(name)
        if process.is_held(lock):
            process.end(state.processes[name], lock, children.get(name), grace_seconds)
        if child := children.get(name):
            child.wait()

    with ThreadPoolExecutor(max(1, len(state.processes))) as pool:
        list(pool.map(end, state.processes))
    home.clear_state()


@contextmanager
def _at_work(home: FlinkDirectory) -> Iterator[None]:
    """Keep other starts and stops of the same directory out."""
    lock = process.LifeLock(home.lock)
    deadline = time.monotonic() + START_SECONDS
    while not lock.acquire():
        if time.monotonic() > deadline:
            raise FlinkError(f"another process has been starting or stopping the Flink of {home.root} for too long.")
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        lock.close()
