"""Harms a job many times against a real broker and counts what came of it: `make chaos`.

    python -m tests.chaos --cycles 1000 --seed 7 --rows random,P6,F41 --backend rocksdb

Each cycle is a start of the job that ends badly; twenty make a history, at whose end all oracles are asked, and some
are stories of their own (docs/testing.md). A history with a fault ends at once and its files are kept. Several run side
by side. The counts are added to those of earlier runs, so a long campaign can be run in pieces.
"""

from __future__ import annotations

import argparse
import datetime
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.chaos.broker import Broker
from tests.chaos.history import History
from tests.chaos.kills import SHORT_TRANSACTION_MS
from tests.chaos.rows import DEEDS, Plan, chosen, not_here, plans
from tests.chaos.small_disk import SmallDisk, enter_own_mounts
from tests.chaos.tally import Run, Tally, save
from tests.chaos.verdict import Fault, Kind

RESULTS: Final = Path(__file__).parent / "results" / "kills.json"
_PER_HISTORY: Final = 20


def main() -> int:
    """Run; the exit code says whether every cycle was survived unharmed."""
    options = _options()
    mounts = enter_own_mounts("tests.chaos", sys.argv[1:])
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    backends = ["hashmap", "rocksdb"] if options.backend == "both" else [options.backend]
    deeds = chosen(options.rows.split(","))
    for name, reason in (cannot := not_here(deeds, mounts=mounts)).items():
        print(f"{DEEDS[name].row} {name} is left out: {reason}")
    deeds = [name for name in deeds if name not in cannot]
    jobs = 1 if "broker" in deeds else options.jobs  # or one history's kill would be every history's
    todo = list(plans(deeds, backends, options.cycles, _PER_HISTORY, with_random=options.rows == "all"))
    directory = Path(tempfile.mkdtemp(prefix="wiesel-chaos-"))
    print(f"seed {seed}, files in {directory}", flush=True)
    began = time.monotonic()
    with Broker(directory / "kafka", options.brokers) as broker, ThreadPoolExecutor(jobs) as side_by_side:
        campaign = Campaign(broker, directory, seed)
        deadline = began + options.seconds if options.seconds else float("inf")
        list(side_by_side.map(lambda item: campaign.tell(item[0], item[1], deadline), enumerate(todo)))
        kafka = broker.kafka_version
    run = Run(
        date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        commit=_commit(),
        kafka=kafka,
        seed=seed,
        kills=campaign.tally.kills,
        seconds=round(time.monotonic() - began),
        records=campaign.records,
        aborted_records=campaign.aborted_records,
    )
    print(f"this run\n{campaign.tally.table()}\n")
    total = save(options.results, run, campaign.tally)
    print(f"all runs\n{total.table()}")
    print(f"{total.kills} cycles in {options.results.name}, {total.bad} of them not survived unharmed")
    if campaign.tally.bad:
        print(f"what happened is in {directory}")
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


class Campaign:
    """Histories and their tally; histories may run on several threads."""

    def __init__(self, broker: Broker, directory: Path, seed: int) -> None:
        self.tally = Tally()
        self.records = 0
        self.aborted_records = 0
        self._broker = broker
        self._directory = directory
        self._seed = seed
        self._guard = threading.Lock()

    def tell(self, number: int, plan: Plan, deadline: float) -> None:
        """One history with all its deeds, or until something is wrong or the time is up."""
        if time.monotonic() > deadline:
            return
        rng = random.Random(f"{self._seed}/{number}")
        disk = SmallDisk(self._directory / f"disk-{number}") if plan.small_disk else None
        timeout_ms = SHORT_TRANSACTION_MS
        with History(
            self._broker, self._directory, transaction_timeout_ms=timeout_ms, backend=plan.backend, disk=disk
        ) as history:
            done: list[str] = []
            try:
                faults = self._story(plan, history, rng, deadline, done)
            except Exception:  # of the harness; what the others have found must not be lost by it
                faults = [Fault(Kind.STUCK, traceback.format_exc())]
            with self._guard:
                self._count(plan, history, done, faults)

    @staticmethod
    def _story(plan: Plan, history: History, rng: random.Random, deadline: float, done: list[str]) -> list[Fault]:
        """Do the deeds, noting in ``done`` which were begun; returns what is wrong."""
        if not DEEDS[plan.deeds[0]].story:
            history.feeder.start()
        for name in plan.deeds:
            done.append(name)
            faults = DEEDS[name].act(history, rng)
            if DEEDS[name].story:
                return faults  # it has asked all oracles
            faults = faults or history.faults_so_far()
            if faults or time.monotonic() > deadline:
                break
        return faults + history.finish()

    def _count(self, plan: Plan, history: History, done: list[str], faults: list[Fault]) -> None:
        suffix = " rocksdb" if plan.backend == "rocksdb" else ""
        for name in done[:-1]:
            self.tally.count(name + suffix, [])
        self.tally.count(done[-1] + suffix, faults)
        self.records += history.records
        self.aborted_records += history.aborted_records
        for fault in faults:
            print(f"{history.name}, {' '.join(done)}{suffix}: {fault}", flush=True)
        print(f"{self.tally.kills:5} cycles, {self.records:,} records, {self.tally.bad} bad", flush=True)


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=100, help="starts that end badly, and stories")
    parser.add_argument("--seed", type=int, help="of all chance; drawn and printed by default")
    parser.add_argument("--rows", default="all", help=f"comma-separated: F1, …, or of {', '.join(DEEDS)}")
    parser.add_argument("--backend", default="both", choices=["both", "hashmap", "rocksdb"], help="of the job's state")
    parser.add_argument("--jobs", type=int, default=3, help="histories that run at the same time")
    parser.add_argument("--seconds", type=float, help="begin nothing more after so long")
    parser.add_argument("--brokers", type=int, default=1, help="of the Kafka cluster; the row broker kills one of them")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where counts are added up")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
