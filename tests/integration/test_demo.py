"""`make demo` in a short form: fewer flights, the same story."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wiesel.core import exit_codes

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


def test_a_killed_and_resumed_job_writes_what_duckdb_says(tmp_path: Path) -> None:
    demo = [sys.executable, "-m", "demo", "--departures", "80000", "--per-second", "10000"]
    run = subprocess.run(
        demo,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "140"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.returncode == exit_codes.OK, run.stdout + run.stderr
    assert "kill -9" in run.stdout
    assert "nothing lost, nothing twice" in run.stdout
    assert list(tmp_path.iterdir()) == [], "the demo cleans up after itself"
