"""The scripts that ship with PyFlink do, unmodified under ``wiesel run``, what they were recorded to do there.

They are not kept here: where ``make parity`` has made the environment of PyFlink they are taken from it, elsewhere
these tests are skipped. Those that want a Kafka at its usual port are left to ``make parity``.
"""

from __future__ import annotations

import pytest

from tests.parity.catalog import RECORDINGS, Expectation
from tests.parity.examples import Example, examples, run_on_wiesel, shipped
from tests.parity.reference import find_reference

RECORDED = [example for example in examples() if not (example.not_run or example.topics)]


@pytest.mark.skipif(find_reference() is None, reason="PyFlink's environment is not here: make parity makes it")
@pytest.mark.parametrize("example", RECORDED, ids=lambda example: example.name)
def test_example_does_what_it_did_on_pyflink(example: Example) -> None:
    outcome = run_on_wiesel(example, shipped()[example.name])
    expected = Expectation.parse(example.recording.read_text())
    assert example.agree(expected, outcome), example.expectation(outcome).text()


def test_every_example_without_kafka_is_recorded() -> None:
    assert {example.recording for example in RECORDED} == set((RECORDINGS / "examples").rglob("*.txt"))
