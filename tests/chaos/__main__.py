"""Kills a job many times against a real broker and counts what came of it: `make chaos`.

    python -m tests.chaos --cycles 1000 --seed 7 --rows random,P6

Each cycle is one start of the job that ends with a kill; twenty make a history, at whose end all oracles are asked
(docs/testing.md). A history with a fault ends at once and its files are kept. The counts are added to those of earlier
runs, so a long campaign can be run in pieces.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.chaos.broker import Broker
from tests.chaos.history import History
from tests.chaos.kills import FAILPOINTS, KILLS, SHORT_TRANSACTION_MS
from tests.chaos.tally import Run, Tally, save
from tests.chaos.verdict import Fault

RESULTS: Final = Path(__file__).parent / "results" / "kills.json"
_PER_HISTORY: Final = 20


def main() -> int:
    """Run; the exit code says whether every kill was survived unharmed."""
    options = _options()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    directory = Path(tempfile.mkdtemp(prefix="wiesel-chaos-"))
    campaign = Campaign(directory, seed)
    print(f"seed {seed}, files in {directory}", flush=True)
    began = time.monotonic()
    with Broker(directory / "kafka", options.brokers) as broker:
        rows = _rows(options.rows.split(","))
        left = options.cycles
        while left > 0:
            left -= campaign.history(broker, list(itertools.islice(rows, min(left, _PER_HISTORY))))
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
    print(campaign.tally.table())
    total = save(options.results, run, campaign.tally)
    print(f"{total.kills} kills in {options.results.name}, {total.bad} of them not survived unharmed")
    if campaign.tally.bad:
        print(f"what happened is in {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


class Campaign:
    """Histories and their tally."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.tally = Tally()
        self.records = 0
        self.aborted_records = 0
        self._directory = directory
        self._rng = random.Random(seed)

    def history(self, broker: Broker, rows: list[str]) -> int:
        """One history with a kill for each row, or until something is wrong; returns the kills."""
        with History(broker, self._directory, transaction_timeout_ms=SHORT_TRANSACTION_MS) as history:
            history.feeder.start()
            done: list[str] = []
            faults: list[Fault] = []
            for row in rows:
                faults = KILLS[row](history, self._rng) or history.faults_so_far()
                done.append(row)
                if faults:
                    break
            faults += history.finish()
            for row in done[:-1]:
                self.tally.count(row, [])
            self.tally.count(done[-1], faults)
            self.records += history.records
            self.aborted_records += history.aborted_records
        for fault in faults:
            print(f"{history.name}, {done[-1]}: {fault}", flush=True)
        print(f"{self.tally.kills:5} kills, {self.records:,} records, {self.tally.bad} bad", flush=True)
        return len(done)


def _rows(names: list[str]) -> Iterator[str]:
    """Every second kill at random, between them each of the others in turn; or just those that are named.

    A killed broker has to be asked for: what the loss of a lone one means is told in docs/testing.md.
    """
    if names != ["all"]:
        return itertools.cycle(names)
    others = itertools.cycle([*FAILPOINTS, "pause", "SIGTERM", "rescale", "master", "worker"])
    return itertools.chain.from_iterable(zip(itertools.repeat("random"), others, strict=False))


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=100, help="kills")
    parser.add_argument("--seed", type=int, help="of all chance; drawn and printed by default")
    parser.add_argument("--rows", default="all", help=f"comma-separated, of {', '.join(KILLS)}")
    parser.add_argument("--brokers", type=int, default=1, help="of the Kafka cluster; the row broker kills one of them")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where counts are added up")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
