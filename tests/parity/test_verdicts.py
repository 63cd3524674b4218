"""The table of ``make parity``: what counts as equal, as explained, and as neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.__main__ import compare
from tests.parity.catalog import Difference, Expectation, Program
from tests.parity.examples import Example, examples
from tests.parity.runner import Failure, Outcome

PROGRAM = Program(Path("program.py"), "", (), ordered=True, needs_kafka=False)
MEANT = Difference("we are kinder", Expectation.parse("b\n"))


@pytest.mark.parametrize(
    ("pyflink", "wiesel", "difference", "verdict"),
    [
        (Outcome(["a"]), Outcome(["a"]), None, "equal"),
        (Outcome(["a"]), Outcome(["b"]), MEANT, "different"),
        (Outcome(["a"]), Outcome(["b"]), None, "DIFFERENT"),
        (Outcome(["a"]), Outcome(["c"]), MEANT, "DIFFERENT"),
        (Outcome(["a"]), Outcome(["a"]), MEANT, "EQUAL"),
        (None, Outcome(["a"]), None, "LOST"),
        (Outcome(["a"]), None, None, "LOST"),
    ],
)
def test_only_what_is_equal_or_explained_passes(
    pyflink: Outcome | None, wiesel: Outcome | None, difference: Difference | None, verdict: str
) -> None:
    row = compare(PROGRAM, pyflink, wiesel, difference)
    assert row.verdict == verdict
    assert bool(row.unexplained) == verdict.isupper()


def test_an_example_may_leave_open_which_subtask_prints() -> None:
    spread = Example("x.py", ordered=False, any_subtask=True)
    assert spread.agree(spread.expectation(Outcome(["1> a", "2> b"])), Outcome(["1> b", "1> a"]))
    assert not spread.agree(spread.expectation(Outcome(["1> a"])), Outcome(["1> b"]))
    assert not spread.agree(spread.expectation(Outcome(["1> a"])), Outcome(["1> a"], Failure(["exit code 1"], "")))
    fixed = Example("x.py", ordered=False)
    assert not fixed.agree(fixed.expectation(Outcome(["1> a"])), Outcome(["2> a"]))


def test_an_example_that_is_not_run_says_why() -> None:
    assert [example.name for example in examples() if example.not_run and not example.not_run.endswith(".")] == []
    assert sum(not example.not_run for example in examples()) >= 15


def test_an_error_in_other_words_is_no_other_behaviour() -> None:
    recorded = Expectation.parse("a\n! E: x\n")
    assert Difference("", Expectation.parse("a\n! E: y\n")).is_only_in_words(recorded)
    assert not Difference("", Expectation.parse("a\n! F: x\n")).is_only_in_words(recorded)
    assert not Difference("", Expectation.parse("! E: y\n")).is_only_in_words(recorded)
    assert not Difference("", Expectation.parse("a\n")).is_only_in_words(recorded)
