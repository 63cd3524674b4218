"""What a job printed is told apart from all else that a TaskManager and its workers write into the same log."""

from __future__ import annotations

import pytest

from tests.flink.cluster_runner import printed_by_jobs

LOG = """\
2026-01-31 12:00:00,001 INFO  org.apache.flink.runtime.taskexecutor.TaskExecutor [] - Received task
\tacks = all
"""
TRACEBACK = """\
Traceback (most recent call last):
  File "job.py", line 1, in f
    raise KeyError("a")
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "job.py", line 2, in g
ValueError
"""
IN_THE_LOG = "2026-01-31 12:00:00,001 ERROR x [] - " + TRACEBACK
JAVA = """\
Jan 31, 2026 12:00:00 PM org.apache.beam.vendor.grpc.SerializingExecutor run
SEVERE: Exception while executing runnable
java.lang.IllegalStateException: call already closed
\tat org.apache.beam.x(Y.java:1)
Caused by: java.io.IOException
"""


@pytest.mark.parametrize("noise", [LOG, TRACEBACK, IN_THE_LOG, JAVA, "/x.py:1: UserWarning: old\n"])
def test_noise_is_left_out_and_prints_around_it_are_kept(noise):
    lines = f"before\n{noise}1> ('a', 2)\n{noise}after".splitlines()
    assert list(printed_by_jobs(lines)) == ["before", "1> ('a', 2)", "after"]
