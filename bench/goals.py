"""The goals of the quick suite, each measured by one function that raises when the output is wrong."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import gates
from bench.kafka import Kafka
from bench.memory import tree_cpu_seconds, tree_rss_mb
from bench.pairs import Pairs, compare, interleave, side
from bench.process import BenchmarkError, Run, baseline, environment, pinned_to, run, wiesel_job

NOTHING = 4  # records of a run that shows what starting costs
STARTUPS = 3
IDLE_JOBS = 3
IDLE_SECONDS = 2.0


@dataclass(frozen=True)
class Sizes:
    """How much work each goal gets; all of it together stays under three minutes."""

    pairs: int = 5
    keyed_state: int = 2_000_000
    map_lambda: int = 2_000_000
    keyed_count_kafka: int = 300_000
    users: int = 10_000
    starts: int = 7


def measure_pairs(pairs: int, records: int, job: Callable[[int], Run], base: Callable[[int], Run]) -> Pairs:
    """Interleaved pairs over `records`, and start-ups over next to nothing; each callable checks its own output."""
    job_startups, base_startups = interleave(lambda: job(NOTHING), lambda: base(NOTHING), STARTUPS)
    job_runs, base_runs = interleave(lambda: job(records), lambda: base(records), pairs)
    return compare(side(job_runs, job_startups, records), side(base_runs, base_startups, records))


def keyed_state(sizes: Sizes, cores: set[int]) -> Pairs:
    """G1: keyed ValueState in a KeyedProcessFunction, 20,000 keys, against the bare dict loop."""
    keys, every = 20_000, 50
    expected = {count: gates.keyed_state_lines(count, keys, every) for count in (sizes.keyed_state, NOTHING)}

    def checked(command: Callable[..., list[str]], count: int) -> Run:
        arguments = ("--count", str(count), "--keys", str(keys), "--every", str(every))
        done = run(command("keyed_state", *arguments), cores)
        return gates.check_lines(done, expected[count], f"G1, {command.__name__}")

    return measure_pairs(
        sizes.pairs, sizes.keyed_state, lambda n: checked(wiesel_job, n), lambda n: checked(baseline, n)
    )


def map_lambda(sizes: Sizes, cores: set[int]) -> Pairs:
    """G2: a map and a filter, against a loop that calls the same lambdas."""
    every = 1000
    expected = {count: gates.mapped_lines(count, every) for count in (sizes.map_lambda, NOTHING)}

    def checked(command: Callable[..., list[str]], count: int) -> Run:
        done = run(command("map_lambda", "--count", str(count), "--every", str(every)), cores)
        return gates.check_lines(done, expected[count], f"G2, {command.__name__}")

    return measure_pairs(
        sizes.pairs, sizes.map_lambda, lambda n: checked(wiesel_job, n), lambda n: checked(baseline, n)
    )


def keyed_count_kafka(sizes: Sizes, cores: set[int], kafka: Kafka) -> Pairs:
    """G3: Kafka JSON to keyed count to Kafka JSON, against a hand-written confluent-kafka loop."""
    with tempfile.TemporaryDirectory(prefix="wiesel-bench-") as directory:
        topics: dict[int, str] = {}
        expected: dict[int, Counter[tuple[str, int]]] = {}
        for count in (sizes.keyed_count_kafka, NOTHING):
            events = Path(directory, f"{count}.json")
            events.write_text("".join(f"{event}\n" for event in user_events(count, sizes.users)))
            topics[count] = kafka.preloaded("events", events.read_text().splitlines())
            expected[count] = gates.running_counts(events)

    def checked(command: Callable[..., list[str]], count: int) -> Run:
        output = kafka.empty("counts")
        arguments = ("--bootstrap", kafka.bootstrap_servers, "--input", topics[count], "--output", output)
        done = run(command("keyed_count_kafka", *arguments), cores)
        found = Counter((one["user"], one["count"]) for one in map(json.loads, kafka.values(output)))
        gates.check(found, expected[count], f"G3, {command.__name__}")
        kafka.delete(output)
        return done

    return measure_pairs(
        sizes.pairs, sizes.keyed_count_kafka, lambda n: checked(wiesel_job, n), lambda n: checked(baseline, n)
    )


def user_events(count: int, users: int) -> list[str]:
    """Events of about a hundred bytes, users drawn evenly, the same at each call."""
    chance = random.Random(20_131)
    return [
        json.dumps(
            {
                "user": f"user-{chance.randrange(users):08}@a-mailbox-with-a-rather-long-name.example.com",
                "amount": round(chance.uniform(1, 1000), 2),
            }
        )
        for _ in range(count)
    ]


@dataclass(frozen=True)
class Start:
    """G10. Seconds and megabytes, over several starts of the four-element job and of the Kafka job."""

    wall_seconds: list[float]
    cpu_seconds: list[float]
    first_kafka_record_seconds: list[float]
    idle_rss_mb: float
    idle_cpu_percent: float

    @property
    def median(self) -> float:
        """Wall time of the four-element job, start to exit."""
        return median(self.wall_seconds)


def start_and_idle(sizes: Sizes, cores: set[int], kafka: Kafka) -> Start:
    """G10: the smallest job from start to exit; memory and CPU of a Kafka job that has nothing to do."""
    command = wiesel_job("four_elements", parallelism=None)
    run(command, cores)  # compiles modules and warms the disk's cache
    runs = [gates.check_lines(run(command, cores), ["1", "4", "9", "16"], "G10") for _ in range(sizes.starts)]
    topic = kafka.preloaded("idle", ["hello"])
    idle = [idle_kafka_job(topic, cores, kafka) for _ in range(IDLE_JOBS)]
    return Start(
        wall_seconds=[one.wall_seconds for one in runs],
        cpu_seconds=[one.cpu_seconds for one in runs],
        first_kafka_record_seconds=[one[0] for one in idle],
        idle_rss_mb=max(one[1] for one in idle),
        idle_cpu_percent=median(one[2] for one in idle),
    )


def idle_kafka_job(topic: str, cores: set[int], kafka: Kafka) -> tuple[float, float, float]:
    """Seconds from start to the first record; then, idle, megabytes and percent of a core."""
    command = wiesel_job("kafka_print", "--bootstrap", kafka.bootstrap_servers, "--input", topic, parallelism=None)
    with tempfile.TemporaryDirectory(prefix="wiesel-bench-") as directory, pinned_to(cores):
        unbuffered = {**environment(), "PYTHONUNBUFFERED": "1"}
        start = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=directory, env=unbuffered, text=True
        ) as process:
            watchdog = threading.Timer(60, process.kill)
            watchdog.start()
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                first_record = time.perf_counter() - start
                if line != "hello\n":
                    raise BenchmarkError(f"G10: the Kafka job printed {line!r} instead of the topic's only record")
                time.sleep(1)  # the first record is out before everything has settled
                before = tree_cpu_seconds(process.pid)
                time.sleep(IDLE_SECONDS)
                cpu_percent = (tree_cpu_seconds(process.pid) - before) / IDLE_SECONDS * 100
                return first_record, tree_rss_mb(process.pid), cpu_percent
            finally:
                watchdog.cancel()
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
