"""The example scripts in PyFlink's wheel, run unmodified on both engines: taken from the real one, never kept here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.parity.catalog import RECORDINGS, Expectation
from tests.parity.reference import Reference, connector_jars, find_reference, site_packages, with_connectors
from tests.parity.runner import Failure, Outcome
from wiesel.broker.admin import Admin
from wiesel.broker.local import LocalBroker

_HERE: Final = Path(__file__).parent
#: Where the scripts look for Kafka.
_KAFKA_PORT: Final = 9092
#: The scripts' own words where one has to write a jar's place.
_JAR_TO_FILL_IN: Final = re.compile(r"file:///path/to/([a-z-]+)-[\d.]+\.jar")
_PARALLELISM: Final = 2
#: What PyFlink's own libraries log when a script sends the log of everything to stdout.
_OF_LIBRARIES: Final = ("Using Any for unsupported type", "No module named google.cloud", "PYFLINK_CYTHON_ENABLED")
_SECONDS: Final = 60


@dataclass(frozen=True)
class Example:
    """One script.

    Args:
        name: its path below ``pyflink/examples/datastream``.
        not_run: why it is not run, else empty.
        ordered: whether Flink determines the order of what it prints.
        any_subtask: whether it leaves open which subtask prints what.
        topics: what it reads and writes in Kafka.
        lines: after how many it is stopped, as it never ends; 0 if it does.
    """

    name: str
    not_run: str = ""
    ordered: bool = True
    any_subtask: bool = False
    topics: Sequence[str] = field(default_factory=list)
    lines: int = 0

    @property
    def compared(self) -> str:
        """How its outputs are compared, for the page."""
        how = "in order" if self.ordered else "as a multiset"
        how += ", without the subtasks' numbers" if self.any_subtask else ""
        return f"compared {how}{f'; stopped after {self.lines} lines, as it never ends' if self.lines else ''}"

    @property
    def recording(self) -> Path:
        """The file with what PyFlink did."""
        return RECORDINGS / "examples" / f"{self.name.removesuffix('.py')}.txt"

    def expectation(self, outcome: Outcome) -> Expectation:
        """Return what this outcome makes us expect of the next one."""
        return Expectation.of(self._without_subtasks(outcome), ordered=self.ordered)

    def agree(self, expected: Expectation, outcome: Outcome) -> bool:
        """Whether an engine did what is expected."""
        return expected.is_met_by(self._without_subtasks(outcome), ordered=self.ordered)

    def _without_subtasks(self, outcome: Outcome) -> Outcome:
        if not self.any_subtask:
            return outcome
        return Outcome([re.sub(r"^\d+> ", "", line) for line in outcome.lines], outcome.failure)


def examples() -> list[Example]:
    """Return all of them, run or not, by name."""
    entries = tomllib.loads((_HERE / "examples.toml").read_text())
    return [_read(name, entry) for name, entry in sorted(entries.items())]


def _read(name: str, entry: dict[str, Any]) -> Example:
    return Example(
        name,
        not_run=entry.get("not_run", ""),
        ordered=entry.get("order") != "any",
        any_subtask=entry.get("subtask") == "any",
        topics=entry.get("topics", []),
        lines=entry.get("lines", 0),
    )


def shipped() -> dict[str, Path]:
    """Return the scripts of PyFlink's wheel by name; its environment has to be there."""
    place = find_reference()
    assert place is not None
    folder = site_packages(place) / "pyflink/examples/datastream"
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.py"))}


@contextmanager
def kafka_for(example: Example) -> Iterator[None]:
    """A new Kafka where the script expects it, while in use; nothing for a script without Kafka."""
    if not example.topics:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="parity-kafka-", ignore_cleanup_errors=True) as folder:
        broker = LocalBroker.start(Path(folder) / "kafka", port=_KAFKA_PORT)
        try:
            for topic in example.topics:
                Admin(broker.bootstrap_servers).create_topic(topic, 1)
            yield
        finally:
            broker.stop(delete=True)


def run_on_pyflink(example: Example, script: Path, reference: Reference) -> Outcome:
    """Return what it does there; the places of jars are filled in, as the script asks for."""
    variables = {**reference.variables, "JAVA_TOOL_OPTIONS": f"-XX:ActiveProcessorCount={_PARALLELISM}"}
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        if example.topics:
            variables, jars = with_connectors(variables), connector_jars()
            text = _JAR_TO_FILL_IN.sub(lambda place: jars[place[1]].as_uri(), script.read_text())
            script = Path(folder, script.name)
            script.write_text(text)
        return _run([reference.python, script], variables, folder, example.lines)


def run_on_wiesel(example: Example, script: Path) -> Outcome:
    """Return what it does here, unmodified."""
    wiesel = Path(sys.executable).with_name("wiesel")
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        return _run([wiesel, "run", "-p", str(_PARALLELISM), script], os.environ, folder, example.lines)


def _run(command: Sequence[str | Path], variables: Mapping[str, str], folder: str, lines: int) -> Outcome:
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, cwd=folder, env={**variables, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, stderr=errors,
            text=True, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        late = threading.Timer(_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        late.start()
        printed = []
        try:
            for line in process.stdout:
                if not line.startswith(_OF_LIBRARIES):
                    printed.append(line.rstrip("\n"))
                if lines and len(printed) == lines:
                    break
        finally:
            late.cancel()
            if lines:
                # All of the session: PyFlink's JVM is a process of its own.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
        code = process.wait(timeout=_SECONDS)
        errors.seek(0)
        failure = None if code == 0 or lines else Failure([f"exit code {code}"], errors.read()[-4000:])
    return Outcome(printed, failure)
