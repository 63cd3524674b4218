"""Worker processes as the driver sees them: spawned together, spoken to, and gone when ``close`` returns."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any, Final

from wiesel.cluster.step_timer import new_window
from wiesel.cluster.workers import protocol as p
from wiesel.cluster.workers import shared_memory
from wiesel.core.pickling import pickle_value, unpickle_value
from wiesel.runtime.failures import MORE_MEMORY

#: Seconds that workers of a job that fails get at most to close their tasks.
_GRACE_FAILING: Final = 3.0
#: Seconds in which the last words of a dead worker are read.
_LAST_WORDS: Final = 2.0


class WorkerProcess:
    """One worker.

    Args:
        number: its number, from 0.
        process: what was spawned.
        control: our end of the socket to it.
        window: shows which of its tasks is in a step.
        on_message: told (number, message), on a thread of its own.
        on_end: told (number), when it has ended and all its messages were passed on.
    """

    def __init__(
        self,
        number: int,
        process: subprocess.Popen[bytes],
        control: socket.socket,
        window: memoryview,
        on_message: Callable[[int, Any], None],
        on_end: Callable[[int], None],
    ) -> None:
        self.number = number
        self.process = process
        self.window = window
        self._control = control
        self._on_message = on_message
        self._on_end = on_end
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = self._start(self._read, "reader")
        self._start(self._write, "writer")
        self._start(self._wait, "waiter")

    def _start(self, target: Callable[[], None], role: str) -> threading.Thread:
        name = f"wiesel-worker-{self.number}-{role}"
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        return thread

    def send(self, message: Any) -> None:
        """Tell the worker; does not wait."""
        payload = pickle_value(message)
        self._outgoing.put(p.HEADER.pack(len(payload), 0, p.DATA) + payload)

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # it is gone, and its end is noticed by itself
            while (frame := self._outgoing.get()) is not None:
                self._control.sendall(frame)

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._control.makefile("rb") as stream:
            while len(header := stream.read(p.HEADER.size)) == p.HEADER.size:
                length, _, _ = p.HEADER.unpack(header)
                payload = stream.read(length)
                if len(payload) < length:
                    return
                self._on_message(self.number, unpickle_value(payload))

    def _wait(self) -> None:
        self.process.wait()
        self._reader.join(_LAST_WORDS)
        self._on_end(self.number)

    def close(self, deadline: float) -> None:
        """Wait for its end until the monotonic time ``deadline``, then kill it."""
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._outgoing.put(None)
        self._reader.join(_LAST_WORDS)
        self._control.close()

    def how_it_ended(self) -> str:
        """Return what is known of its end, for a message."""
        code = self.process.returncode
        if code == p.NO_MEMORY:
            return f"ended because it had no memory left. {MORE_MEMORY}"
        if code is None or code >= 0:
            return f"ended with exit code {code}"
        text = f"was killed by {signal.Signals(-code).name}"
        return f"{text} (by the kernel when memory ran out?)" if code == -signal.SIGKILL else text


class WorkerPool:
    """All workers of one attempt, each joined to each other by a socket pair.

    Args:
        count: how many.
        lock: descriptor of the job directory's lock, which they hold as long as they live; None without one.
        verbose: whether their error reports keep the engine's frames.
        grace: seconds that they get to close their tasks. One that is stuck in a user's function is then killed.
        on_message: told (number, message), on some thread.
        on_end: told (number) when a worker has ended, on some thread.
    """

    def __init__(
        self,
        count: int,
        lock: int | None,
        verbose: bool,
        grace: float,
        on_message: Callable[[int, Any], None],
        on_end: Callable[[int], None],
    ) -> None:
        self._grace = grace
        self.workers: list[WorkerProcess] = []
        self._lock = lock
        # Nothing is ever written: what the workers read ends when we do.
        self._lifeline_of_workers, self._lifeline = os.pipe()
        peers: list[dict[int, int]] = [{} for _ in range(count)]
        ends: list[socket.socket] = []
        try:
            for one, other in combinations(range(count), 2):
                pair = socket.socketpair()
                ends += pair
                peers[one][other], peers[other][one] = pair[0].fileno(), pair[1].fileno()
            for number in range(count):
                worker = self._spawn(number, list(peers[number].values()), on_message, on_end)
                self.workers.append(worker)
                worker.send(_setup(number, count, peers[number], verbose))
        except BaseException:
            self.close(failing=True)
            raise
        finally:
            for end in ends:
                end.close()
            os.close(self._lifeline_of_workers)

    def _spawn(
        self,
        number: int,
        peers: list[int],
        on_message: Callable[[int, Any], None],
        on_end: Callable[[int], None],
    ) -> WorkerProcess:
        ours, theirs = socket.socketpair()
        shared = shared_memory.create()
        lock = -1 if self._lock is None else self._lock
        inherited = [theirs.fileno(), self._lifeline_of_workers, shared, *([] if lock < 0 else [lock])]
        numbers = [os.getpid(), theirs.fileno(), self._lifeline_of_workers, lock, shared]
        command = [sys.executable, "-P", "-m", "wiesel.cluster.workers.worker_main", *map(str, numbers)]
        try:
            with _signals_blocked():  # the worker lets them through once it knows what to do with them
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[*inherited, *peers])
            window = new_window(shared_memory.attach(shared))
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(shared)
        return WorkerProcess(number, process, ours, window, on_message, on_end)

    def send_all(self, message: Any) -> None:
        """Tell every worker."""
        for worker in self.workers:
            worker.send(message)

    def close(self, failing: bool) -> None:
        """End all workers: those that do not close their tasks in time are killed."""
        self.send_all(p.Stop(failing))
        deadline = time.monotonic() + (min(_GRACE_FAILING, self._grace) if failing else self._grace)
        for worker in self.workers:
            worker.close(deadline)
        os.close(self._lifeline)


def _log_levels() -> dict[str, int]:
    """Return the levels that the script or the command line has set."""
    loggers = logging.getLogger().manager.loggerDict.items()
    return {name: logger.level for name, logger in loggers if isinstance(logger, logging.Logger) and logger.level}


def _setup(number: int, count: int, peers: dict[int, int], verbose: bool) -> p.Setup:
    return p.Setup(
        worker=number,
        workers=count,
        peers=peers,
        sys_path=list(sys.path),
        argv=list(sys.argv),
        main_file=getattr(sys.modules.get("__main__"), "__file__", None),
        log_levels={"": logging.getLogger().level, **_log_levels()},
        verbose=verbose,
    )


@contextmanager
def _signals_blocked() -> Iterator[None]:
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
