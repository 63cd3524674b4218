"""A job's metrics in Prometheus' text format, by the official client library.

Names and labels are those of Flink's ``PrometheusReporter``, with one difference that Prometheus asks for: counters are
counters, and so end with ``_total``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from wiesel.graph.job_graph import JobVertex
from wiesel.rest.answers import vertex_key
from wiesel.rest.job_view import JobView
from wiesel.rest.metrics import MetricValue, job_metrics, task_metrics
from wiesel.runtime.reports import TaskId

_NO_NAME: Final = re.compile(r"[^a-zA-Z0-9_:]")


def exposition(view: JobView) -> tuple[bytes, str]:
    """Return the page to be scraped and its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_JobCollector(view))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _JobCollector(Collector):
    """All metrics of a job at one moment (the client's way to export what it does not count itself)."""

    def __init__(self, view: JobView) -> None:
        self._view = view

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: functions register metrics when they like."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield one family for each name, whatever labels its samples have."""
        families: dict[str, Metric] = {}
        for prefix, labels, metric in self._values():
            logical = metric.family or metric.name
            name = _NO_NAME.sub("_", f"{prefix}_{logical}")
            family = families.get(name)
            if family is None:
                kind = "counter" if metric.is_counter else "gauge"
                family = families[name] = Metric(name, f"Flink's metric {logical}", kind)
            own = {_NO_NAME.sub("_", key): value for key, value in metric.labels.items()}
            sample = f"{name}_total" if family.type == "counter" else name
            family.add_sample(sample, {**labels, **own}, metric.value)
        yield from families.values()

    def _values(self) -> Iterator[tuple[str, Mapping[str, str], MetricValue]]:
        view = self._view
        job = {"job_id": view.job_id, "job_name": view.name}
        for metric in job_metrics(view):
            yield "flink_jobmanager_job", job, metric
        for vertex in view.graph.vertices:
            for number in range(vertex.parallelism):
                task = {**job, **_task_labels(view, vertex, number)}
                for metric in task_metrics(view, TaskId(vertex.vertex_id, number)):
                    if metric.operator is None:
                        yield "flink_taskmanager_job_task", task, metric
                    else:
                        operator = {**task, "operator_name": metric.operator}
                        yield "flink_taskmanager_job_task_operator", operator, metric


def _task_labels(view: JobView, vertex: JobVertex, number: int) -> dict[str, str]:
    return {
        "task_id": vertex_key(vertex),
        "task_name": vertex.name,
        "subtask_index": str(number),
        "task_attempt_num": str(view.restarts),
        "tm_id": f"worker-{number % view.workers + 1}" if view.workers else "inline",
    }
