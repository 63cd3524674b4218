"""A job on a thread of the test's process, and the client that speaks to its control plane."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.jobs import Job
from tests.support.sinks import PublishingSink
from tests.support.tasks import job_graph
from wiesel.cluster.driver import JobOutcome
from wiesel.cluster.local import run_job
from wiesel.common import Types, WatermarkStrategy
from wiesel.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from wiesel.datastream.connectors.base import Sink
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.state import ValueStateDescriptor
from wiesel.rest.client import RunningJob, running_jobs

SECONDS = 60.0


def numbers(env: StreamExecutionEnvironment, last: int = 10**12) -> Any:
    return env.from_source(NumberSequenceSource(0, last), WatermarkStrategy.no_watermarks(), "numbers")


class Count(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))
        group = runtime_context.get_metrics_group()
        self.seen = group.add_group("parity", "all").counter("seen")

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        self.seen.inc()
        self.count.update((self.count.value() or 0) + 1)
        yield ctx.get_current_key(), self.count.value()


def counted(sink: PublishingSink) -> Callable[[StreamExecutionEnvironment], Any]:
    def build(env: StreamExecutionEnvironment) -> Any:
        stream = numbers(env).map(lambda v: v).name("Steady").uid("steady")
        return (
            stream.key_by(lambda v: v % 7).process(Count()).name("Count").uid("count").sink_to(Sink(sink)).uid("sink")
        )

    return build


class Run:
    """A job that was started, its result and the client of it."""

    def __init__(self, job: Job) -> None:
        self.outcome: JobOutcome | None = None
        self.error: BaseException | None = None
        self._job = job
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.client: RunningJob = until(lambda: next(iter(running_jobs()), None))
        until(lambda: self.client.get()["state"] == "RUNNING")

    def _run(self) -> None:
        job = self._job
        try:
            graph = job_graph(job.build, job.parallelism)
            self.outcome = run_job(graph, job.options(), rebuild=lambda n: job_graph(job.build, n))
        except BaseException as error:
            self.error = error

    def end(self) -> JobOutcome:
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        assert self.outcome is not None
        return self.outcome

    def vertex(self, name: str) -> Any:
        return next(v for v in self.client.get()["vertices"] if name in v["name"])


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (result := found()):
        assert time.monotonic() < deadline
        time.sleep(0.005)  # the job is in this process, and needs it too
    return result


def operation_of(client: RunningJob, request_id: str) -> Any:
    def done() -> Any:
        answer = client.get(f"/savepoints/{request_id}")
        return answer["operation"] if answer["status"]["id"] == "COMPLETED" else None

    return until(done)


@contextmanager
def running(tmp_path: Path, build: Any, parallelism: int = 1, settings: dict[str, str] | None = None) -> Iterator[Run]:
    run = Run(Job(tmp_path, build, parallelism, settings))
    yield run
    run.end()
