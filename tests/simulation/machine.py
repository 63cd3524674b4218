"""The simulated machine as ``wiesel.core.host`` asks for it: threads that are fibers, chance that a seed throws."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.simulation.disk import ProcessDisk
from tests.simulation.scheduler import Fiber, Process, ProcessDiedError, Scheduler
from wiesel.core import failpoints
from wiesel.core.errors import LeaseLostError
from wiesel.core.lease import Lease


class FiberFuture:
    """The outcome of work on an executor."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waiting: list[Fiber] = []
        self._callbacks: list[Callable[[Any], None]] = []
        self._done = False
        self._cancelled = False
        self._result: Any = None
        self._error: BaseException | None = None

    def settle(self, result: Any, error: BaseException | None, cancelled: bool = False) -> None:
        """Tell the outcome."""
        self._done, self._result, self._error, self._cancelled = True, result, error, cancelled
        self._scheduler.wake_all(self._waiting)
        for callback in self._callbacks:
            callback(self)

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call something with the future once it is done."""
        if self._done:
            callback(self)
        else:
            self._callbacks.append(callback)

    def cancelled(self) -> bool:
        """Whether the work was never begun."""
        return self._cancelled

    def exception(self) -> BaseException | None:
        """Wait, and return the error."""
        while not self._done:
            self._scheduler.wait(self._waiting)
        return self._error

    def result(self) -> Any:
        """Wait, and return the result or raise the error."""
        error = self.exception()
        if error is not None:
            raise error
        return self._result


class FiberExecutor:
    """Some threads of the process that asked for them."""

    def __init__(self, scheduler: Scheduler, threads: int, name: str) -> None:
        self._scheduler = scheduler
        self._process = scheduler.current().process
        self._threads = threads
        self._name = name
        self._queue: deque[tuple[FiberFuture, Callable[[], Any]]] = deque()
        self._running = 0
        self._idle: list[Fiber] = []
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run a function on one of the threads."""
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = FiberFuture(self._scheduler)
        self._queue.append((future, lambda: fn(*args, **kwargs)))
        if self._running < self._threads:
            self._running += 1
            self._scheduler.spawn(self._process, self._work, self._name)
        return future

    def _work(self) -> None:
        try:
            while self._queue:
                future, call = self._queue.popleft()
                result, error = None, None
                try:
                    result = call()
                except ProcessDiedError:
                    raise
                except BaseException as raised:
                    error = raised
                self._scheduler.give_way()
                future.settle(result, error)
        finally:
            self._running -= 1
            self._scheduler.wake_all(self._idle)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work, and wait for what was given."""
        self._closed = True
        if cancel_futures:
            cancelled, self._queue = self._queue, deque()
            for future, _ in cancelled:
                future.settle(None, None, cancelled=True)
        while wait and self._running:
            self._scheduler.wait(self._idle)


class FiberEvent:
    """A flag."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waiting: list[Fiber] = []
        self._is_set = False

    def set(self) -> None:
        """Raise it."""
        self._is_set = True
        self._scheduler.wake_all(self._waiting)

    def clear(self) -> None:
        """Lower it."""
        self._is_set = False

    def is_set(self) -> bool:
        """Whether it is raised."""
        return self._is_set

    def wait(self) -> bool:
        """Wait until it is raised."""
        while not self._is_set:
            self._scheduler.wait(self._waiting)
        return True


class FiberThread:
    """A fiber to wait for."""

    def __init__(self, scheduler: Scheduler, work: Callable[[], None], name: str) -> None:
        self._ended = FiberEvent(scheduler)

        def run() -> None:
            try:
                work()
            finally:
                self._ended.set()

        scheduler.spawn(scheduler.current().process, run, name)

    def join(self) -> None:
        """Wait for its end."""
        self._ended.wait()


class FiberLock:
    """A lock; whoever comes when it is taken waits."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waiting: list[Fiber] = []
        self._owner: Fiber | None = None

    def __enter__(self) -> None:
        fiber = self._scheduler.current()
        while self._owner is not None:
            self._scheduler.wait(self._waiting)
        self._owner = fiber

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._owner = None
        self._scheduler.wake_all(self._waiting)


class FiberMailbox:
    """A queue with one reader."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._items: deque[Any] = deque()
        self._waiting: list[Fiber] = []

    def put(self, item: Any) -> None:
        """Append a message."""
        self._items.append(item)
        self._scheduler.wake_all(self._waiting)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return the next message."""
        if not self._items and block:
            self._scheduler.wait(self._waiting, timeout)
        if not self._items:
            raise queue.Empty
        return self._items.popleft()

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._items


class _HeldLease:
    def __init__(self, leases: dict[Path, Process], path: Path, holder: Process, disk: ProcessDisk) -> None:
        self._leases = leases
        self._path = path
        self._holder = holder
        self._disk = disk
        self._identity = disk.identity(path.parent)
        self.descriptor = -1

    def is_in_place(self) -> bool:
        """Whether the directory is still the one that was there when its lock was taken."""
        return self._identity is not None and self._disk.identity(self._path.parent) is self._identity

    def close(self) -> None:
        """Give it up."""
        if self._leases.get(self._path) is self._holder:
            del self._leases[self._path]


class SimulatedMachine:
    """``wiesel.core.host.Host`` for all simulated processes; who asks is known by the fiber that runs.

    Args:
        scheduler: of the seed.
        disk: makes the disk of a process.
    """

    def __init__(self, scheduler: Scheduler, disk: Callable[[], ProcessDisk]) -> None:
        self._scheduler = scheduler
        self._disk = disk
        self.leases: dict[Path, Process] = {}

    @property
    def process(self) -> str:
        """Name the process that asks."""
        return self._scheduler.current().process.name

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self._scheduler.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait so long."""
        self._scheduler.sleep(seconds)

    def executor(self, threads: int, name: str) -> Any:
        """Return some threads."""
        return FiberExecutor(self._scheduler, threads, name)

    def start_thread(self, work: Callable[[], None], name: str) -> FiberThread:
        """Run ``work`` on a thread of its own."""
        return FiberThread(self._scheduler, work, name)

    def event(self) -> FiberEvent:
        """Return a lowered flag."""
        return FiberEvent(self._scheduler)

    def lock(self) -> FiberLock:
        """Return a lock."""
        return FiberLock(self._scheduler)

    def mailbox(self) -> FiberMailbox:
        """Return an empty mailbox."""
        return FiberMailbox(self._scheduler)

    def random(self) -> float:
        """Return a number from 0 to 1."""
        return self._scheduler.random.random()

    def unique(self) -> str:
        """Return 32 hexadecimal digits."""
        return f"{self._scheduler.random.getrandbits(128):032x}"

    def disk(self) -> ProcessDisk:
        """Return the disk."""
        return self._disk()

    def lease(self, path: Path) -> Lease:
        """Lock a path for the process that asks; only that process's death or its ``close`` frees it."""
        holder = self.leases.get(path)
        if holder is not None and not holder.is_dead and not failpoints.ablated("rule6"):
            raise LeaseLostError(f"Another copy of this job is running: it holds {path}.")
        process = self.leases[path] = self._scheduler.current().process
        return _HeldLease(self.leases, path, process, self._disk())
