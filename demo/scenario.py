"""The demo's story, step by step: feed, run, kill, resume, compare."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from demo import topics
from demo.answer import Answer, Record, answer
from demo.dataset import Departure, Flights, extract_csv, read_flights
from demo.job import Job, JobError
from demo.screen import Completed, Screen
from demo.verdict import Rule, Verdict, compare
from wiesel.broker.local import LocalBroker

INPUT = "flights"
GROUP = "flights"
PER_FLIGHT = ("airport", "carrier", "flight", "scheduled")
RULES = {
    "flight-delays": Rule(key=("airport",), identity=("airport", "hour")),
    "flight-alerts": Rule(key=("airport", "carrier"), identity=(*PER_FLIGHT, "alert")),
    "flights-very-late": Rule(key=("airport", "carrier"), identity=PER_FLIGHT),
    "flights-too-late": Rule(key=("airport", "carrier"), identity=PER_FLIGHT),
}
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Options:
    """What can be asked of the demo."""

    departures: int | None = None
    checkpoint_interval_ms: int = 250
    parallelism: int | None = None


@dataclass(frozen=True)
class Interruption:
    """How it stood when the job was killed."""

    seconds: float
    committed: int
    checkpoint: int
    visible: int


def run(screen: Screen, directory: Path, options: Options) -> bool:
    """Whether everything came out as it must; the broker and the job are gone when this returns or raises."""
    csv_file = extract_csv(directory)
    flights = read_flights(csv_file, options.departures)
    screen.say(f"{len(flights.departures):,} flights that left New York in 2013; {flights.cancelled:,} were cancelled")

    with start_broker(screen, directory / "kafka") as broker:
        screen.say(f"Apache Kafka {broker.kafka_version} answers on {broker.bootstrap_servers}")
        servers = broker.bootstrap_servers
        topics.create(servers, [INPUT, *RULES])
        with screen.progress("feeding the flights as they left", len(flights.departures)) as sent:
            topics.feed(servers, INPUT, flights.departures, sent)

        job = Job(directory / "job", job_options(options), job_arguments(servers, options))
        try:
            interruption = run_job_with_a_kill(screen, job, servers, len(flights.departures), options)
        finally:
            job.kill()

        screen.say("reading the output as a read_committed client, and asking DuckDB for the batch answer")
        expected = answer(csv_file, options.departures)
        verdicts = judge(servers, expected)

    report(screen, flights, interruption, verdicts)
    same_input = (expected.departures, expected.cancelled) == (len(flights.departures), flights.cancelled)
    if not same_input:
        screen.say(f"DuckDB reads another input: {expected.departures} departures, {expected.cancelled} cancelled")
    return same_input and all(verdict.is_right for verdict in verdicts.values())


def start_broker(screen: Screen, directory: Path) -> LocalBroker:
    """The broker; each step of its start is told once."""
    told: set[str] = set()

    def tell(step: str, _done: int, _total: int) -> None:
        if step not in told:
            told.add(step)
            screen.say(step)

    return LocalBroker.start(directory, report=tell)


def job_options(options: Options) -> list[str]:
    """Options of `wiesel run` itself."""
    return ["-p", str(options.parallelism)] if options.parallelism else []


def job_arguments(servers: str, options: Options) -> list[str]:
    """Arguments of examples/flights.py; its topics have their default names."""
    interval = str(options.checkpoint_interval_ms)
    return ["--bootstrap", servers, "--group", GROUP, "--bounded", "--checkpoint-interval", interval]


def run_job_with_a_kill(screen: Screen, job: Job, servers: str, total: int, options: Options) -> Interruption:
    """Run the job, kill it half-way and resume it; returns when it has finished by itself."""
    with closing(topics.GroupProgress(servers, GROUP, INPUT)) as progress:
        screen.say("wiesel run examples/flights.py")
        with screen.progress("flights processed", total) as completed:
            seconds = kill_half_way(job, lambda: advance(progress, completed), total, options)
        checkpoint = job.newest_checkpoint()
        if checkpoint is None:
            raise JobError(f"there is no checkpoint, although offsets were committed\n{job.tail()}")
        visible = sum(len(output.records) for output in topics.read_committed(servers, list(RULES)).values())
        interruption = Interruption(seconds, progress.committed(), checkpoint, visible)
        screen.say(f"kill -9 after {seconds:.1f} s, {interruption.committed:,} flights were behind a checkpoint")

        screen.say(f"wiesel run --resume examples/flights.py    (from checkpoint {checkpoint})")
        with screen.progress("flights processed", total) as completed:
            job.start(resume=True)
            job.run_until(lambda: advance(progress, completed) == total, PATIENCE_SECONDS)
            code = job.end()
            advance(progress, completed)
    if code != 0:
        raise JobError(f"the resumed job ended with exit code {code}\n{job.tail()}")
    return interruption


def advance(progress: topics.GroupProgress, completed: Completed) -> int:
    """Ask how far the job is, and show it."""
    committed = progress.committed()
    completed(committed)
    return committed


def kill_half_way(job: Job, committed: Callable[[], int], total: int, options: Options) -> float:
    """Start the job and kill it about half-way; how long it ran, in seconds.

    What is behind a checkpoint and committed is an earlier state of the job, which meanwhile goes on: a third of the
    flights there means about half of them processed.
    """
    started = time.monotonic()
    job.start()
    if not job.run_until(lambda: committed() >= total // 3, PATIENCE_SECONDS):
        raise JobError(f"the job ended by itself before it could be killed\n{job.tail()}")
    # Not always just after a checkpoint, but at any moment between two.
    time.sleep(random.random() * options.checkpoint_interval_ms / 1000)
    if not job.is_running:
        raise JobError("the job was done before it could be killed: give it more flights")
    job.kill()
    return time.monotonic() - started


def judge(servers: str, expected: Answer) -> dict[str, Verdict]:
    """One verdict per output."""
    wanted: dict[str, list[Record]] = {
        "flight-delays": expected.delays,
        "flight-alerts": expected.alerts,
        "flights-very-late": expected.very_late,
        "flights-too-late": [],
    }
    outputs = topics.read_committed(servers, list(RULES))
    return {
        topic: compare(wanted[topic], outputs[topic].records, rule, outputs[topic].keys)
        for topic, rule in RULES.items()
    }


def report(screen: Screen, flights: Flights, interruption: Interruption, verdicts: dict[str, Verdict]) -> None:
    """The tables, and an example of everything that is wrong."""
    facts = [
        ("flights in the file", f"{len(flights.departures) + flights.cancelled:,}"),
        ("cancelled, left out", f"{flights.cancelled:,}"),
        ("departures fed", f"{len(flights.departures):,}"),
        ("furthest out of order", f"{most_minutes_out_of_order(flights.departures):,} min"),
        ("killed after", f"{interruption.seconds:.1f} s"),
        ("resumed from checkpoint", str(interruption.checkpoint)),
        ("output already visible then", f"{interruption.visible:,}"),
        ("seconds in all", f"{screen.seconds:.1f}"),
    ]
    screen.table("The run", ("", ""), facts)
    kinds = [kind for kind, _ in next(iter(verdicts.values())).faults()]
    rows = [
        [topic, f"{verdict.expected:,}", f"{verdict.found:,}", *(f"{len(cases):,}" for _, cases in verdict.faults())]
        for topic, verdict in verdicts.items()
    ]
    screen.table("The output against DuckDB's batch answer", ("topic", "expected", "found", *kinds), rows)
    for topic, kind, cases in faults(verdicts):
        screen.say(f"{topic}: {kind}, for example {cases[0]}")


def faults(verdicts: dict[str, Verdict]) -> Iterable[tuple[str, str, Sequence[object]]]:
    """Everything that is wrong, by topic and kind."""
    for topic, verdict in verdicts.items():
        for kind, cases in verdict.faults():
            if cases:
                yield topic, kind, cases


def most_minutes_out_of_order(departures: Sequence[Departure]) -> int:
    """How far the event time of a departure lies behind the newest one before it."""
    newest = most = 0
    for departure in departures:
        newest = max(newest, departure.scheduled_ms)
        most = max(most, newest - departure.scheduled_ms)
    return most // 60_000
