"""`make bench`: Wiesel against the peers and the work by hand, on one machine, each number behind a correctness gate.

    make bench                                   # what has no result yet; hours on a small machine
    make bench ARGS='--only G3,G7/quix-streams'  # these cells, anew
    make bench ARGS='--list'

Each cell is written to results/suite/ when it is done, so that the suite may be stopped and gone on with. Then the
README's table and the charts are written anew.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bench import figures
from bench.cells import CELLS, Cell
from bench.contestants import Contestant
from bench.goals import NOTHING
from bench.kafka import Kafka
from bench.machine import describe_machine
from bench.pairs import compare, interleave, side
from bench.process import BENCH, BenchmarkError, Run, cores_for_jobs_and_broker, pinned_to, run, run_tree
from bench.quick import rounded
from bench.works import Arena, Work
from wiesel.broker.local import LocalBroker

RESULTS = BENCH / "results" / "suite"
Player = Callable[[], Run]


def main() -> int:
    """Measure, print, write; the exit code is 1 when a cell has no number."""
    parser = argparse.ArgumentParser(prog="python -m bench.suite", description=__doc__)
    parser.add_argument("--only", default="", help="cells, or goals and works with all their cells; comma-separated")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--starts", type=int, default=3, help="runs over next to nothing, to take the start off")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of records")
    parser.add_argument("--list", action="store_true", help="the cells, and which have a result")
    parser.add_argument("--all", action="store_true", help="also what has a result")
    args = parser.parse_args()
    chosen = choose(CELLS, args.only, again=args.all)
    if args.list:
        for cell in CELLS:
            print(f"{'done' if file_of(cell).exists() else 'open'}  {cell.id:40} {cell.work.title}")
        return 0
    failed = 0
    # What the broker's and the contestants' processes need for an orderly end when the suite is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        arena = Arena(start_broker(stack) if any(cell.work.events for cell in chosen) else None)
        for cell in chosen:
            print(f"{cell.id} …", end=" ", flush=True)
            began = time.monotonic()
            try:
                document = measure(cell, arena, args.pairs, args.starts, args.scale)
            except BenchmarkError as error:
                print(f"no figure: {error}", file=sys.stderr)
                failed += 1
                continue
            RESULTS.mkdir(parents=True, exist_ok=True)
            file_of(cell).write_text(json.dumps(rounded(document), indent=1, ensure_ascii=False) + "\n")
            print(f"{document['median_ratio']:.3g} ({time.monotonic() - began:.0f} s)", flush=True)
    figures.write()
    return 1 if failed else 0


def choose(cells: Sequence[Cell], only: str, *, again: bool) -> list[Cell]:
    """The cells named, else those without a result."""
    wanted = [name.strip().lower() for name in only.split(",") if name.strip()]
    if wanted:
        return [cell for cell in cells if cell.id in wanted or cell.id.partition("/")[0] in wanted]
    return [cell for cell in cells if again or not file_of(cell).exists()]


def file_of(cell: Cell) -> Path:
    """Where its result is."""
    return RESULTS / f"{cell.id.replace('/', '.').replace('^', '')}.json"


def start_broker(stack: ExitStack) -> Kafka:
    """A broker for as long as the stack is open, away from the core under test."""
    _, cores = cores_for_jobs_and_broker()
    directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="wiesel-bench-kafka-"))
    with pinned_to(cores):
        broker = LocalBroker.start(Path(directory, "kafka"))
    stack.enter_context(broker)
    return Kafka(broker, cores)


def measure(cell: Cell, arena: Arena, pairs: int, starts: int, scale: float) -> dict[str, object]:
    """Pairs in turn, start-ups taken off. The ratio says how many times as much the other needs."""
    load = os.getloadavg()[0]
    ours = int(cell.count * scale)
    other_work = cell.against_work or cell.work
    theirs = cell.count_of_other(ours)
    startups = interleave(
        lambda: attempt(cell.work, cell.job, arena, NOTHING),
        lambda: attempt(other_work, cell.against, arena, NOTHING),
        starts,
    )
    runs = interleave(
        lambda: attempt(cell.work, cell.job, arena, ours),
        lambda: attempt(other_work, cell.against, arena, theirs),
        pairs,
    )
    job, against = side(runs[0], startups[0], ours), side(runs[1], startups[1], theirs)
    if min(*job.cpu_seconds_per_million, *against.cpu_seconds_per_million) <= 0:
        raise BenchmarkError(f"{cell.id}: the start takes more than the records, so it says nothing; give it more")
    compared = compare(job, against)
    speeds = zip(job.records_per_second, against.records_per_second, strict=True)
    return {
        "goal": cell.goal,
        "work": cell.work.title,
        "against": cell.against.name,
        "version": cell.against.version,
        "bar": cell.bar,
        "records": {"job": ours, "against": theirs},
        "machine": describe_machine(arena.kafka.version if cell.work.events else None, load),
        "job": asdict(job),
        "other": asdict(against),
        "ratios": compared.ratios,
        "median_ratio": compared.median,
        "median_ratio_of_throughput": median(ours / theirs for ours, theirs in speeds),
    }


def attempt(work: Work, contestant: Contestant, arena: Arena, count: int) -> Run:
    """One run, checked."""
    cores, _ = cores_for_jobs_and_broker()
    output = arena.kafka.empty("out") if work.events else ""
    arguments = arena.arguments(work, count, output)
    if contestant.version and not contestant.is_tree:
        arguments += ["--count", str(count)]
    command, variables = contestant.command(work.script, arguments), contestant.variables()
    if contestant.is_tree:
        done = run_tree(command, cores, variables)
    elif contestant.never_ends:
        done = run_tree(command, cores, variables, until=complete(work, contestant, arena, count, output))
    else:
        done = run(command, cores, variables=variables)
    arena.check(work, count, contestant.name, done, output, contestant.last_counts)
    if output:
        arena.kafka.delete(output)
    return done


def complete(work: Work, contestant: Contestant, arena: Arena, count: int, output: str) -> Callable[[], bool]:
    """Whether a program that never ends has written everything; looked at on the broker's core."""
    if not contestant.last_counts:
        return lambda: arena.kafka.record_count(output) >= count
    watch = arena.kafka.follow(output)
    counts: dict[object, int] = {}

    def is_complete() -> bool:
        for value in watch():
            event = json.loads(value)
            key = event["word"]
            counts[key] = max(counts.get(key, 0), event["count"])
        return sum(counts.values()) >= count

    return is_complete


if __name__ == "__main__":
    sys.exit(main())
