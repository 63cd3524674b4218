"""A job whose state is larger than its memory, killed when the state is complete, and resumed.

    .venv/bin/python -m bench.state_on_disk --gigabytes 10      # an hour on one core
    .venv/bin/python -m bench.state_on_disk --gigabytes 0.1     # a try

The job has jobs/big_state.py's keys in RocksDB, values of 100 bytes that nothing can compress, and an address space
that is limited to 2 GB. It is killed with -9 after it has begun to meet keys again and has taken one more checkpoint;
the resumed job has to know every key that it meets. Both starts' results are compared with what each must be, and
what was measured is written to bench/results/state_on_disk.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import describe_machine
from bench.process import BenchmarkError, environment, tail_of, wiesel_job

RESULTS = Path(__file__).parent / "results" / "state_on_disk.json"
#: Measured: key, value and what RocksDB and pickle add to them.
BYTES_PER_KEY = 122
POLL_SECONDS = 1.0
SETTINGS = {
    "state.backend.type": "rocksdb",
    "execution.checkpointing.interval": "30 s",
}


@dataclass
class Start:
    """One process of the job."""

    directory: Path
    name: str
    arguments: list[str]
    limit_bytes: int
    peak_rss_mb: float = 0.0
    _process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        with self._file("out").open("wb") as out, self._file("err").open("wb") as err:
            self._process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.directory,
                env=environment(),
                start_new_session=True,
            )
        resource.prlimit(self._process.pid, resource.RLIMIT_AS, (self.limit_bytes, self.limit_bytes))

    def _file(self, kind: str) -> Path:
        return self.directory / f"{self.name}.{kind}"

    def results(self) -> dict[int, int]:
        """Return how often the job says that it has met the key of a number, by number."""
        lines = self._file("out").read_text().split("\n")[:-1]
        return {int(number): int(count) for number, count in (line.split() for line in lines)}

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait, or fail when it ends before."""
        while not until():
            if self._process.poll() is not None:
                raise BenchmarkError(f"it ended by itself: {tail_of(self._file('err'))}")
            self._measure()
            time.sleep(POLL_SECONDS)

    def end(self) -> None:
        """Wait for its end, which has to be a good one."""
        while self._process.poll() is None:
            self._measure()
            time.sleep(POLL_SECONDS)
        if self._process.returncode != 0:
            raise BenchmarkError(f"exit code {self._process.returncode}: {tail_of(self._file('err'))}")

    def kill(self) -> None:
        """With SIGKILL and all that it has started, before its end."""
        os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.wait() != -signal.SIGKILL:
            raise BenchmarkError("the job was done before it was killed: take more gigabytes")

    def _measure(self) -> None:
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self._process.pid}/status").read_text())
        self.peak_rss_mb = max(self.peak_rss_mb, int(peak[1]) / 1024 if peak else 0.0)


def newest_checkpoint(directory: Path) -> tuple[int, int]:
    """Number and bytes of the newest complete checkpoint, zeros when there is none."""
    numbers = {int(path.parent.name.removeprefix("chk-")): path.parent for path in directory.rglob("chk-*/_metadata")}
    if not numbers:
        return 0, 0
    newest = max(numbers)
    return newest, sum(file.stat().st_size for file in numbers[newest].rglob("*") if file.is_file())


def kill_behind_a_checkpoint(start: Start, number: int) -> tuple[float, int, int]:
    """Kill a job once a checkpoint is complete that was begun after a result for more than ``number``.

    Returns the seconds until that result, and the checkpoint's number and bytes.
    """
    began = time.monotonic()
    start.wait(lambda: any(seen > number for seen in start.results()))
    seconds = time.monotonic() - began
    before, _ = newest_checkpoint(start.directory)
    start.wait(lambda: newest_checkpoint(start.directory)[0] > before)
    checkpoint, size = newest_checkpoint(start.directory)
    start.kill()
    return seconds, checkpoint, size


def measure(directory: Path, gigabytes: float, limit_bytes: int) -> dict[str, float]:
    """Run, kill, resume, check."""
    keys = round(gigabytes * 1e9 / BYTES_PER_KEY)
    count = keys + max(keys // 20, 400_000)
    options = [item for key, value in SETTINGS.items() for item in ("-c", f"{key}={value}")]
    command = wiesel_job("big_state", "--count", str(count), "--keys", str(keys))
    command[2:2] = options
    first = Start(directory, "first", command, limit_bytes)
    met_again = keys + (count - keys) // 4
    complete_after, checkpoints, checkpoint_bytes = kill_behind_a_checkpoint(first, met_again)
    killed = time.monotonic()
    seen = first.results()
    second = Start(directory, "second", [*command[:2], "--resume", *command[2:]], limit_bytes)
    second.wait(lambda: bool(second.results()))
    recovered = time.monotonic() - killed
    second.end()
    results = {**seen, **second.results()}
    expected = {number: number // keys + 1 for number in [*range(0, count, 100_000), count - 1]}
    if results != expected or second.results().items() - expected.items():
        wrong = {number: results.get(number) for number in expected if results.get(number) != expected[number]}
        raise BenchmarkError(f"wrong results, by number: {dict(list(wrong.items())[:10])}")
    return {
        "keys": keys,
        "checkpoint_gb": checkpoint_bytes / 1e9,
        "address_space_limit_gb": limit_bytes / 1e9,
        "peak_rss_mb": max(first.peak_rss_mb, second.peak_rss_mb),
        "records_per_second": round(met_again / complete_after),
        "checkpoints": checkpoints,
        "seconds_from_kill_to_first_result": recovered,
        "results_checked": len(expected),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=10.0, help="of state")
    parser.add_argument("--limit-gb", type=float, default=2.0, help="address space of the job")
    parser.add_argument("--keep", type=Path, help="work here and leave everything; else in a temporary directory")
    options = parser.parse_args()
    directory = options.keep or Path(tempfile.mkdtemp(prefix="wiesel-state-"))
    directory.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    try:
        figures = measure(directory, options.gigabytes, round(options.limit_gb * 1e9))
    finally:
        if options.keep is None:
            shutil.rmtree(directory, ignore_errors=True)
    figures = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps(figures, indent=2))
    RESULTS.write_text(json.dumps({"machine": describe_machine(None, load), **figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
