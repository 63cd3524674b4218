"""Runs seeds: ``python -m tests.simulation --seed 7`` replays one, ``--seeds 1000`` looks for one that fails."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time

from tests.simulation.story import Story


def main() -> int:
    """Run what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="run this one, and tell what happened")
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets of strings are walked in an order that this decides.
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    logging.disable(logging.CRITICAL)
    if options.seed is not None:
        story = Story(options.seed)
        faults = story.run()
        print("\n".join(story.told))
        print(*faults, sep="\n")
        print(f"seed {options.seed}: trace {story.trace()}, {story.world.scheduler.steps} steps")
        return 1 if faults else 0
    began, failed = time.monotonic(), 0
    for seed in range(options.first, options.first + options.seeds):
        story = Story(seed)
        if faults := story.run():
            failed += 1
            print(f"seed {seed}: {faults[0]}", flush=True)
    seconds = time.monotonic() - began
    print(f"{options.seeds} seeds, {failed} failed, {options.seeds / seconds:.1f} seeds/s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
