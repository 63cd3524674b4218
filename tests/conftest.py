"""What holds for all tests."""

from __future__ import annotations

import signal

# A test run that a shell started in the background has SIGINT ignored, and so would every job and broker that it
# starts: no Ctrl-C would reach them.
signal.signal(signal.SIGINT, signal.default_int_handler)
