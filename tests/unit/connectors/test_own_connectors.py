"""The examples of a source and a sink of one's own, run as a user runs them and cut off where it hurts."""

from __future__ import annotations

import runpy
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.unit.connectors.files import read_all, source_context
from wiesel.common import WatermarkStrategy
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.connectors.own import Committable, Sink

EXAMPLES = Path(__file__).parents[3] / "examples"
WIESEL = Path(sys.executable).with_name("wiesel")


def example(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / name))


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "numbers.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE numbers (n INTEGER, word TEXT)")
        db.executemany("INSERT INTO numbers VALUES (?, ?)", [(i, str(i)) for i in range(1000)])
    return path


def run(tmp_path: Path, name: str, *arguments: str) -> str:
    command = [str(WIESEL), "run", "-p", "2", str(EXAMPLES / name), *arguments]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_example_source_prints_every_row_once(database, tmp_path):
    lines = run(tmp_path, "own_source.py", "--database", str(database)).splitlines()
    assert Counter(line.partition("> ")[2] for line in lines) == Counter(f"({i}, '{i}')" for i in range(1000))


@pytest.mark.parametrize("cut", [0, 1, 100, 999])
def test_example_source_goes_on_where_it_was(database, cut):
    spec = example("own_source.py")["TableSource"](str(database), "numbers")
    enumerator = spec.create_enumerator(source_context(-1), None)
    first, second = spec.create_reader(source_context()), spec.create_reader(source_context())
    first.add_splits(enumerator.on_discovered(enumerator.discover()))
    before: list[Any] = []
    while len(before) < cut:
        before += first.poll(min(7, cut - len(before))).values
    restored = spec.create_enumerator(source_context(-1), enumerator.snapshot())
    assert restored.on_discovered(restored.discover()) == []
    second.add_splits(first.snapshot())
    second.no_more_splits()
    assert sorted(before + read_all(second)) == [(i, str(i)) for i in range(1000)]
    assert second.is_finished()
    first.close()
    second.close()


def test_example_sink_has_every_record_once_after_a_failure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    marker = tmp_path / "failed"

    def fail_once(value: int) -> int:
        if value == 4000 and not marker.exists():
            marker.touch()
            raise RuntimeError("once")
        return value

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    env.enable_checkpointing(10)
    numbers = env.from_source(NumberSequenceSource(1, 5000), WatermarkStrategy.no_watermarks(), "numbers")
    numbers.map(fail_once).sink_to(Sink(example("own_sink.py")["TableSink"](str(tmp_path / "results.db"))))
    env.execute()
    assert marker.exists()
    with closing(sqlite3.connect(tmp_path / "results.db")) as db:
        values = [value for (value,) in db.execute("SELECT value FROM results ORDER BY value")]
    assert values == list(range(1, 5001))


def test_example_sink_runs(tmp_path):
    run(tmp_path, "own_sink.py", "--database", str(tmp_path / "results.db"), "--count", "100")
    with closing(sqlite3.connect(tmp_path / "results.db")) as db:
        assert db.execute("SELECT count(*), sum(value) FROM results").fetchone() == (100, 338_350)


def test_example_committer_makes_a_commit_once(tmp_path):
    committer = example("own_sink.py")["TableCommitter"](str(tmp_path / "results.db"))
    pending = [Committable("uid", {"name": "l/1/0", "records": [1, 2]})]
    committer.commit(pending)
    committer.recover(pending, committer.snapshot())
    with closing(sqlite3.connect(tmp_path / "results.db")) as db:
        assert db.execute("SELECT value FROM results").fetchall() == [(1,), (2,)]
