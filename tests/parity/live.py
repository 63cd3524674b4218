"""Runs programs now, on the real PyFlink and on Wiesel: two processes at a time, and no program for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from tests.parity.catalog import Program
from tests.parity.reference import make_reference, with_connectors
from tests.parity.runner import ENDED, Outcome, parse
from wiesel.broker.admin import Admin
from wiesel.broker.local import LocalBroker

_ROOT: Final = Path(__file__).parents[2]
_RUNNER: Final = _ROOT / "tests/parity/runner.py"
#: Programs for one process, as a JVM takes six seconds to start, and what it keeps of each is not given back.
_FOR_ONE_PROCESS: Final = 25
_PROCESSES: Final = 2
#: A program that is not done then is lost. The slowest one takes ten.
_SECONDS_FOR_EACH: Final = 60

#: A program's name and what it did; None if its process did not survive it.
Ran = tuple[str, Outcome | None]


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


def run_on_pyflink(programs: Sequence[Program], kafka: str | None = None) -> Iterator[Ran]:
    """Yield what each program does on PyFlink, as soon as it is known, in any order."""
    reference = make_reference()
    command = [str(reference.python), str(_RUNNER), "--pyflink"]
    variables = reference.variables if kafka is None else with_connectors(reference.variables)
    return _run(command, variables, programs, kafka)


def run_on_wiesel(programs: Sequence[Program], kafka: str | None = None) -> Iterator[Ran]:
    """Yield what each program does on Wiesel, as soon as it is known, in any order."""
    return _run([sys.executable, "-m", "tests.parity.runner"], os.environ, programs, kafka)


def _run(
    command: list[str], variables: Mapping[str, str], programs: Sequence[Program], kafka: str | None
) -> Iterator[Ran]:
    prefix = f"parity-{uuid.uuid4().hex[:8]}"
    if kafka is not None:
        create_topics(kafka, programs, prefix)
    own = {**variables, "KAFKA_BOOTSTRAP_SERVERS": kafka or "", "KAFKA_TOPIC_PREFIX": prefix}
    ran: SimpleQueue[Ran | None] = SimpleQueue()

    def run_some(some: Sequence[Program]) -> None:
        try:
            _run_in_turn(command, own, [program.script for program in some], lambda *what: ran.put(what))
        finally:
            ran.put(None)

    with ThreadPoolExecutor(_PROCESSES) as pool:
        running = [pool.submit(run_some, some) for some in _batched(programs)]
        for _ in range(len(programs) + len(running)):
            what = ran.get()
            if what is not None:
                yield what
        for future in running:
            future.result()


def _batched(programs: Sequence[Program]) -> Iterator[Sequence[Program]]:
    return (programs[start : start + _FOR_ONE_PROCESS] for start in range(0, len(programs), _FOR_ONE_PROCESS))


def create_topics(kafka: str, programs: Sequence[Program], prefix: str) -> None:
    """Create the topic of each program that wants one."""
    admin = Admin(kafka)
    for program in programs:
        if program.needs_kafka:
            admin.create_topic(f"{prefix}-{program.name}", 1)


def _run_in_turn(
    command: list[str], variables: Mapping[str, str], scripts: Sequence[Path], tell: Callable[..., None]
) -> None:
    """Run scripts in one process, and those after one that the process did not survive in another."""
    left = list(scripts)
    while left:
        for name, outcome in _outcomes([*command, *map(str, left)], variables):
            tell(name, outcome)
            left.pop(0)
        if left:
            tell(left.pop(0).stem, None)


def _outcomes(command: list[str], variables: Mapping[str, str]) -> Iterator[tuple[str, Outcome]]:
    """What the scripts of one process do, one after the other; it is killed when one of them takes too long."""
    with (
        tempfile.TemporaryDirectory(prefix="parity-", ignore_cleanup_errors=True) as scratch,
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            cwd=_ROOT,
            env={**variables, "TMPDIR": scratch},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        assert process.stdout is not None
        said = ""
        late = _kill_later(process)
        try:
            for line in process.stdout:
                said += line
                if ENDED in line:
                    late.cancel()
                    yield from parse(said).items()
                    said, late = "", _kill_later(process)
            if process.wait():
                errors.seek(0)
                print(errors.read()[-4000:], file=sys.stderr)
        finally:
            late.cancel()
            _kill(process)  # and what it started: PyFlink's JVM is a process of its own


def _kill_later(process: subprocess.Popen[str]) -> threading.Timer:
    timer = threading.Timer(_SECONDS_FOR_EACH, _kill, (process,))
    timer.daemon = True
    timer.start()
    return timer


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
