"""Heap snapshots: whatever is done between their slices, what is restored is what was true at the barrier."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel.common import Types
from wiesel.core.key_groups import key_group_function, key_group_range
from wiesel.core.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)
from wiesel.state.heap import backend, table
from wiesel.state.heap.backend import HeapKeyedStateBackend

MAX_PARALLELISM = 128
#: Keys that Python would mix up, cannot hash, or keep in one shard.
KEYS: list[Any] = [1, True, 1.0, "1", (1, "a"), [1], None, 0.0, -0.0, b"x", "other", 1025, 2049]
NAMESPACES: list[Any] = [(0, 10), (10, 20), None]
STATES = ["number", "box", "list", "map", "sum", "window"]


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few entries a slice, so that much happens between slices."""
    monkeypatch.setattr(table, "SLICE_ENTRIES", 3)
    monkeypatch.setattr(backend, "_TIMERS_PER_PIECE", 3)


class Store:
    """A backend with one state of each kind."""

    def __init__(self) -> None:
        group_of = key_group_function(Types.PICKLED_BYTE_ARRAY(), MAX_PARALLELISM)
        self.backend = HeapKeyedStateBackend(group_of)
        state = self.backend.state
        self.number = state(ValueStateDescriptor("number", Types.LONG()))
        self.box = state(ValueStateDescriptor("box", Types.PICKLED_BYTE_ARRAY()))
        self.list = state(ListStateDescriptor("list", Types.LONG()))
        self.map = state(MapStateDescriptor("map", Types.LONG(), Types.PICKLED_BYTE_ARRAY()))
        self.sum = state(ReducingStateDescriptor("sum", lambda a, b: a + b, Types.LONG()))
        self.window = self.backend.internal_state("_window-contents")
        self.timers = self.backend.timers()

    def change(self, name: str, namespace: Any, value: int) -> None:
        """Set, or change in place."""
        match name:
            case "number":
                self.number.update(value)
            case "box":
                box = self.box.value()
                if box is None:
                    box = []
                box.append([value])
                box[0][0] += 1
                self.box.update(box)
            case "list":
                self.list.add(value)
            case "map":
                entry = self.map.get(value % 3)
                if entry is None:
                    self.map.put(value % 3, [value])
                else:
                    entry.append(value)  # in place, without a put
            case "sum":
                self.sum.add(value)
            case "window":
                contents = self.window.get(namespace)
                if contents is None:
                    self.window.put(namespace, [value])
                else:
                    contents.append(value)

    def clear(self, name: str, namespace: Any) -> None:
        if name == "window":
            self.window.remove(namespace)
        else:
            getattr(self, name).clear()

    def contents(self) -> dict[Any, Any]:
        """Read everything, by state and key."""
        found: dict[Any, Any] = {}
        for number, key in enumerate(KEYS):
            self.backend.set_current_key(key)
            values = {
                "number": self.number.value(),
                "box": self.box.value(),
                "list": list(self.list.get()),
                "map": dict(self.map.items()),
                "sum": self.sum.get(),
                **{f"window {n}": self.window.get(n) for n in NAMESPACES},
            }
            found.update({(number, name): value for name, value in values.items() if value not in (None, [], {})})
        return deepcopy(found)

    def timers_left(self) -> list[str]:
        """Take all timers out."""
        left: list[str] = []
        while due := self.backend.pop_event_timers(10**9, 100):
            left += [f"event {t} {key!r} {namespace}" for t, key, namespace in due]
        while due := self.backend.pop_processing_timers(10**9, 100):
            left += [f"processing {t} {key!r} {namespace}" for t, key, namespace in due]
        return sorted(left)


Operation = tuple[str, str, int, int, int]
operations: st.SearchStrategy[list[Operation]] = st.lists(
    st.tuples(
        st.sampled_from(["change", "change", "change", "clear", "timer", "no timer"]),
        st.sampled_from(STATES),
        st.integers(0, len(KEYS) - 1),
        st.integers(0, len(NAMESPACES) - 1),
        st.integers(0, 50),
    ),
    max_size=40,
)


def apply(store: Store, work: list[Operation]) -> None:
    for kind, name, key, namespace, value in work:
        store.backend.set_current_key(KEYS[key])
        where = NAMESPACES[namespace]
        if kind == "change":
            store.change(name, where, value)
        elif kind == "clear":
            store.clear(name, where)
        elif kind == "timer":
            store.timers.register_event_time(where, value)
            store.timers.register_processing_time(where, value + 1)
        else:
            store.timers.delete_event_time(where, value)


def restored(pieces: list[bytes], key_groups: range | None = None) -> Store:
    """Registered after the restore or before it: both happen."""
    store = Store()
    store.backend.restore(iter(pieces), key_groups)
    return store


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(operations, st.lists(operations, max_size=8)), min_size=1, max_size=3))
def test_a_restored_snapshot_is_what_was_true_at_its_barrier(rounds: list[tuple[list[Operation], list[Any]]]) -> None:
    store = Store()
    for before, between in rounds:
        apply(store, before)
        expected = store.contents()
        slices: Iterator[bytes] = store.backend.snapshot().slices()
        pieces: list[bytes] = []
        for work in between:
            apply(store, work)
            pieces += [piece for piece in [next(slices, None)] if piece is not None]
        pieces += slices
        copy = restored(pieces)
        assert copy.contents() == expected
        assert copy.backend.number_of_keys() == restored(pieces).backend.number_of_keys()


@settings(max_examples=100, deadline=None)
@given(operations, st.lists(st.tuples(operations, st.integers(0, 60)), max_size=8))
def test_timers_are_restored_as_they_were_at_the_barrier(
    before: list[Operation], between: list[tuple[list[Operation], int]]
) -> None:
    store, twin = Store(), Store()
    apply(store, before)
    apply(twin, before)
    slices = store.backend.snapshot().slices()
    pieces: list[bytes] = []
    for work, until in between:
        apply(store, work)
        store.backend.pop_event_timers(until, 2)
        pieces += [piece for piece in [next(slices, None)] if piece is not None]
    pieces += slices
    assert restored(pieces).timers_left() == twin.timers_left()


@settings(max_examples=100, deadline=None)
@given(operations, st.integers(2, 5))
def test_at_another_parallelism_every_key_is_in_exactly_one_subtask(work: list[Operation], parallelism: int) -> None:
    store = Store()
    apply(store, work)
    pieces = list(store.backend.snapshot().slices())
    parts = [restored(pieces, key_group_range(i, MAX_PARALLELISM, parallelism)) for i in range(parallelism)]
    joined: dict[Any, Any] = {}
    for part in parts:
        contents = part.contents()
        assert not joined.keys() & contents.keys()
        joined |= contents
    assert joined == store.contents()
    assert sum(part.backend.number_of_keys() for part in parts) == store.backend.number_of_keys()
    assert sorted(timer for part in parts for timer in part.timers_left()) == store.timers_left()


@settings(max_examples=50, deadline=None)
@given(operations, operations, st.integers(0, 5))
def test_a_snapshot_given_up_half_way_leaves_state_and_the_next_snapshot_alone(
    before: list[Operation], after: list[Operation], written: int
) -> None:
    store, twin = Store(), Store()
    apply(store, before)
    slices = store.backend.snapshot().slices()
    for _ in range(written):
        next(slices, None)
    apply(store, after)
    apply(twin, before + after)
    assert store.contents() == twin.contents()
    assert restored(list(store.backend.snapshot().slices())).contents() == twin.contents()
