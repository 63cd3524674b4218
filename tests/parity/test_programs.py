"""Wiesel does what PyFlink 2.3.0 was recorded to do, or differs as ``differences.toml`` says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.parity import page, results
from tests.parity.catalog import RECORDINGS, SURPRISES, Expectation, Program, differences, programs, surprises
from tests.parity.in_process import assert_as_recorded, outcome_of
from tests.parity.runner import Failure, Outcome, parse

PROGRAMS = programs()


@pytest.mark.parametrize("program", [p for p in PROGRAMS if not p.needs_kafka], ids=lambda program: program.name)
def test_program_does_what_pyflink_did(program: Program, tmp_path: Path) -> None:
    assert_as_recorded(program, outcome_of(program, tmp_path))


def test_every_surprise_is_covered_by_a_program() -> None:
    covered = {number for program in PROGRAMS for number in surprises(program)}
    assert covered == set(SURPRISES)
    assert list(page.surprises()) == [f"S{number}" for number in SURPRISES]


def test_every_program_is_recorded_and_nothing_else_is() -> None:
    names = {program.name for program in PROGRAMS}
    assert {path.stem for path in RECORDINGS.glob("*.txt")} == names
    assert set(differences()) <= names
    assert len(names) >= 80


def test_every_program_as_it_is_has_been_run_on_both_engines_live() -> None:
    verdicts = results.read()["verdicts"]
    for program in PROGRAMS:
        assert program.name in verdicts, f"python -m tests.parity {program.name}"
        found = verdicts[program.name]
        assert found["digest"] == results.digest(program.script), f"python -m tests.parity {program.name}"
        assert found["verdict"] == ("different" if program.name in differences() else "equal"), program.name


def test_the_page_tells_what_the_data_says() -> None:
    committed = Path(__file__).parents[2] / "docs/parity.md"
    assert committed.read_text() == page.render(), "python -m tests.parity.page > docs/parity.md"


def test_one_process_tells_the_outcomes_of_several_scripts_apart(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text("print('one'); print('two')")
    (tmp_path / "second.py").write_text("print('three'); raise ValueError('four')")
    scripts = [str(tmp_path / name) for name in ("first.py", "second.py")]
    command = [sys.executable, "-m", "tests.parity.runner", *scripts]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    failure = Failure(["ValueError", "Exception", "BaseException", "object"], "four")
    assert parse(output) == {"first": Outcome(["one", "two"]), "second": Outcome(["three"], failure)}


STACK_TRACE = """An error occurred while calling o11.execute.
: org.apache.flink.runtime.client.JobExecutionException: Job execution failed.
\tat org.apache.flink.Some.method(Some.java:1)
Caused by: java.lang.RuntimeException: Error received from SDK harness for instruction 1: Traceback (most recent call last):
  File "script.py", line 1, in f
    raise ValueError("x")
ValueError: x

\tat org.apache.beam.Other.method(Other.java:2)
"""  # noqa: E501


@pytest.mark.parametrize(
    ("message", "essence"),
    [
        (STACK_TRACE, "ValueError: x"),
        ("An error\n: a.B: outer\n\tat x.y(z)\nCaused by: c.D: inner\n\tat x.y(z)\n", "c.D: inner"),
        ("An error\n: java.lang.Some: No operators\n\tat x.y(z)\n", "java.lang.Some: No operators"),
        ("plain words\nand more", "plain words"),
    ],
)  # fmt: skip
def test_the_line_that_matters_is_found_in_a_stack_trace(message: str, essence: str) -> None:
    assert Failure(["Py4JJavaError"], message).essence == f"Py4JJavaError: {essence}"


@pytest.mark.parametrize(
    ("recorded", "outcome", "ordered", "met"),
    [
        ("a\nb\n", Outcome(["a", "b"]), True, True),
        ("a\nb\n", Outcome(["b", "a"]), True, False),
        ("a\nb\n", Outcome(["b", "a"]), False, True),
        ("a\n", Outcome(["a", "a"]), False, False),
        ("a\n! E: x\n", Outcome(["a"], Failure(["F", "E"], "it says x")), True, True),
        ("! E: java.lang.SomeException: x\n", Outcome([], Failure(["E"], "x")), True, True),
        ("! E: x\n", Outcome([], Failure(["E"], "y")), True, False),
        ("! E: x\n", Outcome([], Failure(["F"], "x")), True, False),
        ("! E: x\n", Outcome(), True, False),
        ("", Outcome([], Failure(["E"], "x")), True, False),
    ],
)  # fmt: skip
def test_outcomes_are_compared_line_by_line_and_by_class_of_error(
    recorded: str, outcome: Outcome, ordered: bool, met: bool
) -> None:
    assert Expectation.parse(recorded).is_met_by(outcome, ordered=ordered) == met
