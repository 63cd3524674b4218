"""The pytest plugin activates the alias for sessions that ask for it, and for no other."""

import subprocess
import sys
from pathlib import Path

import pytest

TEST = """
def test_pyflink_is_wiesel():
    import pyflink
    from wiesel.compat import alias
    assert alias.is_active()
"""


def session(folder: Path, *options: str) -> str:
    (folder / "test_job.py").write_text(TEST)
    (folder / "conftest.py").write_text("import pyflink.common" if "--early" in options else "")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(o for o in options if o != "--early")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60).stdout


@pytest.mark.parametrize("options", [["--wiesel"], ["-o", "wiesel=true"], ["--wiesel", "--early"]])
def test_a_session_that_asks_gets_wiesel_before_its_first_conftest(tmp_path: Path, options: list[str]) -> None:
    output = session(tmp_path, *options)
    assert "1 passed" in output
    assert "wiesel: 'import pyflink' means Wiesel" in output


@pytest.mark.parametrize("options", [[], ["-o", "wiesel=true", "--no-wiesel"]])
def test_any_other_session_is_left_alone(tmp_path: Path, options: list[str]) -> None:
    output = session(tmp_path, *options)
    assert "means Wiesel" not in output
    assert "passed" not in output
