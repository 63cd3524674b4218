"""The paths of Flink's monitoring REST API that one job answers, and what answers each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from wiesel.graph.job_graph import JobVertex
from wiesel.rest import answers, checkpoint_answers
from wiesel.rest.job_view import JobControl, JobView, RefusedError
from wiesel.rest.metrics import MetricValue, job_metrics, task_metrics
from wiesel.rest.server import Request, Response
from wiesel.runtime.reports import TaskId

_AGGREGATIONS: Final[dict[str, Callable[[list[float]], float]]] = {
    "min": min,
    "max": max,
    "sum": sum,
    "avg": lambda numbers: sum(numbers) / len(numbers),
}


class _NotFoundError(Exception):
    """There is nothing of that name."""


class _BadRequestError(Exception):
    """The request cannot mean anything."""


class Routes:
    """Answers requests about one job.

    Args:
        control: whoever runs it.
    """

    def __init__(self, control: JobControl) -> None:
        self._control = control
        self._routes = [(method, _compiled(path), handler) for method, path, handler in self._table()]

    def _table(self) -> Iterable[tuple[str, str, Callable[..., Response]]]:
        job = "/jobs/:job"
        vertex = f"{job}/vertices/:vertex"
        return [
            ("GET", "/overview", lambda request: _ok(answers.cluster_overview(self._view()))),
            ("GET", "/config", lambda request: _ok(answers.dashboard_config())),
            ("GET", "/metrics", self._prometheus),
            ("GET", "/jobs", self._jobs),
            ("GET", "/jobs/overview", lambda request: _ok({"jobs": [answers.job_overview(self._view())]})),
            ("GET", job, self._of_job(answers.job_details)),
            ("PATCH", job, self._cancel),
            ("GET", f"{job}/plan", self._of_job(lambda view: {"plan": answers.job_details(view)["plan"]})),
            ("GET", f"{job}/config", self._of_job(answers.job_config)),
            ("GET", f"{job}/exceptions", self._of_job(answers.exceptions)),
            ("GET", f"{job}/metrics", lambda request, job: _selected(request, list(job_metrics(self._view())))),
            ("GET", f"{job}/checkpoints", self._of_job(checkpoint_answers.checkpointing_statistics)),
            ("GET", f"{job}/checkpoints/config", self._of_job(checkpoint_answers.checkpoint_config)),
            ("GET", f"{job}/checkpoints/details/:checkpoint", self._checkpoint),
            ("POST", f"{job}/savepoints", self._savepoint),
            ("GET", f"{job}/savepoints/:request_id", self._operation),
            ("POST", f"{job}/stop", self._stop),
            ("GET", f"{job}/resource-requirements", self._of_job(answers.resource_requirements)),
            ("PUT", f"{job}/resource-requirements", self._rescale),
            ("GET", vertex, self._of_vertex(answers.vertex_details)),
            ("GET", f"{vertex}/backpressure", self._of_vertex(answers.back_pressure)),
            ("GET", f"{vertex}/watermarks", self._of_vertex(answers.watermarks)),
            ("GET", f"{vertex}/metrics", self._vertex_metrics),
            ("GET", f"{vertex}/subtasks/metrics", self._aggregated_metrics),
            ("GET", f"{vertex}/subtasks/:subtask/metrics", self._subtask_metrics),
        ]

    def __call__(self, request: Request) -> Response:
        """Return the answer; a path of version 1 may be asked for with its ``/v1`` or without."""
        path = request.path.removeprefix("/v1").rstrip("/")
        known = False
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is None or match.groupdict().get("job", self._control.job_id) != self._control.job_id:
                continue
            known = True
            if method == request.method:
                return self._answer(handler, request, match.groupdict())
        if known:
            return _failed(405, f"{request.method} is not possible here.")
        return _failed(404, f"Not found: {request.path}")

    @staticmethod
    def _answer(handler: Callable[..., Response], request: Request, names: dict[str, str]) -> Response:
        try:
            return handler(request, **names)
        except _NotFoundError as error:
            return _failed(404, str(error))
        except _BadRequestError as error:
            return _failed(400, str(error))
        except RefusedError as error:
            return _failed(409, str(error))

    def _view(self) -> JobView:
        return self._control.view()

    # ------------------------------------------------------------------------------------------------- reading

    def _of_job(self, answer: Callable[[JobView], Any]) -> Callable[..., Response]:
        return lambda request, job: _ok(answer(self._view()))

    def _of_vertex(self, answer: Callable[[JobView, JobVertex], Any]) -> Callable[..., Response]:
        def handle(request: Request, job: str, vertex: str) -> Response:
            view = self._view()
            return _ok(answer(view, _vertex(view, vertex)))

        return handle

    def _jobs(self, request: Request) -> Response:
        view = self._view()
        return _ok({"jobs": [{"id": view.job_id, "status": view.state}]})

    def _checkpoint(self, request: Request, job: str, checkpoint: str) -> Response:
        for entry in self._view().checkpoints.history:
            if str(entry.checkpoint_id) == checkpoint:
                return _ok(checkpoint_answers.checkpoint(entry))
        raise _NotFoundError(f"Checkpoint {checkpoint} is not among the last ones of this job.")

    def _operation(self, request: Request, job: str, request_id: str) -> Response:
        found = self._control.operation(request_id)
        if found is None:
            raise _NotFoundError(f"No savepoint and no stop was asked for as {request_id}.")
        return _ok(checkpoint_answers.operation(found))

    # ------------------------------------------------------------------------------------------------- metrics

    def _prometheus(self, request: Request) -> Response:
        from wiesel.rest.prometheus import exposition

        content, content_type = exposition(self._view())
        return Response(200, content, content_type)

    def _vertex_metrics(self, request: Request, job: str, vertex: str) -> Response:
        view = self._view()
        found = _vertex(view, vertex)
        values = []
        for number in range(found.parallelism):
            for metric in task_metrics(view, TaskId(found.vertex_id, number)):
                values.append(MetricValue(f"{number}.{metric.full_name}", metric.value))
        return _selected(request, values)

    def _subtask_metrics(self, request: Request, job: str, vertex: str, subtask: str) -> Response:
        view = self._view()
        found = _vertex(view, vertex)
        if not subtask.isdecimal() or int(subtask) >= found.parallelism:
            raise _NotFoundError(f"The vertex has subtasks 0 to {found.parallelism - 1}, not {subtask}.")
        return _selected(request, list(task_metrics(view, TaskId(found.vertex_id, int(subtask)))))

    def _aggregated_metrics(self, request: Request, job: str, vertex: str) -> Response:
        view = self._view()
        found = _vertex(view, vertex)
        values: dict[str, list[float]] = {}
        for number in range(found.parallelism):
            for metric in task_metrics(view, TaskId(found.vertex_id, number)):
                values.setdefault(metric.full_name, []).append(metric.value)
        wanted = request.query.get("get")
        if wanted is None:
            return _ok([{"id": name} for name in values])
        kinds = request.query.get("agg", ",".join(_AGGREGATIONS)).split(",")
        if not set(kinds) <= set(_AGGREGATIONS):
            raise _BadRequestError(f"agg can be {', '.join(_AGGREGATIONS)}.")
        names = [name for name in wanted.split(",") if name in values]
        return _ok([{"id": name} | {kind: _AGGREGATIONS[kind](values[name]) for kind in kinds} for name in names])

    # ------------------------------------------------------------------------------------------------ commands

    def _cancel(self, request: Request, job: str) -> Response:
        if request.query.get("mode", "cancel") != "cancel":
            raise _BadRequestError("A job can be cancelled (mode=cancel); to stop it: POST /jobs/:jobid/stop.")
        self._control.cancel()
        return Response(202, {})

    def _savepoint(self, request: Request, job: str) -> Response:
        cancel = _flag(request, "cancel-job")
        return Response(202, {"request-id": self._control.savepoint(_path(request, "target-directory"), cancel)})

    def _stop(self, request: Request, job: str) -> Response:
        drain = _flag(request, "drain")
        return Response(202, {"request-id": self._control.stop(_path(request, "targetDirectory"), drain)})

    def _rescale(self, request: Request, job: str) -> Response:
        self._control.rescale(max(_wanted_parallelisms(request), default=0))
        return Response(200, {})


def _wanted_parallelisms(request: Request) -> Iterator[int]:
    """Yield what each vertex is to have; vertices cannot be told apart, since they share their slots."""
    for requirement in request.body.values():
        try:
            wanted = requirement["parallelism"]["upperBound"]
        except (TypeError, KeyError):
            raise _BadRequestError(
                'Name vertices with their parallelism: {"<id>": {"parallelism": {"lowerBound": 1, "upperBound": 4}}}.'
            ) from None
        if type(wanted) is not int or wanted < 1:
            raise _BadRequestError(f"A parallelism is a whole number above 0, not {wanted!r}.")
        yield wanted


def _compiled(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path))


def _vertex(view: JobView, key: str) -> JobVertex:
    for vertex in view.graph.vertices:
        if answers.vertex_key(vertex) == key:
            return vertex
    raise _NotFoundError(f"The job has no vertex {key}.")


def _selected(request: Request, values: list[MetricValue]) -> Response:
    """Return the names of all metrics, or the values of those in ``get``, as Flink does."""
    wanted = request.query.get("get")
    if wanted is None:
        return _ok([{"id": metric.full_name} for metric in values])
    names = set(wanted.split(","))
    return _ok([{"id": m.full_name, "value": f"{m.value:.15g}"} for m in values if m.full_name in names])


def _flag(request: Request, name: str) -> bool:
    value = request.body.get(name, False)
    if value is not None and type(value) is not bool:
        raise _BadRequestError(f"{name} must be true or false.")
    return bool(value)


def _path(request: Request, name: str) -> Path | None:
    value = request.body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or "\0" in value:
        raise _BadRequestError(f"{name} must be a path.")
    text = value.removeprefix("file://")
    if not Path(text).is_absolute():
        raise _BadRequestError(f"{name} must be an absolute path on this machine, not {value!r}.")
    return Path(text)


def _ok(body: Any) -> Response:
    return Response(200, body)


def _failed(status: int, text: str) -> Response:
    return Response(status, {"errors": [text]})
