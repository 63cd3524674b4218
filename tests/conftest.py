"""What holds for all tests."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile

from hypothesis import HealthCheck, settings

# A test run that a shell started in the background has SIGINT ignored, and so would every job and broker that it
# starts: no Ctrl-C would reach them.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Jobs of tests, and of the processes that they start, put their sockets into a directory of the test run's own. Tests
# that look for jobs set XDG_DATA_HOME as well, or they would meet those beside the test run.
os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="wiesel-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)

# How fast the machine is proves nothing: Hypothesis by itself fails an example that takes a fifth of a second.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")
