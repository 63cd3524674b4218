"""A page that the driver and one worker share: what it says can be read while the worker is stuck."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile

from wiesel.cluster.step_timer import WINDOW_BYTES


def create() -> int:
    """Return the descriptor of new shared memory without a name, to be inherited and then closed."""
    if sys.platform == "linux":
        fd = os.memfd_create("wiesel-worker", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, WINDOW_BYTES)
    return fd


def attach(fd: int) -> memoryview:
    """Return the memory behind a descriptor, which may be closed afterwards."""
    return memoryview(mmap.mmap(fd, WINDOW_BYTES))
