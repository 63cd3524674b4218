"""The tables of docs/ about the real Flink are what was found last, and say why of every difference."""

from __future__ import annotations

import json

import pytest

from tests.flink import page, programs
from tests.parity.catalog import programs as parity_programs


def test_the_table_of_scaling_md_shows_what_was_found_last():
    kept = json.loads(page.RESULTS.read_text(encoding="utf-8"))
    assert page.render(kept) in page.PAGE.read_text(encoding="utf-8")


def test_everything_that_was_found_is_equal():
    kept = json.loads(page.RESULTS.read_text(encoding="utf-8"))
    assert [row["program"] for part in kept.values() for row in part["rows"] if not row["is_equal"]] == []


def test_the_table_of_the_cluster_shows_what_was_found_last():
    assert programs.PAGE.read_text(encoding="utf-8") == programs.page(programs.read())


def test_only_what_differs_on_a_cluster_is_explained():
    found, names = programs.read(), {program.name for program in parity_programs()}
    assert set(programs.explanations()) <= names
    same = [name for name in programs.explanations() if name in found and found[name]["mini"] and found[name]["wiesel"]]
    assert same == []


@pytest.mark.parametrize("name", sorted(programs.read()))
def test_a_difference_on_a_cluster_has_a_reason(name):
    assert programs.is_explained(name, programs.read(), programs.explanations())
