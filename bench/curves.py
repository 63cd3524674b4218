"""Scaling curves: processor time per record over keys, state, windows, partitions, parallelism and size of records.

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
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

from bench.charts import lines
from bench.contestants import BY_HAND, WIESEL, Contestant, wiesel
from bench.figures import CHARTS
from bench.goals import NOTHING, user_events
from bench.kafka import Kafka
from bench.machine import describe_machine
from bench.process import BENCH, cores_for_jobs_and_broker, run
from bench.quick import rounded
from bench.suite import start_broker
from bench.works import ad_events

RESULTS = BENCH / "results" / "curves.json"
Curves = dict[str, list[tuple[float, float]]]
KEYS = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
STATE_KEYS = (1_000, 10_000, 100_000, 1_000_000)
VALUE_BYTES = 100
WINDOWS = (1, 10, 100, 1_000)
PARTITIONS = (1, 4, 16, 64, 128)
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


def over_state(runs: int, _: Kafka | None) -> Curves:
    """Values of a hundred bytes, read and written: the heap, with checkpoints of all of it, and RocksDB."""
    every_second = ("-c", "execution.checkpointing.interval=1s", "-c", "execution.checkpointing.dir=checkpoints")
    curves: Curves = {}
    for name, options in (
        ("heap", ()),
        ("heap, checkpoints every second", every_second),
        ("RocksDB, checkpoints every second", (*every_second, "-c", "state.backend.type=rocksdb")),
    ):
        curves[name] = []
        for keys in STATE_KEYS:
            count = max(300_000, 2 * keys)

            def arguments(records: int, keys: int = keys) -> list[str]:
                return ["--count", str(records), "--keys", str(keys)]

            cost = microseconds(wiesel(*options), "big_state", count, arguments, runs)
            curves[name].append((keys * VALUE_BYTES, cost))
    return curves


def between_topics(
    script: str, inputs: Mapping[int, str], kafka: Kafka, runs: int, *options: str
) -> Iterator[tuple[str, float]]:
    """Wiesel's and the hand-written loop's cost; ``inputs`` are topics by their number of records."""
    count = max(inputs)

    def arguments(records: int) -> list[str]:
        output = kafka.empty("curve-out")
        return ["--bootstrap", kafka.bootstrap_servers, "--input", inputs[records], "--output", output, *options]

    for name, who in (("Wiesel", WIESEL), ("by hand", BY_HAND)):
        yield name, microseconds(who, script, count, arguments, runs)


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
        for name, cost in between_topics("parse_project", topics, kafka, runs):
            curves[name].append((size, cost))
        for topic in topics.values():
            kafka.delete(topic)
    return curves


def over_partitions(runs: int, kafka: Kafka | None) -> Curves:
    """Parse, filter and project the same records, out of few and many partitions."""
    assert kafka is not None
    curves: Curves = {"Wiesel": [], "by hand": []}
    for partitions in PARTITIONS:
        topics = {
            records: kafka.preloaded("partitions", user_events(records, 10_000), partitions)
            for records in (200_000, NOTHING)
        }
        for name, cost in between_topics("parse_project", topics, kafka, runs):
            curves[name].append((partitions, cost))
        for topic in topics.values():
            kafka.delete(topic)
    return curves


def over_windows(runs: int, kafka: Kafka | None) -> Curves:
    """Sliding windows of a hundred campaigns, by the number that a record is in; each writes its count at its end."""
    assert kafka is not None
    curves: Curves = {"Wiesel": [], "by hand": []}
    topics = {records: kafka.filled("windows", ad_events(records)) for records in (200_000, NOTHING)}
    for windows in WINDOWS:
        options = ("--size", str(windows), "--slide", "1")
        for name, cost in between_topics("campaigns", topics, kafka, runs, *options):
            curves[name].append((windows, cost))
    return curves


CURVES = {
    "keys": (over_keys, "Keyed ValueState: cost over the number of keys", "keys"),
    "parallelism": (over_parallelism, "Keyed ValueState, 20,000 keys: cost over the parallelism", "parallelism"),
    "state": (over_state, "State of 100-byte values: cost over its size", "bytes of state"),
    "windows": (over_windows, "Sliding windows: cost over the windows of a record", "windows that a record is in"),
    "partitions": (over_partitions, "Kafka to Kafka, parse and project: cost over the partitions", "partitions"),
    "sizes": (over_sizes, "Kafka to Kafka, parse and project: cost over the size of records", "bytes of a record"),
}
FROM_KAFKA = ("windows", "partitions", "sizes")


def main() -> int:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.curves", description=__doc__)
    parser.add_argument("--only", default="", choices=("", *CURVES))
    parser.add_argument("--runs", type=int, default=2)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with ExitStack() as stack:
        kafka = start_broker(stack) if args.only in ("", *FROM_KAFKA) else None
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
