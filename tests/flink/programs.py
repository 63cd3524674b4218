"""The parity programs on a standalone Flink cluster and on Wiesel, against one broker: half of ``make parity``.

    python -m tests.flink.programs [--resume] [--seconds N] [NAME ...]

Each program runs on a cluster whose TaskManager is a process of its own, as ``wiesel run --target flink --cluster``
runs it, and on Wiesel, now. Where a cluster does something else than the mini cluster, ``on_a_cluster.toml`` says why.
What was found is kept in ``programs.json`` and shown by ``docs/parity-on-a-cluster.md``; ``--resume`` leaves out what
is known. The exit code is 1 when the engines differ and nothing says why.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.flink.engines import ROOT
from tests.parity.catalog import Expectation, Program, differences, programs, recording
from tests.parity.live import create_topics
from tests.parity.runner import Outcome, parse
from wiesel import __version__
from wiesel.broker.distribution import KAFKA_VERSION
from wiesel.broker.local import LocalBroker
from wiesel.flink.environment import FLINK_VERSION, FlinkEnvironment, prepare
from wiesel.flink.local import LocalFlink, Wanted
from wiesel.flink.submission import Submission, driver_environment, worker_settings

RESULTS: Final = Path(__file__).with_name("programs.json")
EXPLAINED: Final = Path(__file__).with_name("on_a_cluster.toml")
PAGE: Final = ROOT / "docs" / "parity-on-a-cluster.md"
_RUNNER: Final = Path(__file__).with_name("cluster_runner.py")
#: Programs for one client: a JVM takes seconds to start.
_AT_ONCE: Final = 24
_SECONDS_FOR_EACH: Final = 30
_SLOTS: Final = 4


@dataclass(frozen=True)
class Verdict:
    """What was found of one program.

    Args:
        mini: whether the cluster did what the mini cluster was recorded to do.
        wiesel: whether Wiesel did what the cluster did.
        recorded: whether Wiesel did what the mini cluster was recorded to do, or what is said of the difference.
        differing: what both did, where it differs.
    """

    mini: bool
    wiesel: bool
    recorded: bool
    differing: str = ""


class Cluster:
    """A broker and a Flink, for as long as it is entered."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Cluster:
        folder = tempfile.TemporaryDirectory(prefix="parity-cluster-", ignore_cleanup_errors=True)
        self.scratch = Path(self._stack.enter_context(folder))
        self.broker = LocalBroker.start(self.scratch / "kafka", report=_tell)
        self._stack.callback(self.broker.stop, delete=True)
        # What jobs print is to stand alone in the TaskManager's log.
        os.environ["ROOT_LOG_LEVEL"] = "OFF"
        self.environment = prepare(_tell)
        wanted = Wanted(taskmanagers=1, slots=_SLOTS)
        self.flink = self._stack.enter_context(
            LocalFlink.start(self.scratch / "flink", wanted, self.environment, _tell)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, some: Sequence[Program]) -> tuple[dict[str, Outcome], dict[str, Outcome]]:
        """Return what programs do on the cluster and on Wiesel; one that its process did not survive is missing."""
        seconds = _SECONDS_FOR_EACH * len(some)
        scripts = [str(program.script) for program in some]
        submission = self.scratch / "submission.json"
        submission.write_text(_submission(self.environment, self.flink.address, self.scratch).to_json())
        log = self.flink.directory / "taskmanager-1.log"
        on_cluster: list[str | Path] = [self.environment.python, _RUNNER, submission, log, *scripts]
        variables = driver_environment(self.environment, os.environ, [], self.scratch)
        here: list[str | Path] = [sys.executable, "-m", "tests.parity.runner", *scripts]
        return (
            _run(on_cluster, self._with_topics(variables, some), seconds),
            _run(here, self._with_topics(os.environ, some), seconds),
        )

    def _with_topics(self, variables: Mapping[str, str], some: Sequence[Program]) -> dict[str, str]:
        prefix = f"parity-{uuid.uuid4().hex[:8]}"
        create_topics(self.broker.bootstrap_servers, some, prefix)
        own = {"KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers, "KAFKA_TOPIC_PREFIX": prefix}
        return {**variables, **own, "JVM_ARGS": "-Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"}


def compare(program: Program, cluster: Outcome | None, wiesel: Outcome | None) -> Verdict:
    """Return the verdict: prints are compared as a multiset, since those of the job and of the script come apart."""
    if cluster is None or wiesel is None:
        return Verdict(False, False, False, f"{'the cluster' if cluster is None else 'Wiesel'} did not get to its end")
    recorded, found = recording(program.name), Expectation.of(cluster, ordered=False)
    mini = recorded.is_met_by(cluster, ordered=False)
    explained = differences().get(program.name)
    as_recorded = recorded.is_met_by(wiesel, ordered=program.ordered) or (
        explained is not None and explained.wiesel.is_met_by(wiesel, ordered=program.ordered)
    )
    # Where Wiesel differs on purpose, it does from both alike.
    same = found.is_met_by(wiesel, ordered=False) or (mini and as_recorded)
    differing = "" if mini and same else _both(recorded, found, Expectation.of(wiesel, ordered=False))
    return Verdict(mini, same, as_recorded, differing)


def _both(recorded: Expectation, cluster: Expectation, wiesel: Expectation) -> str:
    told = {"mini cluster": recorded, "cluster": cluster, "Wiesel": wiesel}
    shown = {name: replace(one, lines=tuple(sorted(one.lines))) for name, one in told.items()}
    return "\n".join(f"{name}:\n  " + "\n  ".join(one.text().splitlines()) for name, one in shown.items())


def run(chosen: Sequence[Program], seconds: float) -> Iterator[tuple[Program, Verdict]]:
    """Compare programs until all are done or the time is over; the start of broker and cluster counts."""
    deadline = time.monotonic() + seconds
    with Cluster() as cluster:
        for start in range(0, len(chosen), _AT_ONCE):
            if time.monotonic() > deadline:
                return
            some = chosen[start : start + _AT_ONCE]
            on_cluster, on_wiesel = cluster.run(some)
            for program in some:
                yield program, compare(program, on_cluster.get(program.name), on_wiesel.get(program.name))


def read() -> dict[str, Any]:
    """What was found so far: program → when, and the verdict's parts."""
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return found


def explanations() -> dict[str, str]:
    """Why a cluster does something else than the mini cluster, by program."""
    entries = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))
    return {name: " ".join(reason.split()) for name, reason in entries.items()}


def page(results: Mapping[str, Any]) -> str:
    """The table of docs/parity-on-a-cluster.md."""
    reasons, on_purpose = explanations(), differences()
    rows = []
    for program in programs():
        if (found := results.get(program.name)) is None:
            continue
        reason = reasons.get(program.name, "")
        cluster = "as the mini cluster" if found["mini"] else f"differs: {reason or '**unexplained**'}"
        wiesel = _wiesel(found, program.name in on_purpose)
        rows.append(f"| [{program.name}](../tests/parity/programs/{program.name}.py) | {cluster} | {wiesel} |")
    count = Counter(bool(results[program.name]["mini"]) for program in programs() if program.name in results)
    dates = sorted({found["date"] for found in results.values()})
    return f"""# The parity programs on a cluster

Generated by `make parity` (`tests/flink/programs.py`); do not edit. [Parity](parity.md) has what each program shows
and what the mini cluster of PyFlink's own process does with it. Here the same programs run on a standalone cluster, its
TaskManager a process of its own, submitted as `wiesel run --target flink --cluster` does it, and on Wiesel, against one
broker. What a program prints is compared as a multiset: on a cluster the prints of jobs go to the TaskManager's log,
those of the script to the terminal.

Run {" to ".join(dict.fromkeys((dates[0], dates[-1])))}: Wiesel {__version__}, Apache Flink {FLINK_VERSION}, \
Apache Kafka {KAFKA_VERSION}. {len(rows)} programs; the cluster did what the mini cluster does in {count[True]}.

| program | standalone cluster | Wiesel |
|---|---|---|
""" + "".join(f"{row}\n" for row in rows)


def _wiesel(found: Mapping[str, Any], is_on_purpose: bool) -> str:
    if found["wiesel"]:
        return "differs on purpose" if is_on_purpose else "equal"
    if found.get("recorded"):
        return "differs on purpose" if is_on_purpose else "as the mini cluster"
    return "**differs**"


def main() -> int:
    """Run what is asked for, keep what was found, write the page; 1 if something is not explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resume", action="store_true", help="leave out what was found equal or is explained")
    parser.add_argument("--seconds", type=float, default=3600, help="begin nothing more after so long")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    # Broker and Flink are processes of their own, and outlive one that is killed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    results, reasons = read(), explanations()
    chosen = [program for program in programs() if not options.names or program.name in options.names]
    if options.resume:
        chosen = [one for one in chosen if one.name not in results or not is_explained(one.name, results, reasons)]
    for program, verdict in run(chosen, options.seconds) if chosen else ():
        date = datetime.now(UTC).strftime("%Y-%m-%d")
        results[program.name] = {"date": date, "mini": verdict.mini, "wiesel": verdict.wiesel}
        results[program.name]["recorded"] = verdict.recorded
        RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
        print(f"{program.name:40} {'equal' if verdict.mini and verdict.wiesel else 'DIFFERENT'}", flush=True)
        if verdict.differing:
            print(verdict.differing, flush=True)
    if results:
        PAGE.write_text(page(results), encoding="utf-8")
    open_ones = [one.name for one in programs() if not is_explained(one.name, results, reasons)]
    asked = set(open_ones) & {program.name for program in chosen} if options.names else set(open_ones)
    print(f"{len(results)} compared, {len(asked)} not run or without an explanation: {', '.join(sorted(asked))}")
    return 1 if asked else 0


def is_explained(name: str, results: Mapping[str, Any], reasons: Mapping[str, str]) -> bool:
    """Whether a program was run, and did the same everywhere or differs for a reason that is given."""
    found = results.get(name)
    if found is None:
        return False
    if found["mini"]:
        return bool(found["wiesel"])
    return name in reasons and bool(found["wiesel"] or found.get("recorded"))


def _submission(environment: FlinkEnvironment, address: str, scratch: Path) -> Submission:
    settings = worker_settings(environment, on_this_machine=True)
    jars = [str(jar) for jar in (environment.python_jar, *environment.connectors)]
    return Submission(None, None, [], "", str(scratch / "report.json"), settings, address, jars)


def _run(command: Sequence[str | Path], variables: Mapping[str, str], seconds: float) -> dict[str, Outcome]:
    with tempfile.TemporaryFile("w+") as errors:
        try:
            answer = subprocess.run(
                command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=seconds,
                check=False,
            )  # fmt: skip
            said = answer.stdout
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode()
        outcomes = parse(said)
        if len(outcomes) == 0:
            errors.seek(0)
            print(errors.read()[-4000:], file=sys.stderr)
        return outcomes


def _tell(what: str, done: int, _total: int) -> None:
    if done == 0:
        print(what, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
