"""Scaling curves: processor time per record over the number of keys, the parallelism and the size of records.

    .venv/bin/python -m bench.curves                  # writes bench/results/curves.json and docs/images/curve-*.svg
    .venv/bin/python -m bench.curves --only keys

Each point is the best of several runs with the start taken off: what a neighbour on the machine adds only adds.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack

from bench.charts import lines
from bench.contestants import BY_HAND, WIESEL, Contestant, wiesel
from bench.figures import CHARTS
from bench.goals import NOTHING
from bench.kafka import Kafka
from bench.machine import describe_machine
from bench.process import BENCH, cores_for_jobs_and_broker, run
from bench.quick import rounded
from bench.suite import start_broker

RESULTS = BENCH / "results" / "curves.json"
Curves = dict[str, list[tuple[float, float]]]
KEYS = (100, 1_000, 10_000, 100_000, 1_000_000)
PARALLELISM = (1, 2, 4, 8, 16)
SIZES = (20, 100, 1_000, 10_000, 100_000)


def microseconds(who: Contestant, script: str, count: int, arguments: Callable[[int], list[str]], runs: int) -> float:
    """Processor time per record."""
    cores, _ = cores_for_jobs_and_broker()

    def seconds(records: int) -> float:
        return min(run(who.command(script, arguments(records)), cores).cpu_seconds for _ in range(runs))

    return (seconds(count) - seconds(NOTHING)) / count * 1e6


def over_keys(runs: int, _: Kafka | None) -> Curves:
    """A ValueState against the bare dict, which has the same cache misses."""
    curves: Curves = {"Wiesel": [], "the bare dict": []}
    for keys in KEYS:
        count = max(1_000_000, 2 * keys)

        def arguments(records: int, keys: int = keys) -> list[str]:
            return ["--count", str(records), "--keys", str(keys)]

        for name, who in zip(curves, (WIESEL, BY_HAND), strict=True):
            curves[name].append((keys, microseconds(who, "keyed_value", count, arguments, runs)))
    return curves


def over_parallelism(runs: int, _: Kafka | None) -> Curves:
    """Subtasks in one process share one thread: they cost what the exchange between them costs, and gain nothing."""

    def arguments(records: int) -> list[str]:
        return ["--count", str(records)]

    points = [
        (float(p), microseconds(wiesel(parallelism=p), "keyed_state", 500_000, arguments, runs)) for p in PARALLELISM
    ]
    return {"Wiesel, one process": points}


def over_sizes(runs: int, kafka: Kafka | None) -> Curves:
    """Parse, filter and project JSON of one field that grows; half of the records are written, without that field."""
    assert kafka is not None
    curves: Curves = {"Wiesel": [], "by hand": []}
    for size in SIZES:
        count = min(100_000, 60_000_000 // size)
        event = json.dumps({"user": "u", "amount": 999})[:-1]
        padding = "x" * max(0, size - len(event) - 10)
        topics = {
            records: kafka.preloaded("sizes", (f'{event}, "p": "{padding}"}}' for _ in range(records)))
            for records in (count, NOTHING)
        }

        def arguments(records: int, topics: dict[int, str] = topics) -> list[str]:
            output = kafka.empty("sizes-out")
            return ["--bootstrap", kafka.bootstrap_servers, "--input", topics[records], "--output", output]

        for name, who in zip(curves, (WIESEL, BY_HAND), strict=True):
            curves[name].append((size, microseconds(who, "parse_project", count, arguments, runs)))
        for topic in topics.values():
            kafka.delete(topic)
    return curves


CURVES = {
    "keys": (over_keys, "Keyed ValueState: cost over the number of keys", "keys"),
    "parallelism": (over_parallelism, "Keyed ValueState, 20,000 keys: cost over the parallelism", "parallelism"),
    "sizes": (over_sizes, "Kafka to Kafka, parse and project: cost over the size of records", "bytes of a record"),
}


def main() -> int:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.curves", description=__doc__)
    parser.add_argument("--only", default="", choices=("", *CURVES))
    parser.add_argument("--runs", type=int, default=2)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with ExitStack() as stack:
        kafka = start_broker(stack) if args.only in ("", "sizes") else None
        for name, (measure, title, unit) in CURVES.items():
            if args.only not in ("", name):
                continue
            load = os.getloadavg()[0]
            curves = measure(args.runs, kafka)
            found[name] = rounded({"curves": curves, "machine": describe_machine(kafka and kafka.version, load)})
            print(name, curves, flush=True)
            RESULTS.write_text(json.dumps(found, indent=1) + "\n")
            CHARTS.mkdir(parents=True, exist_ok=True)
            picture = lines(title, "microseconds of processor time per record", unit, curves)
            (CHARTS / f"curve-{name}.svg").write_text(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
