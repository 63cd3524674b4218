"""The live line: what it says, and that it gives way to whatever else is written."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace

import pytest

from wiesel.cli.terminal import LiveLines, describe
from wiesel.core.observer import JobStatusReport

FIRST = JobStatusReport("j", "flights", "RUNNING", time_ms=10_000)
LATER = replace(FIRST, time_ms=12_000, records_in=50_000, records_out=3_000)


class Terminal(io.StringIO):
    """Keeps what a terminal would show."""

    def isatty(self) -> bool:
        return True

    def shown(self) -> list[str]:
        lines, row = [""], 0
        text = self.getvalue().replace("\x1b[K", "\v").replace("\x1b[A", "\f")
        for character in text:
            if character == "\n":
                row += 1
                lines[row:] = lines[row:] or [""]
            elif character == "\v":
                lines[row] = ""
            elif character == "\f":
                row -= 1
            elif character != "\r":
                lines[row] += character
        return lines


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "100")
    return Terminal()


@contextmanager
def live_lines(terminal: Terminal) -> Iterator[LiveLines]:
    """Only while the test's body runs, because pytest exchanges the streams between fixtures and test."""
    with redirect_stdout(terminal), redirect_stderr(terminal), LiveLines() as lines:
        yield lines


def test_the_line_tells_rates_lag_watermark_delay_and_the_last_checkpoint() -> None:
    latest = replace(
        LATER, lag=1_234_567, watermark_delay_ms=350, last_checkpoint_id=7, last_checkpoint_age_ms=65_000, restarts=2
    )
    assert describe(FIRST, latest) == (
        "flights RUNNING · in 25k/s · out 1500/s · lag 1.23M · watermark 350 ms behind · checkpoint 7 65 s ago"
        " · 2 restarts"
    )


def test_figures_that_nobody_knows_are_left_out() -> None:
    assert describe(FIRST, LATER) == "flights RUNNING · in 25k/s · out 1500/s"


def test_a_job_shorter_than_two_reports_leaves_no_trace(terminal: Terminal) -> None:
    with live_lines(terminal) as lines:
        lines.on_report(replace(FIRST, state="FINISHED"))
    assert terminal.getvalue() == ""


def test_the_line_is_replaced_by_its_successor(terminal: Terminal) -> None:
    with live_lines(terminal) as lines:
        for report in (FIRST, LATER, replace(LATER, time_ms=13_000)):
            lines.on_report(report)
        assert terminal.shown() == ["flights RUNNING · in 0/s · out 0/s"]


def test_what_the_job_prints_stands_above_the_line(terminal: Terminal) -> None:
    with live_lines(terminal) as lines:
        lines.on_report(FIRST)
        lines.on_report(LATER)
        print("a result")
        lines.on_report(replace(LATER, time_ms=14_000))
        assert terminal.shown() == ["a result", "flights RUNNING · in 0/s · out 0/s"]


def test_the_line_stays_away_from_a_prompt(terminal: Terminal) -> None:
    with live_lines(terminal) as lines:
        lines.on_report(FIRST)
        lines.on_report(LATER)
        print("(Pdb) ", end="")
        lines.on_report(replace(LATER, time_ms=14_000))
        assert terminal.shown() == ["(Pdb) "]


def test_two_jobs_have_two_lines_and_a_finished_one_keeps_its_last(terminal: Terminal) -> None:
    other, other_later = replace(FIRST, job_id="k", job_name="alerts"), replace(LATER, job_id="k", job_name="alerts")
    with live_lines(terminal) as lines:
        for report in (FIRST, other, LATER, other_later):
            lines.on_report(report)
        assert [line.split()[0] for line in terminal.shown()] == ["flights", "alerts"]
        lines.on_report(replace(LATER, state="FINISHED", time_ms=14_000))
        assert [line.split()[:2] for line in terminal.shown()] == [["flights", "FINISHED"], ["alerts", "RUNNING"]]
    assert [line.split()[:2] for line in terminal.shown()] == [["flights", "FINISHED"], []]


def test_a_line_never_wraps(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    with live_lines(terminal) as lines:
        lines.on_report(FIRST)
        lines.on_report(LATER)
        assert [len(line) for line in terminal.shown()] == [19]


def test_the_streams_are_given_back(terminal: Terminal) -> None:
    with redirect_stdout(terminal), redirect_stderr(terminal):
        with LiveLines():
            assert sys.stdout is not terminal
            assert sys.stdout.isatty()
        assert (sys.stdout, sys.stderr) == (terminal, terminal)
