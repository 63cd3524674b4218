"""The job's process: start it as a user would, kill it, resume it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "examples" / "flights.py"
POLL_SECONDS = 0.02


class JobError(Exception):
    """The job did something that the demo does not forgive; the text has the end of its log."""


@contextmanager
def signals_wait() -> Iterator[None]:
    """A Ctrl-C or SIGTERM in this block takes effect behind it: a process just started has to be known first."""
    arrived: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {
        number: signal.signal(number, lambda signal_number, _: arrived.append(signal_number)) for number in numbers
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for signal_number in arrived[:1]:
        signal.raise_signal(signal_number)


@dataclass
class Job:
    """`wiesel run` of examples/flights.py, with its checkpoints and its log below one directory."""

    directory: Path
    options: Sequence[str]
    arguments: Sequence[str]
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """Standard output and error of all runs."""
        return self.directory / "job.log"

    @property
    def checkpoints(self) -> Path:
        """Where the job directory lies."""
        return self.directory / "checkpoints"

    def command(self, *, resume: bool) -> list[str]:
        """The command as a user would type it."""
        wiesel = Path(sys.executable).with_name("wiesel")
        how = ["--resume"] if resume else []
        where = ["-c", f"execution.checkpointing.dir={self.checkpoints}"]
        return [str(wiesel), "run", *how, *where, *self.options, str(SCRIPT), *self.arguments]

    def start(self, *, resume: bool = False) -> None:
        """Start the process, in a process group of its own, so that a Ctrl-C meant for the demo does not reach it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log, signals_wait():
            self._process = subprocess.Popen(
                self.command(resume=resume), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def run_until(self, reached: Callable[[], bool], look: Callable[[], None], seconds: float) -> bool:
        """Wait until `reached`, looking around again and again; False when the job ended before."""
        deadline = time.monotonic() + seconds
        while not reached():
            look()
            if not self.is_running:
                return False
            if time.monotonic() > deadline:
                raise JobError(f"the job is not where it should be after {seconds:.0f} s\n{self.tail()}")
            time.sleep(POLL_SECONDS)
        return True

    def kill(self) -> None:
        """SIGKILL to the process and all that it started; nothing of it can say goodbye."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()

    def end(self, seconds: float = 60) -> int:
        """Wait for the end; the exit code."""
        assert self._process is not None, "start it first"
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise JobError(f"the job does not end within {seconds:.0f} s\n{self.tail()}") from None

    def newest_checkpoint(self) -> int | None:
        """Number of the newest complete checkpoint on disk."""
        found = [int(path.parent.name.removeprefix("chk-")) for path in self.checkpoints.rglob("chk-*/_metadata")]
        return max(found, default=None)

    def tail(self, lines: int = 30) -> str:
        """The end of the log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
