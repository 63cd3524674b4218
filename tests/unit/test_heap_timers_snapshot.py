"""How many slices the timers of a snapshot take."""

from __future__ import annotations

from typing import Any

from wiesel.state.heap.backend import HeapKeyedStateBackend


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
