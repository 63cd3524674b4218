"""Many seeds on all cores, counted up in ``results.json``; and each rule switched off, until the oracles find harm."""

from __future__ import annotations

import gc
import json
import logging
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.chaos.verdict import Fault, Kind
from tests.simulation.story import Story

RESULTS: Final = Path(__file__).with_name("results.json")
RULES: Final = tuple(f"rule{number}" for number in range(1, 9))
#: What no user would notice in time; a job that ends with a clear message is another thing.
_SILENT: Final = (Kind.LOSS, Kind.DUPLICATE, Kind.CORRUPT)
_CHUNK: Final = 25


@dataclass
class Tally:
    """What some seeds came to.

    Args:
        seeds: how many.
        steps: of all fibers.
        failed: the first fault of each seed that failed.
        events: how often which part of a story was told.
    """

    seeds: int = 0
    steps: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count up."""
        self.seeds += other.seeds
        self.steps += other.steps
        self.failed.update(other.failed)
        self.events.update(other.events)


def run_seed(seed: int) -> tuple[Story, list[Fault]]:
    """Run one seed; what the job logs about its faults is not wanted."""
    logging.disable(logging.CRITICAL)
    try:
        story = Story(seed)
        return story, story.run()
    finally:
        logging.disable(logging.NOTSET)


def run_seeds(first: int, count: int) -> Tally:
    """Run some seeds, one after the other."""
    tally = Tally()
    # Snapshots make many dictionaries, which the collector would walk through again and again.
    gc.disable()
    for seed in range(first, first + count):
        story, faults = run_seed(seed)
        tally.seeds += 1
        tally.steps += story.world.scheduler.steps
        tally.events.update(story.counts)
        tally.events["transactions ended by their timeout"] += story.kafka.aborted_by_timeout
        tally.events["starts"] += story.world.started
        if faults:
            tally.failed[seed] = str(faults[0])
    gc.enable()
    gc.collect()
    return tally


def run_campaign(first: int, count: int, jobs: int, seconds: float) -> Tally:
    """Run seeds on several cores for at most so long; seeds that follow ``first`` are done without gaps."""
    began, tally = time.monotonic(), Tally()
    chunks = [(at, min(_CHUNK, first + count - at)) for at in range(first, first + count, _CHUNK)]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        while chunks and time.monotonic() - began < seconds:
            # A few at a time, so that those that were begun are all that is waited for.
            now, chunks = chunks[: 2 * jobs], chunks[2 * jobs :]
            for done in as_completed([pool.submit(run_seeds, *chunk) for chunk in now]):
                tally.add(chunk := done.result())
                for seed, fault in sorted(chunk.failed.items()):
                    print(f"\rseed {seed}: {fault}\n  replay: python -m tests.simulation --seed {seed}")
            rate = tally.seeds / (time.monotonic() - began)
            print(f"\r{tally.seeds} seeds, {len(tally.failed)} failed, {rate:.1f} seeds/s ", end="", flush=True)
    print()
    return tally


def first_harm(first: int, count: int, seconds: float) -> dict[str, Any]:
    """Return the first seed that finds anything, and the first with loss, duplicates or corruption.

    Looks for at most so many seconds.
    """
    found: dict[str, Any] = {}
    began = time.monotonic()
    for seed in range(first, first + count):
        for fault in run_seed(seed)[1]:
            found.setdefault("caught", {"seed": seed, "fault": str(fault)})
            if fault.kind in _SILENT:
                return found | {"silent": {"seed": seed, "fault": str(fault)}}
        if time.monotonic() - began > seconds:
            break
    return found


def ablate(rule: str, first: int, count: int, seconds: float) -> dict[str, Any]:
    """Switch a rule off in a process of its own; returns what ``first_harm`` finds."""
    command = [sys.executable, "-m", "tests.simulation", "--until-harm", "--first", str(first), "--seeds", str(count)]
    command += ["--seconds", str(seconds)]
    environment = {**os.environ, "WIESEL_ABLATE": rule, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def read_results() -> dict[str, Any]:
    """Return what was counted so far."""
    if not RESULTS.exists():
        return {"seeds": 0, "steps": 0, "failed": {}, "events": {}, "runs": [], "ablations": {}}
    results: dict[str, Any] = json.loads(RESULTS.read_text())
    return results


def write_results(results: dict[str, Any]) -> None:
    """Keep it."""
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def add_run(tally: Tally, first: int, seconds: float) -> None:
    """Count a campaign up in the results."""
    results = read_results()
    results["seeds"] += tally.seeds
    results["steps"] += tally.steps
    results["failed"].update({str(seed): fault for seed, fault in tally.failed.items()})
    results["events"] = dict(Counter(results["events"]) + tally.events)
    results["runs"].append(
        {
            "date": str(datetime.now(UTC).date()),
            "commit": _commit(),
            "first": first,
            "seeds": tally.seeds,
            "seconds": round(seconds),
        }
    )
    write_results(results)


def add_ablation(rule: str, found: dict[str, Any]) -> None:
    """Note which seeds find the harm of a rule that is switched off."""
    results = read_results()
    results["ablations"][rule] = {"commit": _commit(), **found}
    write_results(results)


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()
