"""The benchmark's gates refuse wrong output, and its ratios mean what they say."""

import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from bench import gates
from bench.goals import user_events
from bench.pairs import compare, interleave, side
from bench.process import BenchmarkError, Run, run


def finished(cpu: float, stdout: str = "") -> Run:
    return Run(cpu_seconds=cpu, wall_seconds=cpu, peak_rss_mb=1.0, stdout=stdout)


def test_the_keyed_gate_expects_every_nth_count_of_each_key() -> None:
    assert gates.keyed_state_lines(count=7, keys=2, every=3) == ["(0, 3)", "(1, 3)"]


def test_the_map_gate_expects_what_the_filter_lets_through() -> None:
    assert gates.mapped_lines(count=5, every=5) == ["10"]


def test_lines_may_come_in_any_order_and_name_their_subtask() -> None:
    done = finished(1.0, "2> b\n1> a\n")
    assert gates.check_lines(done, ["a", "b"], "it") is done


@pytest.mark.parametrize("printed", ["a\n", "a\nb\nb\n", "a\nc\n", ""])
def test_a_wrong_run_has_no_number(printed: str) -> None:
    with pytest.raises(BenchmarkError, match="it is wrong"):
        gates.check_lines(finished(1.0, printed), ["a", "b"], "it")


def test_the_kafka_gate_expects_each_users_counts_from_one_on(tmp_path: Path) -> None:
    events = tmp_path / "events.json"
    events.write_text('{"user": "a", "amount": 1}\n{"user": "b", "amount": 2}\n{"user": "a", "amount": 3}\n')
    assert gates.running_counts(events) == Counter([("a", 1), ("a", 2), ("b", 1)])


def test_events_are_the_same_at_each_call_and_about_a_hundred_bytes() -> None:
    events = user_events(50, users=10)
    assert events == user_events(50, users=10)
    assert all(80 < len(event) < 110 for event in events)


def test_pairs_take_turns_at_going_first() -> None:
    order: list[str] = []

    def start(name: str) -> Run:
        order.append(name)
        return finished(1.0)

    interleave(lambda: start("A"), lambda: start("B"), pairs=3)
    assert "".join(order) == "ABBAAB"


def test_a_ratio_is_the_share_of_the_baselines_speed_without_start_up() -> None:
    job = side([finished(2.5), finished(4.5)], [finished(0.5)], records=1_000_000)
    base = side([finished(1.1), finished(1.1)], [finished(0.1)], records=1_000_000)
    assert job.cpu_seconds_per_million == [2.0, 4.0]
    assert compare(job, base).ratios == pytest.approx([0.5, 0.25])


def test_the_cpu_time_of_children_counts() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}], check=True)"
    assert run([sys.executable, "-c", parent], cores=all_cores()).cpu_seconds >= 0.3


def test_a_failed_run_shows_the_end_of_its_errors() -> None:
    with pytest.raises(BenchmarkError, match=re.escape("exit code 3")) as caught:
        run([sys.executable, "-c", "import sys; print('why', file=sys.stderr); sys.exit(3)"], cores=all_cores())
    assert "why" in str(caught.value)


def all_cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
