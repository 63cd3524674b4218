"""G9: how long a record takes from when it was meant to be sent until its result can be read, in an open loop.

    .venv/bin/python -m bench.latency                # writes bench/results/latency.json
    .venv/bin/python -m bench.latency --only idle --seconds 5

The generator never waits for the job: it sends by the clock. A record without a result counts as infinitely late.
Generator, reader and broker share the other cores; the figure is that of all of them and the job together. What they
take without a job, for half of the way, is told too ("one hop": the reader reads what the generator writes).
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import msgspec

from bench.contestants import BY_HAND, Contestant, wiesel
from bench.kafka import QUIET, Kafka
from bench.machine import describe_machine
from bench.memory import tree_cpu_seconds
from bench.process import BENCH, BenchmarkError, cores_for_jobs_and_broker, environment, pinned_to
from bench.quick import rounded
from bench.suite import start_broker

RESULTS = BENCH / "results" / "latency.json"
WARM_UP = 1.0  # seconds whose records do not count


@dataclass(frozen=True)
class Load:
    """What is measured; no more records a second than one core can generate, hand on and read besides.

    Args:
        who: None for the generator and the reader alone.
        linger_ms: of the generator, whose single requests would keep the broker busy under load.
        options: of the script.
        committed: whether the reader waits for transactions.
    """

    name: str
    who: Contestant | None
    per_second: int
    linger_ms: int = 0
    options: tuple[str, ...] = ()
    committed: bool = False


class Numbered(msgspec.Struct):
    """What the reader looks at."""

    number: int


SINGLE, HALF = 2_000, 20_000
SHORT = ("--linger", "2")
EVERY_SECOND = wiesel("-c", "execution.checkpointing.interval=1s")
EXACTLY_ONCE = ("--guarantee", "EXACTLY_ONCE")
LOADS = [
    Load("idle, one hop", None, 20),
    Load("idle, by hand", BY_HAND, 20),
    Load("idle", wiesel(), 20),
    Load("single requests, one hop", None, SINGLE),
    Load("single requests, by hand", BY_HAND, SINGLE),
    Load("single requests", wiesel(), SINGLE),
    Load("single requests, exactly-once, 1 s", EVERY_SECOND, SINGLE, 0, EXACTLY_ONCE, True),
    Load("half load, one hop", None, HALF, 2),
    Load("half load, by hand", BY_HAND, HALF, 2, SHORT),
    Load("half load", wiesel(), HALF, 2, SHORT),
    Load("half load, as it comes", wiesel(), HALF, 2),
    Load("half load, exactly-once, 1 s", EVERY_SECOND, HALF, 2, EXACTLY_ONCE, True),
]


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    parser.add_argument("--only", default="", help="loads whose names begin so")
    parser.add_argument("--seconds", type=float, default=8.0)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    load_before = os.getloadavg()[0]
    found = json.loads(RESULTS.read_text())["loads"] if RESULTS.exists() else {}
    with ExitStack() as stack:
        kafka = start_broker(stack)
        for load in LOADS:
            if load.name.startswith(args.only):
                found[load.name] = measure(load, kafka, args.seconds)
                print(load.name, rounded(found[load.name]), flush=True)
        machine = describe_machine(kafka.version, load_before)
    late = [name for name, figures in found.items() if math.isinf(figures["p999_ms"])]
    for name in late:
        print(f"{name}: records without a result, so there is no figure", file=sys.stderr)
        del found[name]
    RESULTS.write_text(json.dumps(rounded({"machine": machine, "loads": found}), indent=1) + "\n")
    return 0


def measure(load: Load, kafka: Kafka, seconds: float) -> dict[str, float]:
    """Milliseconds from the intended time to the reader; the job's processor time in percent of a core."""
    _, others = cores_for_jobs_and_broker()
    source, target = kafka.empty("latency-in"), kafka.empty("latency-out")
    arguments = ["--bootstrap", kafka.bootstrap_servers, "--input", source, "--output", target, *load.options]
    with running(load.who, arguments) as cpu_seconds:
        started = time.monotonic() + 0.5
        with pinned_to(others):
            sender = multiprocessing.get_context("spawn").Process(
                target=send, args=(kafka.bootstrap_servers, source, load.per_second, load.linger_ms, started, seconds)
            )
            sender.start()
        cpu_before = cpu_seconds()
        total = int(load.per_second * seconds)
        seen = read(kafka, target if load.who else source, total, started + seconds + 8, load.committed)
        cpu = cpu_seconds() - cpu_before
        sender.join()
    late = sorted(
        (seen.get(number, math.inf) - (started + number / load.per_second)) * 1000
        for number in range(int(load.per_second * WARM_UP), total)
    )
    return {
        "per_second": load.per_second,
        "records": len(late),
        "median_ms": at(late, 0.5),
        "p99_ms": at(late, 0.99),
        "p999_ms": at(late, 0.999),
        "cpu_percent": cpu / seconds * 100,
    }


@contextmanager
def running(who: Contestant | None, arguments: Sequence[str]) -> Iterator[Callable[[], float]]:
    """The job, if there is one, on its core; tells its processor time."""
    if who is None:
        yield lambda: 0.0
        return
    cores, _ = cores_for_jobs_and_broker()
    with tempfile.TemporaryDirectory(prefix="wiesel-bench-") as directory:
        with pinned_to(cores):
            process = subprocess.Popen(
                who.command("latency", arguments),
                cwd=directory,
                env=environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        try:
            time.sleep(3)
            yield lambda: tree_cpu_seconds(process.pid)
            if process.poll() is not None:
                raise BenchmarkError(f"{who.name}: the job ended with exit code {process.returncode}")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def send(bootstrap: str, topic: str, per_second: int, linger_ms: int, started: float, seconds: float) -> None:
    """Send by the clock (a process of its own)."""
    from confluent_kafka import Producer

    producer = Producer(
        {**QUIET, "bootstrap.servers": bootstrap, "linger.ms": linger_ms, "queue.buffering.max.messages": 2_000_000}
    )
    producer.list_topics(topic, timeout=10)
    sent, total = 0, int(per_second * seconds)
    while sent < total:
        due = min(total, math.floor((time.monotonic() - started) * per_second) + 1)
        while sent < due:
            producer.produce(topic, f'{{"word": "word-{sent % 1000:05}", "number": {sent}}}')
            sent += 1
        producer.poll(0)
        time.sleep(max(0.0, min(0.001, started + sent / per_second - time.monotonic())))
    producer.flush(30)


def read(kafka: Kafka, topic: str, total: int, deadline: float, committed: bool) -> dict[int, float]:
    """When each number's result was there."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    isolation = "read_committed" if committed else "read_uncommitted"
    _, others = cores_for_jobs_and_broker()
    with pinned_to(others):
        consumer = Consumer(
            {
                **QUIET,
                "bootstrap.servers": kafka.bootstrap_servers,
                "group.id": "latency-reader",
                "enable.auto.commit": False,
                "isolation.level": isolation,
                "fetch.wait.max.ms": 50,
            }
        )
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(4)])
    seen: dict[int, float] = {}
    number_of = msgspec.json.Decoder(Numbered).decode
    while len(seen) < total and time.monotonic() < deadline:
        first = consumer.poll(0.1)
        if first is None:
            continue
        messages = [first, *consumer.consume(10_000, 0)]
        now = time.monotonic()
        for message in messages:
            if message.error() is None:
                seen.setdefault(number_of(message.value()).number, now)
    consumer.close()
    return seen


def at(ordered: Sequence[float], part: float) -> float:
    """The value below which a part of all lies."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


if __name__ == "__main__":
    sys.exit(main())
