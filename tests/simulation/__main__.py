"""Runs seeds.

python -m tests.simulation --seed 7           replay one, and tell what happened
python -m tests.simulation --seeds 1000       the next ones, counted up in results.json
python -m tests.simulation --ablate           switch each rule off, and look for the seed that finds harm
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.simulation.campaign import (
    RULES,
    ablate,
    add_ablation,
    add_run,
    first_harm,
    read_results,
    run_campaign,
    run_seed,
)


def main() -> int:
    """Run what was asked for; returns the exit code."""
    options = _parser().parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # It decides in which order sets of strings are walked.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]], environment)
    if options.seed is not None:
        return _replay(options.seed)
    if options.until_harm:
        print(json.dumps(first_harm(options.first or 1, options.seeds, options.seconds)))
        return 0
    if options.ablate is not None:
        return _ablate(options)
    return _run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="run this one and tell its story")
    parser.add_argument("--first", type=int, help="first seed; else the one after those in results.json")
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop beginning seeds after so long")
    parser.add_argument("--ablate", nargs="*", metavar="RULE", help="switch these rules off, one by one (none: all)")
    parser.add_argument("--until-harm", action="store_true", help=argparse.SUPPRESS)
    return parser


def _replay(seed: int) -> int:
    story, faults = run_seed(seed)
    print("\n".join(story.told))
    print(*(f"{fault}" for fault in faults), sep="\n")
    print(f"seed {seed}: {len(faults)} faults, trace {story.trace()}, {story.world.scheduler.steps} steps")
    return 1 if faults else 0


def _run(options: argparse.Namespace) -> int:
    first = options.first if options.first is not None else read_results()["seeds"] + 1
    began = time.monotonic()
    tally = run_campaign(first, options.seeds, options.jobs, options.seconds)
    if options.first is None and not os.environ.get("WIESEL_ABLATE"):
        add_run(tally, first, time.monotonic() - began)
    return 1 if tally.failed else 0


def _ablate(options: argparse.Namespace) -> int:
    missing, rules = 0, options.ablate or RULES
    first = options.first or 1
    with ThreadPoolExecutor(options.jobs) as pool:
        for rule, found in zip(
            rules, pool.map(lambda rule: ablate(rule, first, options.seeds, options.seconds), rules), strict=True
        ):
            add_ablation(rule, found)
            missing += "caught" not in found
            print(f"{rule} off: {json.dumps(found)}", flush=True)
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
