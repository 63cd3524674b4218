"""Runs a program and waits for every process that it leaves behind, so that its processor time is all of theirs.

    python -m bench.supervise REPORT COMMAND …

Writes the exit code, seconds of processor time and of wall time to the file REPORT, as JSON (Linux). PyFlink's driver
does not wait for its JVM, whose time would be lost otherwise.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PATIENCE_SECONDS = 20


def main(report: str, command: list[str]) -> int:
    """Run, reap, report."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    start = time.perf_counter()
    process: subprocess.Popen[bytes] | None = None
    asked = False

    def end(*_: object) -> None:
        nonlocal asked
        asked = True
        if process is not None:
            process.terminate()

    signal.signal(signal.SIGTERM, end)
    process = subprocess.Popen(command)
    if asked:
        process.terminate()
    _, status = os.waitpid(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    reap(time.monotonic() + PATIENCE_SECONDS)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {"exit": process.returncode, "cpu": used.ru_utime + used.ru_stime, "wall": wall, "rss": used.ru_maxrss}
    Path(report).write_text(json.dumps(result))
    return 0


def reap(deadline: float) -> None:
    """Wait for the processes that were left behind; end those that do not end."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() > deadline:
                for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
