"""Faults of the disk under a running job, or found by its next start: F8 to F15."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.chaos.history import PATIENCE_SECONDS, History
from tests.chaos.process import JobProcess
from tests.chaos.verdict import Fault, Kind
from wiesel.core import exit_codes
from wiesel.state import WORKING_STATE

#: The job tries again and again instead of giving up.
_PATIENT: Final = (
    *("-c", "restart-strategy.type=fixed-delay", "-c", "restart-strategy.fixed-delay.delay=100ms"),
    *("-c", "restart-strategy.fixed-delay.attempts=1000"),
)
#: What a job may end with that cannot write: it says so, and its supervisor tries again.
_LOUD: Final = (exit_codes.STATE, exit_codes.USAGE)
_REFUSAL_SECONDS: Final = 30.0


def disk_full(history: History, rng: random.Random) -> list[Fault]:
    """F8: no room for state, log and checkpoints for a while; then room again, or a kill before."""
    assert history.disk is not None
    history.job.start(options=_PATIENT)
    history.job.wait(rng.uniform(0.3, 2.5))
    history.disk.fill(spare=rng.choice([0, 0, 4096, 100_000]))
    faults = _ends_loudly(history, rng.uniform(0.3, 2.0))
    if rng.random() < 0.3:
        history.job.kill()
    history.disk.make_room()
    return faults or _ends_loudly(history, rng.uniform(0.3, 1.5), kill=True)


def disk_gone(history: History, rng: random.Random) -> list[Fault]:
    """F14: the checkpoint directory is unmounted under the job; it ends by itself and decides nothing below it."""
    assert history.disk is not None
    if faults := history.started():
        return faults
    history.job.wait(rng.uniform(0.0, 1.5))
    history.disk.go_away()
    code = history.job.wait(PATIENCE_SECONDS)
    if code is None:
        faults.append(Fault(Kind.STUCK, f"the job did not notice\n{history.job.autopsy()}"))
    elif code != exit_codes.STATE:
        faults.append(Fault(Kind.STUCK, f"the job ended with exit code {code}\n{history.job.log()}"))
    below = history.disk.found_below()
    if decided := [path for path in below if path.name in ("_metadata", "_store")]:
        faults.append(Fault(Kind.CORRUPT, f"checkpoints were written below the disk: {decided}"))
    for path in below:
        shutil.rmtree(path, ignore_errors=True)
    history.disk.come_back()
    return faults


def _ends_loudly(history: History, seconds: float, kill: bool = False) -> list[Fault]:
    code = history.job.wait(seconds)
    if kill:
        history.job.kill()
    if code is None or code in _LOUD or code == -signal.SIGKILL:
        return []
    return [Fault(Kind.STUCK, f"the job ended with exit code {code}\n{history.job.log()}")]


def injected(calls: str, what: Callable[[random.Random], str]) -> Callable[[History, random.Random], list[Fault]]:
    """Let system calls of the job fail, be slow or be its last, by ``strace``.

    Args:
        calls: their names.
        what: draws what happens to which of them.
    """

    def harm(history: History, rng: random.Random) -> list[Fault]:
        tracer = ["strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={calls}"]
        history.job.start(options=_PATIENT, under=[*tracer, "-e", f"inject={calls}:{what(rng)}"])
        return _ends_loudly(history, rng.uniform(1.0, 3.5), kill=True)

    return harm


fsync_fails = injected("fsync,fdatasync", lambda rng: f"error=EIO:when={rng.randint(1, 40)}")
rename_fails = injected(
    "rename,renameat,renameat2",
    lambda rng: f"{rng.choice(['error=ENOSPC', 'signal=SIGKILL'])}:when={rng.randint(1, 20)}",
)
dies_writing = injected("write,pwrite64,writev", lambda rng: f"signal=SIGKILL:when={rng.randint(100, 600)}")
slow_disk = injected("fsync,fdatasync", lambda rng: f"delay_exit={rng.randint(20, 400)}ms")


def stale_database(history: History, rng: random.Random) -> list[Fault]:
    """F13: what a killed job left of its working database is cut off, and must not be found by the next one."""
    history.job.start()
    code = history.job.wait(rng.uniform(0.8, 2.5))
    history.job.kill()
    left = [path for path in history.job.checkpoints.rglob("*") if WORKING_STATE in path.parts and path.is_file()]
    for path in left:
        if path.stat().st_nlink == 1:  # the others are a checkpoint's as well
            os.truncate(path, path.stat().st_size // 2)
    if code is not None:
        return [Fault(Kind.STUCK, f"the job ended with exit code {code}\n{history.job.log()}")]
    return []


def damaged_table(history: History, rng: random.Random) -> list[Fault]:
    """F12: as ``damaged``, of RocksDB's tables; every second start has another parallelism, so that it reads them."""
    return damaged(history, rng, only_tables=True, parallelism=rng.choice([2, 3]))


def damaged(history: History, rng: random.Random, *, only_tables: bool = False, parallelism: int = 2) -> list[Fault]:
    """F11: any file of the newest checkpoint is damaged in any way; the start names it; once whole it goes on."""
    if not history.job.has_checkpoint() or not _is_gone_on_from(history.job):
        return []
    files = sorted(path for path in history.job.newest_checkpoint().iterdir() if path.is_file())
    tables = [path for path in files if path.suffix == ".sst"]
    if only_tables and not tables:
        return []
    file = rng.choice(tables if only_tables else [*files, history.job.job_directory / "_store"])
    content, links = file.read_bytes(), file.stat().st_nlink
    if not content:
        return []
    _damage(file, content, rng, files)
    history.job.start(parallelism=parallelism)
    code = history.job.wait(_REFUSAL_SECONDS)
    history.job.kill()
    said = history.job.log(40)
    _replace(file, content)
    named = str(file) in said or str(file.parent) in said
    if code != exit_codes.STATE or not named:
        return [Fault(Kind.CORRUPT, f"{file} ({links} names) was damaged, the job ended with {code}\n{said}")]
    return []


def _is_gone_on_from(job: JobProcess) -> bool:
    """Whether the next start begins at the newest checkpoint: of one that was not noted nothing is published yet."""
    store, newest = json.loads((job.job_directory / "_store").read_text()), job.newest_checkpoint()
    return newest.name == f"chk-{store['last_checkpoint']}"


def _damage(file: Path, content: bytes, rng: random.Random, others: list[Path]) -> None:
    kind = rng.choice(["flip", "flip", "flip", "cut", "empty", "gone", "swap"])
    if file.name == "_store":
        kind = "flip" if kind in {"gone", "swap"} else kind  # a job directory without it is a new one
    if kind == "gone":
        file.unlink()
        return
    other = rng.choice(others).read_bytes()
    if kind == "swap" and other != content:
        _replace(file, other)
    elif kind == "cut":
        _replace(file, content[: rng.randrange(len(content))])
    elif kind == "empty":
        _replace(file, b"")
    else:
        position = rng.randrange(len(content) - (file.name == "_store"))
        _replace(
            file, content[:position] + bytes([content[position] ^ 1 << rng.randrange(8)]) + content[position + 1 :]
        )


def _replace(file: Path, content: bytes) -> None:
    """Write a new file, so that another checkpoint that has the same one under another name keeps it."""
    file.unlink(missing_ok=True)
    file.write_bytes(content)
