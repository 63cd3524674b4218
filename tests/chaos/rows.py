"""The rows of the fault matrix that are told with real processes and a real broker, and what is done for each."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tests.chaos import disk_kills, machine_kills, savepoint_kills, scenarios, stories
from tests.chaos.history import History
from tests.chaos.kills import FAILPOINTS, KILLS, Kill
from tests.chaos.scenarios import Scenario
from tests.chaos.verdict import Fault


def _with_all_rules(scenario: Scenario) -> Kill:
    def tell(history: History, rng: random.Random) -> list[Fault]:
        return scenario(history, "")

    return tell


@dataclass(frozen=True)
class Deed:
    """One way to harm a job.

    Args:
        row: of the fault matrix (docs/testing.md).
        act: does it and returns what is wrong already.
        small_disk: it needs a job directory on a disk of its own.
        story: it has a history to itself and asks the oracles by itself; else it is one start of many.
        only: the state backend that it is for, if it is for one.
        program: what has to be installed for it.
    """

    row: str
    act: Kill
    small_disk: bool = False
    story: bool = False
    only: str | None = None
    program: str = ""


#: By name. A killed lone broker has to be asked for: what that means is told in docs/testing.md.
DEEDS: Final[Mapping[str, Deed]] = {
    **{name: Deed("F1", KILLS[name]) for name in FAILPOINTS},
    "random": Deed("F2", KILLS["random"]),
    "worker": Deed("F2", KILLS["worker"]),
    "pause": Deed("F3", KILLS["pause"]),
    "zombie": Deed("F3", _with_all_rules(scenarios.zombie_of_a_moved_job), story=True),
    "master": Deed("F4", KILLS["master"]),
    "memory": Deed("F5", machine_kills.memory_limit),
    "crash-loop": Deed("F6", stories.crash_loop, story=True),
    "SIGTERM": Deed("F7", KILLS["SIGTERM"]),
    "disk-full": Deed("F8", disk_kills.disk_full, small_disk=True),
    "fsync": Deed("F9", disk_kills.fsync_fails, program="strace"),
    "rename": Deed("F10", disk_kills.rename_fails, program="strace"),
    "write": Deed("F10", disk_kills.dies_writing, program="strace"),
    "damage": Deed("F11", disk_kills.damaged),
    "newest-lost": Deed("F11", _with_all_rules(scenarios.newest_checkpoint_lost_between_two_rescalings), story=True),
    "damage-sst": Deed("F12", disk_kills.damaged_table, only="rocksdb"),
    "stale": Deed("F13", disk_kills.stale_database, only="rocksdb"),
    "disk-gone": Deed("F14", disk_kills.disk_gone, small_disk=True),
    "slow-disk": Deed("F15", disk_kills.slow_disk, program="strace"),
    "broker": Deed("F17", KILLS["broker"]),
    "clock": Deed("F26", machine_kills.lying_clock, program="cc"),
    "rescale": Deed("F41", KILLS["rescale"]),
    "rewind": Deed("F42", stories.rewound, story=True),
    "backup": Deed("F42", _with_all_rules(scenarios.job_directory_restored_from_a_backup), story=True),
    "bounded": Deed("F43", stories.bounded, story=True),
    "stop-with-savepoint": Deed("F43", savepoint_kills.stopped_with_savepoint),
    "savepoint": Deed("F44", savepoint_kills.killed_in_savepoint),
    "moved": Deed("F44", _with_all_rules(scenarios.moved_with_output_still_to_deliver), story=True),
}


def row_of(name: str) -> str:
    """Return the row of a deed, which may be named with its state backend: ``random rocksdb``."""
    return DEEDS[name.partition(" ")[0]].row


def in_order(row: str) -> int:
    """Return what rows are sorted by."""
    return int(row[1:])


def chosen(words: list[str]) -> list[str]:
    """Return the deeds that rows and names stand for; ``all`` is every one but the broker's."""
    found: list[str] = []
    for word in words:
        deeds = [name for name, deed in DEEDS.items() if word in (name, deed.row)]
        if word == "all":
            deeds = [name for name in DEEDS if name != "broker"]
        if not deeds:
            rows = ", ".join(dict.fromkeys(deed.row for deed in DEEDS.values()))
            raise SystemExit(f"No row or deed is called {word!r}. Rows: {rows}. Deeds: {', '.join(DEEDS)}.")
        found += deeds
    return found


def not_here(names: list[str], *, mounts: bool) -> dict[str, str]:
    """Return the deeds that this machine does not allow, each with the reason."""
    found = {}
    for name in names:
        deed = DEEDS[name]
        if deed.small_disk and not mounts:
            found[name] = "no disk can be mounted here: no mount namespaces"
        elif deed.program and shutil.which(deed.program) is None:
            found[name] = f"{deed.program} is not installed"
    return found


@dataclass(frozen=True)
class Plan:
    """One history: its deeds, one after another, on one state backend."""

    deeds: tuple[str, ...]
    backend: str
    small_disk: bool


def plans(
    deeds: list[str], backends: list[str], cycles: int, per_history: int, *, with_random: bool = False
) -> Iterator[Plan]:
    """Yield histories until so many deeds are planned; the deeds come in turn.

    Args:
        deeds: their names.
        backends: of the state, in turn.
        cycles: how many deeds.
        per_history: how many at most share a history.
        with_random: let every second one be a kill at random.
    """
    lone = [name for name in deeds if DEEDS[name].story]
    starts = [name for name in deeds if not DEEDS[name].story]
    mixed = _mixed(starts, with_random=with_random)
    left, number = cycles, 0
    while left > 0:
        backend = backends[number % len(backends)]
        if starts:
            size = min(left, per_history)
            names = tuple(next(mixed) for _ in range(size))
            fitting = tuple(name if DEEDS[name].only in (None, backend) else "random" for name in names)
            yield Plan(fitting, backend, any(DEEDS[name].small_disk for name in fitting))
            left -= size
        if lone and left > 0:
            yield Plan((lone[number % len(lone)],), backend, False)
            left -= 1
        number += 1


def _mixed(names: list[str], *, with_random: bool) -> Iterator[str]:
    while True:
        for name in names:
            if with_random:
                yield "random"
            yield name
