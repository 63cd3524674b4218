"""The job's process: started as a supervisor would start it, killed as nothing should be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from wiesel.rest.client import running_jobs
from wiesel.state import WORKING_STATE

SCRIPT: Final = Path(__file__).parent / "jobs" / "counters.py"
_WIESEL: Final = Path(sys.executable).with_name("wiesel")


class JobProcess:
    """``wiesel run`` of jobs/counters.py.

    Args:
        directory: of checkpoints and log.
        arguments: of the script.
        settings: options of ``wiesel run`` for every start.
    """

    def __init__(self, directory: Path, arguments: Sequence[str], settings: Sequence[str] = ()) -> None:
        self.directory = directory
        self._arguments = arguments
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begins = 0
        self._sessions: set[int] = set()
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def checkpoints(self) -> Path:
        """Where the job directory lies."""
        return self.directory / "checkpoints"

    @property
    def job_directory(self) -> Path:
        """The one job directory."""
        (store,) = self.checkpoints.glob("*/_store")
        return store.parent

    def newest_checkpoint(self) -> Path:
        """The newest complete checkpoint."""
        return max((path.parent for path in self._complete()), key=_number)

    def newest_number(self) -> int:
        """Its number, 0 before there is one."""
        return max((_number(path.parent) for path in self._complete()), default=0)

    def checkpoints_behind(self, number: int) -> list[Path]:
        """The complete checkpoints with higher numbers."""
        return [path.parent for path in self._complete() if _number(path.parent) > number]

    def has_checkpoint(self) -> bool:
        """Whether there is a complete checkpoint."""
        return any(self._complete())

    def _complete(self) -> Iterator[Path]:
        # Not by rglob, which fails when a directory is removed while it looks into it.
        return self.checkpoints.glob("*/chk-*/_metadata")

    def answers(self) -> bool:
        """Whether its control plane does, so that a client finds it."""
        return bool(running_jobs(self.pid))

    def client(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        """Ask the running job for something by ``wiesel COMMAND``."""
        assert self._process is not None, "start it first"
        asked = [str(_WIESEL), command, str(self._process.pid), *arguments]
        return subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @property
    def pid(self) -> int:
        """Of the JobMaster."""
        assert self._process is not None, "start it first"
        return self._process.pid

    def start(
        self,
        how: Sequence[str] = ("--resume",),
        *,
        parallelism: int = 2,
        failpoint: str = "",
        ablate: str = "",
        options: Sequence[str] = (),
        script: Sequence[str] = (),
        under: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            how: options of ``wiesel run`` that say where it goes on.
            parallelism: of the job.
            failpoint: where it kills itself, ``P4@2``.
            ablate: rules switched off, ``rule5``.
            options: more options of ``wiesel run``.
            script: more arguments of the script.
            under: a program that starts it and then is it, or leaves it alone.
            environment: more of it.
        """
        variables = {
            **os.environ,
            "WIESEL_FAILPOINT": failpoint,
            "WIESEL_ABLATE": ablate,
            "PYTHONFAULTHANDLER": "1",
            **(environment or {}),
        }
        where = ["-c", f"execution.checkpointing.dir={self.checkpoints}", "-p", str(parallelism)]
        job = [str(SCRIPT), *self._arguments, *script]
        command = [*under, str(_WIESEL), "run", *how, *where, *self._settings, *options, *job]
        with self._log.open("ab") as log:
            self._log_begins = log.tell()
            self._process = subprocess.Popen(
                command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._sessions.add(self._process.pid)

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still lives."""
        if self.is_running:
            assert self._process is not None
            os.kill(self._process.pid, number)

    def workers(self) -> list[int]:
        """Process ids of its children."""
        assert self._process is not None, "start it first"
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            return [int(pid) for pid in children.read_text().split()]
        except FileNotFoundError:
            return []  # it is gone

    def left_behind(self, seconds: float) -> list[int]:
        """Processes that any of its starts has left running, and that do not end within so many seconds."""
        deadline = time.monotonic() + seconds
        while (found := self._processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _processes(self) -> list[int]:
        """Processes of all its starts."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, _, session, *_ = stat.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended just now
            if int(session) in self._sessions and state != "Z":
                found.append(int(stat.parent.name))
        return found

    def temporary_files(self) -> list[Path]:
        """O5: files that no job needs once it has ended: half-written ones, and its working state."""
        files = [path for path in self.checkpoints.rglob("*") if path.is_file()]
        return [path for path in files if path.suffix == ".tmp" or WORKING_STATE in path.parts]

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        if self._process is not None:
            self.send(signal.SIGKILL)
            self._process.wait()

    def autopsy(self) -> str:
        """Kill a process that hangs and tell where its threads were."""
        self.send(signal.SIGABRT)
        self.wait(10)
        self.kill()
        return self.log(200)

    def wait(self, seconds: float) -> int | None:
        """The exit code, below zero for a signal; None if it still lives after so many seconds."""
        assert self._process is not None, "start it first"
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    @property
    def _log(self) -> Path:
        return self.directory / "job.log"

    def log(self, lines: int = 12) -> str:
        """The end of what this start has said."""
        with self._log.open("rb") as log:
            log.seek(self._log_begins)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


def _number(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("chk-"))
