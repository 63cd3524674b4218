"""The examples of docs/testing-your-job.md, run as a reader would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documented import files_of

#: Needs a broker of its own: tests/integration has it.
WITH_KAFKA = "test_kafka.py"


def test_every_example_of_the_page_runs(tmp_path: Path) -> None:
    files = files_of("docs/testing-your-job.md")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    tests = [name for name in files if name.startswith("test_") and name != WITH_KAFKA]
    assert len(tests) >= 6
    command = [sys.executable, "-m", "pytest", "--wiesel", "-q", "-p", "no:cacheprovider", *tests]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == pytest.ExitCode.OK, run.stdout + run.stderr
    assert "skipped" not in run.stdout
