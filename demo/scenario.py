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
from demo.screen import Screen
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
    flights_per_second: float = 20_000
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
        topics.create(broker.bootstrap_servers, [INPUT, *RULES])
        job = JobRun(screen, broker.bootstrap_servers, directory / "job", flights.departures, options)
        try:
            interruption = job.with_a_kill()
        finally:
            job.process.kill()

        screen.say("reading the output as a read_committed client, and asking DuckDB for the batch answer")
        expected = answer(csv_file, options.departures)
        verdicts = judge(broker.bootstrap_servers, expected)

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


class JobRun:
    """The job beside the feed, killed half-way and resumed."""

    def __init__(
        self, screen: Screen, servers: str, directory: Path, departures: Sequence[Departure], options: Options
    ) -> None:
        self._screen = screen
        self._servers = servers
        self._departures = departures
        self._options = options
        how = ["-p", str(options.parallelism)] if options.parallelism else []
        interval = ["--checkpoint-interval", str(options.checkpoint_interval_ms)]
        until = ["--until", *map(str, topics.ends(departures))]
        self.process = Job(directory, how, ["--bootstrap", servers, "--group", GROUP, *interval, *until])

    def with_a_kill(self) -> Interruption:
        """Run the job, kill it half-way and resume it; returns when it has finished by itself."""
        total = len(self._departures)
        with (
            closing(topics.GroupProgress(self._servers, GROUP, INPUT)) as group,
            self._screen.progress(total, "flights that left", "behind a checkpoint") as (left, behind),
            topics.Feed(self._servers, INPUT, self._departures, self._options.flights_per_second) as feed,
        ):

            def look() -> None:
                feed.check()
                left(feed.sent)
                behind(group.ask())

            def is_half_way() -> bool:
                # A job that lags is given the time to come to a checkpoint that matters, while flights still leave.
                has_begun = group.committed >= total // 8 or feed.sent == total
                return feed.sent >= total // 2 and has_begun and self.process.newest_checkpoint() is not None

            self._screen.say("wiesel run examples/flights.py")
            started = time.monotonic()
            self.process.start()
            self._let_run(is_half_way, look)
            interruption = self._kill(started, group)

            self._screen.say(f"wiesel run --resume examples/flights.py    (from checkpoint {interruption.checkpoint})")
            self.process.start(resume=True)
            self.process.run_until(lambda: False, look, PATIENCE_SECONDS)
            code = self.process.end()
            look()
        if code != 0:
            raise JobError(f"the resumed job ended with exit code {code}\n{self.process.tail()}")
        return interruption

    def _let_run(self, is_half_way: Callable[[], bool], look: Callable[[], None]) -> None:
        if not self.process.run_until(is_half_way, look, PATIENCE_SECONDS):
            raise JobError(f"the job ended by itself before it could be killed\n{self.process.tail()}")
        # Not always at the same distance from a checkpoint.
        time.sleep(random.random() * self._options.checkpoint_interval_ms / 1000)

    def _kill(self, started: float, group: topics.GroupProgress) -> Interruption:
        if not self.process.is_running:
            raise JobError("the job was done before it could be killed: give it more flights")
        self.process.kill()
        seconds = time.monotonic() - started
        checkpoint = self.process.newest_checkpoint()
        assert checkpoint is not None, "there was one before"
        visible = sum(len(output.records) for output in topics.read_committed(self._servers, list(RULES)).values())
        interruption = Interruption(seconds, group.ask(), checkpoint, visible)
        self._screen.say(f"kill -9 after {seconds:.1f} s; {interruption.committed:,} flights are behind a checkpoint")
        return interruption


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
        ("behind a checkpoint then", f"{interruption.committed:,}"),
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
