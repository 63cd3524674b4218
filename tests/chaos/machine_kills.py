"""Faults of the machine under a running job: memory that runs out, and a wall clock that lies. F5 and F26."""

from __future__ import annotations

import atexit
import functools
import os
import random
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests.chaos.history import History
from tests.chaos.kills import let_run_then_kill
from tests.chaos.verdict import Fault

_CLOCK: Final = Path(__file__).parent / "clock.c"
_COMPILER_SECONDS: Final = 60


def memory_limit(history: History, rng: random.Random) -> list[Fault]:
    """F5: hardly any more memory can be had from some moment on; whatever dies of it, the next start goes on."""
    history.job.start()
    history.job.wait(rng.uniform(0.5, 2.0))
    try:
        pages = int(Path(f"/proc/{history.job.pid}/statm").read_text().split()[0])
        limit = pages * os.sysconf("SC_PAGESIZE") + rng.choice([0, 1 << 16, 1 << 20, 1 << 23])
        resource.prlimit(history.job.pid, resource.RLIMIT_AS, (limit, limit))
    except (FileNotFoundError, ProcessLookupError):
        pass  # it ended just now
    history.job.wait(rng.uniform(0.5, 2.0))  # that it may end of it is the point, by which code nobody can say
    history.job.kill()
    return []


def lying_clock(history: History, rng: random.Random) -> list[Fault]:
    """F26: the wall clock jumps an hour ahead or back, stands still, or runs ten times as fast; then a kill."""
    lie = rng.choice(["jump 3600", "jump -3600", "freeze 0", "fast 10"])
    after = str(rng.uniform(0.0, 1.5))
    history.job.start(environment={"LD_PRELOAD": _clock_library(), "CHAOS_CLOCK": lie, "CHAOS_CLOCK_AFTER": after})
    return let_run_then_kill(history, rng.uniform(1.0, 3.0))


@functools.cache
def _clock_library() -> str:
    directory = tempfile.mkdtemp(prefix="wiesel-clock-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    library = Path(directory) / "clock.so"
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(_CLOCK), "-ldl"]
    subprocess.run(command, check=True, timeout=_COMPILER_SECONDS)
    return str(library)
