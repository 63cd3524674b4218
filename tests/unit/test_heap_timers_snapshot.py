"""How many slices the timers of a snapshot take."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

from wiesel.state.heap.backend import HeapKeyedStateBackend
from wiesel.state.heap.timers import TimerQueue


def test_timers_at_thousands_of_different_times_take_a_few_slices_and_come_back() -> None:
    backend = HeapKeyedStateBackend(lambda key: 0)
    for hour in range(6000):
        for airport in ("EWR", "JFK", "LGA"):
            backend.set_current_key(airport)
            backend.timers().register_event_time((hour, hour + 1), hour)
    backend.timers().register_processing_time(None, 7)

    pieces = list(backend.snapshot().slices())
    assert len(pieces) < 20

    restored = HeapKeyedStateBackend(lambda key: 0)
    restored.restore(pieces, None)
    due: list[tuple[int, Any, Any]] = []
    while popped := restored.pop_event_timers(10_000, 512):
        due += popped
    assert len(due) == 18_000
    assert due[:3] == [(0, "EWR", (0, 1)), (0, "JFK", (0, 1)), (0, "LGA", (0, 1))]
    assert restored.pop_processing_timers(10, 1) == [(7, "LGA", None)]


def test_no_slice_copies_all_timers_of_one_time_however_many_there_are() -> None:
    count = 200_000
    queue = TimerQueue()
    for key in range(count):
        queue.register(10, key, None)
    snapshot = queue.snapshot()
    steps: list[Callable[[], object]] = [
        lambda: next(snapshot),
        lambda: queue.register(10, -1, None),
        lambda: queue.delete(10, 7, None),
        lambda: queue.pop_due(10, 512),
    ]
    for step in steps:
        assert allocated_by(step) < count  # a list of all of them has eight bytes for each
    assert 1 + sum(1 for _ in snapshot) == count
    left = 0
    while popped := queue.pop_due(10, 512):
        left += len(popped)
    assert count - 513 <= left <= count


def allocated_by(step: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
