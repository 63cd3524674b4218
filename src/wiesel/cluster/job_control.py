"""The control plane's hold on a running job: looks at it and commands it by way of its loop, between two steps.

A loop that does not answer is kept by a function of the user's. What it was last seen doing is then shown, and
``cancel`` ends the process.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, Final

from wiesel.cluster.driver import JobDriver, JobOutcome
from wiesel.cluster.options import JobOptions
from wiesel.cluster.savepoints import SavepointState
from wiesel.core import exit_codes
from wiesel.core.clock import SystemClock
from wiesel.core.contracts import Clock
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import catalog, is_set, value_of
from wiesel.core.redaction import redact_mapping
from wiesel.graph.job_graph import JobGraph
from wiesel.rest.job_view import CheckpointsView, JobView, OperationView, Rates, RefusedError, SubtaskView
from wiesel.runtime.job_master.commands import JobState
from wiesel.runtime.reports import TaskId
from wiesel.runtime.task_figures import TaskFigures

_log = logging.getLogger("wiesel.cluster")
#: Seconds that a look waits for the loop at a time, and in all as long as no step takes too long.
_PATIENCE: Final = 0.5
_LONGEST_WAIT: Final = 5.0
#: Seconds in a step from which on a function is taken to hang.
_LONG_STEP: Final = 1.0
#: Seconds between two looks whether a cancelled job still moves.
_PULSE: Final = 1.0
#: Seconds more for jobs with workers: the loop itself waits until they are closed or killed.
_WORKERS_GRACE: Final = 15.0
#: Seconds for which an answer about a savepoint can be fetched when the job is over because of it.
_LAST_ANSWERS: Final = 3.0
_EXECUTION_STATES: Final[dict[JobState, str]] = {
    JobState.CREATED: "CREATED",
    JobState.INITIALIZING: "INITIALIZING",
    JobState.RESTARTING: "CREATED",
    JobState.FAILING: "FAILED",
    JobState.CANCELLING: "CANCELING",
}
#: What a job is in that has come to its end and is being closed.
_ENDING: Final = {
    JobState.FINISHED: JobState.RUNNING,
    JobState.CANCELED: JobState.CANCELLING,
    JobState.FAILED: JobState.FAILING,
}

Rebuild = Callable[[int], JobGraph]


class LocalJobControl:
    """``wiesel.rest.job_view.JobControl`` of a job in this process.

    Args:
        graph: the job.
        options: how it is run.
        rebuild: returns the job with another default parallelism; None for a job that cannot have one.
        keeps_checkpoints: whether it has a directory.
        clock: time.
    """

    def __init__(
        self,
        graph: JobGraph,
        options: JobOptions,
        rebuild: Rebuild | None,
        keeps_checkpoints: bool,
        clock: Clock | None = None,
    ) -> None:
        self._graph = graph
        self._options = options
        self._rebuild = rebuild
        self._keeps_checkpoints = keeps_checkpoints
        self._clock = clock or SystemClock()
        self._driver: JobDriver | None = None
        self._start_ms = self._clock.now_ms()
        self._settings = options.checkpoint_settings()
        self._configuration = redact_mapping(options.configuration.to_dict())
        self._guard = threading.Lock()
        self._operations: dict[str, Callable[[], OperationView]] = {}
        self._unfetched: set[str] = set()
        self._all_fetched = threading.Event()
        self._next_graph: JobGraph | None = None
        self._rescaling = False
        self._cancelled = False
        self._over = threading.Event()
        self._seen_at = monotonic()
        self._asked: tuple[JobDriver | None, Future[JobView]] = (None, Future())
        self._last = self._nothing_yet()

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self._options.job_id

    # ---------------------------------------------------------------------------------------- the runner's side

    def attach(self, driver: JobDriver, graph: JobGraph) -> None:
        """From now on this driver runs the job."""
        self._graph = graph
        with self._guard:
            self._driver = driver
            self._rescaling = False
            cancelled = self._cancelled
        if cancelled:
            driver.cancel()

    def take_next_graph(self) -> JobGraph | None:
        """Return the rescaled job that is to go on where this one has just stopped, if that was asked for."""
        graph, self._next_graph = self._next_graph, None
        return graph

    def ended(self, outcome: JobOutcome) -> None:
        """The driver has ended; called on the thread that it drove."""
        driver = self._driver
        if outcome.state is not JobState.FINISHED or not outcome.stopped_early:
            self._next_graph = None  # it failed or finished before it could be rescaled
            self._rescaling = False
        if self._next_graph is not None:
            with self._guard:
                self._driver = None  # the next one is on its way
            self._last = replace(self._last, state=JobState.RESTARTING.value)
        elif driver is not None:
            self._last = replace(self._look(driver), state=outcome.state.value, end_ms=self._clock.now_ms())

    def close(self) -> None:
        """Give clients a moment to learn what became of their requests."""
        self._over.set()
        with self._guard:
            waiting = bool(self._unfetched)
        if waiting:
            self._all_fetched.wait(_LAST_ANSWERS)

    # ------------------------------------------------------------------------------------------------- looking

    def view(self) -> JobView:
        """Return the job as it is now, or as it was last seen when its loop does not answer."""
        driver = self._driver
        is_over = driver is None or self._over.is_set() or self._last.end_ms >= 0
        if driver is None or is_over or self._look_again(driver):
            return replace(self._last, now_ms=self._clock.now_ms())
        return self._stuck(driver)

    def _look_again(self, driver: JobDriver) -> bool:
        """Ask the loop for a look, and wait as long as it moves; return whether it answered."""
        asked, look = self._asked
        if asked is not driver or look.done():
            look = driver.call(lambda: self._look(driver))
            self._asked = driver, look
            deadline = monotonic() + _LONGEST_WAIT
        else:
            deadline = monotonic()  # somebody waits for it already, or has given up
        while True:
            try:
                self._last = look.result(_PATIENCE)
            except TimeoutError:
                steps = [seconds for _, seconds in driver.tasks_in_step()]
                if max(steps, default=_LONG_STEP) >= _LONG_STEP or monotonic() >= deadline:
                    return False
            else:
                self._seen_at = monotonic()
                return True

    def _look(self, driver: JobDriver) -> JobView:
        """Take everything down; on the thread that drives the job."""
        master, history, now = driver.master, driver.history, self._clock.monotonic()
        pending = master.coordinator.pending
        figures = {entry.task: entry for entry in driver.figures()}
        subtasks = {
            task: _subtask(driver, task, figures.get(task), now)
            for vertex in self._graph.vertices
            for task in (TaskId(vertex.vertex_id, number) for number in range(vertex.parallelism))
        }
        for task, seconds in driver.tasks_in_step():
            subtasks[task] = _in_step(subtasks[task], seconds)
        return replace(
            self._last,
            state=self._state(driver),
            graph=self._graph,
            parallelism=_parallelism(self._graph),
            now_ms=self._clock.now_ms(),
            timestamps=dict(history.timestamps),
            subtasks=subtasks,
            checkpoints=history.checkpoints(0 if pending is None else len(pending.acknowledged)),
            restarts=master.restarts,
            exceptions=history.exceptions(),
        )

    def _state(self, driver: JobDriver) -> str:
        """Return the job's state; it has come to an end only when its tasks are closed."""
        state = driver.master.state
        if state.is_terminal and self._rescaling:
            return JobState.RESTARTING.value
        return _ENDING.get(state, state).value

    def _stuck(self, driver: JobDriver) -> JobView:
        """Return the last look with what can be seen from outside: which task is in a step that does not end."""
        subtasks = {task: replace(s, status=_status(driver, task)) for task, s in self._last.subtasks.items()}
        for task, seconds in driver.tasks_in_step():
            if task in subtasks:
                subtasks[task] = _in_step(subtasks[task], seconds)
        age_ms = int((monotonic() - self._seen_at) * 1000)
        return replace(
            self._last, state=self._state(driver), subtasks=subtasks, age_ms=age_ms, now_ms=self._clock.now_ms()
        )

    def _nothing_yet(self) -> JobView:
        options = self._options
        return JobView(
            job_id=options.job_id,
            name=self._graph.job_name,
            state=JobState.CREATED.value,
            graph=self._graph,
            parallelism=_parallelism(self._graph),
            workers=options.workers,
            start_ms=self._start_ms,
            end_ms=-1,
            now_ms=self._start_ms,
            age_ms=0,
            timestamps={JobState.CREATED.value: self._start_ms},
            subtasks={
                TaskId(vertex.vertex_id, number): SubtaskView("CREATED", None, Rates())
                for vertex in self._graph.vertices
                for number in range(vertex.parallelism)
            },
            checkpoints=CheckpointsView(),
            settings=self._settings,
            checkpoint_directory=options.job_directory if self._keeps_checkpoints else None,
            restarts=0,
            exceptions=(),
            configuration=self._configuration,
        )

    # ----------------------------------------------------------------------------------------------- commanding

    def cancel(self) -> None:
        """End the job without a checkpoint; a function that never returns is ended with the process."""
        with self._guard:
            self._cancelled = True
            driver = self._driver
        if driver is None:
            return  # it is still being prepared; attach() hands it on
        driver.cancel()
        threading.Thread(target=self._see_it_end, args=(driver,), name="wiesel-cancel", daemon=True).start()

    def _see_it_end(self, driver: JobDriver) -> None:
        """Watch the loop until the job is over: as long as it answers it is delivering what was decided."""
        grace = value_of(self._options.configuration, catalog.TASK_CANCELLATION_TIMEOUT) / 1000
        grace += _WORKERS_GRACE if self._options.workers else 0
        while not self._over.wait(_PULSE):
            pulse: Future[Any] = driver.call(lambda: None)
            deadline = monotonic() + grace
            while not pulse.done() and not self._over.wait(min(_PULSE, grace)):
                if monotonic() >= deadline:
                    self._end_process(driver)

    def _end_process(self, driver: JobDriver) -> None:
        names = {vertex.vertex_id: vertex.name for vertex in self._graph.vertices}
        stuck = ", ".join(f"{names[t.vertex_id]} ({t.subtask + 1}) for {s:.0f} s" for t, s in driver.tasks_in_step())
        _log.error("The job was cancelled and does not end; it is in a step: %s. The process ends.", stuck or "no task")
        sys.stdout.flush()
        os._exit(exit_codes.CANCELED)

    def stop(self, directory: Path | None, drain: bool) -> str:
        """End the job with a savepoint, or with a last checkpoint when no directory is given or configured."""
        driver = self._running_driver()
        configured = is_set(self._options.configuration, catalog.SAVEPOINT_DIRECTORY)
        if directory is not None or drain or configured:
            return self._triggered(driver, directory, stop=True, drain=drain)
        driver.stop()
        return self._register("stop", self._stopped)

    def _stopped(self) -> OperationView:
        if self._last.end_ms < 0:
            return OperationView(done=False)
        if self._last.state == JobState.FAILED.value:
            return OperationView(done=True, failure="The job failed while it was being stopped.")
        last = self._last.checkpoints.latest_completed
        return OperationView(done=True, location=None if last is None else str(last.path))

    def savepoint(self, directory: Path | None, cancel_job: bool) -> str:
        """Take a savepoint and return the request's id."""
        return self._triggered(self._running_driver(), directory, stop=cancel_job, drain=False)

    def _triggered(self, driver: JobDriver, directory: Path | None, *, stop: bool, drain: bool) -> str:
        try:
            trigger_id = driver.trigger_savepoint(directory, stop=stop, drain=drain)
        except ConfigurationError as error:
            raise RefusedError(str(error)) from error

        def status() -> OperationView:
            found = driver.savepoint_status(trigger_id)
            if found.state is SavepointState.FAILED:
                return OperationView(done=True, failure=str(found.error))
            path = None if found.path is None else str(found.path)
            # Whoever asked for an end as well hears of it when it has come.
            return OperationView(found.state is SavepointState.COMPLETED and (not stop or self._last.end_ms >= 0), path)

        return self._register("savepoint", status)

    def _register(self, kind: str, status: Callable[[], OperationView]) -> str:
        with self._guard:
            request_id = f"{kind}-{len(self._operations) + 1}"
            self._operations[request_id] = status
            self._unfetched.add(request_id)
            self._all_fetched.clear()
        return request_id

    def operation(self, request_id: str) -> OperationView | None:
        """Return what became of a request; None when there was none of that id."""
        status = self._operations.get(request_id)
        if status is None:
            return None
        found = status()
        if found.done:
            with self._guard:
                self._unfetched.discard(request_id)
                if not self._unfetched:
                    self._all_fetched.set()
        return found

    def rescale(self, parallelism: int) -> None:
        """Let the job go on with another parallelism from a last checkpoint."""
        driver = self._running_driver()
        if self._rebuild is None or not self._keeps_checkpoints:
            raise RefusedError(
                "This job takes no checkpoints, so it cannot go on with another parallelism. "
                "Start it with -c execution.checkpointing.interval=1min."
            )
        try:
            graph = self._rebuild(parallelism)
        except ConfigurationError as error:
            raise RefusedError(str(error)) from error
        _check_rescalable(self._graph, graph, parallelism)
        self._next_graph, self._rescaling = graph, True
        driver.stop()

    def _running_driver(self) -> JobDriver:
        driver = self._driver
        if driver is None or self._over.is_set() or self._last.end_ms >= 0:
            raise RefusedError("The job is over." if driver is not None else "The job is still starting.")
        return driver


def _subtask(driver: JobDriver, task: TaskId, figures: TaskFigures | None, now: float) -> SubtaskView:
    rates = Rates() if figures is None else driver.meters.rates(now, figures)
    return SubtaskView(_status(driver, task), figures, rates)


def _status(driver: JobDriver, task: TaskId) -> str:
    state = driver.master.state
    if state is JobState.RUNNING:
        return "FINISHED" if task in driver.history.ended_tasks else "RUNNING"
    named = _EXECUTION_STATES.get(state)
    return str(state.value) if named is None else named


def _in_step(subtask: SubtaskView, seconds: float) -> SubtaskView:
    """Return a subtask whose present step takes so long; from a second on it has been nothing but busy."""
    if seconds < _LONG_STEP:
        return replace(subtask, in_step_seconds=seconds)
    rates = replace(subtask.rates, busy_ms=1000.0, back_pressured_ms=0.0, idle_ms=0.0)
    return replace(subtask, in_step_seconds=seconds, rates=rates)


def _parallelism(graph: JobGraph) -> int:
    return max(vertex.parallelism for vertex in graph.vertices)


def _check_rescalable(old: JobGraph, new: JobGraph, parallelism: int) -> None:
    before = {operator.uid: vertex for vertex, operator in old.operators()}
    after = {operator.uid: vertex for vertex, operator in new.operators()}
    if all(vertex.parallelism == after[uid].parallelism for uid, vertex in before.items()):
        raise RefusedError(
            f"With parallelism {parallelism} nothing would change: the operators have it, or set their own."
        )
    for uid, vertex in before.items():
        if after[uid].parallelism > vertex.max_parallelism:
            raise RefusedError(
                f"{vertex.name} has {vertex.max_parallelism} key groups, so it cannot have parallelism {parallelism}. "
                f"pipeline.max-parallelism is settled at a job's first start."
            )
