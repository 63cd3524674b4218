"""A worker: steps its tasks, moves frames between them and other workers, and does what the driver says."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

from wiesel.cluster.background import Background
from wiesel.cluster.deployment import DeploymentContext, deploy
from wiesel.cluster.garbage import StateFreezer
from wiesel.cluster.step_timer import TimedTask
from wiesel.cluster.task_failures import close_all, described
from wiesel.cluster.workers import protocol as p
from wiesel.cluster.workers.connection import Connection
from wiesel.cluster.workers.errors import ship_error
from wiesel.cluster.workers.peers import PeerExchange
from wiesel.cluster.workers.poller import Poller
from wiesel.core.clock import SystemClock
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.options import catalog, value_of
from wiesel.core.pickling import pickle_value, unpickle_value
from wiesel.runtime.reports import CheckpointDeclined, TaskFailed, TaskId, TaskReport, WatermarkReported
from wiesel.runtime.task import Task

_log = logging.getLogger("wiesel.cluster")
#: Longest sleep without a look around, in seconds.
_MAX_SLEEP: Final = 0.5
#: Seconds that the driver gets to take our last words.
_LAST_WORDS: Final = 2.0


class Worker:
    """Runs the tasks of one worker for one attempt, all on the calling thread.

    Args:
        control: the socket to the driver.
        setup: what the driver said first.
        window: where the driver sees which task is in a step.
    """

    def __init__(self, control: Connection, setup: p.Setup, window: memoryview) -> None:
        self._control = control
        self._setup = setup
        self._tasks: dict[TaskId, Task] = {}
        self._timed: list[TimedTask] = []
        self._window = window
        self._attempt = 0
        self._freezer = StateFreezer(enabled=False)
        self._stop: p.Stop | None = None
        self._figures_due = float("inf")
        self._figures_interval = float("inf")
        self._mail: deque[Callable[[], None]] = deque()
        self._poller = Poller()
        self._poller.add(control, self._listen)
        self._disk = Background(self.post, 4, "wiesel-disk")
        self._handlers: Mapping[type[Any], Callable[[Any], None]] = {
            p.Deploy: self._deploy,
            p.AddSplits: self._add_splits,
            p.LimitWatermark: self._limit_watermark,
            p.TriggerCheckpoint: self._trigger,
            p.EndInput: self._end_input,
            p.NotifyComplete: self._notify,
            p.Stop: self._take_stop,
        }

    # ------------------------------------------------------------------------------------------------ the loop

    def run(self) -> None:
        """Work until the driver says stop, or is gone."""
        worked = False
        while self._stop is None and not self._control.is_closed:
            self._poller.exchange(0.0 if worked or self._mail else self._sleep_seconds())
            while self._mail:
                self._mail.popleft()()
            worked = self._step_tasks()
            self._report_figures_if_due()
        self._close(failing=self._stop is None or self._stop.failing)

    def post(self, message: Callable[[], None]) -> None:
        """Run something on the loop's thread; from any thread."""
        self._mail.append(message)
        self._poller.wake()

    def send(self, message: Any) -> None:
        """Tell the driver; on the loop's thread."""
        self._control.send(pickle_value(message))

    def _sleep_seconds(self) -> float:
        now = monotonic()
        due = min((task.next_due() for task in self._tasks.values()), default=float("inf"))
        return max(0.0, min(due, self._figures_due, now + _MAX_SLEEP) - now)

    def _step_tasks(self) -> bool:
        worked, window = False, self._window
        for timed in self._timed:  # downstream first, so that queues stay short
            try:
                worked = timed.step(window) or worked
            except BaseException as error:  # sys.exit() in a user's function ends the job, not the worker
                self._fail(timed.task_id, timed.task, error)
                return False
        return worked

    def _fail(self, task_id: TaskId, task: Task, error: BaseException) -> None:
        self._tell(TaskFailed(self._attempt, task_id, described(task_id, task, error)))
        self._close_tasks(failing=True)  # the driver ends the attempt

    def _report_figures_if_due(self) -> None:
        now = monotonic()
        if now >= self._figures_due:
            self._figures_due = now + self._figures_interval
            self.send(p.Figures([timed.figures() for timed in self._timed]))

    def _tell(self, report: TaskReport | WatermarkReported) -> None:
        verbose = self._setup.verbose
        if isinstance(report, TaskFailed):
            self.send(p.Failed(report.attempt, report.task, ship_error(report.error, verbose=verbose)))
        elif isinstance(report, CheckpointDeclined):
            error = ship_error(report.error, verbose=verbose)
            self.send(p.Declined(report.attempt, report.task, report.checkpoint_id, error))
        else:
            self.send(p.Reported(report))

    # ---------------------------------------------------------------------------------------- the driver's word

    def _listen(self, control: Connection) -> None:
        for _, _, payload in control.receive():
            message = unpickle_value(payload)
            self._handlers[type(message)](message)

    def _deploy(self, message: p.Deploy) -> None:
        setup = self._setup
        peers = {worker: Connection(fd) for worker, fd in setup.peers.items()}
        exchange = PeerExchange(setup.worker, setup.workers, peers)
        context = DeploymentContext(
            message.options,
            message.checkpoints,
            SystemClock(),
            self._poller.wake,
            lambda report: self.post(lambda: self._tell(report)),
            self._disk,
            TaskMetricGroup(),
            exchange,
        )
        self._attempt = message.attempt
        try:
            vars(sys.modules["__main__"]).update(unpickle_value(message.main_classes))
            self._tasks = deploy(unpickle_value(message.graph), message.attempt, message.restore, context)
        except BaseException as error:
            self.send(p.DeployFailed(ship_error(error, verbose=setup.verbose)))
            return
        self._freezer.close()
        self._freezer = StateFreezer(value_of(message.options.configuration, catalog.FREEZE_STATE))
        self._freezer.at_start(again=message.attempt > 0)
        self._timed = [TimedTask(task_id, task) for task_id, task in self._tasks.items()]
        for connection in peers.values():  # only now, when every channel is known
            self._poller.add(connection, exchange.receive)
        self._figures_interval = message.figures_interval
        self._figures_due = monotonic()
        self.send(p.Deployed())

    def _add_splits(self, message: p.AddSplits) -> None:
        if message.task in self._tasks:
            self._tasks[message.task].add_splits(list(message.splits), message.no_more)

    def _limit_watermark(self, message: p.LimitWatermark) -> None:
        if message.task in self._tasks:
            self._tasks[message.task].limit_watermark(message.max_watermark)

    def _trigger(self, message: p.TriggerCheckpoint) -> None:
        self._freezer.at_checkpoint()
        for task in self._tasks.values():
            if task.source is not None:
                task.trigger_checkpoint(message.checkpoint_id, message.suspend)

    def _end_input(self, message: p.EndInput) -> None:
        for task in self._tasks.values():
            task.end_input()

    def _notify(self, message: p.NotifyComplete) -> None:
        for task_id, splits in message.splits.items():
            if task_id in self._tasks:
                self._tasks[task_id].notify_checkpoint_complete(list(splits))

    def _take_stop(self, message: p.Stop) -> None:
        self._stop = message

    # --------------------------------------------------------------------------------------------------- ending

    def _close_tasks(self, failing: bool) -> None:
        tasks, self._tasks = self._tasks, {}
        self._timed = []
        for failure in close_all(tasks, _log, failing):
            self.send(p.CloseFailed(ship_error(failure, verbose=self._setup.verbose)))

    def _close(self, failing: bool) -> None:
        if self._timed:
            self.send(p.Figures([timed.figures() for timed in self._timed]))
        self._close_tasks(failing)
        self._disk.close(wait=True)  # whoever gets the job directory next must not meet our writes in it
        while self._mail:
            self._mail.popleft()()
        self._poller.flush(self._control, _LAST_WORDS)
