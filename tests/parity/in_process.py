"""Runs a program on Wiesel in the test's own process, and compares what it did with what PyFlink was recorded to do."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import wiesel
from tests.parity.catalog import Expectation, Program, differences, recording
from tests.parity.runner import Outcome, run_script
from wiesel.compat import alias
from wiesel.core import launch


def outcome_of(program: Program, folder: Path) -> Outcome:
    """Run the program in this folder."""
    output = io.StringIO()
    with _pyflink_is_wiesel(), contextlib.redirect_stdout(output), warnings.catch_warnings(), _processors():
        # A script is not to fail of a warning, as our own tests do.
        warnings.simplefilter("ignore")
        failure = run_script(program.script, folder)
    return Outcome(output.getvalue().splitlines(), failure)


@contextlib.contextmanager
def _pyflink_is_wiesel() -> Iterator[None]:
    was_active = alias.is_active()
    wiesel.activate()
    before = launch.set_current(launch.LaunchOptions())
    try:
        yield
    finally:
        launch.set_current(before)
        if not was_active:
            alias.deactivate()


@contextlib.contextmanager
def _processors() -> Iterator[None]:
    """A script that counts processors counts those that this process may use, as where it was recorded."""
    with pytest.MonkeyPatch.context() as patch:
        if hasattr(os, "sched_getaffinity"):
            patch.setattr(os, "cpu_count", lambda: len(os.sched_getaffinity(0)))
        yield


def assert_as_recorded(program: Program, outcome: Outcome) -> None:
    """Fail unless the outcome is PyFlink's, or the one that ``differences.toml`` states, and then not PyFlink's."""
    recorded, difference = recording(program.name), differences().get(program.name)
    expected = difference.wiesel if difference else recorded
    if not expected.is_met_by(outcome, ordered=program.ordered):
        actual = Expectation.of(outcome, ordered=program.ordered)
        pytest.fail(f"expected\n{expected.text()}\nbut it did\n{actual.text()}", pytrace=False)
    if difference:
        same = recorded.is_met_by(outcome, ordered=program.ordered)
        assert not same, f"{program.name} is no difference any more: take it out of differences.toml"
