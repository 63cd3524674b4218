"""Savepoints of a job that is killed: while they are written, and as what it goes on from elsewhere. F42 to F44."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

from tests.chaos.history import History
from tests.chaos.kills import let_run_then_kill
from tests.chaos.verdict import Fault, Kind
from wiesel.core import exit_codes

_CLIENT_SECONDS: Final = 40.0


def killed_in_savepoint(history: History, rng: random.Random) -> list[Fault]:
    """A savepoint is asked for, and the job is killed before, while or after it is written; its checkpoints go on."""
    faults = history.started()
    if not faults:
        asked = history.job.client("savepoint", str(history.job.directory / "savepoints"))
        time.sleep(rng.uniform(0.0, 1.0))
        faults = let_run_then_kill(history, rng.uniform(0.0, 0.3))
        asked.wait(_CLIENT_SECONDS)
    return faults


def stopped_with_savepoint(history: History, rng: random.Random) -> list[Fault]:
    """F43, F44: stopped with a savepoint, which is moved and gone on from; or killed while it stops."""
    if faults := history.started():
        return faults
    asked = history.job.client("stop", "--savepoint", str(history.job.directory / "savepoints"))
    if rng.random() < 0.4:
        time.sleep(rng.uniform(0.0, 1.5))
        history.job.kill()
    try:
        said, why = asked.communicate(timeout=_CLIENT_SECONDS)
    except subprocess.TimeoutExpired:
        asked.kill()
        return [Fault(Kind.STUCK, f"the job was not stopped\n{history.job.autopsy()}")]
    code = history.job.wait(_CLIENT_SECONDS)
    if asked.returncode != 0 or code != exit_codes.OK:
        if code is not None and code < 0:
            return []  # killed
        return [Fault(Kind.STUCK, f"stop told {asked.returncode}, job {code}\n{why}\n{history.job.autopsy()}")]
    return _gone_on_from(history, Path(said.strip()), rng)


def _gone_on_from(history: History, savepoint: Path, rng: random.Random) -> list[Fault]:
    """Start from a savepoint that lies elsewhere now, all of the job's own checkpoints being gone."""
    moved = Path(shutil.move(savepoint, savepoint.parent.parent / f"moved-{rng.getrandbits(32):08x}"))
    before = history.job.newest_checkpoint()
    for checkpoint in before.parent.glob("chk-*"):
        shutil.rmtree(checkpoint)
    history.job.start(("-s", str(moved)))
    faults = history.wait_until(history.job.has_checkpoint, "a checkpoint after the savepoint")
    return faults or let_run_then_kill(history, rng.uniform(0.0, 1.0))
