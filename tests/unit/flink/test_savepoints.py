"""Stopping a job on a cluster and reading its savepoint: a small server and a small program in Flink's place."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from wiesel.broker.probe import free_port
from wiesel.core import exit_codes
from wiesel.flink.environment import FlinkEnvironment
from wiesel.flink.errors import FlinkError, FlinkUnreachableError
from wiesel.flink.savepoints import Position, kafka_positions, stop_with_savepoint
from wiesel.java.runtime import JavaRuntime

JOB = "5e2c8a"


class Flink(BaseHTTPRequestHandler):
    """Answers each path with its answers in turn, the last one again and again."""

    answers: ClassVar[dict[str, list[Any]]] = {}
    asked: ClassVar[list[Any]] = []

    def do_GET(self) -> None:
        turn = self.answers.get(self.path)
        self.send_response(200 if turn else 404)
        self.end_headers()
        if turn:
            self.wfile.write(json.dumps(turn.pop(0) if len(turn) > 1 else turn[0]).encode())

    def do_POST(self) -> None:
        if JOB not in self.path:
            self.send_response(404)
            self.end_headers()
            self.wfile.write(b'{"errors": ["Job could not be found."]}')
            return
        self.asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.send_response(202)
        self.end_headers()
        self.wfile.write(b'{"request-id": "1"}')

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def cluster() -> Iterator[str]:
    Flink.answers, Flink.asked[:] = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Flink) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def tell(operation: dict[str, Any], *states: str) -> None:
    done = {"status": {"id": "COMPLETED"}, "operation": operation}
    Flink.answers[f"/jobs/{JOB}/savepoints/1"] = [{"status": {"id": "IN_PROGRESS"}}, done]
    Flink.answers[f"/jobs/{JOB}"] = [{"state": state} for state in states]


def test_a_stop_returns_once_the_job_has_ended_and_not_when_the_savepoint_is_there(cluster):
    tell({"location": "file:/s/savepoint-1"}, "RUNNING", "RUNNING", "FINISHED")
    assert stop_with_savepoint(cluster, JOB) == "file:/s/savepoint-1"
    assert Flink.asked == [(f"/jobs/{JOB}/stop", {"drain": False})]
    assert Flink.answers[f"/jobs/{JOB}"] == [{"state": "FINISHED"}], "it was asked until then"


def test_a_stop_says_where_the_savepoint_goes_and_whether_event_time_ends(cluster):
    tell({"location": "file:/s/savepoint-1"}, "FINISHED")
    stop_with_savepoint(cluster, JOB, "file:///s", drain=True)
    assert Flink.asked == [(f"/jobs/{JOB}/stop", {"drain": True, "targetDirectory": "file:///s"})]


def test_a_savepoint_that_fails_is_told_with_the_clusters_reason(cluster):
    tell({"failure-cause": {"stack-trace": "CheckpointException: no space\n\tat x.y(Z.java:1)"}}, "RUNNING")
    with pytest.raises(FlinkError, match=r"was not stopped: CheckpointException: no space\. See"):
        stop_with_savepoint(cluster, JOB)


def test_a_job_that_fails_behind_its_savepoint_is_no_stop(cluster):
    tell({"location": "file:/s/savepoint-1"}, "RUNNING", "FAILED")
    with pytest.raises(FlinkError, match=r"savepoint, file:/s/savepoint-1, but is FAILED"):
        stop_with_savepoint(cluster, JOB)


def test_a_stop_that_takes_too_long_says_that_the_job_goes_on(cluster):
    tell({"location": "file:/s/savepoint-1"}, "RUNNING")
    Flink.answers[f"/jobs/{JOB}/savepoints/1"].pop(0)  # there at once, so that only the job's end can be late
    with pytest.raises(FlinkError, match="still runs"):
        stop_with_savepoint(cluster, JOB, seconds=0.3)


def test_a_cluster_that_refuses_is_told_with_what_to_give(cluster):
    with pytest.raises(FlinkError, match=r"(?s)could not be found.*--savepoint-dir"):
        stop_with_savepoint(cluster, "no-job")


def test_where_nobody_listens_nothing_is_stopped():
    with pytest.raises(FlinkUnreachableError, match="whether the job still runs"):
        stop_with_savepoint(f"127.0.0.1:{free_port()}", JOB)


@pytest.fixture
def environment(tmp_path: Path) -> FlinkEnvironment:
    (tmp_path / "bin").mkdir()
    return FlinkEnvironment(tmp_path, JavaRuntime(Path("/jdk/bin/java"), "17.0.1", "JAVA_HOME"), ())


def reader(environment: FlinkEnvironment, body: str) -> None:
    """Let the environment's interpreter be a program of the test's."""
    environment.python.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    environment.python.chmod(0o755)


def test_positions_are_read_and_what_java_prints_between_them_is_not(environment):
    reader(environment, "print('WARNING: x')\nprint('[\"t\", 1, 7]')\nprint('[\"t\", 0, 600]')")
    assert kafka_positions("file:/s", environment) == [Position("t", 0, 600), Position("t", 1, 7)]


def test_a_savepoint_that_is_elsewhere_is_told_with_where_to_read_it(environment):
    reader(environment, "sys.exit('java.io.FileNotFoundException: s3://bucket')")
    with pytest.raises(FlinkError, match=r"FileNotFoundException: s3://bucket\. `wiesel flink offsets`"):
        kafka_positions("s3://bucket", environment)


def wiesel(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wiesel.cli.main", "flink", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_prints_where_the_savepoint_is(cluster, tmp_path):
    tell({"location": "file:/s/savepoint-1"}, "FINISHED")
    answer = wiesel("stop", JOB, "--cluster", cluster, "--savepoint-dir", str(tmp_path), "--drain")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "savepoint=file:/s/savepoint-1\n", "")
    assert Flink.asked == [(f"/jobs/{JOB}/stop", {"drain": True, "targetDirectory": tmp_path.as_uri()})]


def test_the_command_ends_with_an_error_in_a_line_where_nobody_listens():
    answer = wiesel("stop", JOB, "--cluster", f"127.0.0.1:{free_port()}", "--group", "orders")
    assert answer.returncode == exit_codes.OUTSIDE_SYSTEM
    assert answer.stderr.startswith("error: http://127.0.0.1")
    assert answer.stderr.count("\n") == 1
