"""
A server's process (a broker, a JobManager): started detached, found again by a file lock, stopped by signals.

The process inherits a locked descriptor of its lock file and never closes it. The kernel releases that lock at the very
moment when the process ends, however it ends, so "the lock is held" means "the server lives": no process id can be
mistaken for another's, and no clock or process table needs to be read.
"""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

POLL_SECONDS = 0.01


class LifeLock:
    """The lock file that says whether a server lives. One object is one attempt to hold it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock if its directory exists and no server (and nobody who is starting one) has it."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        if not self._is_current(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def _is_current(self, descriptor: int) -> bool:
        """Whether the locked file is still the one under the name: `--delete` may have removed it in between."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    @property
    def descriptor(self) -> int:
        """To be inherited by the server; valid while held."""
        if self._descriptor is None:
            raise ValueError("the lock is not held")
        return self._descriptor

    def close(self) -> None:
        """Let go. A process that inherited the descriptor goes on holding the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """Whether a server lives, or is being started, under this lock file."""
    if not path.exists():
        return False
    lock = LifeLock(path)
    free = lock.acquire()
    lock.close()
    return not free


def spawn(
    command: Sequence[str | Path], environment: Mapping[str, str], directory: Path, log: Path, inherit: int
) -> subprocess.Popen[bytes]:
    """Start a process of its own session, so that it outlives the shell, writing to `log`, its files private (0600)."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=directory,
            env=dict(environment),
            start_new_session=True,
            pass_fds=(inherit,),
            umask=0o077,
        )
    finally:
        os.close(descriptor)


def end(pid: int, lock: Path, child: subprocess.Popen[bytes] | None, grace_seconds: float) -> bool:
    """
    SIGTERM, then SIGKILL after `grace_seconds` (0: at once), then wait until nothing is left.

    Returns whether the process ended by itself. Only ever signals while the lock says that the server lives.
    """
    if grace_seconds > 0:
        _signal(pid, signal.SIGTERM, lock)
        if _await_end(pid, lock, child, grace_seconds):
            return True
    _signal(pid, signal.SIGKILL, lock)
    while not _await_end(pid, lock, child, 1.0):
        pass  # SIGKILL cannot be refused, only delayed (by a disk that hangs)
    return False


def _signal(pid: int, number: signal.Signals, lock: Path) -> None:
    if is_held(lock):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _await_end(pid: int, lock: Path, child: subprocess.Popen[bytes] | None, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_held(lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    if child is not None:
        child.wait()
        return True
    # A process that ends closes its files one by one: the lock may go some milliseconds before the ports do.
    while not _has_ended(pid) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return True


def _has_ended(pid: int) -> bool:
    """True also for one whose parent has not asked yet how it ended."""
    try:
        if not hasattr(os, "pidfd_open"):  # macOS, where init asks at once
            os.kill(pid, 0)
            return False
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 0)[0])
    finally:
        os.close(descriptor)
