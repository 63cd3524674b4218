"""`make demo` in a short form: fewer flights, the same story."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from wiesel.core import exit_codes

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def demo(tmp_path: Path) -> subprocess.Popen[str]:
    """Eight seconds of flights, in a process group of its own, as a shell would start it."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "demo", "--departures", "80000", "--per-second", "10000"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_a_killed_and_resumed_job_writes_what_duckdb_says(demo: subprocess.Popen[str], tmp_path: Path) -> None:
    output, _ = demo.communicate(timeout=110)
    assert demo.returncode == exit_codes.OK, output
    assert "kill -9" in output
    assert "nothing lost, nothing twice" in output
    assert list(tmp_path.iterdir()) == [], "the demo cleans up after itself"


def test_ctrl_c_leaves_neither_job_nor_broker_nor_files(demo: subprocess.Popen[str], tmp_path: Path) -> None:
    assert demo.stdout is not None
    line = next(line for line in demo.stdout if "Apache Kafka" in line and "answers on" in line)
    port = line.rpartition(":")[2].strip()
    assert any("wiesel run" in line for line in demo.stdout)
    os.killpg(demo.pid, signal.SIGINT)
    output, _ = demo.communicate(timeout=110)
    assert demo.returncode == exit_codes.INTERRUPTED, output
    assert list(tmp_path.iterdir()) == []
    assert [command for command in commands() if f"127.0.0.1:{port}".encode() in command] == []


def commands() -> Iterator[bytes]:
    """The command lines of all processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            yield path.read_bytes()
