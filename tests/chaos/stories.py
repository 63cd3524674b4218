"""Faults that are stories of their own, told with one history each: F6, F42, F43."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from typing import Final

from tests.chaos.history import History
from tests.chaos.readers import read_all
from tests.chaos.verdict import Fault, Kind
from wiesel.core import exit_codes

_PER_KEY: Final = 40
_SECONDS: Final = 30.0
_RESTARTS: Final = 3


def crash_loop(history: History, rng: random.Random) -> list[Fault]:
    """F6: a function that fails at every record uses its restarts up and ends the job; mended, it goes on exactly."""
    history.feeder.feed(_PER_KEY)
    restarts = ("restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.delay=50ms")
    attempts = f"restart-strategy.fixed-delay.attempts={_RESTARTS}"
    options = [word for setting in (*restarts, attempts) for word in ("-c", setting)]
    history.job.start(options=options, script=("--fails-from", str(rng.randint(1, _PER_KEY))))
    code = history.job.wait(_SECONDS)
    history.job.kill()
    said = history.job.log(400)
    faults = history.faults_so_far()
    if code != exit_codes.FAILED or said.count("The job failed and restarts in ") != _RESTARTS:
        faults.append(Fault(Kind.STUCK, f"a job that fails for ever ended with {code}\n{said}"))
    return faults + _delivered(history)


def bounded(history: History, rng: random.Random) -> list[Fault]:
    """F43: a bounded job is killed over and over and ends by itself, its tail published."""
    history.feeder.feed(_PER_KEY)
    for _ in range(20):
        history.job.start(script=("--bounded",))
        code = history.job.wait(rng.uniform(0.3, 4.0))
        if code is not None:
            break
        history.job.kill()
    else:
        history.job.start(script=("--bounded",))
        code = history.job.wait(_SECONDS)
    if code != exit_codes.OK:
        history.job.kill()
        return [Fault(Kind.STUCK, f"the bounded job ended with {code}\n{history.job.log()}"), *history.judge()]
    deadline = time.monotonic() + _SECONDS
    while not history.delivered() and time.monotonic() < deadline:  # the reader's turn: the job is over
        time.sleep(0.05)
    return history.judge()


def rewound(history: History, rng: random.Random) -> list[Fault]:
    """F42: a start from an older checkpoint repeats exactly what came after it, and drops nothing."""
    job = history.job
    history.feeder.feed(_PER_KEY)
    job.start()
    if faults := history.wait_until_delivered():
        return faults
    history.rest()
    asked = job.client("savepoint", str(job.directory / "savepoints"))
    said, _ = asked.communicate(timeout=_SECONDS)
    if asked.returncode != 0:
        return [Fault(Kind.STUCK, f"no savepoint was taken\n{job.log()}")]
    first = dict(history.feeder.fed())
    history.feeder.feed(rng.randint(1, _PER_KEY))
    faults = history.wait_until_delivered()
    job.kill()
    if faults:
        return faults
    fed = history.feeder.fed()
    again = (sum(fed.values()) * 2 - sum(first.values())) * len(history.outputs)
    job.start(("-s", said.strip()))
    faults = history.wait_until(lambda: history.reader.count() >= again, "the repeated range")
    job.kill()
    job.start()  # it goes on from there, and does not rewind a second time
    history.rest()
    faults += history.stop()
    history.reader.close()
    return faults + _twice_from(history, first, fed)


def _twice_from(history: History, first: dict[str, int], fed: dict[str, int]) -> list[Fault]:
    seqs: dict[tuple[str, str], list[int]] = defaultdict(list)
    for (topic, _), records in read_all(history.broker.servers, history.places).items():
        for _, value in records:
            key, seq, count, _ = value.split(",")
            if seq != count:
                return [Fault(Kind.CORRUPT, f"{topic} {key}: record {seq} was counted as {count}")]
            seqs[topic, key].append(int(seq))
    wrong = []
    for topic in history.outputs:
        for key, last in fed.items():
            expected = [*range(1, last + 1), *range(first[key] + 1, last + 1)]
            if (found := seqs[topic, key]) != expected:
                kind = Kind.LOSS if len(found) < len(expected) else Kind.DUPLICATE
                wrong.append(Fault(kind, f"{topic} {key}: {len(found)} records, {len(expected)} expected"))
    return wrong


def _delivered(history: History) -> list[Fault]:
    """Let the job go on, deliver everything and stop; then ask all oracles."""
    history.job.start()
    faults = history.wait_until_delivered() or history.stop()
    history.job.kill()
    return faults + history.judge(complete=not faults)
