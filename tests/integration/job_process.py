"""Runs jobs as users do, by `wiesel run` in a process of its own, and reads what they leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Producer

from tests.integration.kafka_store import committed, end_offsets
from wiesel.core import exit_codes

WIESEL = Path(sys.executable).with_name("wiesel")
DEADLINE_SECONDS = 90.0
NO_RESTART = ("-c", "restart-strategy.type=none")

#: Counts equal lines, "a", "b", "a" → "a 1", "b 1", "a 2", exactly-once. What `per_record` does is the test's.
COUNT_LINES = """
import argparse

from pyflink.common import SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer, KafkaRecordSerializationSchema, KafkaSink, KafkaSource,
)
from pyflink.datastream.formats.json import JsonRowDeserializationSchema
from pyflink.datastream.state import ValueStateDescriptor

parser = argparse.ArgumentParser()
parser.add_argument("--bootstrap")
parser.add_argument("--input")
parser.add_argument("--output")
parser.add_argument("--guarantee", default="EXACTLY_ONCE")
parser.add_argument("--unbounded", action="store_true")
parser.add_argument("--property", action="append", default=[])
arguments = parser.parse_args()
properties = dict(text.split("=", 1) for text in arguments.property)
schema = SimpleStringSchema()

{per_record}

class Count(KeyedProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", {state_type}))

    def process_element(self, value, ctx):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield f"{{value}} {{count}}"

source = (
    KafkaSource.builder()
    .set_bootstrap_servers(arguments.bootstrap)
    .set_topics(arguments.input)
    .set_starting_offsets(KafkaOffsetsInitializer.earliest())
    .set_value_only_deserializer(schema)
)
sink = (
    KafkaSink.builder()
    .set_bootstrap_servers(arguments.bootstrap)
    .set_record_serializer(
        KafkaRecordSerializationSchema.builder()
        .set_topic(arguments.output)
        .set_value_serialization_schema(SimpleStringSchema())
        .build()
    )
)
for key, value in properties.items():
    source.set_property(key, value)
    sink.set_property(key, value)
if not arguments.unbounded:
    source.set_bounded(KafkaOffsetsInitializer.latest())
sink.set_delivery_guarantee(DeliveryGuarantee[arguments.guarantee])
if arguments.guarantee == "EXACTLY_ONCE":
    sink.set_transactional_id_prefix(arguments.output)

env = StreamExecutionEnvironment.get_execution_environment()
lines = env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "lines")
lines.map(per_record, output_type=Types.STRING()).name("check").key_by(
    lambda line: line, key_type=Types.STRING()
).process(Count(), output_type=Types.STRING()).name("count").sink_to(sink.build())
env.execute("count lines")
"""
UNCHANGED = """
def per_record(line):
    return line
"""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The one line that says what happened."""
        return self.err.splitlines()[-1] if self.err else ""

    def assert_failed(self, code: int, *said: str) -> None:
        """It ended with ``code``, and its last line, which follows no frame of the engine's, holds all of ``said``."""
        assert self.code == code, f"exit code {self.code}\n{self.err}"
        assert [text for text in said if text not in self.last_line] == [], self.err
        assert "src/wiesel/" not in self.err and "site-packages" not in self.err, self.err
        assert sum(line.startswith("error: ") for line in self.err.splitlines()) <= 1, self.err


class Running:
    """A process that runs; leaving the context kills it if it still does."""

    def __init__(self, command: list[str], log: Path, **popen: Any) -> None:
        self._log = log
        with log.open("wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err, **popen)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Poll until the condition holds; the process has to live until then."""
        wait_until(lambda: self.process.poll() is not None or condition(), lambda: self.said)
        assert self.process.poll() is None, f"ended by itself: {self.said}"

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> Ended:
        """Wait for its end."""
        code = self.process.wait(DEADLINE_SECONDS)
        return Ended(code, "", self.said)


def wait_until(condition: Callable[[], bool], why: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.1)


@dataclass
class Workplace:
    """A directory in which jobs are started, with an installation's key of its own."""

    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def script(self, code: str, name: str = "job.py") -> Path:
        path = self.directory / name
        path.write_text(textwrap.dedent(code))
        return path

    def command(self, *arguments: object) -> list[str]:
        return [str(WIESEL), "run", *map(str, arguments)]

    def surroundings(self) -> dict[str, Any]:
        """Directory and environment, as arguments of a subprocess."""
        home = {"XDG_DATA_HOME": str(self.directory / "data-home")}
        return {"cwd": self.directory, "env": {**os.environ, **home, **self.environment}}

    def run(self, *arguments: object, **popen: Any) -> Ended:
        """`wiesel run` with these arguments, to its end."""
        run = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
            **{**self.surroundings(), **popen},
        )
        return Ended(run.returncode, run.stdout, run.stderr)

    def start(self, *arguments: object, **popen: Any) -> Running:
        """`wiesel run` with these arguments, left running."""
        return Running(self.command(*arguments), self.directory / "log", **{**self.surroundings(), **popen})


@dataclass
class CountJob:
    """The counting job between two topics."""

    place: Workplace
    servers: str
    input: str
    output: str
    checkpoints: Path = field(init=False)
    chooses_directory: bool = True

    def __post_init__(self) -> None:
        self.checkpoints = self.place.directory / "checkpoints"
        self.write()

    @property
    def job_directory(self) -> Path:
        return self.checkpoints / "job-1"

    def newest_checkpoint(self) -> Path:
        return max(self.job_directory.glob("chk-*"), key=lambda path: int(path.name.removeprefix("chk-")))

    def write(self, per_record: str = UNCHANGED, state_type: str = "Types.LONG()") -> None:
        """(Re)write the script with other code for each record."""
        self.place.script(COUNT_LINES.format(per_record=textwrap.dedent(per_record), state_type=state_type))

    def arguments(self, *options: object, script: tuple[object, ...] = ()) -> list[object]:
        directory = ("-c", f"execution.checkpointing.dir={self.checkpoints}") if self.chooses_directory else ()
        return [
            *("-c", "execution.checkpointing.interval=50ms", *directory),
            *NO_RESTART,
            *options,
            "job.py",
            *("--bootstrap", self.servers, "--input", self.input, "--output", self.output),
            *script,
        ]

    def run(self, *options: object, script: tuple[object, ...] = (), **popen: Any) -> Ended:
        """Run until the end of what is in the topic now."""
        return self.place.run(*self.arguments(*options, script=script), **popen)

    def start(self, *options: object, **popen: Any) -> Running:
        """Run without an end."""
        return self.place.start(*self.arguments(*options, script=("--unbounded",)), **popen)

    def produce(self, *values: str | bytes | None) -> None:
        produce(self.servers, self.input, values)

    def published(self) -> list[str]:
        return sorted(committed(self.servers, self.output))

    @contextmanager
    def publishing(self, *values: str, options: tuple[object, ...] = (), **popen: Any) -> Iterator[Running]:
        """A run without an end, once the counts of ``values`` are published and nothing else."""
        with self.publishing_exactly(counted(values), options, **popen) as running:
            yield running

    @contextmanager
    def publishing_exactly(
        self, expected: list[str], options: tuple[object, ...] = (), **popen: Any
    ) -> Iterator[Running]:
        """A run without an end, once exactly this is published."""
        with self.start(*options, **popen) as running:
            # Offsets count the markers of transactions too, so they only tell when it is worth looking.
            running.wait_until(
                lambda: (
                    end_offsets(self.servers, self.output)[0] > len(expected) and len(self.published()) >= len(expected)
                )
            )
            assert self.published() == expected
            yield running

    def leave_unfinished(self, *values: str) -> None:
        """Produce and count ``values``, and stop the job."""
        self.produce(*values)
        with self.publishing(*values) as running:
            assert stop(running).code == exit_codes.TERMINATED, running.said

    def resume_and_publish(self, *expected: str) -> Ended:
        """Go on until the counts of ``expected`` are published; stopping adds nothing to them."""
        with self.publishing(*expected, options=("--resume",)) as running:
            ended = stop(running)
        assert ended.code == exit_codes.TERMINATED, ended.err
        assert self.published() == counted(expected)
        return ended


def stop(running: Running, number: signal.Signals = signal.SIGTERM) -> Ended:
    """Signal once and wait for the end."""
    running.signal(number)
    return running.end()


def counted(values: Iterable[str]) -> list[str]:
    """What the job makes of ``values``, sorted."""
    counts: Counter[str] = Counter()
    result = []
    for value in values:
        counts[value] += 1
        result.append(f"{value} {counts[value]}")
    return sorted(result)


def produce(servers: str, topic: str, values: Iterable[str | bytes | None]) -> None:
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 0, "message.max.bytes": 10_000_000})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(DEADLINE_SECONDS) == 0
