"""What holds for all tests."""

from __future__ import annotations

import signal

# A test run that a shell started in the background has SIGINT ignored, and so would all jobs and brokers that it starts:
# no Ctrl-C would ever reach them.
signal.signal(signal.SIGINT, signal.default_int_handler)
