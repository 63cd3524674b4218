"""Flink's REST paths: field names as its documentation has them, commands handed on, wrong requests told so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.rest.views import GRAPH, StandingJob, figures, reading, view
from wiesel.rest.answers import vertex_key
from wiesel.rest.job_view import Rates, SubtaskView
from wiesel.rest.routes import Routes
from wiesel.rest.server import Request
from wiesel.runtime.reports import TaskId

DOUBLE = vertex_key(GRAPH.vertices[1])
JOB = "/jobs/job-1"

#: The fields of Flink 2.x's REST API documentation that clients and dashboards read.
FLINK_FIELDS = {
    "/overview": {
        *("taskmanagers", "slots-total", "slots-available", "jobs-running", "jobs-finished", "jobs-cancelled"),
        *("jobs-failed", "flink-version", "flink-commit"),
    },
    "/config": {"refresh-interval", "timezone-name", "timezone-offset", "flink-version", "flink-revision", "features"},
    "/jobs": {"jobs"},
    "/jobs/overview": {"jobs"},
    JOB: {
        *("jid", "name", "isStoppable", "state", "job-type", "start-time", "end-time", "duration", "maxParallelism"),
        *("now", "timestamps", "vertices", "status-counts", "plan", "pending-operators"),
    },
    f"{JOB}/plan": {"plan"},
    f"{JOB}/config": {"jid", "name", "execution-config"},
    f"{JOB}/exceptions": {"exceptionHistory"},
    f"{JOB}/checkpoints": {"counts", "summary", "latest", "history"},
    f"{JOB}/checkpoints/config": {
        *("mode", "interval", "timeout", "min_pause", "max_concurrent", "externalization", "state_backend"),
        *("checkpoint_storage", "unaligned_checkpoints", "tolerable_failed_checkpoints"),
    },
    f"{JOB}/checkpoints/details/7": {
        *("className", "id", "status", "is_savepoint", "trigger_timestamp", "latest_ack_timestamp", "state_size"),
        *("checkpointed_size", "end_to_end_duration", "num_subtasks", "num_acknowledged_subtasks", "checkpoint_type"),
        *("external_path", "discarded", "tasks"),
    },
    f"{JOB}/vertices/{DOUBLE}": {"id", "name", "parallelism", "maxParallelism", "now", "subtasks"},
    f"{JOB}/vertices/{DOUBLE}/backpressure": {"status", "backpressureLevel", "end-timestamp", "subtasks"},
}


def ask(method: str, path: str, job: StandingJob | None = None, **body: Any) -> Any:
    path, _, query = path.partition("?")
    parameters = dict(part.split("=", 1) for part in query.split("&") if part)
    return Routes(job or StandingJob())(Request(method, path, parameters, body))


def get(path: str, job: StandingJob | None = None) -> Any:
    response = ask("GET", path, job)
    assert response.status == 200, response.body
    return response.body


@pytest.mark.parametrize("path", FLINK_FIELDS)
def test_answers_have_flinks_fields(path: str) -> None:
    assert FLINK_FIELDS[path] <= get(path).keys()
    assert get(f"/v1{path}").keys() == get(path).keys()


def test_a_job_in_the_overview_is_described_as_by_flink() -> None:
    (entry,) = get("/jobs/overview")["jobs"]
    assert (entry["jid"], entry["name"], entry["state"]) == ("job-1", "my job", "RUNNING")
    assert (entry["start-time"], entry["end-time"], entry["duration"]) == (1_000, -1, 60_000)
    assert entry["last-modification"] == 2_000
    assert (entry["tasks"]["total"], entry["tasks"]["running"], entry["tasks"]["failed"]) == (4, 4, 0)
    assert get("/jobs") == {"jobs": [{"id": "job-1", "status": "RUNNING"}]}
    assert get("/overview")["jobs-running"] == 1


def test_a_vertex_sums_its_subtasks_and_says_that_not_all_bytes_are_counted() -> None:
    vertex = next(v for v in get(JOB)["vertices"] if v["id"] == DOUBLE)
    assert (vertex["parallelism"], vertex["status"]) == (2, "RUNNING")
    metrics = vertex["metrics"]
    assert (metrics["read-records"], metrics["write-records"], metrics["read-records-complete"]) == (200, 100, True)
    assert (metrics["accumulated-busy-time"], metrics["accumulated-backpressured-time"]) == (4_000, 2_000)
    assert (metrics["read-bytes"], metrics["write-bytes"]) == (14_000, 6_000)
    assert metrics["read-bytes-complete"] is metrics["write-bytes-complete"] is False


def test_the_plan_joins_vertices_by_their_ids() -> None:
    nodes = get(f"{JOB}/plan")["plan"]["nodes"]
    assert [[i["id"] for i in node.get("inputs", [])] for node in nodes] == [
        [],
        [vertex_key(GRAPH.vertices[0])],
        [DOUBLE],
    ]


def test_checkpoints_are_counted_and_each_kind_is_told_apart() -> None:
    answer = get(f"{JOB}/checkpoints")
    assert answer["counts"] == {"restored": 1, "total": 3, "in_progress": 1, "completed": 1, "failed": 1}
    assert [entry["status"] for entry in answer["history"]] == ["IN_PROGRESS", "COMPLETED", "FAILED"]
    completed, failed = answer["latest"]["completed"], answer["latest"]["failed"]
    assert (completed["end_to_end_duration"], completed["state_size"]) == (250, 4096)
    assert completed["external_path"] == "/data/job/chk-7"
    assert (failed["failure_message"], failed["failure_timestamp"]) == ("no room", 600)
    assert answer["latest"]["restored"]["external_path"] == "/data/job/chk-5"
    assert answer["latest"]["savepoint"] is None
    assert answer["summary"]["end_to_end_duration"]["max"] == 250


def test_a_failure_is_in_the_history_with_its_task() -> None:
    (entry,) = get(f"{JOB}/exceptions")["exceptionHistory"]["entries"]
    assert (entry["exceptionName"], entry["taskName"], entry["timestamp"]) == ("ValueError", "Double (1/2)", 1_500)
    assert "ValueError: x" in entry["stacktrace"]


def test_metrics_are_listed_and_read_by_name() -> None:
    assert {"numRestarts", "numberOfCompletedCheckpoints", "lastCheckpointDuration", "lastCheckpointSize"} <= {
        entry["id"] for entry in get(f"{JOB}/metrics")
    }
    values = get(f"{JOB}/metrics?get=numRestarts,lastCheckpointDuration,nothing")
    assert values == [{"id": "numRestarts", "value": "2"}, {"id": "lastCheckpointDuration", "value": "250"}]


def test_a_subtasks_metrics_have_flinks_names_and_those_of_its_functions() -> None:
    tasks = [TaskId(2, 0), TaskId(2, 1)]
    rates = Rates(10.0, 5.0, 300.0, 200.0, 500.0, bytes_in=70.0, bytes_out=30.0)
    user = [reading("hits", value=4.0), reading("by_country", "country", "DE", "hits", value=2.0)]
    kafka = {"pendingRecords": 9.0, "records-lag-max": 6.0}
    shown = {t: SubtaskView("RUNNING", figures(t, *user, reader=kafka, is_source=True), rates) for t in tasks}
    job = StandingJob(view(subtasks={**view().subtasks, **shown}))
    path = f"{JOB}/vertices/{DOUBLE}"
    names = {entry["id"] for entry in get(f"{path}/subtasks/1/metrics", job)}
    assert {
        *("numRecordsIn", "numRecordsOut", "numRecordsInPerSecond", "numRecordsOutPerSecond", "busyTimeMsPerSecond"),
        *("idleTimeMsPerSecond", "backPressuredTimeMsPerSecond", "currentOutputWatermark", "numLateRecordsDropped"),
        *("pendingRecords", "records-lag-max", "Double.hits", "Double.by_country.country.DE.hits"),
    } <= names
    assert "currentInputWatermark" not in names, "a source has no input"
    assert get(f"{path}/metrics?get=1.Double.hits", job) == [{"id": "1.Double.hits", "value": "4"}]
    aggregated = get(f"{path}/subtasks/metrics?get=numRecordsIn,busyTimeMsPerSecond&agg=sum,max", job)
    counted = get(f"{path}/metrics?get=0.numBytesIn,0.numBytesOut,1.numBytesInPerSecond,1.numBytesOutPerSecond", job)
    assert [entry["value"] for entry in counted] == ["7000", "3000", "70", "30"]
    assert aggregated == [
        {"id": "numRecordsIn", "sum": 200, "max": 100},
        {"id": "busyTimeMsPerSecond", "sum": 600.0, "max": 300.0},
    ]
    assert get(f"{path}/watermarks", job)[0] == {"id": "0.currentInputWatermark", "value": "5000"}


def test_commands_reach_the_job_and_are_answered_by_a_request_id() -> None:
    job = StandingJob()
    assert ask("PATCH", f"{JOB}?mode=cancel", job).status == 202
    stop = ask("POST", f"{JOB}/stop", job, targetDirectory="/sp", drain=True)
    assert (stop.status, stop.body) == (202, {"request-id": "stop-1"})
    taken = ask("POST", f"{JOB}/savepoints", job, **{"target-directory": "file:///sp", "cancel-job": False})
    assert (taken.status, taken.body) == (202, {"request-id": "savepoint-2"})
    wanted = {key: {"parallelism": {"lowerBound": 1, "upperBound": 3}} for key in get(f"{JOB}/resource-requirements")}
    assert ask("PUT", f"{JOB}/resource-requirements", job, **wanted).status == 200
    assert job.asked == [
        "cancel",
        ("stop", Path("/sp"), True),
        ("savepoint", Path("/sp"), False),
        ("rescale", 3),
    ]


def test_a_savepoints_status_is_asked_for_by_its_request_id() -> None:
    assert get(f"{JOB}/savepoints/under-way") == {"status": {"id": "IN_PROGRESS"}, "operation": None}
    assert get(f"{JOB}/savepoints/done")["operation"] == {"location": "/sp/1"}
    assert get(f"{JOB}/savepoints/failed")["operation"]["failure-cause"]["stack-trace"] == "no room"
    assert ask("GET", f"{JOB}/savepoints/never").status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/jobs/another", {}, 404),
        ("GET", "/jars", {}, 404),
        ("POST", "/jars/upload", {}, 404),
        ("GET", f"{JOB}/../job-1", {}, 404),
        ("GET", f"{JOB}/checkpoints/details/99", {}, 404),
        ("GET", f"{JOB}/vertices/{DOUBLE}/subtasks/2/metrics", {}, 404),
        ("GET", f"{JOB}/vertices/{'0' * 32}", {}, 404),
        ("GET", f"{JOB}/stop", {}, 405),
        ("POST", JOB, {}, 405),
        ("PATCH", f"{JOB}?mode=stop", {}, 400),
        ("POST", f"{JOB}/stop", {"drain": "yes"}, 400),
        ("POST", f"{JOB}/stop", {"targetDirectory": "relative/path"}, 400),
        ("POST", f"{JOB}/stop", {"targetDirectory": "s3://bucket/x"}, 400),
        ("POST", f"{JOB}/stop", {"targetDirectory": "/a\0b"}, 400),
        ("PUT", f"{JOB}/resource-requirements", {"x": {"parallelism": 4}}, 400),
        ("PUT", f"{JOB}/resource-requirements", {"x": {"parallelism": {"upperBound": -1}}}, 400),
        ("GET", f"{JOB}/vertices/{DOUBLE}/subtasks/metrics?get=numRecordsIn&agg=eval", {}, 400),
        ("POST", f"{JOB}/savepoints", {}, 409),
    ],
)
def test_a_wrong_request_is_told_so_and_changes_nothing(method: str, path: str, body: Any, status: int) -> None:
    job = StandingJob()
    response = ask(method, path, job, **body)
    assert response.status == status
    assert response.body["errors"][0]
    assert job.asked == []
