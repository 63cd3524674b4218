"""The test kit's fixtures give a user's session a broker of its own, as docs/testing-your-job.md shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.job_process import wait_until
from tests.integration.test_broker import lives
from tests.support.documented import files_of

pytestmark = pytest.mark.integration

SECOND = """
def test_topics_are_empty_however_they_are_called(kafka_broker, kafka_topic):
    lines = kafka_topic("lines", partitions=2)
    assert lines.read_all() == []
    lines.produce("x", key="k", timestamp=5)
    assert lines.read(1) == [b"x"]
    print(f"pid={kafka_broker.pid}")
"""


def session(directory: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-s", *options]
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=110, check=False)
    return run.stdout + run.stderr


def test_the_documented_test_with_a_real_kafka_runs_and_leaves_no_broker_behind(tmp_path: Path) -> None:
    (tmp_path / "test_kafka.py").write_text(files_of("docs/testing-your-job.md")["test_kafka.py"])
    (tmp_path / "test_second.py").write_text(SECOND)
    output = session(tmp_path, "--wiesel")
    assert "2 passed" in output, output
    pid = int(output.partition("pid=")[2].split()[0].rstrip("."))
    wait_until(lambda: not lives(pid))


def test_a_session_that_does_not_ask_has_no_such_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_second.py").write_text(SECOND)
    assert "fixture 'kafka_broker' not found" in session(tmp_path)
