"""The policy for the cyclic garbage collector: state is frozen at checkpoints, and garbage is still found."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from wiesel.cluster.garbage import StateFreezer


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_there_at_a_checkpoint_is_not_looked_at_by_later_collections() -> None:
    freezer = StateFreezer(True, lambda: 100)
    freezer.at_checkpoint()
    frozen = gc.get_freeze_count()
    assert frozen > 1000
    state: list[list[int]] = [[] for _ in range(1000)]
    freezer.at_checkpoint()
    assert gc.get_freeze_count() >= frozen + len(state)


def test_garbage_that_was_frozen_is_found_once_the_process_has_grown_by_half() -> None:
    gc.set_threshold(0)  # no collection but those asked for
    used = 100
    freezer = StateFreezer(True, lambda: used)
    freezer.at_checkpoint()
    garbage = weakref.ref(Cycle())
    freezer.at_checkpoint()
    gc.collect()
    assert garbage() is not None, "frozen"
    used = 149
    freezer.at_checkpoint()
    assert garbage() is not None
    used = 151
    freezer.at_checkpoint()
    assert garbage() is None


def test_at_the_end_everything_is_the_collectors_again() -> None:
    freezer = StateFreezer(True, lambda: 100)
    freezer.at_checkpoint()
    freezer.close()
    assert gc.get_freeze_count() == 0


def test_the_program_is_frozen_and_young_objects_are_looked_at_less_often_until_the_end() -> None:
    before = gc.get_threshold()
    freezer = StateFreezer(True)
    freezer.at_start(again=False)
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] > before[0]
    freezer.close()
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before


def test_what_an_attempt_that_failed_has_left_behind_is_not_frozen() -> None:
    freezer = StateFreezer(True)
    freezer.at_start(again=False)
    garbage = weakref.ref(Cycle())
    freezer.close()
    freezer.at_start(again=True)
    assert garbage() is None
    freezer.close()


def test_young_objects_that_are_never_looked_at_stay_so() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        StateFreezer(True).at_start(again=False)
        assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)


@pytest.mark.parametrize("automatic", [True, False])
def test_who_does_not_want_it_or_has_switched_the_collector_off_is_left_alone(automatic: bool) -> None:
    if not automatic:
        gc.disable()
    freezer = StateFreezer(enabled=not automatic, memory=lambda: 100)
    before = gc.get_threshold()
    freezer.at_start(again=False)
    freezer.at_checkpoint()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
