"""Jobs in processes of their own: detached, looked at, ended though a function hangs, and open to nobody else."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.job_process import DEADLINE_SECONDS, WIESEL, Ended, Workplace, wait_until
from wiesel.rest.client import request

JOB = """
import threading
from pyflink.common import WatermarkStrategy
from pyflink.datastream import MapFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource

class Step(MapFunction):
    def open(self, runtime_context):
        self.seen = runtime_context.get_metrics_group().counter("seen")

    def map(self, value):
        self.seen.inc()
        PER_RECORD
        return value

env = StreamExecutionEnvironment.get_execution_environment()
numbers = env.from_source(NumberSequenceSource(1, 10**12), WatermarkStrategy.no_watermarks(), "numbers")
numbers.map(Step()).name("Step").key_by(lambda n: n % 7).filter(lambda n: n % 100_000 == 0).print()
env.execute("a long job")
"""
HANGS = JOB.replace("PER_RECORD", "threading.Event().wait() if value == 5000 else None")
RUNS = JOB.replace("PER_RECORD", "")
CHECKPOINTED = ("-c", "execution.checkpointing.interval=200ms")
GRACE = ("-c", "task.cancellation.timeout=1s")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    place = Workplace(tmp_path, {"XDG_RUNTIME_DIR": str(tmp_path)})
    yield place
    for record in (tmp_path / "data-home" / "wiesel" / "detached").glob("*.json"):
        try:
            os.kill(json.loads(record.read_text())["pid"], signal.SIGKILL)
        except ProcessLookupError:
            pass


def wiesel(place: Workplace, *arguments: object) -> Ended:
    command = [str(WIESEL), *map(str, arguments)]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS, **place.surroundings()
    )
    return Ended(run.returncode, run.stdout, run.stderr)


def detached(place: Workplace, script: str, *options: object) -> int:
    """Start a job in the background and return its pid."""
    place.script(script)
    started = wiesel(place, "run", "--detached", *options, "job.py")
    assert (started.code, started.out) == (0, "job-1\n"), started.err
    match = re.search(r"pid (\d+), log", started.err)
    assert match is not None
    return int(match[1])


def details(place: Workplace) -> Any:
    answer = wiesel(place, "job", "job-1")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def children_of(pid: int) -> list[int]:
    return [int(p) for f in Path(f"/proc/{pid}/task").glob("*/children") for p in f.read_text().split()]


def test_a_detached_job_outlives_its_start_and_is_managed_by_its_id(place: Workplace) -> None:
    pid = detached(place, RUNS, *CHECKPOINTED)
    assert os.getsid(pid) == pid, "no terminal's end reaches it"
    (job,) = map(json.loads, wiesel(place, "jobs").out.splitlines())
    assert (job["jid"], job["name"], job["state"], job["pid"]) == ("job-1", "a long job", "RUNNING", pid)
    log = place.directory / ".wiesel" / "checkpoints" / "job-1" / "job.log"
    wait_until(lambda: "100000" in log.read_text())
    assert log.stat().st_mode & 0o777 == 0o600
    stopped = wiesel(place, "stop", "job-1")
    assert stopped.code == 0, stopped.err
    assert Path(stopped.out.strip()).parent == log.parent
    wait_until(lambda: not is_alive(pid))
    said = wiesel(place, "logs", "job-1").out
    assert "100000" in said and "--resume goes on from here" in said
    assert wiesel(place, "logs", "job", "-n", 1, "-f").out == said.splitlines(keepends=True)[-1]
    resumed = detached(place, RUNS, *CHECKPOINTED, "--resume")
    assert wiesel(place, "cancel", resumed).code == 0


def test_a_detached_job_that_cannot_start_says_why_and_fails_as_it_would_in_the_foreground(place: Workplace) -> None:
    place.script("raise SystemExit('no such luck')")
    ended = wiesel(place, "run", "--detached", "job.py")
    assert (ended.code, ended.out, ended.err) == (1, "", "no such luck\n")


def test_a_detached_job_that_ends_at_once_is_a_success(place: Workplace) -> None:
    place.script(RUNS.replace("10**12", "10"))
    ended = wiesel(place, "run", "--detached", "job.py")
    assert (ended.code, ended.out) == (0, "job-1\n"), ended.err


@pytest.mark.parametrize("workers", [0, 2])
def test_a_function_that_never_returns_is_shown_as_busy_and_ends_when_it_is_cancelled(
    place: Workplace, workers: int
) -> None:
    place.script(HANGS)
    with place.start(*GRACE, "-p", 2, "--workers", workers, "job.py") as running:
        running.wait_until(lambda: bool(wiesel(place, "jobs").out))
        running.wait_until(
            lambda: any(v["in-step-for"] > 1000 for v in details(place)["vertices"] if "Step" in v["name"])
        )
        workers_of_job = children_of(running.process.pid)
        cancelled = wiesel(place, "cancel", "job-1")
        assert cancelled.code == 0, cancelled.err
        ended = running.end()
    assert ended.code == 6, ended.err
    wait_until(lambda: not any(map(is_alive, workers_of_job)))
    assert list((place.directory / "wiesel").glob("*.sock")) == [] or wiesel(place, "jobs").out == ""


def test_what_functions_count_in_workers_is_seen_from_outside(place: Workplace) -> None:
    place.script(RUNS)
    with place.start("-p", 2, "--workers", 2, "job.py") as running:
        running.wait_until(lambda: bool(wiesel(place, "jobs").out))

        (socket,) = (place.directory / "wiesel").glob("*.sock")
        counts: dict[str, list[float]] = {}

        def counted() -> bool:
            page = request(socket, "GET", "/metrics")
            seen = re.findall(r'task_operator_seen_total\{.*subtask_index="(\d)".*tm_id="worker-(\d)".*\} (\S+)', page)
            by_worker = {(subtask, worker): float(count) for subtask, worker, count in seen}
            counts["seen"] = [by_worker.pop(own, 0.0) for own in (("0", "1"), ("1", "2"))]
            assert not by_worker, "each subtask has a worker of its own"
            for name, task in (("numBytesOut", "Source"), ("numBytesIn", "Filter")):
                found = re.findall(rf'task_{name}_total\{{.*task_name="{task}.*\}} (\S+)', page)
                counts[name] = [float(count) // 1000 for count in found]
            step = next(v for v in details(place)["vertices"] if "Step" in v["name"])
            counts["rest"] = [step["metrics"]["read-records"], step["metrics"]["accumulated-busy-time"]]
            return all(len(two) == 2 and min(two) > 0 for two in counts.values())

        # Each subtask begins in its own time, and reports once a second.
        running.wait_until(counted)
        assert wiesel(place, "cancel", "job-1").code == 0
        assert running.end().code == 6


def test_a_job_is_watched_and_stopped_over_tcp_by_who_has_its_token(place: Workplace) -> None:
    place.script(RUNS)
    settings = ("-c", "rest.bind-port=22001-23000", "-c", "execution.checkpointing.savepoint-dir=savepoints")
    with place.start(*CHECKPOINTED, *settings, "job.py") as running:
        running.wait_until(lambda: "REST API: http://127.0.0.1:" in running.said)
        (port,) = re.findall(r"REST API: http://127\.0\.0\.1:(\d+)", running.said)
        at = ("--address", f"127.0.0.1:{port}")
        running.wait_until(lambda: '"state":"RUNNING"' in wiesel(place, "jobs", *at).out.replace(" ", ""))
        nobody = Workplace(place.directory / "nobody", {"XDG_DATA_HOME": str(place.directory / "nobody")})
        nobody.directory.mkdir()
        assert wiesel(nobody, "jobs", *at).code == 1
        stopped = wiesel(place, "stop", "job-1", *at)
        assert stopped.code == 0, stopped.err
        assert (Path(stopped.out.strip()) / "_metadata").exists()
        assert running.end().code == 0


def test_no_process_of_a_job_listens_to_anybody_but_its_owner(place: Workplace) -> None:
    """The only name by which any of them can be reached is the control socket; between them are unnamed pairs."""
    place.script(RUNS)
    with place.start("-p", 2, "--workers", 2, "job.py") as running:
        running.wait_until(lambda: bool(wiesel(place, "jobs").out))
        running.wait_until(lambda: len(children_of(running.process.pid)) == 2)
        listening = dict(_listening_sockets())
        found = {
            pid: [listening[inode] for inode in _socket_inodes(pid) if inode in listening]
            for pid in (running.process.pid, *children_of(running.process.pid))
        }
        (path,) = (place.directory / "wiesel").glob("*.sock")
        named = {pid: [name for name in names if not name.endswith(path.name)] for pid, names in found.items()}
        assert not any(named.values()), named
        assert len(found[running.process.pid]) == 1
        assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
        running.signal(signal.SIGKILL)
        assert running.process.wait(DEADLINE_SECONDS)
        deadline = time.monotonic() + 10
        wait_until(lambda: not any(is_alive(pid) for pid in found))
        assert time.monotonic() < deadline
    assert wiesel(place, "jobs").out == ""
    assert not path.exists(), "the socket of a dead process is removed by whoever finds it"


def _socket_inodes(pid: int) -> set[str]:
    links = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}


def _listening_sockets() -> Iterator[tuple[str, str]]:
    accepts = "00010000"
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == accepts:
            yield fields[6], fields[7] if len(fields) > 7 else "?"
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                yield fields[9], fields[1]
