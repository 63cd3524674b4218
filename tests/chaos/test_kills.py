"""A short form of `make chaos`: every failpoint once, and kills at random, with all oracles (docs/testing.md)."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos.broker import Broker
from tests.chaos.history import History
from tests.chaos.kills import FAILPOINTS, KILLS, SHORT_TRANSACTION_MS

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

SEED = 20131121


#: Of each backend; both run at the same time, for most of a cycle is waiting.
RANDOM_KILLS = 20


def test_forty_kills_at_random_moments_neither_lose_nor_repeat_anything(broker: Broker, tmp_path: Path) -> None:
    def kill_often(backend: str) -> list[object]:
        rng = random.Random(f"{SEED} {backend}")
        with History(broker, tmp_path, backend=backend) as history:
            history.feeder.start()
            for number in range(RANDOM_KILLS):
                if faults := KILLS["random"](history, rng) or history.faults_so_far():
                    return [f"{backend}, kill {number}", *faults]
            return [*history.finish()]

    with ThreadPoolExecutor() as side_by_side:
        assert list(side_by_side.map(kill_often, ["hashmap", "rocksdb"])) == [[], []]


@pytest.mark.parametrize("failpoints", [FAILPOINTS[:4], FAILPOINTS[4:8], FAILPOINTS[8:]], ids=" ".join)
def test_a_kill_at_each_failpoint_neither_loses_nor_repeats_anything(
    broker: Broker, tmp_path: Path, failpoints: list[str]
) -> None:
    rng = random.Random(SEED)
    with History(broker, tmp_path, transaction_timeout_ms=SHORT_TRANSACTION_MS) as history:
        history.feeder.start()
        for failpoint in failpoints:
            assert KILLS[failpoint](history, rng) == [], failpoint
            assert history.faults_so_far() == [], failpoint
        assert history.finish() == []


def test_kills_of_the_job_master_or_of_a_worker_neither_lose_nor_repeat_anything(
    broker: Broker, tmp_path: Path
) -> None:
    rng = random.Random(SEED)
    with History(broker, tmp_path) as history:
        history.feeder.start()
        for row in ("worker", "master"):
            assert KILLS[row](history, rng) == [], row
            assert history.faults_so_far() == [], row
        assert history.finish() == []


def test_a_kill_inside_a_transaction_leaves_nothing_but_aborted_records(broker: Broker, tmp_path: Path) -> None:
    """P5 is where it says it is: the records of the transaction it interrupts are there, and nobody reads them."""
    with History(broker, tmp_path) as history:
        history.feeder.start()
        assert KILLS["P5"](history, random.Random(SEED)) == []
        assert history.finish() == []
        assert history.aborted_records > 0
