"""``wiesel jobs``, ``job``, ``checkpoints``, … about real jobs on a thread of this process."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.running_job import SECONDS, Run, counted, running, until
from tests.support.sinks import PublishingSink
from wiesel.cli.main import main
from wiesel.cluster import job_control
from wiesel.core import exit_codes
from wiesel.runtime.job_master.commands import JobState

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(job_control, "_LAST_ANSWERS", SECONDS)  # however slow the commands are


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with running(tmp_path, counted(PublishingSink())) as run:
        yield run
        if main(["cancel", "job"]) != exit_codes.OK:
            assert run.end().state.is_terminal


def objects(capsys: Output) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: Output, *arguments: str) -> str:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    assert main(list(arguments)) == exit_codes.OK
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)


def test_jobs_are_json_lines_in_a_pipe_and_a_table_on_a_terminal(
    run: Run, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["jobs"]) == exit_codes.OK
    (entry,) = objects(capsys)
    assert (entry["jid"], entry["state"], entry["pid"]) == ("job", "RUNNING", run.client.pid)
    shown = on_a_terminal(monkeypatch, capsys, "jobs")
    assert re.search(r"job +name +state +tasks +since +for +pid", shown)
    assert re.search(r"job +test +RUNNING +2/2", shown)


def test_a_job_is_shown_vertex_by_vertex(run: Run, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["job", "te"]) == exit_codes.OK, "the beginning of its name will do"
    (details,) = objects(capsys)
    assert {vertex["status"] for vertex in details["vertices"]} == {"RUNNING"}
    shown = on_a_terminal(monkeypatch, capsys, "job", str(run.client.pid))
    assert shown.startswith("job  test  RUNNING  for ")
    assert re.search(r"Count.* +1 +RUNNING +[\d,]+ +[\d,]+ +\d+ %", shown)


def test_a_job_that_runs_is_alive_and_ready(run: Run, capsys: Output) -> None:
    assert main(["health", "job"]) == exit_codes.OK
    assert main(["health", "--ready", "job"]) == exit_codes.OK
    assert capsys.readouterr().out == "job is RUNNING\njob is RUNNING\n"


def test_checkpoints_are_shown_with_their_paths(run: Run, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: run.client.get("/checkpoints")["latest"]["completed"])
    assert main(["checkpoints", "job"]) == exit_codes.OK
    assert any(Path(e["external_path"]).name.startswith("chk-") for e in objects(capsys) if e["status"] == "COMPLETED")
    shown = on_a_terminal(monkeypatch, capsys, "checkpoints", "job")
    assert re.search(r"\d+ completed, 0 failed, \d under way", shown)


def test_a_savepoint_prints_where_it_is(
    run: Run, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["savepoint", "job", "points"]) == exit_codes.OK
    path = Path(capsys.readouterr().out.strip())
    assert path.parent == tmp_path / "points"
    assert (path / "_metadata").exists()


def test_stop_waits_for_the_end_and_prints_where_the_state_is(run: Run, tmp_path: Path, capsys: Output) -> None:
    until(lambda: run.client.get("/checkpoints")["latest"]["completed"])
    assert main(["stop", "job", "--savepoint", str(tmp_path / "points")]) == exit_codes.OK
    assert (Path(capsys.readouterr().out.strip()) / "_metadata").exists()
    outcome = run.end()
    assert outcome.state is JobState.FINISHED and outcome.stopped_early


def test_cancel_waits_for_the_end(run: Run, capsys: Output) -> None:
    assert main(["cancel", "job"]) == exit_codes.OK
    assert run.end().state is JobState.CANCELED
    assert "Job job is cancelled" in capsys.readouterr().err


def test_rescale_returns_when_the_job_goes_on(run: Run, capsys: Output) -> None:
    assert main(["rescale", "job", "-p", "2"]) == exit_codes.OK
    details = run.client.get()
    assert [vertex["parallelism"] for vertex in details["vertices"]] == [2, 2]
    assert main(["rescale", "job", "-p", "2"]) == exit_codes.FAILED
    assert "nothing would change" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["job"], ["health"], ["checkpoints"], ["savepoint"], ["stop"], ["cancel"], ["rescale", "-p", "2"]]
)
def test_a_job_that_does_not_run_is_named_in_the_error(command: list[str], capsys: Output) -> None:
    assert main([*command[:1], "nobody", *command[1:]]) == exit_codes.FAILED
    assert capsys.readouterr() == ("", "error: No job 'nobody' is running here. None is.\n")


def test_a_job_that_was_not_detached_has_no_log(capsys: Output) -> None:
    assert main(["logs", "nobody"]) == exit_codes.FAILED
    assert "No job 'nobody' was started with wiesel run --detached." in capsys.readouterr().err


def test_without_a_job_the_list_is_empty(capsys: Output) -> None:
    assert main(["jobs"]) == exit_codes.OK
    assert capsys.readouterr() == ("", "No job of yours is running on this machine.\n")
