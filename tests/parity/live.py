"""Runs programs now, on the real PyFlink and on Wiesel."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.parity.catalog import Program
from tests.parity.reference import make_reference, with_connectors
from tests.parity.runner import Outcome, parse
from wiesel.broker.admin import Admin
from wiesel.broker.local import LocalBroker

_ROOT: Final = Path(__file__).parents[2]
_RUNNER: Final = _ROOT / "tests/parity/runner.py"
#: Programs for one JVM: what it keeps of each is not given back.
_AT_ONCE: Final = 50
_SECONDS_FOR_EACH: Final = 30


@contextmanager
def kafka_for(programs: Sequence[Program]) -> Iterator[str | None]:
    """A broker's address while in use, None if none of the programs wants one."""
    if not any(program.needs_kafka for program in programs):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="parity-kafka-", ignore_cleanup_errors=True) as folder:
        broker = LocalBroker.start(Path(folder) / "kafka")
        try:
            yield broker.bootstrap_servers
        finally:
            broker.stop(delete=True)


def run_on_pyflink(programs: Sequence[Program], kafka: str | None = None) -> dict[str, Outcome]:
    """Return what each program does on PyFlink, by name; one that its process did not survive is missing."""
    reference = make_reference()
    command = [str(reference.python), str(_RUNNER), "--pyflink"]
    variables = reference.variables if kafka is None else with_connectors(reference.variables)
    return _run(command, variables, programs, kafka)


def run_on_wiesel(programs: Sequence[Program], kafka: str | None = None) -> dict[str, Outcome]:
    """Return what each program does on Wiesel, by name; one that its process did not survive is missing."""
    return _run([sys.executable, "-m", "tests.parity.runner"], os.environ, programs, kafka)


def _run(
    command: list[str], variables: Mapping[str, str], programs: Sequence[Program], kafka: str | None
) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    for some in _batched(programs):
        prefix = f"parity-{uuid.uuid4().hex[:8]}"
        if kafka is not None:
            create_topics(kafka, some, prefix)
        own = {"KAFKA_BOOTSTRAP_SERVERS": kafka or "", "KAFKA_TOPIC_PREFIX": prefix}
        scripts = [str(program.script) for program in some]
        outcomes.update(parse(_output([*command, *scripts], {**variables, **own}, _SECONDS_FOR_EACH * len(some))))
    return outcomes


def _batched(programs: Sequence[Program]) -> Iterator[Sequence[Program]]:
    return (programs[start : start + _AT_ONCE] for start in range(0, len(programs), _AT_ONCE))


def create_topics(kafka: str, programs: Sequence[Program], prefix: str) -> None:
    """Create the topic of each program that wants one."""
    admin = Admin(kafka)
    for program in programs:
        if program.needs_kafka:
            admin.create_topic(f"{prefix}-{program.name}", 1)


def _output(command: list[str], variables: Mapping[str, str], seconds: float) -> str:
    """What the command prints; what it says on stderr is shown if it fails."""
    with tempfile.TemporaryFile("w+") as errors:
        try:
            answer = subprocess.run(
                command,
                cwd=_ROOT,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            print(f"{command[0]}: not done after {seconds} s", file=sys.stderr)
            return (late.stdout or b"").decode()
        if answer.returncode:
            errors.seek(0)
            print(errors.read()[-4000:], file=sys.stderr)
        return answer.stdout
