"""The simulator's short form: some seeds, exact replays, and oracles that can fail. The long one is `make simulate`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import wiesel
from tests.chaos.verdict import Kind, judge
from tests.simulation.campaign import RULES
from tests.simulation.oracle import forgive

SEEDS = 100


def simulate(*arguments: str, ablate: str = "") -> subprocess.CompletedProcess[str]:
    """Run the simulator in a process of its own, in which sets are walked in the same order every time."""
    environment = {**os.environ, "WIESEL_ABLATE": ablate, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_no_seed_finds_harm() -> None:
    done = simulate("--first", "1", "--seeds", str(SEEDS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{SEEDS} seeds, 0 failed" in done.stdout


def test_a_seed_replays_exactly() -> None:
    one, other = simulate("--seed", "3"), simulate("--seed", "3")
    assert "seed 3: 0 faults" in one.stdout, one.stdout + one.stderr
    assert one.stdout == other.stdout
    assert one.stdout != simulate("--seed", "4").stdout


def harm_without(rule: str, seeds: int, kind: str) -> str:
    done = simulate("--until-harm", "--first", "1", "--seeds", str(seeds), ablate=rule)
    found = json.loads(done.stdout)
    return str(found.get(kind, {}).get("fault"))


def test_without_a_rule_the_seeds_find_harm() -> None:
    """One rule for the oracles' sake; all of them are tried in the exhaustive form."""
    assert harm_without("rule5", SEEDS, "silent").startswith(("LOSS", "DUPLICATE", "CORRUPT"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_switched_off_is_caught_within_a_thousand_seeds(rule: str) -> None:
    assert harm_without(rule, 1000, "caught") != "None"


# ------------------------------------------------------------------------------------------------------ the oracle

PLACE = ("at-once", 0)


def seen(*texts: str) -> dict[tuple[str, int], list[tuple[int, str]]]:
    return {PLACE: list(enumerate(texts))}


def test_what_a_rewind_repeats_word_for_word_is_forgiven_once() -> None:
    output = seen("k,1,1,5", "k,2,2,9", "k,3,3,9", "k,2,2,9", "k,3,3,9", "k,4,4,9")
    assert forgive(output, rewinds=1) == {PLACE: [(0, "k,1,1,5"), (1, "k,2,2,9"), (2, "k,3,3,9"), (5, "k,4,4,9")]}
    assert len(forgive(output, rewinds=0)[PLACE]) == 6


def test_a_rewind_excuses_nothing_that_reads_otherwise_and_no_gap() -> None:
    assert len(forgive(seen("k,1,1,5", "k,2,2,9", "k,1,1,6"), rewinds=1)[PLACE]) == 3
    gap = forgive(seen("k,1,1,5", "k,3,3,9"), rewinds=1)
    assert [fault.kind for fault in judge(gap, ["at-once"], {"k": 3}, complete=False)].count(Kind.LOSS) == 1


def test_more_repetitions_than_rewinds_are_duplicates() -> None:
    output = forgive(seen("k,1,1,5", "k,1,1,5", "k,1,1,5"), rewinds=1)
    assert any(fault.kind is Kind.DUPLICATE for fault in judge(output, ["at-once"], {"k": 1}, complete=True))


# ------------------------------------------------------------------------------------------------------ the one door

SOURCES = Path(wiesel.__file__).parent
#: What asks the machine for something while a simulated job runs.
BEHIND_THE_DOOR = [
    *(SOURCES / "runtime" / "checkpoint").glob("*.py"),
    *(SOURCES / "runtime" / "job_master").glob("*.py"),
    *(
        SOURCES / "cluster" / f"{name}.py"
        for name in (
            "background",
            "checkpoint_files",
            "commit_service",
            "driver",
            "inline",
            "savepoints",
            "sources",
            "start",
        )
    ),
    *(
        SOURCES / "connectors" / "kafka" / f"{name}.py"
        for name in (
            "admin",
            "client",
            "delivery",
            "owned_consumer",
            "progress_log",
            "sink_committer",
            "sink_spec",
            "transactions",
        )
    ),
]
PAST_IT = re.compile(
    r"\b(OsDisk\(|ThreadPoolExecutor|SimpleQueue\(|threading\.(Thread|Event|Condition|Timer)|random\.random\("
    r"|time\.(sleep|monotonic|time)\(|uuid4\(|fcntl\.)"
)


def test_what_is_simulated_asks_the_machine_at_one_door() -> None:
    """Else a seed would wait for a real clock or thread, and not replay."""
    passed = [
        f"{path.name}:{number}: {line.strip()}"
        for path in BEHIND_THE_DOOR
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if PAST_IT.search(line)
    ]
    assert passed == [], "ask wiesel.core.host instead"
