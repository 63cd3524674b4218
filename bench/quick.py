"""`make bench-quick`: G1, G2, G3 and G10 without peers, in under three minutes.

Each number has passed a correctness gate first. Writes bench/results/quick.json. Absolute figures hold for one
machine; ratios travel better.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import goals
from bench.kafka import Kafka
from bench.machine import describe_machine
from bench.pairs import Pairs
from bench.process import BENCH, BenchmarkError, cores_for_jobs_and_broker, pinned_to
from bench.report import Line, goal_line, print_table, start_lines
from wiesel.broker.local import LocalBroker

RESULTS = BENCH / "results" / "quick.json"
BARS = {"G1": 0.3, "G3": 0.8}


def main() -> int:
    """Measure, print, write; the exit code is 1 when an output was wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.quick", description=__doc__)
    parser.add_argument("goals", nargs="*", metavar="GOAL", help="G1 G2 G3 G10; all of them when none is named")
    parser.add_argument("--pairs", type=int, default=goals.Sizes.pairs)
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    args = parser.parse_args()
    wanted = set(args.goals) or {"G1", "G2", "G3", "G10"}
    sizes = goals.Sizes(pairs=args.pairs)

    started = time.monotonic()
    load_before = os.getloadavg()[0]
    try:
        results, lines, kafka_version = measure(wanted, sizes)
    except BenchmarkError as error:
        print(f"no figures: {error}", file=sys.stderr)
        return 1
    print_table(lines)
    document = {
        "machine": describe_machine(kafka_version, load_before),
        "seconds": round(time.monotonic() - started, 1),
        "sizes": asdict(sizes),
        "results": results,
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(rounded(document), indent=2) + "\n")
    print(f"{document['seconds']} s; written to {args.output}")
    return 0


def rounded(value: Any) -> Any:
    """The same without digits that say nothing."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def measure(wanted: set[str], sizes: goals.Sizes) -> tuple[dict[str, object], list[Line], str | None]:
    """Raw results by goal, the table's lines, the broker's version."""
    job_cores, broker_cores = cores_for_jobs_and_broker()
    results: dict[str, object] = {}
    lines: list[Line] = []

    def pairs(goal: str, work: str, against: str, measured: Pairs) -> None:
        results[goal] = {**asdict(measured), "median_ratio": measured.median}
        lines.append(goal_line(goal, work, against, measured, BARS.get(goal)))

    def announce(goal: str) -> bool:
        if goal in wanted:
            print(f"measuring {goal} …", file=sys.stderr, flush=True)
        return goal in wanted

    if announce("G1"):
        pairs("G1", "keyed ValueState, 20,000 keys", "bare dict loop", goals.keyed_state(sizes, job_cores))
    if announce("G2"):
        pairs("G2", "map(lambda), filter(lambda)", "loop over both lambdas", goals.map_lambda(sizes, job_cores))
    if not wanted & {"G3", "G10"}:
        return results, lines, None
    with tempfile.TemporaryDirectory(prefix="wiesel-bench-kafka-") as directory:
        with pinned_to(broker_cores):
            broker = LocalBroker.start(Path(directory, "kafka"))
        with broker:
            kafka = Kafka(broker, broker_cores)
            if announce("G3"):
                measured = goals.keyed_count_kafka(sizes, job_cores, kafka)
                pairs("G3", "Kafka JSON, keyed count, Kafka JSON", "hand-written loop", measured)
            if announce("G10"):
                start = goals.start_and_idle(sizes, job_cores, kafka)
                results["G10"] = {**asdict(start), "median_wall_seconds": start.median}
                lines.extend(start_lines(start))
            return results, lines, kafka.version


if __name__ == "__main__":
    sys.exit(main())
