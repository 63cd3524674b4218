"""What is proven: the same files give the same output on both engines, each reads the other's, and a job can move."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo import topics as flights_topics
from demo.dataset import extract_csv, read_flights
from tests.flink.deployment import run_application
from tests.flink.engines import ROOT, Engine, mini_flink, terminate
from wiesel.broker.admin import Admin
from wiesel.broker.produce import NewRecord, produce
from wiesel.broker.records import Reading, consume_batches
from wiesel.core import exit_codes
from wiesel.flink.environment import FlinkEnvironment

WORDCOUNT: Final = ROOT / "examples" / "wordcount_kafka.py"
FLIGHTS: Final = ROOT / "examples" / "flights.py"
MOVING: Final = ROOT / "tests" / "flink" / "moving_job.py"
SHIPPED: Final = ROOT / "tests" / "flink" / "shipped_job" / "job.py"
FAILING: Final = ROOT / "tests" / "flink" / "failing_job.py"
COUNTING: Final = ROOT / "tests" / "flink" / "counting_job.py"
_PARTITIONS: Final = 4
_PARALLELISM: Final = 2
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

    def word_count(self, lines: int = 500) -> Iterable[Row]:
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

    def moving(self, at_least: int = 300) -> Row:
        """A job goes from Wiesel to Flink and back while records keep coming: each is seen exactly once."""
        for topic in ("moving-in", "moving-out"):
            self._topic(topic)
        with _Feeder(self.servers, "moving-in") as feeder:
            started = time.monotonic()
            on_wiesel = self._on_wiesel(at_least)
            seconds_wiesel = time.monotonic() - started
            started = time.monotonic()
            on_flink = self._on_flink(on_wiesel + at_least) - on_wiesel
            seconds_flink = time.monotonic() - started
        back = self._on_wiesel(feeder.fed) - on_wiesel - on_flink
        seen = Counter(value for values in self._by_key("moving-out").values() for value in values)
        missing = sum(1 for number in range(feeder.fed) if f"seen {number}".encode() not in seen)
        again = sum(seen.values()) - len(seen)
        return Row(
            "moving_job.py: Wiesel → Flink → Wiesel",
            f"while records come: {missing} missing, {again} seen again",
            feeder.fed,
            on_wiesel + back,
            on_flink,
            not missing and not again and feeder.fed >= 2 * at_least,
            seconds_wiesel,
            seconds_flink,
        )

    def savepoint(self, records: int = 400) -> Row:
        """Values counted on Flink, detached, stopped with a savepoint and begun again from it: as on Wiesel at once."""
        self._topic("two-halves")
        targets = {engine: f"two-halves-{engine.name}" for engine in self._engines}
        for target in targets.values():
            self._topic(target)
        started = time.monotonic()
        savepoint: str | None = None
        for until in (records // 2, records):
            values = (f"value-{number % 7}" for number in range(records // 2))
            produce(self.servers, "two-halves", (NewRecord(value=value.encode()) for value in values))
            options = ("--detached", *(("-s", savepoint) if savepoint else ()))
            arguments = [str(COUNTING), self.servers, "two-halves", targets[self.flink]]
            job = self.flink.call("run", *self.flink.options, *options, *arguments).split()[-1]
            self._await_output(until, targets[self.flink])
            answer = self.flink.call("flink", "stop", job, "--cluster", self.cluster)
            savepoint = answer.strip().removeprefix("savepoint=")
        on_flink = time.monotonic() - started
        on_wiesel = self.wiesel.run(COUNTING, [self.servers, "two-halves", targets[self.wiesel], "bounded"])
        found = {engine: self._by_key(target) for engine, target in targets.items()}
        what = "counting_job.py: stopped on Flink, begun again from its savepoint"
        seconds = {self.wiesel: on_wiesel, self.flink: on_flink}
        return _row(what, "counts in state, as a multiset", records, found, self._engines, seconds, _same_multiset)

    def mini_cluster(self, lines: int = 300) -> Row:
        """Words counted by `wiesel run --target flink` without a cluster, as on Wiesel."""
        self._topic("mini")
        produce(self.servers, "mini", (NewRecord(value=line.encode()) for line in _text(lines)))
        engines = (self.wiesel, mini_flink(self.flink.folder, _PARALLELISM))
        seconds = {engine: self._count(engine, "mini", f"mini-{engine.name.split()[0]}") for engine in engines}
        found = {engine: self._by_key(f"mini-{engine.name.split()[0]}") for engine in engines}
        what = "wordcount_kafka.py in a mini cluster, without --cluster"
        return _row(what, "per key, in order", lines, found, engines, seconds, _same)

    def shipping(self) -> Row:
        """A module beside the script and a package of its requirements are there where its functions run."""
        for engine in self._engines:
            self._topic(f"shipped-{engine.name}")
        seconds = {engine: engine.run(SHIPPED, [self.servers, f"shipped-{engine.name}"]) for engine in self._engines}
        found = {engine: self._by_key(f"shipped-{engine.name}") for engine in self._engines}
        what = "shipped_job/job.py, with a module and requirements of its own"
        return _row(what, "as a multiset", 20, found, self._engines, seconds, _same_multiset)

    def failure(self) -> Row:
        """A function that raises is shown with the same frames, the user's, on both engines."""
        shown, seconds = {}, {}
        for engine in self._engines:
            started = time.monotonic()
            code, said = engine.fail(FAILING)
            seconds[engine] = time.monotonic() - started
            frames = re.findall(r'^  File "(.*)", line (\d+), in (\w+)$', said, re.MULTILINE)
            shown[engine] = (code, frames, re.findall(r"^\w+Error: .*$", said, re.MULTILINE))
        ours, theirs = shown[self.wiesel], shown[self.flink]
        if ours != theirs:
            print(f"failing_job.py\n  {ours}\n  {theirs}", file=sys.stderr)
        is_equal = ours == theirs and ours[0] == exit_codes.FAILED and [frame[2] for frame in ours[1]][-1:] == ["share"]
        compared = "exit code, the user's frames, the error"
        on_wiesel, on_flink = seconds[self.wiesel], seconds[self.flink]
        return Row("failing_job.py", compared, 3, 0, 0, is_equal, on_wiesel, on_flink)

    def deployment(self, environment: FlinkEnvironment, lines: int = 300) -> Row:
        """Words counted as the FlinkDeployment of deploy/ runs a job, in application mode."""
        self._topic("deployed")
        produce(self.servers, "deployed", (NewRecord(value=line.encode()) for line in _text(lines)))
        on_wiesel = self._count(self.wiesel, "deployed", "deployed-Wiesel")
        self._topic("deployed-Flink")
        arguments = ["--input", "deployed", "--output", "deployed-Flink", "--bounded"]
        started = time.monotonic()
        run_application(WORDCOUNT, arguments, self.servers, environment, self.flink.folder / "deployed")
        seconds = {self.wiesel: on_wiesel, self.flink: time.monotonic() - started}
        found = {engine: self._by_key(f"deployed-{engine.name}") for engine in self._engines}
        what = "wordcount_kafka.py as deploy/kubernetes/flink.yaml runs it"
        return _row(what, "per key, in order", lines, found, self._engines, seconds, _same)

    @property
    def _engines(self) -> tuple[Engine, Engine]:
        return self.wiesel, self.flink

    def _on_wiesel(self, until: int) -> int:
        """Let the job run on Wiesel until so much is written, stop it, and return how much is written then."""
        process = self.wiesel.start(MOVING, self._moving_arguments)
        try:
            self._await_output(until)
        finally:
            terminate(process)
        return _size(self._by_key("moving-out"))

    def _on_flink(self, until: int) -> int:
        """The same on Flink, by the commands that docs/scaling.md gives."""
        arguments = ["run", *self.flink.options, "--detached", str(MOVING), *self._moving_arguments]
        job = self.flink.call(*arguments).split()[-1]
        self._await_output(until)
        group = ("--group", "moving", "--bootstrap-server", self.servers)
        self.flink.call("flink", "stop", job, "--cluster", self.cluster, *group)
        return _size(self._by_key("moving-out"))

    @property
    def _moving_arguments(self) -> list[str]:
        return [self.servers, "moving-in", "moving-out", "moving"]

    def _await_output(self, records: int, topic: str = "moving-out") -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while (found := _size(self._by_key(topic))) < records:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{found} of {records} records in {topic} after {_WAIT_SECONDS:.0f} s")
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


class _Feeder:
    """Writes the numbers from 0 into a topic, 100 a second, for as long as it is entered."""

    def __init__(self, servers: str, topic: str) -> None:
        self._servers = servers
        self._topic = topic
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="feeder")
        #: How many were written; read it when it has ended.
        self.fed = 0

    def __enter__(self) -> _Feeder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _feed(self) -> None:
        while not self._end.wait(0.2):
            produce(self._servers, self._topic, (NewRecord(str(self.fed + n).encode()) for n in range(20)))
            self.fed += 20


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
    if not same(ours, theirs):
        key = next(key for key in (*ours, *theirs) if not same({key: ours.get(key, [])}, {key: theirs.get(key, [])}))
        print(f"{program}: {key!r}\n  {ours.get(key)}\n  {theirs.get(key)}", file=sys.stderr)
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
