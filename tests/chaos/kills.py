"""The ways to kill a running job by signals: at any moment, where the protocol is most delicate, or only a part."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from tests.chaos.history import History
from tests.chaos.verdict import Fault, Kind
from wiesel.core import exit_codes

#: One start of the job that does not end well; returns what is wrong with that already.
Kill = Callable[[History, random.Random], list[Fault]]

_WORKERS: Final = ("--workers", "2")
#: How long workers may outlive their JobMaster.
_ORPHAN_SECONDS: Final = 2.0
#: How long a job may run before it passes its failpoint.
_REACH_SECONDS: Final = 60.0
#: Failpoints of docs/testing.md, and up to which passing one may be drawn.
_FAILPOINTS: Final = {"P1": 16, "P2": 6, "P3": 24, "P4": 8, "P5": 16, "P6": 8, "P7": 8, "P10": 8, "P11": 4, "P12": 8}


def at_random(history: History, rng: random.Random) -> list[Fault]:
    """SIGKILL at any moment, the start included."""
    history.job.start()
    return let_run_then_kill(history, rng.uniform(0.2, 2.0))


def let_run_then_kill(history: History, seconds: float) -> list[Fault]:
    """SIGKILL after so many seconds, before which the job must not end by itself."""
    code = history.job.wait(seconds)
    if code is not None:
        return [Fault(Kind.STUCK, f"the job ended by itself with exit code {code}\n{history.job.log()}")]
    history.job.kill()
    return []


def at_failpoint(name: str, passings: int, parallelism: int = 2) -> Kill:
    """SIGKILL by the job itself at its k-th passing of a failpoint, k drawn up to ``passings``."""

    def kill(history: History, rng: random.Random) -> list[Fault]:
        specification = f"{name}@{rng.randint(1, passings)}"
        history.job.start(failpoint=specification, parallelism=parallelism)
        code = history.job.wait(_REACH_SECONDS)
        if code == -signal.SIGKILL:
            return []
        history.job.kill()
        reason = "did not pass it" if code is None else f"ended with exit code {code}"
        return [Fault(Kind.STUCK, f"{specification}: the job {reason}\n{history.job.log()}")]

    return kill


def stalled_push(history: History, rng: random.Random) -> list[Fault]:
    """P8: a push that takes longer than the broker lets its transaction live; then a kill at random."""
    history.job.start(failpoint=f"P8@{rng.randint(1, 4)}")
    return let_run_then_kill(history, rng.uniform(3.5, 5.0))


def paused(history: History, rng: random.Random) -> list[Fault]:
    """A process that gets no CPU for longer than its transactions live, wakes up and goes on; then a kill."""
    history.job.start()
    code = history.job.wait(rng.uniform(0.4, 1.5))
    if code is None:
        history.job.send(signal.SIGSTOP)
        time.sleep(rng.uniform(0.5, 3.0))
        history.job.send(signal.SIGCONT)
    return let_run_then_kill(history, rng.uniform(0.1, 1.5))


def terminated(history: History, rng: random.Random) -> list[Fault]:
    """SIGTERM or Ctrl-C, and sometimes a second one, or SIGKILL, while the job still delivers."""
    history.job.start()
    code = history.job.wait(rng.uniform(0.3, 1.5))
    if code is not None:
        return [Fault(Kind.STUCK, f"the job ended by itself with exit code {code}\n{history.job.log()}")]
    first = rng.choice([signal.SIGTERM, signal.SIGTERM, signal.SIGINT])
    history.job.send(first)
    second = rng.choice([None, first, signal.SIGKILL])
    if second is not None:
        time.sleep(rng.uniform(0.0, 0.2))
        history.job.send(second)
    code = history.job.wait(_REACH_SECONDS)
    if code is None:
        return [Fault(Kind.STUCK, f"{first.name} did not end the job\n{history.job.autopsy()}")]
    # The signal itself where it had only just begun.
    if code not in (exit_codes.for_signal(first), -first, -signal.SIGKILL):
        return [Fault(Kind.STUCK, f"{first.name} ended the job with exit code {code}\n{history.job.log()}")]
    return []


def rescaled(history: History, rng: random.Random) -> list[Fault]:
    """F41: 1 → 4 → 2 → 3, each a new lineage with what the old one left, dead before the next one.

    Every second one dies between a decision and its publication, so that segments are handed over.
    """
    parallelism = next(history.parallelisms)
    if rng.random() < 0.5:
        return at_failpoint("P4", 4, parallelism)(history, rng)
    history.job.start(parallelism=parallelism)
    return let_run_then_kill(history, rng.uniform(0.4, 2.0))


def master_killed(history: History, rng: random.Random) -> list[Fault]:
    """F4: with worker processes, SIGKILL to the JobMaster alone; its workers end within two seconds.

    Every second time the next start is left to find that out for itself.
    """
    history.job.start(options=_WORKERS)
    faults = let_run_then_kill(history, rng.uniform(0.4, 3.0))
    if not faults and rng.random() < 0.5 and (left := history.job.left_behind(_ORPHAN_SECONDS)):
        faults.append(Fault(Kind.STUCK, f"workers {left} have outlived their JobMaster for {_ORPHAN_SECONDS} s"))
    return faults


def worker_killed(history: History, rng: random.Random) -> list[Fault]:
    """With worker processes: SIGKILL to one of them, which the JobMaster has to replace; then as above."""
    history.job.start(options=_WORKERS)
    code = history.job.wait(rng.uniform(0.8, 2.5))
    workers = history.job.workers()
    if code is None and workers:
        os.kill(rng.choice(workers), signal.SIGKILL)
    return let_run_then_kill(history, rng.uniform(0.5, 4.0))


def broker_killed(history: History, rng: random.Random) -> list[Fault]:
    """SIGKILL to the broker under the running job; then a kill of the job, unless it met no broker and said so."""
    history.job.start()
    time.sleep(rng.uniform(0.3, 1.5))
    history.broker.bounce()
    if history.job.wait(rng.uniform(0.1, 3.0)) == exit_codes.OUTSIDE_SYSTEM:
        return []  # a start that meets no broker says so and ends; its supervisor tries again
    return let_run_then_kill(history, 0)


#: Kills by signals, by their name in the tally.
KILLS: Final[Mapping[str, Kill]] = {
    "random": at_random,
    **{name: at_failpoint(name, passings) for name, passings in _FAILPOINTS.items()},
    "P8": stalled_push,
    "pause": paused,
    "SIGTERM": terminated,
    "rescale": rescaled,
    "master": master_killed,
    "worker": worker_killed,
    "broker": broker_killed,
}
#: The failpoints, in order.
FAILPOINTS: Final = sorted((*_FAILPOINTS, "P8"), key=lambda name: int(name[1:]))
#: The timeout of transactions that P8 and pauses outlast, in milliseconds.
SHORT_TRANSACTION_MS: Final = 1500
