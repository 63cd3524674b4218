"""The suite's cells, tables and charts."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import figures, works
from bench.cells import CELLS
from bench.charts import bars, lines
from bench.contestants import IN_C
from bench.process import BENCH, BenchmarkError, run_tree
from bench.suite import choose, file_of

FOUND = {
    "goal": "G7",
    "work": "word count",
    "against": "Bytewax",
    "version": "0.21",
    "bar": 2,
    "job": {"cpu_seconds_per_million": [5.0, 4.0, 6.0], "records_per_second": [100_000.0, 200_000.0, 150_000.0]},
    "other": {"cpu_seconds_per_million": [20.0, 10.0, 12.0], "records_per_second": [40_000.0, 40_000.0, 40_000.0]},
    "ratios": [4.0, 2.5, 2.0],
    "median_ratio": 2.5,
}


def test_what_the_page_and_the_readme_say_is_what_was_measured() -> None:
    for path, text in figures.contents().items():
        assert path.read_text() == text, f"{path.name} is old: python -m bench.figures"


def test_each_cell_has_a_name_and_a_file_of_its_own() -> None:
    assert len({cell.id for cell in CELLS}) == len({file_of(cell) for cell in CELLS}) == len(CELLS)


def test_every_cells_scripts_are_there() -> None:
    for cell in CELLS:
        script = (cell.against_work or cell.work).script
        assert (BENCH / "jobs" / f"{cell.work.script}.py").exists()
        if cell.against is IN_C:
            assert (BENCH / "baselines" / f"{script}.c").exists()
            continue
        command = cell.against.command(script, []) if not cell.against.is_tree else []
        assert all(Path(part).exists() for part in command if part.endswith(".py") and str(BENCH) in part)


def test_cells_are_chosen_by_goal_or_by_name() -> None:
    assert {cell.goal for cell in choose(CELLS, "g7", again=False)} == {"G7"}
    assert [cell.id for cell in choose(CELLS, "G7/Bytewax", again=False)] == ["g7/bytewax"]


def test_a_line_has_medians_the_range_and_the_verdict() -> None:
    assert figures.line(FOUND) == (
        "| G7 | word count | Bytewax 0.21 | 150,000 | 200,000 | 40,000 | 83,300 | **2.50** (2.00 to 4.00) | 2 reached |"
    )
    assert "**missed**" in figures.line({**FOUND, "bar": 3})


def test_what_is_between_the_marks_is_replaced_and_nothing_else() -> None:
    text = f"a\n{figures.BEGIN}\nold\n{figures.END}\nb\n"
    assert figures.between(text, "new\n") == f"a\n{figures.BEGIN}\nnew\n{figures.END}\nb\n"
    with pytest.raises(ValueError, match="marks"):
        figures.between("nothing", "new")


def test_charts_are_well_formed_and_the_longest_bar_is_the_fastest() -> None:
    picture = ElementTree.fromstring(bars("a < b", "unit", [("Wiesel", 10.0), ("other", 5.0)]))
    widths = [float(bar.attrib["width"]) for bar in picture.iter() if bar.tag.endswith("rect")]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
    ElementTree.fromstring(lines("t", "u", "keys", {"a": [(10, 1.0), (1000, 2.0)], "b": [(10, 1.0)]}))


def test_an_interval_join_expected_by_hand(tmp_path: Path) -> None:
    events = tmp_path / "events.json"
    times = [(1_000, "a", "view"), (1_000, "a", "click"), (11_000, "a", "click"), (11_001, "a", "click")]
    others = [(2_000, "b", "view"), (1_500, "b", "click"), (3_000, "b", "purchase"), (500, "a", "click")]
    rows = [{"event_time": time, "ad": ad, "type": kind} for time, ad, kind in times + others]
    events.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert works.clicks_on_views(events) == Counter([("a", 1_000, 1_000), ("a", 1_000, 11_000)])


def test_sliding_windows_expected_by_hand(tmp_path: Path) -> None:
    events = tmp_path / "events.json"
    event = {"event_time": 2_500, "ad": "ad-17", "type": "view"}
    events.write_text(f"{json.dumps(event)}\n{json.dumps({**event, 'type': 'click'})}\n")
    assert works.windows(2_000, 1_000)(events) == Counter([(1, 1_000, 1), (1, 2_000, 1)])
    assert works.windows(10_000, 10_000)(events) == Counter([(1, 0, 1)])


def test_the_keys_of_the_even_gate_are_those_of_the_script() -> None:
    assert works.even_counts(7)(3_000) == works.by_the_loop("keyed_value", "--keys", "7")(3_000)


def test_a_program_that_never_ends_is_stopped_when_its_output_is_complete_and_its_time_is_known(tmp_path: Path) -> None:
    output = tmp_path / "output"
    work = f"import pathlib, time\nwhile time.process_time() < 0.2: pass\npathlib.Path({str(output)!r}).touch()"
    program = f"{work}\ntime.sleep(60)"
    assert run_tree([sys.executable, "-c", program], set(), until=output.exists).cpu_seconds >= 0.2


def test_a_program_that_should_not_end_but_does_has_no_number() -> None:
    with pytest.raises(BenchmarkError, match="ended by itself"):
        run_tree([sys.executable, "-c", "pass"], set(), until=lambda: False)


def test_processes_that_are_left_behind_are_waited_for_and_counted() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass"
    leaver = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}])"
    assert run_tree([sys.executable, "-c", leaver], set()).cpu_seconds >= 0.4
