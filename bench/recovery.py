"""G11: from kill -9 to caught up, with a gigabyte of keyed state in RocksDB; on Wiesel, and the same file on Flink.

    .venv/bin/python -m bench.recovery                     # writes bench/results/recovery.json; ten minutes
    .venv/bin/python -m bench.recovery --gigabytes 0.05    # a try

A job with jobs/big_state.py's keys is killed just after a checkpoint that holds all of them. The time runs from the
kill until its successor, begun from that checkpoint, prints the newest number that the killed one had printed: start of
the process, restore, and the records that came since the checkpoint. What it prints must know every key.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from bench.machine import describe_machine
from bench.process import BenchmarkError, wiesel_job
from bench.state_on_disk import BYTES_PER_KEY, Start, kill_behind_a_checkpoint

RESULTS = Path(__file__).parent / "results" / "recovery.json"
LIMIT_BYTES = 64 << 30
SETTINGS = {
    "state.backend.type": "rocksdb",
    "execution.checkpointing.interval": "10 s",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
}
FLINK = {"python.execution-mode": "thread", "execution.checkpointing.incremental": "true"}


def measure(engine: str, directory: Path, gigabytes: float) -> dict[str, float]:
    """Fill, kill, begin again from the checkpoint, check."""
    keys = round(gigabytes * 1e9 / BYTES_PER_KEY)
    count = 40 * keys  # so that it never ends before it is killed
    settings = {**SETTINGS, "execution.checkpointing.dir": f"file://{directory}/checkpoints"}
    target: list[str] = []
    if engine == "flink":
        settings |= FLINK
        target = ["--target", "flink"]
    command = wiesel_job("big_state", "--count", str(count), "--keys", str(keys))
    command[2:2] = [*target, *(item for key, value in settings.items() for item in ("-c", f"{key}={value}"))]
    first = Start(directory, "first", command, LIMIT_BYTES)
    filled, number, size = kill_behind_a_checkpoint(first, keys)
    killed = time.monotonic()
    seen = first.results()
    path = next(path.parent for path in directory.rglob(f"chk-{number}/_metadata"))
    second = Start(directory, "second", [*command[:2], "-s", str(path), *command[2:]], LIMIT_BYTES)
    second.wait(lambda: max(second.results(), default=0) >= max(seen))
    caught_up = time.monotonic() - killed
    second.kill()
    wrong = {number: met for number, met in second.results().items() if met != number // keys + 1}
    if wrong:
        raise BenchmarkError(f"wrong results of {engine}: {wrong}")
    return {
        "keys": keys,
        "state_gb": keys * BYTES_PER_KEY / 1e9,
        "checkpoint_directory_gb": size / 1e9,
        "seconds_to_fill": filled,
        "seconds_from_kill_to_caught_up": caught_up,
        "results_checked": len(second.results()),
    }


def main() -> None:
    """Measure both and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.0, help="of state")
    parser.add_argument("--engines", default="wiesel,flink", help="which, with commas between")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    # Each engine's figures stay until it is measured again.
    figures: dict[str, object] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    figures["machine"] = describe_machine(None, load)
    for engine in options.engines.split(","):
        directory = Path(tempfile.mkdtemp(prefix="wiesel-recovery-"))
        try:
            found = measure(engine, directory, options.gigabytes)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        figures[engine] = {name: round(value, 3) for name, value in found.items()}
        print(engine, json.dumps(figures[engine]), flush=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
