"""Run a program and know what it cost: CPU time of the whole process tree, wall time, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).parent


class BenchmarkError(Exception):
    """A run failed or gave a wrong result; it has no number."""


@dataclass(frozen=True)
class Run:
    """One finished run. Seconds; `peak_rss_mb` is of the largest single process of the tree."""

    cpu_seconds: float
    wall_seconds: float
    peak_rss_mb: float
    stdout: str


def wiesel_job(name: str, *arguments: str, parallelism: int | None = 1) -> list[str]:
    """Command of a script in jobs/, as a user would run it."""
    how = [] if parallelism is None else ["-p", str(parallelism)]
    return [str(Path(sys.executable).with_name("wiesel")), "run", *how, str(BENCH / "jobs" / f"{name}.py"), *arguments]


def baseline(name: str, *arguments: str) -> list[str]:
    """Command of the same work by hand."""
    return [sys.executable, str(BENCH / "baselines" / f"{name}.py"), *arguments]


def environment() -> dict[str, str]:
    """As an installed package meets it: its modules are compiled."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def pinned_to(cores: set[int]) -> Iterator[None]:
    """Processes that are started in this block stay on these cores (Linux); none leaves it to the scheduler."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cores_for_jobs_and_broker() -> tuple[set[int], set[int]]:
    """One core for the program under test, the others for broker and generator."""
    if not hasattr(os, "sched_getaffinity"):
        return set(), set()
    first, *others = sorted(os.sched_getaffinity(0))
    return {first}, set(others) or {first}


def run(
    command: Sequence[str], cores: set[int], expected_exit: int = 0, variables: Mapping[str, str] | None = None
) -> Run:
    """Run to the end. The children that the program waited for are in its CPU time."""
    with tempfile.TemporaryDirectory(prefix="wiesel-bench-") as directory:
        output, errors = Path(directory, "stdout"), Path(directory, "stderr")
        with output.open("wb") as stdout, errors.open("wb") as stderr, pinned_to(cores):
            start = time.perf_counter()
            # Checkpoints and the like go to a directory that is empty at each start.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=directory,
                env=variables or environment(),
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != expected_exit:
            raise BenchmarkError(f"exit code {process.returncode} of {' '.join(command)}\n{tail_of(errors)}")
        return Run(
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            wall_seconds=wall,
            peak_rss_mb=usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024),
            stdout=output.read_text(),
        )


def run_tree(
    command: Sequence[str],
    cores: set[int],
    variables: Mapping[str, str] | None = None,
    until: Callable[[], bool] | None = None,
    limit_seconds: float = 120,
) -> Run:
    """Run with all that it starts and leaves behind (Linux), until ``until`` holds if it never ends by itself."""
    with tempfile.TemporaryDirectory(prefix="wiesel-bench-") as directory:
        output, errors, report = (Path(directory, name) for name in ("stdout", "stderr", "report"))
        supervised = [sys.executable, "-m", "bench.supervise", str(report), *command]
        chosen = {**(variables or environment()), "PYTHONPATH": str(BENCH.parent)}
        with output.open("wb") as stdout, errors.open("wb") as stderr, pinned_to(cores):
            process = subprocess.Popen(
                supervised, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=directory, env=chosen
            )
        deadline = time.monotonic() + limit_seconds
        try:
            while until is not None and not until():
                if process.poll() is not None:
                    raise BenchmarkError(f"it ended by itself: {' '.join(command)}\n{tail_of(errors)}")
                if time.monotonic() > deadline:
                    raise BenchmarkError(f"not done after {limit_seconds} s: {' '.join(command)}\n{tail_of(errors)}")
                time.sleep(0.05)
            if until is not None:
                process.terminate()
            process.wait(max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"not done after {limit_seconds} s: {' '.join(command)}\n{tail_of(errors)}") from None
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        told = json.loads(report.read_text())
        if until is None and told["exit"] != 0:
            raise BenchmarkError(f"exit code {told['exit']} of {' '.join(command)}\n{tail_of(errors)}")
        return Run(told["cpu"], told["wall"], told["rss"] / 1024, output.read_text(errors="replace"))


def tail_of(errors: Path) -> str:
    """The end of what a program said about what went wrong."""
    return errors.read_text(errors="replace")[-2000:]
