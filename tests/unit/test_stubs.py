"""The type stubs for ``pyflink``: in the wheel, current, and of use to a type checker."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wiesel.compat import stubs

ROOT = Path(__file__).parents[2]
STUBS = ROOT / "stubs/pyflink-stubs"

SCRIPT = """
from pyflink.common import Row, Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import DeliveryGuarantee, KafkaSource

env = StreamExecutionEnvironment.get_execution_environment()
stream: DataStream = env.from_collection([1, 2], Types.LONG()).map(str).name("text").uid("text")
stream.key_by(lambda value: value).print().name("out")
KafkaSource.builder().set_topics("flights").build()
env.execute("job")
"""
WRONG = """
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_paralelism(2)
env.from_collection([1]).map(str).name("text").printt()
"""


def test_the_committed_stubs_are_those_of_the_api() -> None:
    assert stubs.main(["--check", str(STUBS)]) == 0, "run: make stubs"


def test_stale_and_superfluous_stubs_are_named_and_written_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stubs.main([str(tmp_path)])
    (tmp_path / "version.pyi").write_text("")
    (tmp_path / "gone.pyi").write_text("")
    assert stubs.main(["--check", str(tmp_path)]) == 1
    assert "stale stubs: gone.pyi, version.pyi;" in capsys.readouterr().err
    stubs.main([str(tmp_path)])
    assert stubs.main(["--check", str(tmp_path)]) == 0


def test_a_name_that_is_not_served_says_so_in_its_stub() -> None:
    text = stubs.stubs()["common/configuration.pyi"]
    assert "def get_gateway(*args: Any, **kwargs: Any) -> NoReturn: ..." in text or "import get_gateway" in text
    assert "table/__init__.pyi" not in stubs.stubs()  # left to an installed PyFlink


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_wheel_lets_a_type_checker_know_pyflink(tmp_path: Path) -> None:
    """mypy finds the stubs where pip puts them, accepts a right script and finds the mistakes of a wrong one."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [site] = tmp_path.glob("venv/lib/python*/site-packages")
    [wheel] = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    assert (site / "pyflink-stubs/py.typed").read_text() == "partial\n"

    (tmp_path / "right.py").write_text(SCRIPT)
    (tmp_path / "wrong.py").write_text(WRONG)
    python = str(tmp_path / "venv/bin/python")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python]
    result = subprocess.run(
        [*mypy, "--cache-dir", str(tmp_path / "cache"), "right.py", "wrong.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in result.stdout.splitlines() if ": error:" in line]
    assert [error.partition(": error:")[0] for error in errors] == ["wrong.py:5", "wrong.py:6"], result.stdout
    assert "set_paralelism" in errors[0] and "printt" in errors[1]
