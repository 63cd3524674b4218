"""A job on a thread of its own, and the handle that ``execute_async`` gives (``core.job.JobHandle``)."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from wiesel.cluster.driver import JobDriver
from wiesel.cluster.job_control import Rebuild
from wiesel.cluster.local import run_job
from wiesel.cluster.options import JobOptions, local_path
from wiesel.core.errors import CheckpointError, ConfigurationError
from wiesel.core.job import JobExecutionResult, JobID, JobStatus
from wiesel.graph.job_graph import JobGraph
from wiesel.runtime.job_master.commands import JobState


class LocalJobHandle:
    """Starts the job at once; it ends with the process, so that a forgotten one does not keep it alive."""

    def __init__(self, graph: JobGraph, options: JobOptions, rebuild: Rebuild | None = None) -> None:
        self.job_id = JobID(options.job_id)
        self._graph = graph
        self._options = options
        self._rebuild = rebuild
        self._driver: JobDriver | None = None
        self._cancelled = False
        self._result: Future[JobExecutionResult] = Future()
        self._thread = threading.Thread(target=self._run, name=f"wiesel-job-{options.job_id}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            outcome = run_job(self._graph, self._options, self._running, self._rebuild)
        except BaseException as error:
            self._result.set_exception(error)
            return
        self._result.set_result(JobExecutionResult(self.job_id, outcome.runtime_ms))

    def _running(self, driver: JobDriver) -> None:
        self._driver = driver
        if self._cancelled:
            driver.cancel()

    def status(self) -> JobStatus:
        """Return the status now."""
        driver = self._driver
        if driver is None:
            if not self._result.done():
                return JobStatus.CREATED
            return JobStatus.FAILED if self._result.exception() is not None else JobStatus.FINISHED
        state = driver.master.state
        return JobStatus.CREATED if state is JobState.INITIALIZING else JobStatus[state.value]

    def cancel(self) -> Future[Any]:
        """Cancel the job; the future is done when it is over."""
        self._cancelled = True
        if self._driver is not None:
            self._driver.cancel()
        done: Future[Any] = Future()
        self._result.add_done_callback(lambda _: done.set_result(None))
        return done

    def result(self) -> Future[JobExecutionResult]:
        """Return the future of the job's result."""
        return self._result

    def accumulators(self) -> Future[dict[str, Any]]:
        """Return no accumulators: PyFlink cannot register any."""
        done: Future[dict[str, Any]] = Future()
        done.set_result({})
        return done

    def stop_with_savepoint(self, drain: bool, directory: str | None) -> Future[str]:
        """Stop at a savepoint; the future gives its path."""
        return self._savepoint(directory, stop=True, drain=drain)

    def trigger_savepoint(self, directory: str | None) -> Future[str]:
        """Take a savepoint; the future gives its path."""
        return self._savepoint(directory, stop=False, drain=False)

    def _savepoint(self, directory: str | None, *, stop: bool, drain: bool) -> Future[str]:
        answer: Future[str] = Future()
        if self._driver is None:
            answer.set_exception(CheckpointError("The job is not running yet, so no savepoint can be taken now."))
            return answer
        driver = self._driver
        try:
            path = None if directory is None else local_path(directory)
            result = driver.savepoint_result(driver.trigger_savepoint(path, stop=stop, drain=drain))
        except ConfigurationError as error:
            answer.set_exception(error)
            return answer

        def hand_on(future: Future[Path]) -> None:
            error = future.exception()
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(str(future.result()))

        result.add_done_callback(hand_on)
        return answer
