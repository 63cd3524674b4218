"""The rows that `make chaos` tells, and how a campaign is planned of them."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from tests.chaos.rows import DEEDS, chosen, not_here, plans
from tests.chaos.tally import Tally
from tests.chaos.verdict import Fault, Kind

MATRIX = [f"F{number}" for number in (*range(1, 16), 26, *range(41, 46))]
PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
#: Proven by unit tests, which the page names: no process has to die for it.
WITHOUT_PROCESSES = {"F45"}


def test_every_row_has_something_that_is_done_for_it() -> None:
    assert {deed.row for deed in DEEDS.values()} >= set(MATRIX) - WITHOUT_PROCESSES


def test_the_page_has_a_line_for_every_row() -> None:
    lines = re.findall(r"^\| (F\d+) \|", PAGE.read_text(), re.MULTILINE)
    assert lines == sorted({*MATRIX, *(deed.row for deed in DEEDS.values())}, key=lambda row: int(row[1:]))


def test_rows_and_names_are_chosen_alike_and_a_wrong_one_is_refused() -> None:
    assert chosen(["F2", "P4"]) == ["random", "worker", "P4"]
    with pytest.raises(SystemExit, match="No row or deed is called 'F99'"):
        chosen(["F99"])


def test_a_campaign_meets_every_deed_on_both_backends_and_every_second_one_is_a_kill_at_random() -> None:
    planned = list(plans(chosen(["all"]), ["hashmap", "rocksdb"], 600, per_history=20, with_random=True))
    done = [(name, plan.backend) for plan in planned for name in plan.deeds]
    assert len(done) == 600
    everywhere = {name for name, deed in DEEDS.items() if deed.only is None} - {"broker"}
    assert set(itertools.product(everywhere, ["hashmap", "rocksdb"])) <= set(done)
    assert 250 <= sum(name == "random" for name, _ in done) <= 350


def test_what_a_machine_does_not_allow_is_left_out_with_the_reason() -> None:
    assert not_here(["P4", "disk-full"], mounts=False) == {
        "disk-full": "no disk can be mounted here: no mount namespaces"
    }
    assert not_here(["P4", "disk-full"], mounts=True) == {}


def test_the_tally_adds_up_by_rows_of_the_matrix() -> None:
    tally = Tally()
    tally.count("random", [])
    tally.count("worker rocksdb", [Fault(Kind.LOSS, "")])
    tally.count("P4", [])
    rows = tally.by_row()
    assert list(rows) == ["F1", "F2"]
    assert rows["F2"] == {"ok": 1, "loss": 1, "dup": 0, "corrupt": 0, "stuck": 0}
