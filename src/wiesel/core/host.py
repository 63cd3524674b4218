"""What the engine's I/O asks the machine for: threads, time to wait, chance, disk, the lock of a directory.

One door, so that a whole job can run on a simulated machine (``tests/simulation``), where a seed decides what each
thread does next. Pure parts do not come here: what they need is handed to them.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Protocol, TypeVar

from wiesel.core.disk import Disk, OsDisk
from wiesel.core.lease import FileLease, Lease

if TYPE_CHECKING:
    from concurrent.futures import Future

P = ParamSpec("P")
T = TypeVar("T")


class Executor(Protocol):
    """A few threads that run what they are given, in order (``concurrent.futures.Executor``)."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function later; the future tells its outcome."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads, after what they do now, without what they were given and have not begun if so asked."""


class Thread(Protocol):
    """A thread that runs."""

    def join(self) -> None:
        """Wait until it ends."""


class Event(Protocol):
    """A flag that threads wait for (``threading.Event``)."""

    def set(self) -> None:
        """Raise it."""

    def clear(self) -> None:
        """Lower it."""

    def is_set(self) -> bool:
        """Whether it is raised."""

    def wait(self) -> bool:
        """Wait until it is raised."""


class Mailbox(Protocol):
    """What other threads have to say to one (``queue.SimpleQueue``)."""

    def put(self, item: Any) -> None:
        """Append a message; from any thread."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return the next message; raises ``queue.Empty`` when none has come in time."""

    def empty(self) -> bool:
        """Whether there is none."""


class Host(Protocol):
    """A machine. Times are in seconds."""

    @property
    def process(self) -> str:
        """Return what names this process, among all that ever ran."""

    def monotonic(self) -> float:
        """Return a time that never goes back."""

    def sleep(self, seconds: float) -> None:
        """Let the calling thread wait."""

    def executor(self, threads: int, name: str) -> Executor:
        """Return so many threads, which begin with the first work."""

    def start_thread(self, work: Callable[[], None], name: str) -> Thread:
        """Run ``work`` on a thread of its own, which does not keep the process alive."""

    def event(self) -> Event:
        """Return a lowered flag."""

    def lock(self) -> AbstractContextManager[Any]:
        """Return a lock that may be held while its owner waits for the machine."""

    def mailbox(self) -> Mailbox:
        """Return an empty mailbox."""

    def random(self) -> float:
        """Return a number from 0 to 1."""

    def unique(self) -> str:
        """Return 32 hexadecimal digits that nobody else has."""

    def disk(self) -> Disk:
        """Return the disk."""

    def lease(self, path: Path) -> Lease:
        """Lock a file for this process; raises ``LeaseLostError`` when another one holds it."""


class Machine:
    """The real machine."""

    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
    event = staticmethod(threading.Event)
    lock = staticmethod(threading.Lock)
    random = staticmethod(random.random)
    disk = staticmethod(OsDisk)
    lease = staticmethod(FileLease)

    def executor(self, threads: int, name: str) -> Executor:
        """Return a pool of threads."""
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(threads, thread_name_prefix=name)

    def start_thread(self, work: Callable[[], None], name: str) -> Thread:
        """Run ``work`` on a daemon thread."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

    def mailbox(self) -> Mailbox:
        """Return an empty mailbox."""
        return queue.SimpleQueue()

    def unique(self) -> str:
        """Return a random UUID."""
        import uuid

        return uuid.uuid4().hex

    @cached_property
    def process(self) -> str:
        """Name this process."""
        return self.unique()[:12]


_hosts: Final[list[Host]] = [Machine()]


def host() -> Host:
    """Return the machine that this process runs on."""
    return _hosts[-1]


@contextmanager
def running_on(machine: Host) -> Iterator[None]:
    """Let everything that is begun inside run on another machine."""
    _hosts.append(machine)
    try:
        yield
    finally:
        _hosts.remove(machine)
