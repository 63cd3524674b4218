"""Prepares a job for this process and runs it: preflight, directory, driver, signals, the error to show."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

from wiesel.cluster.control_plane import serving
from wiesel.cluster.driver import JobDriver, JobOutcome
from wiesel.cluster.inline import InlineDriver
from wiesel.cluster.job_control import LocalJobControl, Rebuild
from wiesel.cluster.options import JobOptions
from wiesel.cluster.preflight import preflight
from wiesel.cluster.start import Start, begin
from wiesel.core.clock import SystemClock
from wiesel.core.errors import JobExecutionError, WieselError
from wiesel.core.operator_specs import SinkSpec
from wiesel.core.options import catalog, is_set
from wiesel.graph.job_graph import JobGraph
from wiesel.runtime.failures import is_out_of_memory, summary_of
from wiesel.runtime.job_master.commands import JobState

_log = logging.getLogger("wiesel.cluster")


def run_job(
    graph: JobGraph,
    options: JobOptions,
    on_driver: Callable[[JobDriver], None] | None = None,
    rebuild: Rebuild | None = None,
) -> JobOutcome:
    """Run a job to its end on this thread.

    Args:
        graph: the job.
        options: how to run it.
        on_driver: told the driver before it runs, so that another thread can stop it; again when it is rescaled.
        rebuild: returns the job with another default parallelism, so that it can be rescaled while it runs.

    Raises:
        SystemExit: it was stopped by a signal; the code says which.
    """
    control = LocalJobControl(graph, options, rebuild, needs_directory(graph, options))
    with serving(control, options.configuration):
        try:
            while True:
                outcome = _run_once(graph, options, control, on_driver)
                rescaled = control.take_next_graph()
                if rescaled is None:
                    if outcome.state is JobState.FINISHED and outcome.stopped_early:
                        _log.info("Stopped; --resume goes on from here.")
                    return outcome
                graph, options = rescaled, replace(options, resume=True, fresh=False, from_savepoint=None)
                _log.info("Rescaled: the job goes on with parallelism %d.", max(v.parallelism for v in graph.vertices))
        finally:
            control.close()


def _run_once(
    graph: JobGraph, options: JobOptions, control: LocalJobControl, on_driver: Callable[[JobDriver], None] | None
) -> JobOutcome:
    preflight(graph, options.configuration)
    start = begin(graph, options) if needs_directory(graph, options) else None
    try:
        if start is not None and start.finished:
            _log.info("Job %s has already finished; there is nothing to resume.", options.job_id)
            return JobOutcome(JobState.FINISHED, None, 0, stopped_early=False)
        if start is not None:
            graph = start.graph
        driver = _create_driver(graph, options, start)
        control.attach(driver, graph)
        if on_driver is not None:
            on_driver(driver)
        with _signals(driver) if options.handle_signals else _no_signals() as received:
            outcome = _run(driver)
        control.ended(outcome)
        return _conclude(outcome, start, received)
    finally:
        if start is not None:
            start.directory.close()


def _run(driver: JobDriver) -> JobOutcome:
    """Run a driver; where the machine refuses its loop memory or a thread, say so, or what has failed before that."""
    try:
        return driver.run()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        refused = error
    master = driver.master
    is_failing = master.state in (JobState.FAILING, JobState.RESTARTING)
    raise master.error if is_failing and master.error is not None else _shown(refused)


def _create_driver(graph: JobGraph, options: JobOptions, start: Start | None) -> JobDriver:
    if options.workers == 0:
        return InlineDriver(graph, options, start, SystemClock())
    from wiesel.cluster.workers.driver import WorkerDriver

    return WorkerDriver(graph, options, start, SystemClock())


def needs_directory(graph: JobGraph, options: JobOptions) -> bool:
    """Whether the job keeps anything: checkpoints, savepoints, or output that is published by a committer."""
    if options.checkpoint_settings().interval_ms is not None or options.resume or options.from_savepoint:
        return True
    if is_set(options.configuration, catalog.SAVEPOINT_DIRECTORY):
        return True
    return any(isinstance(o.spec, SinkSpec) and o.spec.sink.transactional for _, o in graph.operators())


def _conclude(outcome: JobOutcome, start: Start | None, received: list[int]) -> JobOutcome:
    if outcome.state is JobState.FAILED:
        assert outcome.error is not None
        raise _shown(outcome.error)
    if received:
        # Not the next job of the script: the user asked the process to stop.
        _log.info("Stopped%s.", "" if start is None else "; --resume goes on from here")
        raise SystemExit(128 + received[0])
    return outcome


def _shown(error: BaseException) -> BaseException:
    if isinstance(error, WieselError):
        return error
    failure = JobExecutionError(summary_of(error))
    failure.__cause__ = error
    return failure


@contextmanager
def _signals(driver: JobDriver) -> Iterator[list[int]]:
    """First SIGINT or SIGTERM: stop with a final checkpoint; second: end at once."""
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            sys.stderr.flush()
            os._exit(128 + number)
        driver.stop()
        # By another thread: this one may be inside of a write to the same stream.
        threading.Thread(
            target=_log.info, args=("Stopping; a second signal ends the job at once.",), daemon=True
        ).start()

    previous: dict[int, Any] = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _no_signals() -> Iterator[list[int]]:
    yield []
