"""What is proven: the same files give the same output on both engines, each reads the other's, and a job can move."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo import topics as flights_topics
from demo.dataset import extract_csv, read_flights
from tests.flink.engines import ROOT, Engine, terminate
from wiesel.broker.admin import Admin
from wiesel.broker.produce import NewRecord, produce
from wiesel.broker.records import Reading, consume_batches
from wiesel.flink import cluster_api

WORDCOUNT: Final = ROOT / "examples" / "wordcount_kafka.py"
FLIGHTS: Final = ROOT / "examples" / "flights.py"
MOVING: Final = ROOT / "tests" / "flink" / "moving_job.py"
_PARTITIONS: Final = 4
_WAIT_SECONDS: Final = 60.0

#: What was written: each key's values, in the order of their partition.
ByKey = dict[bytes | None, list[bytes]]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    program: str
    compared: str
    read: int
    wiesel: int
    flink: int
    is_equal: bool
    seconds_wiesel: float
    seconds_flink: float


class Proof:
    """Runs the scenarios against one broker and one cluster."""

    def __init__(self, servers: str, wiesel: Engine, flink: Engine, cluster: str) -> None:
        self.servers = servers
        self.wiesel = wiesel
        self.flink = flink
        self.cluster = cluster
        self.admin = Admin(servers)

    def word_count(self, lines: int = 1000) -> Iterable[Row]:
        """Words of a text counted: per word, the same counts in the same order; then each reads the other's output."""
        self._topic("lines")
        produce(self.servers, "lines", (NewRecord(value=line.encode()) for line in _text(lines)))
        seconds = {engine: self._count(engine, "lines", f"counts-{engine.name}") for engine in self._engines}
        first = {engine: self._by_key(f"counts-{engine.name}") for engine in self._engines}
        yield _row("wordcount_kafka.py", "per key, in order", lines, first, self._engines, seconds, _same)
        for writer in self._engines:
            topic, read = f"counts-{writer.name}", _size(first[writer])
            seconds = {reader: self._count(reader, topic, f"{topic}-{reader.name}") for reader in self._engines}
            second = {reader: self._by_key(f"{topic}-{reader.name}") for reader in self._engines}
            what = f"wordcount_kafka.py on what {writer.name} wrote"
            yield _row(what, "per key, in order", read, second, self._engines, seconds, _same)

    def flights(self, departures: int = 4000) -> Iterable[Row]:
        """Real flights: windows, keyed state, side outputs, four sinks."""
        with tempfile.TemporaryDirectory() as folder:
            flights = read_flights(extract_csv(Path(folder)), departures).departures
        flights_topics.create(self.servers, ["flights"])
        produce(
            self.servers,
            "flights",
            (
                NewRecord(
                    departure.to_json().encode(),
                    departure.key.encode(),
                    partition=flights_topics.partition_of(departure),
                    timestamp=departure.scheduled_ms,
                )
                for departure in flights
            ),
        )
        until = [str(offset) for offset in flights_topics.ends(flights)]
        outputs: dict[str, dict[Engine, ByKey]] = defaultdict(dict)
        seconds = {}
        for engine in self._engines:
            names = {name: f"{engine.name}-{name}".lower() for name in ("delays", "alerts", "very-late", "too-late")}
            flights_topics.create(self.servers, list(names.values()))
            options = [f"--{name}={topic}" for name, topic in names.items()]
            group = f"--group=flights-{engine.name}"
            arguments = [f"--bootstrap={self.servers}", group, *options, "--until", *until]
            seconds[engine] = engine.run(FLIGHTS, arguments)
            for name, topic in names.items():
                outputs[name][engine] = self._by_key(topic)
        for name, how, same in (
            ("delays", "windows, as a multiset", _same_multiset),
            ("alerts", "keyed state: per key, in order", _same),
            ("very-late", "side output, as a multiset", _same_multiset),
            ("too-late", "late data: both empty", _same),
        ):
            yield _row(f"flights.py: {name}", how, departures, outputs[name], self._engines, seconds, same)

    def moving(self, records: int = 600) -> Row:
        """A job goes from Wiesel to Flink and back, from the group's offsets: each record is seen exactly once."""
        for topic in ("moving-in", "moving-out"):
            self._topic(topic)
        parts = [range(start, start + records) for start in range(0, 3 * records, records)]
        started = time.monotonic()
        self._feed(parts[0])
        self._on_wiesel(records)
        on_wiesel = time.monotonic() - started
        self._feed(parts[1])
        started = time.monotonic()
        self._on_flink(2 * records)
        on_flink = time.monotonic() - started
        self._feed(parts[2])
        self._on_wiesel(3 * records)
        seen = Counter(value for values in self._by_key("moving-out").values() for value in values)
        missing = sum(1 for part in parts for number in part if f"seen {number}".encode() not in seen)
        again = sum(seen.values()) - len(seen)
        return Row(
            "moving_job.py: Wiesel → Flink → Wiesel",
            f"{missing} records missing, {again} seen again",
            3 * records,
            2 * records,
            records,
            not missing and not again,
            on_wiesel,
            on_flink,
        )

    @property
    def _engines(self) -> tuple[Engine, Engine]:
        return self.wiesel, self.flink

    def _on_wiesel(self, until: int) -> None:
        process = self.wiesel.start(MOVING, self._moving_arguments)
        try:
            self._await_output(until)
        finally:
            terminate(process)

    def _on_flink(self, until: int) -> None:
        process = self.flink.start(MOVING, self._moving_arguments)
        try:
            self._await_output(until)
            jobs = cluster_api.get(self.cluster, "/jobs", cluster_api.SECONDS)["jobs"]
            running = [job["id"] for job in jobs if job["status"] == "RUNNING"]
            for job in running:
                cluster_api.stop(self.cluster, job, (self.flink.folder / "savepoints").as_uri())
            process.wait(_WAIT_SECONDS)
        finally:
            if process.poll() is None:
                terminate(process)

    @property
    def _moving_arguments(self) -> list[str]:
        return [self.servers, "moving-in", "moving-out", "moving"]

    def _feed(self, numbers: range) -> None:
        produce(self.servers, "moving-in", (NewRecord(value=str(number).encode()) for number in numbers))

    def _await_output(self, records: int) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while (found := _size(self._by_key("moving-out"))) < records:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{found} of {records} records after {_WAIT_SECONDS:.0f} s")
            time.sleep(0.2)

    def _count(self, engine: Engine, source: str, target: str) -> float:
        self._topic(target)
        return engine.run(WORDCOUNT, ["--bootstrap", self.servers, "--input", source, "--output", target, "--bounded"])

    def _topic(self, name: str) -> None:
        self.admin.create_topic(name, _PARTITIONS)

    def _by_key(self, topic: str) -> ByKey:
        found: ByKey = defaultdict(list)
        for batch in consume_batches(self.servers, topic, Reading(from_beginning=True, to_end=True)):
            for record in batch:
                found[record.key].append(record.value or b"")
        return found


def _text(lines: int) -> Iterable[str]:
    """Lines of words, each the same at every run; some words are frequent, some are rare."""
    for number in range(lines):
        yield f"the quick wiesel {number % 7} jumps over line {number % 101} and record {number % 1009}"


def _row(
    program: str,
    compared: str,
    read: int,
    found: dict[Engine, ByKey],
    engines: Sequence[Engine],
    seconds: dict[Engine, float],
    same: Callable[[ByKey, ByKey], bool],
) -> Row:
    ours, theirs = (found[engine] for engine in engines)
    on_ours, on_theirs = (seconds[engine] for engine in engines)
    return Row(program, compared, read, _size(ours), _size(theirs), same(ours, theirs), on_ours, on_theirs)


def _size(found: ByKey) -> int:
    return sum(map(len, found.values()))


def _same(one: ByKey, other: ByKey) -> bool:
    return dict(one) == dict(other)


def _same_multiset(one: ByKey, other: ByKey) -> bool:
    return {key: sorted(map(_canonical, values)) for key, values in one.items()} == {
        key: sorted(map(_canonical, values)) for key, values in other.items()
    }


def _canonical(value: bytes) -> str:
    try:
        return json.dumps(json.loads(value), sort_keys=True)
    except ValueError:
        return value.decode()
