"""The control plane of real jobs on a thread of this process, spoken to over their sockets."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import Job
from tests.support.running_job import SECONDS, Run, counted, numbers, operation_of, running, until
from tests.support.sinks import PublishingSink
from tests.support.tasks import job_graph
from wiesel.cluster import execute, job_control
from wiesel.core.errors import ConfigurationError, JobCanceledError, exit_code_of
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink
from wiesel.rest import registry
from wiesel.rest.client import FailedError, NoAnswerError, request, running_jobs
from wiesel.rest.server import MAX_CONNECTIONS
from wiesel.runtime.job_master.commands import JobState

#: Functions travel by pickle, so what they share with a test is global.
PASS = threading.Event()
FAIL = threading.Event()


def wait_at_5000(value: int) -> int:
    if value == 5000:
        PASS.wait(SECONDS)
    return value


def fail_once(value: int) -> int:
    if value == 3000 and not FAIL.is_set():
        FAIL.set()
        raise ValueError("only once")
    return value


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))  # or jobs beside the tests would be met
    monkeypatch.setattr(job_control, "_LAST_ANSWERS", SECONDS)  # however slow this client is
    PASS.clear()
    FAIL.clear()
    yield
    PASS.set()
    for job in running_jobs():  # of a test that has failed
        job.ask("PATCH")


def test_a_running_job_shows_what_its_tasks_count(tmp_path: Path) -> None:
    with running(tmp_path, counted(PublishingSink()), parallelism=2) as run:
        until(lambda: run.vertex("Count")["metrics"]["read-records"] > 10_000)
        completed = until(lambda: completed_with_state(run))
        details = run.client.get()
        assert (details["state"], details["name"], details["jid"]) == ("RUNNING", "test", "job")
        source, count = details["vertices"]
        assert source["metrics"]["write-records"] >= count["metrics"]["read-records"] > 0
        assert source["metrics"]["accumulated-busy-time"] > 0
        load = f"/vertices/{source['id']}/subtasks/metrics?get=busyTimeMsPerSecond&agg=sum"
        busy = until(lambda: run.client.get(load)[0]["sum"])
        assert busy <= 1000, "one thread steps both subtasks"
        page = request(run.client.socket, "GET", "/metrics")
        assert 'parity="all"' in page and "flink_taskmanager_job_task_operator_parity_seen_total" in page
        assert Path(completed["external_path"]).is_absolute()
        run.client.ask("PATCH")
    assert run.end().state is JobState.CANCELED
    assert running_jobs() == []


def completed_with_state(run: Run) -> Any:
    """The latest checkpoint; the first may have been taken before the first record."""
    completed = run.client.get("/checkpoints")["latest"]["completed"]
    return completed and completed["state_size"] > 0 and completed


def test_stop_ends_the_job_at_a_checkpoint_that_its_answer_names(tmp_path: Path) -> None:
    sink = PublishingSink()
    with running(tmp_path, counted(sink)) as run:
        until(lambda: sink.published)
        request_id = run.client.ask("POST", "/stop", {})["request-id"]
        location = Path(operation_of(run.client, request_id)["location"])
    outcome = run.end()
    assert outcome.state is JobState.FINISHED and outcome.stopped_early
    assert location == max((tmp_path / "checkpoints" / "job").glob("chk-*"), key=lambda p: int(p.name[4:]))


def test_a_savepoint_is_taken_while_the_job_runs_and_shown(tmp_path: Path) -> None:
    with running(tmp_path, counted(PublishingSink())) as run:
        answer = run.client.ask("POST", "/savepoints", {"target-directory": str(tmp_path / "sp")})
        location = operation_of(run.client, answer["request-id"])["location"]
        assert (Path(location) / "_metadata").exists()
        shown = until(lambda: run.client.get("/checkpoints")["latest"]["savepoint"])
        assert (shown["external_path"], shown["is_savepoint"]) == (location, True)
        run.client.ask("PATCH")


def test_a_savepoint_without_a_place_is_refused_and_the_job_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, counted(PublishingSink())) as run:
        with pytest.raises(FailedError, match=r"Where is the savepoint to go"):
            run.client.ask("POST", "/savepoints", {})
        assert run.client.get()["state"] == "RUNNING"
        run.client.ask("PATCH")


def test_a_job_goes_on_with_another_parallelism_and_counts_stay_exact(tmp_path: Path) -> None:
    sink = PublishingSink()
    with running(tmp_path, counted(sink)) as run:
        for parallelism in (3, 2):
            seen = len(sink.published)
            until(lambda seen=seen: len(sink.published) > seen)  # type: ignore[misc]
            run.client.ask("PUT", "/resource-requirements", {"any": {"parallelism": {"upperBound": parallelism}}})
            until(lambda p=parallelism: run.vertex("Count")["parallelism"] == p)  # type: ignore[misc]
            until(lambda: run.client.get()["state"] == "RUNNING")
        operation_of(run.client, run.client.ask("POST", "/stop", {})["request-id"])
    assert run.end().state is JobState.FINISHED
    for key in range(7):
        counts = sorted(count for k, count in sink.published if k == key)
        assert counts == list(range(1, len(counts) + 1)), key


@pytest.mark.parametrize(
    ("parallelism", "why"), [(1, "nothing would change"), (200, "128 key groups|above|maximum|max")]
)
def test_a_parallelism_that_cannot_be_is_refused_and_the_job_goes_on(
    tmp_path: Path, parallelism: int, why: str
) -> None:
    with running(tmp_path, counted(PublishingSink())) as run:
        with pytest.raises(FailedError, match=why):
            run.client.ask("PUT", "/resource-requirements", {"x": {"parallelism": {"upperBound": parallelism}}})
        assert run.client.get()["state"] == "RUNNING"
        run.client.ask("PATCH")


def test_a_function_that_does_not_return_is_shown_as_busy(tmp_path: Path) -> None:
    def build(env: StreamExecutionEnvironment) -> Any:
        return numbers(env).map(wait_at_5000).name("Waits").sink_to(Sink(PublishingSink()))

    with running(tmp_path, build) as run:
        vertex = until(lambda: (v := run.vertex("Waits"))["in-step-for"] >= 1000 and v)
        details = run.client.get()
        assert details["unresponsive-for"] > 0
        assert details["state"] == vertex["status"] == "RUNNING"
        busy = run.client.get(f"/vertices/{vertex['id']}/subtasks/metrics?get=busyTimeMsPerSecond&agg=max")
        assert busy[0]["max"] == 1000
        assert "busyTimeMsPerSecond" in request(run.client.socket, "GET", "/metrics")
        run.client.ask("PATCH")
        PASS.set()
    assert run.end().state is JobState.CANCELED


def test_a_failure_and_its_restart_are_remembered(tmp_path: Path) -> None:
    def build(env: StreamExecutionEnvironment) -> Any:
        return numbers(env).map(fail_once).name("Fails").sink_to(Sink(PublishingSink()))

    with running(tmp_path, build) as run:
        (entry,) = until(lambda: run.client.get("/exceptions")["exceptionHistory"]["entries"])
        assert entry["exceptionName"] == "ValueError"
        assert "only once" in entry["stacktrace"] and "fail_once" in entry["stacktrace"]
        assert "Fails" in entry["taskName"]
        until(lambda: run.client.get()["state"] == "RUNNING")
        assert run.client.get("/metrics?get=numRestarts") == [{"id": "numRestarts", "value": "1"}]
        run.client.ask("PATCH")


def test_a_cancelled_job_is_an_error_to_its_script_with_an_exit_code_of_its_own(tmp_path: Path) -> None:
    job = Job(tmp_path, counted(PublishingSink()))
    canceller = threading.Thread(target=lambda: until(lambda: next(iter(running_jobs()), None)).ask("PATCH"))
    canceller.start()
    with pytest.raises(JobCanceledError, match="Job job was cancelled") as caught:
        execute(job_graph(job.build), job.options())
    canceller.join()
    assert exit_code_of(caught.value) == 6


def test_metrics_are_served_on_a_port_of_this_machine_where_that_is_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import socket
    from urllib.request import urlopen

    caplog.set_level("INFO", "wiesel.rest")
    settings = {"metrics.reporter.prom.port": "22001-23000"}  # the first that is free
    with running(tmp_path, counted(PublishingSink()), settings=settings) as run:
        (port,) = re.findall(r"Metrics for Prometheus: port (\d+)", caplog.text)
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"flink_jobmanager_job_numRestarts_total" in answer.read()
        with socket.create_connection(("127.0.0.1", int(port))) as other:
            other.sendall(b"PATCH /jobs/job HTTP/1.0\r\nHost: localhost\r\n\r\n")
            assert b" 404 " in other.recv(100), "metrics only"
        run.client.ask("PATCH")


def test_a_crowd_of_idle_and_slow_connections_does_not_touch_the_job(tmp_path: Path) -> None:
    with running(tmp_path, counted(PublishingSink())) as run:
        assert isinstance(run.client.socket, Path)
        crowd = []
        for number in range(500):
            try:
                connection = registry.connect(run.client.socket, 60.0)
            except BlockingIOError:  # more than may wait
                continue
            crowd.append(connection)
            if number % 2:
                with suppress(OSError):
                    connection.sendall(b"GET /jobs HTTP/1.1\r\nHost: ")
        assert len(crowd) > MAX_CONNECTIONS
        checkpoints = tmp_path / "checkpoints" / "job"
        before = max((int(path.name[4:]) for path in checkpoints.glob("chk-*")), default=0)
        until(lambda: any(int(path.name[4:]) > before + 2 for path in checkpoints.glob("chk-*")))
        assert sum(thread.name == "wiesel-rest-request" for thread in threading.enumerate()) <= MAX_CONNECTIONS
        for connection in crowd:
            connection.close()
        until(lambda: answers(run))
        run.client.ask("PATCH")
    assert run.end().state is JobState.CANCELED


def answers(run: Run) -> bool:
    try:
        return bool(run.client.get())
    except NoAnswerError:
        return False


def test_metrics_are_not_opened_to_other_machines(tmp_path: Path) -> None:
    settings = {"metrics.reporter.prom.port": "9249", "metrics.reporter.prom.host": "0.0.0.0"}
    with pytest.raises(ConfigurationError, match="not open to other machines"):
        Job(tmp_path, counted(PublishingSink()), settings=settings).run()


def test_a_job_runs_without_a_control_plane_where_no_socket_can_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "wiesel").mkdir(mode=0o755)
    sink = PublishingSink()
    Job(tmp_path, lambda env: numbers(env, 9).sink_to(Sink(sink))).run()
    assert sorted(sink.published) == list(range(10))
    assert "cannot see this job" in caplog.text
    (tmp_path / "wiesel").chmod(0o700)


def test_the_last_word_about_a_stop_can_be_fetched_when_the_job_is_over(tmp_path: Path) -> None:
    with running(tmp_path, counted(PublishingSink())) as run:
        until(lambda: run.client.get("/checkpoints")["latest"]["completed"])
        request_id = run.client.ask("POST", "/stop", {})["request-id"]
        until(lambda: run.client.get()["state"] == "FINISHED")
        assert operation_of(run.client, request_id)["location"]
    with pytest.raises(NoAnswerError):
        until(lambda: not run.client.get())
