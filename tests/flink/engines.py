"""The two engines as a user meets them: the same command line, with and without --target flink."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final = 120
_WIESEL: Final = (sys.executable, "-m", "wiesel.cli.main")
#: The client's JVM builds a graph and sends it; the rest is the machine's.
_CLIENT_JVM: Final = "-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"


@dataclass(frozen=True)
class Engine:
    """One way to run a script.

    Args:
        name: as the table says.
        options: of `wiesel run`, before the script.
        folder: where it runs, and leaves checkpoints and logs.
    """

    name: str
    options: tuple[str, ...]
    folder: Path

    def run(self, script: Path, arguments: Sequence[str]) -> float:
        """Run a bounded job to its end and return the seconds that it took."""
        started = time.monotonic()
        self.call("run", *self.options, str(script), *arguments)
        return time.monotonic() - started

    def fail(self, script: Path) -> tuple[int, str]:
        """Run a job that fails and return its exit code and what it said on stderr."""
        answer = self._answer("run", *self.options, str(script))
        return answer.returncode, answer.stderr

    def call(self, *arguments: str) -> str:
        """Run a command of wiesel's and return what it printed."""
        answer = self._answer(*arguments)
        if answer.returncode != 0:
            raise RuntimeError(f"wiesel {' '.join(arguments)} ended with {answer.returncode}:\n{answer.stderr[-6000:]}")
        return answer.stdout

    def _answer(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_WIESEL, *arguments],
            cwd=self.folder,
            env=_variables(),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def start(self, script: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a job without end; what it says goes to a file beside its state."""
        with (self.folder / f"{self.name}.log".lower()).open("ab") as log:
            command = [*_WIESEL, "run", *self.options, str(script), *arguments]
            return subprocess.Popen(command, cwd=self.folder, env=_variables(), stdout=log, stderr=log)


def wiesel(folder: Path, parallelism: int) -> Engine:
    """Wiesel, in one process."""
    return Engine("Wiesel", ("-p", str(parallelism)), folder)


def flink(folder: Path, parallelism: int, address: str) -> Engine:
    """A real Flink cluster."""
    return Engine("Flink", ("--target", "flink", "--cluster", address, "-p", str(parallelism)), folder)


def mini_flink(folder: Path, parallelism: int) -> Engine:
    """The real PyFlink with a mini cluster in the script's own process."""
    return Engine("mini cluster", ("--target", "flink", "-p", str(parallelism)), folder)


def terminate(process: subprocess.Popen[bytes]) -> int:
    """Ask a job's process to end, as a supervisor does, and return its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(_SECONDS)


def _variables() -> dict[str, str]:
    return {**os.environ, "JVM_ARGS": _CLIENT_JVM, "PYTHONPATH": ""}
