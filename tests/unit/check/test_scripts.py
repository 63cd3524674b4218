"""Scripts that work have no errors: examples, PyFlink's own behaviour programs, and the command as it is called."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from wiesel.check.checker import check_file, scripts
from wiesel.check.report import has_errors
from wiesel.check.rules import RULES, Severity
from wiesel.cli.check import check

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PROGRAMS = sorted((ROOT / "tests/parity/programs").glob("*.py"))
RECORDINGS = ROOT / "tests/parity/recordings"


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.name)
def test_nothing_is_found_in_an_example(script: Path) -> None:
    expected = {"W203"} if "legacy" in script.stem else set()
    assert {finding.code for finding in check_file(script)} == expected


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_portable_unless_it_shows_what_is_not(script: Path) -> None:
    own = "from wiesel." in script.read_text(encoding="utf-8")  # what only Wiesel has
    # It runs there; that it counts from the beginning after a restart is PyFlink's.
    codes = {finding.code[0] for finding in check_file(script, "flink-2.3") if finding.code != "W210"}
    assert "P" in codes if own or "legacy" in script.stem else not codes


@pytest.mark.parametrize("script", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_that_ran_on_pyflink_has_no_errors(script: Path) -> None:
    """The programs of tests/parity: what PyFlink ran to its end must not be called wrong."""
    recording = RECORDINGS / f"{script.stem}.txt"
    if not recording.exists() or "\n! " in "\n" + recording.read_text(encoding="utf-8"):
        return  # not recorded yet, or it failed there
    caught = "except" in script.read_text(encoding="utf-8")  # it shows what fails, and goes on
    found = [f for f in check_file(script, "flink-2.3") if f.severity is Severity.ERROR]
    assert caught or found == []


# ------------------------------------------------------------------------------------------------- the command

WRONG = "from pyflink.datastream import StreamExecutionEnvironmnt\n"
ODD = "from pyflink.datastream import StreamExecutionEnvironment as E\nE.get_execution_environment().add_jars('x')\n"


def run(*arguments: str) -> Any:
    # Called for its return value, as wiesel.cli.main calls it.
    return CliRunner().invoke(check, arguments, standalone_mode=False)


def test_findings_are_lines_and_errors_make_it_fail(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    result = run(str(tmp_path / "wrong.py"))
    line = "wrong.py:1:32: E102 pyflink.datastream has no name 'StreamExecutionEnvironmnt'."
    assert result.stdout.splitlines() == [f"{tmp_path}/{line} Did you mean 'StreamExecutionEnvironment'?"]
    assert result.stderr == "1 script checked: 1 error\n"
    assert result.return_value == 1


def test_what_is_no_error_does_not_make_it_fail(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(ODD)
    result = run(str(tmp_path / "odd.py"))
    assert (result.return_value, result.stderr) == (0, "1 script checked: 1 info\n")
    (tmp_path / "odd.py").write_text("")
    assert run(str(tmp_path / "odd.py")).stderr == "1 script checked: nothing found\n"


def test_a_script_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError) as failure:
        CliRunner().invoke(check, [str(tmp_path / "none.py")], standalone_mode=False, catch_exceptions=False)
    assert failure.value.exit_code == 2


def test_a_folder_is_searched_for_scripts_but_not_its_environments(tmp_path: Path) -> None:
    for name in ("a.py", "jobs/b.py", ".venv/lib/c.py", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert [path.name for path in scripts([tmp_path])] == ["a.py", "b.py"]


def test_the_json_report_has_the_documented_fields(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    result = run(str(tmp_path), "--format", "json", "--target", "flink-2.3")
    report = json.loads(result.stdout)
    [finding] = report["findings"]
    assert list(report) == ["version", "target", "files", "findings", "summary"]
    assert report["summary"] == {"error": 1, "warning": 0, "info": 0}
    assert (report["version"], report["target"], report["files"]) == (1, "flink-2.3", 1)
    assert finding == {
        "file": str(tmp_path / "wrong.py"),
        "line": 1,
        "column": 32,
        "end_line": 1,
        "end_column": 57,
        "code": "E102",
        "rule": "unknown-name",
        "severity": "error",
        "message": "pyflink.datastream has no name 'StreamExecutionEnvironmnt'.",
        "fix": "Did you mean 'StreamExecutionEnvironment'?",
    }
    documented = (ROOT / "docs/check.md").read_text(encoding="utf-8")
    assert all(f'"{field}"' in documented for field in (*report, *finding))


def test_a_terminal_gets_tables() -> None:
    from rich.console import Console

    from wiesel.check.checker import check_source
    from wiesel.check.report import to_tables

    console = Console(width=100, file=io.StringIO())
    for table in to_tables(check_source(WRONG, "a.py") + check_source(ODD, "b.py")):
        console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert [line.split()[0] for line in text.splitlines() if line[0] != " "] == ["a.py", "1:32", "b.py", "2:31"]
    assert "Did you mean 'StreamExecutionEnvironment'?" in text


def test_the_script_is_not_run_nor_imported(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text("import pathlib, helper\npathlib.Path('ran').touch()\nraise SystemExit(5)\n")
    (tmp_path / "helper.py").write_text("raise SystemExit(6)\n")
    assert run(str(tmp_path / "job.py")).return_value == 0
    assert not has_errors(check_file(tmp_path / "job.py"))


def test_a_file_in_no_encoding_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_bytes(b"\xff\xfe\xff")
    assert [finding.code for finding in check_file(tmp_path / "job.py")] == ["E001"]


def test_every_code_is_documented_with_its_name_and_severity() -> None:
    lines = (ROOT / "docs/check.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip(" `") for cell in line.split("|")[1:4]] for line in lines if line.startswith("| `")]
    assert rows == [[rule.code, rule.name, str(rule.severity)] for rule in RULES.values()]
