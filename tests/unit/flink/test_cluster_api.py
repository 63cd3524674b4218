"""Questions to a cluster's REST API, answered by a small server of the test."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from wiesel.broker.probe import free_port
from wiesel.flink.cluster_api import Overview, failed_task, overview, parse_address, require_fitting
from wiesel.flink.errors import FlinkConfigurationError, FlinkUnreachableError


class Answers(BaseHTTPRequestHandler):
    by_path: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        answer = self.by_path.get(self.path)
        self.send_response(200 if answer is not None else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def cluster() -> Iterator[str]:
    Answers.by_path = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def tell(version: str = "2.3.0", taskmanagers: int = 1) -> None:
    told = {"flink-version": version, "taskmanagers": taskmanagers, "slots-total": 2, "slots-available": 1}
    Answers.by_path["/overview"] = {**told, "jobs-running": 1}


@pytest.mark.parametrize("text", ["flink:8081", "http://flink:8081", "http://flink:8081/#/overview"])
def test_an_address_may_be_copied_out_of_a_browser(text):
    assert parse_address(text) == "flink:8081"


@pytest.mark.parametrize("text", ["flink", ":8081", "flink:", "flink:web", "https://flink:8081"])
def test_what_is_no_address_is_refused_with_the_form(text):
    with pytest.raises(FlinkConfigurationError, match="HOST:PORT"):
        parse_address(text)


def test_the_overview_is_read(cluster):
    tell()
    assert overview(cluster) == Overview("2.3.0", 1, 2, 1, 1)
    assert require_fitting(cluster).slots == 2


def test_another_minor_version_is_refused_before_anything_starts(cluster):
    tell(version="2.2.1")
    with pytest.raises(FlinkConfigurationError, match=r"is Flink 2\.2\.1"):
        require_fitting(cluster)


def test_a_cluster_without_taskmanagers_is_refused_since_the_job_would_wait(cluster):
    tell(taskmanagers=0)
    with pytest.raises(FlinkUnreachableError, match="no TaskManager"):
        require_fitting(cluster)


def test_where_nobody_listens_the_error_says_how_to_start_one():
    with pytest.raises(FlinkUnreachableError, match="wiesel flink up"):
        overview(f"127.0.0.1:{free_port()}")


def test_a_server_that_is_no_flink_is_told_apart(cluster):
    with pytest.raises(FlinkUnreachableError, match="no Flink answers"):
        overview(cluster)


def test_the_first_task_that_failed_is_named(cluster):
    entries = [{"taskName": None}, {"taskName": "Map (1/2)"}, {"taskName": "Sink (1/1)"}]
    Answers.by_path["/jobs/1/exceptions"] = {"exceptionHistory": {"entries": entries}}
    assert failed_task(cluster, "1") == "Map (1/2)"


def test_a_task_that_failed_along_with_the_job_is_named_too(cluster):
    inside = [{"taskName": "Map -> Sink: Print to Std. Out (1/1) - execution #0"}]
    entries = [{"taskName": None, "concurrentExceptions": inside}]
    Answers.by_path["/jobs/1/exceptions"] = {"exceptionHistory": {"entries": entries}}
    assert failed_task(cluster, "1") == "Map -> Sink: Print to Std. Out (1/1)"


def test_a_cluster_that_cannot_tell_the_task_is_no_second_error(cluster):
    assert failed_task(cluster, "2") is None
    assert failed_task(f"127.0.0.1:{free_port()}", "2") is None
