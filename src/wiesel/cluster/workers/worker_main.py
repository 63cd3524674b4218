"""The entry of a worker process: makes the interpreter like the driver's, then runs the worker.

Started as ``python -P -m wiesel.cluster.workers.worker_main`` with descriptors as arguments, not by multiprocessing,
which would run the user's script again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import traceback
from types import ModuleType
from typing import Any

from wiesel.cluster.workers import protocol as p
from wiesel.cluster.workers import shared_memory
from wiesel.cluster.workers.connection import Connection
from wiesel.cluster.workers.output import LogForwarder, share_stdout
from wiesel.compat import alias
from wiesel.core.pickling import unpickle_value

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Run until the driver says stop.

    Args:
        arguments: the driver's pid and the descriptors of the control socket, the lifeline, the job directory's
            lock (-1 without one) and the shared memory. The lock is only held: two incarnations of a job must not
            both write checkpoints, so it stays locked until the last worker is gone.
    """
    driver, control_fd, lifeline, lock, shared = map(int, arguments)
    _leave_signals_to_the_driver()
    _die_with(driver, lifeline)
    control = Connection(control_fd)
    _keep_from_subprocesses([control_fd, lifeline, lock])
    share_stdout()
    setup = _first_message(control)
    _become_like_the_driver(setup)

    from wiesel.cluster.step_timer import new_window
    from wiesel.cluster.workers.worker import Worker
    from wiesel.runtime.failures import is_out_of_memory

    worker = Worker(control, setup, new_window(shared_memory.attach(shared)))
    os.close(shared)
    _forward_logs(worker, setup)
    try:
        worker.run()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        if setup.verbose:
            traceback.print_exception(error)
        sys.exit(p.NO_MEMORY)  # there may be too little to send what happened, but an exit code costs nothing
    finally:
        sys.stdout.flush()


def _leave_signals_to_the_driver() -> None:
    """Ctrl-C and a service manager's SIGTERM reach all processes, but only the driver knows what to do."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which the user's subprocesses would inherit
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def _die_with(driver: int, lifeline: int) -> None:
    """End when the driver ends, whatever ends it: by the kernel's help on Linux, else when its pipe closes."""

    def wait() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="wiesel-lifeline", daemon=True).start()
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != driver:  # it was gone before we could ask
        os.kill(os.getpid(), signal.SIGKILL)


def _keep_from_subprocesses(descriptors: list[int]) -> None:
    held = [fd for fd in descriptors if fd >= 0]
    for fd in held:
        os.set_inheritable(fd, False)

    def close() -> None:
        for fd in held:
            with contextlib.suppress(OSError):
                os.close(fd)

    os.register_at_fork(after_in_child=close)


def _first_message(control: Connection) -> p.Setup:
    payload = control.wait_for_first()
    if payload is None:
        sys.exit("The driver is gone.")
    setup: p.Setup = unpickle_value(payload)
    return setup


def _become_like_the_driver(setup: p.Setup) -> None:
    """Modules of the user's are found, ``pyflink`` means Wiesel, and ``__main__`` holds nothing of ours."""
    sys.path[:] = setup.sys_path
    sys.argv[:] = setup.argv
    alias.activate()
    main_module = ModuleType("__main__")
    if setup.main_file is not None:
        main_module.__file__ = setup.main_file
    sys.modules["__main__"] = main_module


def _forward_logs(worker: Any, setup: p.Setup) -> None:
    handler = LogForwarder(lambda fields: worker.post(lambda: worker.send(p.LogLine(fields))))
    logging.getLogger().addHandler(handler)
    for name, level in setup.log_levels.items():
        logging.getLogger(name).setLevel(level)


if __name__ == "__main__":
    main(sys.argv[1:])
