"""Answers of Flink's monitoring REST API, with its field names, out of a ``JobView`` (Flink docs: "REST API")."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from wiesel import __version__
from wiesel.graph.job_graph import JobVertex
from wiesel.rest.job_view import JobView, SubtaskView
from wiesel.runtime.held_back import diagnose
from wiesel.runtime.reports import TaskId

_EXECUTION_STATES: Final = (
    *("CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING", "RUNNING", "FINISHED"),
    *("CANCELING", "CANCELED", "FAILED", "RECONCILING"),
)
#: States in which a job of this process counts as running, finished, … in ``/overview``.
_ENDED: Final = {"FINISHED": "jobs-finished", "CANCELED": "jobs-cancelled", "FAILED": "jobs-failed"}


def vertex_key(vertex: JobVertex) -> str:
    """Return the vertex's id in answers: 32 hexadecimal digits that stay the same as long as the head's uid does."""
    return hashlib.sha256(vertex.operators[0].uid.encode()).hexdigest()[:32]


def subtasks_of(view: JobView, vertex: JobVertex) -> list[SubtaskView]:
    """Return the subtasks of a vertex in their order."""
    return [view.subtasks[TaskId(vertex.vertex_id, number)] for number in range(vertex.parallelism)]


def cluster_overview(view: JobView) -> dict[str, Any]:
    """``/overview``: this process as a cluster of its own."""
    ended = _ENDED.get(view.state, "jobs-running")
    counts = {name: int(name == ended) for name in ("jobs-running", *_ENDED.values())}
    slots = {"slots-total": view.parallelism, "slots-available": 0, "taskmanagers": max(1, view.workers)}
    return {**slots, **counts, "flink-version": f"wiesel {__version__}", "flink-commit": ""}


def dashboard_config() -> dict[str, Any]:
    """``/config``."""
    now = datetime.now().astimezone()
    offset = now.utcoffset()
    return {
        "refresh-interval": 3000,
        "timezone-name": now.tzname(),
        "timezone-offset": 0 if offset is None else int(offset.total_seconds() * 1000),
        "flink-version": f"wiesel {__version__}",
        "flink-revision": "",
        "features": {"web-submit": False, "web-cancel": True, "web-rescale": True, "web-history": False},
    }


def _times(view: JobView) -> dict[str, int]:
    until = view.end_ms if view.end_ms >= 0 else view.now_ms
    return {"start-time": view.start_ms, "end-time": view.end_ms, "duration": until - view.start_ms}


def _counts(subtasks: Iterable[SubtaskView]) -> dict[str, int]:
    found = Counter(subtask.status for subtask in subtasks)
    return {status: found[status] for status in _EXECUTION_STATES}


def job_overview(view: JobView) -> dict[str, Any]:
    """One entry of ``/jobs/overview``."""
    tasks = {status.lower(): count for status, count in _counts(view.subtasks.values()).items()}
    return {
        "jid": view.job_id,
        "name": view.name,
        "state": view.state,
        **_times(view),
        "last-modification": max(view.timestamps.values(), default=view.start_ms),
        "tasks": {"total": len(view.subtasks), **tasks},
        "pending-operators": 0,
    }


def job_details(view: JobView) -> dict[str, Any]:
    """``/jobs/:jobid``; two fields are ours: ``unresponsive-for`` (milliseconds), how long the job's loop has not shown
    itself, and ``held-back``, the operators whose windows wait for an input that has fallen silent.
    """
    vertices = [vertex_overview(view, vertex) for vertex in view.graph.vertices]
    return {
        "jid": view.job_id,
        "name": view.name,
        "isStoppable": True,
        "state": view.state,
        "job-type": view.configuration.get("execution.runtime-mode", "STREAMING").upper(),
        **_times(view),
        "maxParallelism": max(vertex.max_parallelism for vertex in view.graph.vertices),
        "now": view.now_ms,
        "unresponsive-for": view.age_ms,
        "held-back": held_back(view),
        "timestamps": dict(view.timestamps),
        "vertices": vertices,
        "status-counts": dict(Counter(vertex["status"] for vertex in vertices)),
        "plan": _plan(view),
        "pending-operators": 0,
    }


def held_back(view: JobView) -> list[dict[str, Any]]:
    """What ``wiesel.runtime.held_back`` finds: event times in milliseconds, ``quiet-for`` in milliseconds, a text."""
    figures = [subtask.figures for subtask in view.subtasks.values() if subtask.figures is not None]
    keys = {vertex.vertex_id: vertex_key(vertex) for vertex in view.graph.vertices}
    return [
        {
            "vertex": keys[one.vertex_id],
            "operator": one.operator,
            "due": one.due,
            "watermark": one.watermark,
            "held-back-by": one.held_back_by,
            "input-watermark": one.input_watermark,
            "quiet-for": int(one.quiet_seconds * 1000),
            "text": str(one),
        }
        for one in diagnose(view.graph, figures)
    ]


def vertex_overview(view: JobView, vertex: JobVertex) -> dict[str, Any]:
    """One vertex of ``/jobs/:jobid``; ``in-step-for`` (milliseconds) is ours: its longest present step."""
    subtasks = subtasks_of(view, vertex)
    return {
        "id": vertex_key(vertex),
        "slotSharingGroupId": vertex.slot_sharing_group,
        "name": vertex.name,
        "maxParallelism": vertex.max_parallelism,
        "parallelism": vertex.parallelism,
        "status": _status(subtasks),
        **_times(view),
        "tasks": _counts(subtasks),
        "metrics": _io_metrics(subtasks),
        "in-step-for": int(max(subtask.in_step_seconds for subtask in subtasks) * 1000),
    }


def vertex_details(view: JobView, vertex: JobVertex) -> dict[str, Any]:
    """``/jobs/:jobid/vertices/:vertexid``."""
    return {
        "id": vertex_key(vertex),
        "name": vertex.name,
        "parallelism": vertex.parallelism,
        "maxParallelism": vertex.max_parallelism,
        "now": view.now_ms,
        "subtasks": [_subtask(view, number, s) for number, s in enumerate(subtasks_of(view, vertex))],
    }


def back_pressure(view: JobView, vertex: JobVertex) -> dict[str, Any]:
    """``/jobs/:jobid/vertices/:vertexid/backpressure``."""
    entries: list[dict[str, Any]] = []
    for number, subtask in enumerate(subtasks_of(view, vertex)):
        ratio = subtask.rates.back_pressured_ms / 1000
        level = _level(ratio)
        entry: dict[str, Any] = {"subtask": number, "backpressureLevel": level, "ratio": ratio}
        shares = {"idleRatio": subtask.rates.idle_ms / 1000, "busyRatio": subtask.rates.busy_ms / 1000}
        entries.append(entry | shares | {"backpressure-level": level})
    worst = _level(max(entry["ratio"] for entry in entries))
    names = {"backpressureLevel": worst, "backpressure-level": worst}
    return {"status": "ok", **names, "end-timestamp": view.now_ms, "subtasks": entries}


def watermarks(view: JobView, vertex: JobVertex) -> list[dict[str, str]]:
    """``/jobs/:jobid/vertices/:vertexid/watermarks``; subtasks without a watermark are left out."""
    found = [(n, s.figures.watermark) for n, s in enumerate(subtasks_of(view, vertex)) if s.figures is not None]
    return [{"id": f"{n}.currentInputWatermark", "value": str(w)} for n, w in found if w is not None]


def exceptions(view: JobView) -> dict[str, Any]:
    """``/jobs/:jobid/exceptions``: the failures since the process began, newest first."""
    entries: list[dict[str, Any]] = [
        {
            "exceptionName": failure.name,
            "stacktrace": failure.text,
            "timestamp": failure.time_ms,
            "taskName": failure.task_name,
            "endpoint": None,
            "taskManagerId": None,
            "failureLabels": {},
            "concurrentExceptions": [],
        }
        for failure in view.exceptions
    ]
    return {"exceptionHistory": {"entries": entries, "truncated": False}}


def job_config(view: JobView) -> dict[str, Any]:
    """``/jobs/:jobid/config``, secrets hidden."""
    strategy = view.configuration.get("restart-strategy.type", "")
    return {
        "jid": view.job_id,
        "name": view.name,
        "execution-config": {
            "restart-strategy": strategy,
            "job-parallelism": view.parallelism,
            "object-reuse-mode": view.configuration.get("pipeline.object-reuse", "false") == "true",
            "user-config": dict(view.configuration),
        },
    }


def resource_requirements(view: JobView) -> dict[str, Any]:
    """``/jobs/:jobid/resource-requirements``."""
    return {
        vertex_key(v): {"parallelism": {"lowerBound": v.parallelism, "upperBound": v.parallelism}}
        for v in view.graph.vertices
    }


def _subtask(view: JobView, number: int, subtask: SubtaskView) -> dict[str, Any]:
    return {
        "subtask": number,
        "status": subtask.status,
        "attempt": view.restarts,
        "endpoint": f"worker {number % view.workers + 1}" if view.workers else "inline",
        **_times(view),
        "start_time": view.start_ms,
        "metrics": _io_metrics([subtask]),
        "in-step-for": int(subtask.in_step_seconds * 1000),
    }


def _status(subtasks: Sequence[SubtaskView]) -> str:
    """Return the state of a vertex as Flink derives it: what its least advanced subtask is in."""
    found = {subtask.status for subtask in subtasks}
    for status in ("FAILED", "CANCELING", "CANCELED", "RUNNING"):
        if status in found:
            return status
    return min(found, key=_EXECUTION_STATES.index)


def _io_metrics(subtasks: Sequence[SubtaskView]) -> dict[str, Any]:
    """Records, bytes and times; records that stay in one process are no bytes, so the bytes' flags say no."""
    figures = [subtask.figures for subtask in subtasks if subtask.figures is not None]
    is_complete = len(figures) == len(subtasks)
    return {
        "read-bytes": sum(f.bytes_in for f in figures),
        "read-bytes-complete": False,
        "write-bytes": sum(f.bytes_out for f in figures),
        "write-bytes-complete": False,
        "read-records": sum(f.records_in for f in figures),
        "read-records-complete": is_complete,
        "write-records": sum(f.records_out for f in figures),
        "write-records-complete": is_complete,
        "accumulated-backpressured-time": sum(f.back_pressured_ns for f in figures) // 1_000_000,
        "accumulated-busy-time": sum(f.busy_ns for f in figures) // 1_000_000,
    }


def _level(ratio: float) -> str:
    return "ok" if ratio <= 0.1 else "low" if ratio <= 0.5 else "high"


def _plan(view: JobView) -> dict[str, Any]:
    keys = {vertex.vertex_id: vertex_key(vertex) for vertex in view.graph.vertices}
    nodes = []
    for vertex in view.graph.vertices:
        inputs = [
            {
                "num": number,
                "id": keys[edge.source_vertex],
                "ship_strategy": edge.partitioning.strategy.value,
                "exchange": "pipelined_bounded",
            }
            for number, edge in enumerate(view.graph.in_edges(vertex.vertex_id))
        ]
        names = {"operator": "", "operator_strategy": "", "description": vertex.name, "optimizer_properties": {}}
        node = {"id": keys[vertex.vertex_id], "parallelism": vertex.parallelism, **names}
        nodes.append({**node, "inputs": inputs} if inputs else node)
    return {"jid": view.job_id, "name": view.name, "type": "STREAMING", "nodes": nodes}
