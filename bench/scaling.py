"""G13, G14 and the exchange: two workers against one, what crossing a process costs, bytes per key on the heap.

    .venv/bin/python -m bench.scaling                       # writes bench/results/scaling.json
    .venv/bin/python -m bench.scaling --only workers

Two workers need both cores, so nothing of this has a broker, and a machine that is busy with something else shows at
once in the wall time, which is what counts here.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path
from statistics import median

from bench import gates
from bench.contestants import Contestant, wiesel
from bench.goals import NOTHING
from bench.machine import describe_machine
from bench.pairs import interleave
from bench.process import BENCH, Run, baseline, cores_for_jobs_and_broker, run, wiesel_job
from bench.quick import rounded

RESULTS = BENCH / "results" / "scaling.json"
KEYS, EVERY = 20_000, 50


def all_cores() -> set[int]:
    """Both cores for two workers."""
    first, others = cores_for_jobs_and_broker()
    return first | others


def workers(pairs: int, count: int = 200_000) -> dict[str, object]:
    """G13: throughput of two worker processes over that of one, by wall time; the functions only compute."""

    def attempt(who: Contestant, records: int) -> Run:
        return run(who.command("cpu_bound", ["--count", str(records)]), all_cores())

    def values(done: Run) -> Counter[str]:
        return Counter(line.rpartition("> ")[2] for line in done.stdout.splitlines())

    one, two = wiesel("--workers", "1"), wiesel("--workers", "2", parallelism=2)
    expected = values(run(wiesel_job("cpu_bound", "--count", str(count)), all_cores()))
    starts = interleave(lambda: attempt(one, NOTHING), lambda: attempt(two, NOTHING), 3)
    runs = interleave(lambda: attempt(one, count), lambda: attempt(two, count), pairs)
    for done in (*runs[0], *runs[1]):
        gates.check(values(done), expected, "G13")
    seconds, cpu = (
        [
            [getattr(done, figure) - median(getattr(start, figure) for start in started) for done in side]
            for side, started in zip(runs, starts, strict=True)
        ]
        for figure in ("wall_seconds", "cpu_seconds")
    )
    ratios = [alone / together for alone, together in zip(*seconds, strict=True)]
    return {
        "records": count,
        "one": seconds[0],
        "two": seconds[1],
        "ratios": ratios,
        "median_ratio": median(ratios),
        # On a busy machine this says more: what two would reach if both cores were theirs.
        "ratio_by_cpu": 2 * median(cpu[0]) / median(cpu[1]),
    }


def exchange(pairs: int, count: int = 1_000_000) -> dict[str, object]:
    """Processor time of a keyed job over two workers, where half of all records cross, against one process."""
    expected = gates.keyed_state_lines(count, KEYS, EVERY)
    nothing = gates.keyed_state_lines(NOTHING, KEYS, EVERY)

    def attempt(who: Contestant, records: int) -> Run:
        arguments = ["--count", str(records), "--keys", str(KEYS), "--every", str(EVERY)]
        done = run(who.command("keyed_state", arguments), all_cores())
        return gates.check_lines(done, expected if records == count else nothing, "exchange")

    inside, across = wiesel(parallelism=2), wiesel("--workers", "2", parallelism=2)
    starts = interleave(lambda: attempt(inside, NOTHING), lambda: attempt(across, NOTHING), 3)
    runs = interleave(lambda: attempt(inside, count), lambda: attempt(across, count), pairs)
    cpu, wall = (
        [
            median(getattr(done, figure) for done in side) - median(getattr(start, figure) for start in started)
            for side, started in zip(runs, starts, strict=True)
        ]
        for figure in ("cpu_seconds", "wall_seconds")
    )
    crossing = (cpu[1] - cpu[0]) / (count / 2)
    return {
        "records": count,
        "microseconds_per_record": {"one process": cpu[0] / count * 1e6, "two workers": cpu[1] / count * 1e6},
        "records_per_second": {"one process": count / wall[0], "two workers": count / wall[1]},
        "microseconds_per_crossing": crossing * 1e6,
        "crossings_per_cpu_second": 1 / crossing if crossing > 0 else None,
    }


def heap(pairs: int, keys: int = 1_000_000) -> dict[str, object]:
    """G14: resident bytes per key, int to int, against a dict."""
    cores, _ = cores_for_jobs_and_broker()
    ours, dicts = interleave(
        lambda: run(wiesel_job("heap_state", "--keys", str(keys)), cores),
        lambda: run(baseline("heap_state", "--keys", str(keys)), cores),
        min(pairs, 3),
    )
    wiesel_bytes, dict_bytes = ([float(done.stdout) for done in side] for side in (ours, dicts))
    return {
        "keys": keys,
        "bytes_per_key": wiesel_bytes,
        "dict_bytes_per_key": dict_bytes,
        "median_ratio": median(wiesel_bytes) / median(dict_bytes),
    }


PARTS = {"workers": workers, "exchange": exchange, "heap": heap}


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--only", default="", choices=("", *PARTS))
    parser.add_argument("--pairs", type=int, default=5)
    args = parser.parse_args()
    found = json.loads(Path(RESULTS).read_text()) if RESULTS.exists() else {}
    for name, part in PARTS.items():
        if args.only in ("", name):
            load = os.getloadavg()[0]
            found[name] = rounded({**part(args.pairs), "machine": describe_machine(None, load)})
            print(name, json.dumps(found[name]), flush=True)
            RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
