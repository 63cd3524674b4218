"""What makes a member ``supported``: its test fails when the member does nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_proofs_of_fifty_random_members_hold() -> None:
    """Other members with each run; ``make empty-members`` tries them all."""
    command = [sys.executable, "-m", "tests.tools.empty_members", "--sample", "50"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    assert "50 of 50 proofs hold" in result.stdout
