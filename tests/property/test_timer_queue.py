"""The heap's timer queue against a plain set, while snapshots are written and given up."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel.state.heap import timers
from wiesel.state.heap.timers import TimerQueue

times, keys = st.integers(0, 3), st.integers(0, 5)
actions = st.one_of(
    st.tuples(st.just("register"), times, keys),
    st.tuples(st.just("delete"), times, keys),
    st.tuples(st.just("pop"), times, st.integers(1, 3)),
    st.tuples(st.just("begin"), times, keys),
    st.tuples(st.just("write"), times, st.integers(1, 4)),
)


@pytest.mark.parametrize("few", [1, 8192])  # how many timers of one time are in one dictionary
@settings(max_examples=300, deadline=None)
@given(steps=st.lists(actions, max_size=80))
def test_timers_come_in_order_and_a_snapshot_holds_those_of_its_barrier(
    few: int, steps: list[tuple[str, int, int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timers, "_FEW", few)
        check(steps)


def check(steps: list[tuple[str, int, int]]) -> None:
    queue, model = TimerQueue(), set[tuple[int, int]]()
    snapshot: Iterator[tuple[int, Any, Any]] = iter(())
    barrier: set[tuple[int, int]] = set()
    written: list[tuple[int, Any]] = []
    for action, time, number in steps:
        if action == "register":
            queue.register(time, number, None)
            model.add((time, number))
        elif action == "delete":
            queue.delete(time, number, None)
            model.discard((time, number))
        elif action == "pop":
            check_pop(queue, model, time, number)
        elif action == "begin":  # gives up one that is under way
            snapshot, barrier, written = queue.snapshot(), set(model), []
        else:
            written += [(t, key) for t, key, _ in islice(snapshot, number)]
        assert len(queue) == len(model)
        assert queue.next_time() == min((t for t, _ in model), default=None)
    written += [(t, key) for t, key, _ in snapshot]
    assert sorted(written) == sorted(barrier)


def check_pop(queue: TimerQueue, model: set[tuple[int, int]], until: int, limit: int) -> None:
    first = min((t for t, _ in model), default=until + 1)
    there = {timer for timer in model if timer[0] == first} if first <= until else set()
    popped = {(t, key) for t, key, _ in queue.pop_due(until, limit)}
    assert popped <= there
    assert bool(there) <= len(popped) <= min(limit, len(there))
    model -= popped
