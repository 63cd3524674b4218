"""Running many scripts: one that hangs or takes its process down is lost alone, and verdicts are kept as they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity import live, results
from tests.parity.__main__ import has_verdict
from tests.parity.catalog import Program
from tests.parity.runner import Outcome

SCRIPTS = {
    "a_first": "print('one')",
    "b_hangs": "import time; print('begun', flush=True); time.sleep(600)",
    "c_between": "print('two')",
    "d_dies": "import os; os._exit(1)",
    "e_last": "print('three')",
}


def test_what_hangs_or_dies_is_lost_and_all_others_are_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_SECONDS_FOR_EACH", 10)
    chosen = []
    for name, text in SCRIPTS.items():
        script = tmp_path / f"{name}.py"
        script.write_text(text)
        chosen.append(Program(script, "", (), ordered=True, needs_kafka=False))
    assert dict(live.run_on_wiesel(chosen)) == {
        "a_first": Outcome(["one"]),
        "b_hangs": None,
        "c_between": Outcome(["two"]),
        "d_dies": None,
        "e_last": Outcome(["three"]),
    }


@pytest.mark.parametrize(("verdict", "counts"), [("equal", True), ("different", True), ("LOST", False)])
def test_a_run_is_resumed_behind_what_is_explained(
    verdict: str, counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(results, "versions", lambda: {"pyflink": "2.3.0"})
    script = tmp_path / "program.py"
    script.write_text("print(1)")
    assert not has_verdict("program", script)
    results.keep("program", verdict, script)
    assert has_verdict("program", script) is counts
    script.write_text("print(2)")
    assert not has_verdict("program", script)
