"""User-facing states of every backend: what PyFlink's return, per key and per namespace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wiesel.common import Types
from wiesel.core.configuration import Configuration
from wiesel.core.contracts import KeyedStateBackend
from wiesel.core.errors import ConfigurationError, StateAccessError
from wiesel.core.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)
from wiesel.datastream import AggregateFunction
from wiesel.state import create_keyed_backend
from wiesel.state.heap.table import CHECKED_UPDATES
from wiesel.testing.clock import ManualClock


class Mean(AggregateFunction):
    def create_accumulator(self) -> Any:
        return [0, 0]

    def add(self, value: Any, accumulator: Any) -> Any:
        return [accumulator[0] + value, accumulator[1] + 1]

    def get_result(self, accumulator: Any) -> Any:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return [acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]]


@pytest.fixture(params=["hashmap", "rocksdb"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyedStateBackend]:
    configuration = Configuration().set_string("state.backend.type", request.param)
    made = create_keyed_backend(
        configuration, lambda key: 0, ManualClock(), "the operator", None, lambda: tmp_path / "db"
    )
    made.set_current_key("k")
    yield made
    made.close()
    assert not (tmp_path / "db").exists()


def test_value_state_is_none_until_it_is_set_and_after_it_is_cleared(backend: KeyedStateBackend) -> None:
    state = backend.state(ValueStateDescriptor("v", Types.LONG()))
    assert state.value() is None
    state.update(0)
    assert state.value() == 0
    state.clear()
    assert state.value() is None
    assert backend.number_of_keys() == 0


def test_setting_none_clears_a_value(backend: KeyedStateBackend) -> None:
    state = backend.state(ValueStateDescriptor("v", Types.LONG()))
    state.update(1)
    state.update(None)
    assert backend.number_of_keys() == 0


def test_list_state_gives_an_iterable_and_never_none(backend: KeyedStateBackend) -> None:
    state = backend.state(ListStateDescriptor("l", Types.LONG()))
    assert list(state.get()) == []
    state.add(1)
    state.add_all([2, 3])
    assert not isinstance(state.get(), list)
    assert list(state.get()) == [1, 2, 3]
    state.update([4])
    assert list(state.get()) == [4]
    state.update([])
    assert backend.number_of_keys() == 0


def test_what_is_read_from_a_list_is_not_changed_by_what_is_added_meanwhile(backend: KeyedStateBackend) -> None:
    state = backend.state(ListStateDescriptor("l", Types.LONG()))
    state.add_all([1, 2])
    for value in state.get():
        state.add(value + 10)
    assert list(state.get()) == [1, 2, 11, 12]


def test_map_state_behaves_as_a_dictionary_that_goes_with_its_last_entry(backend: KeyedStateBackend) -> None:
    state = backend.state(MapStateDescriptor("m", Types.STRING(), Types.LONG()))
    assert (state.get("a"), state.is_empty(), state.contains("a")) == (None, True, False)
    state.put("a", 1)
    state["b"] = 2
    state.put_all({"c": 3})
    assert ("a" in state, state["b"], sorted(state), sorted(state.values())) == (True, 2, ["a", "b", "c"], [1, 2, 3])
    for key in state.keys():  # noqa: SIM118  the method, as programs call it
        state.remove(key)
    assert backend.number_of_keys() == 0


def test_reducing_and_aggregating_state_fold(backend: KeyedStateBackend) -> None:
    total = backend.state(ReducingStateDescriptor("r", lambda a, b: a + b, Types.LONG()))
    mean = backend.state(AggregatingStateDescriptor("a", Mean(), Types.PICKLED_BYTE_ARRAY()))
    assert (total.get(), mean.get()) == (None, None)
    for value in (1, 2, 6):
        total.add(value)
        mean.add(value)
    assert (total.get(), mean.get()) == (9, 3.0)
    mean.clear()
    assert mean.get() is None


def test_keys_that_python_holds_equal_are_different_keys(backend: KeyedStateBackend) -> None:
    state = backend.state(ValueStateDescriptor("v", Types.PICKLED_BYTE_ARRAY()))
    keys: list[Any] = [1, True, 1.0, 0.0, -0.0, "1", (1,), (True,), [1], None]
    for key in keys:
        backend.set_current_key(key)
        assert state.value() is None, key
        state.update(repr(key))
    for key in keys:
        backend.set_current_key(key)
        assert state.value() == repr(key)
        assert repr(backend.current_key()) == repr(key)


def test_the_same_state_asked_for_twice_is_one_state(backend: KeyedStateBackend) -> None:
    backend.state(ValueStateDescriptor("v", Types.LONG())).update(1)
    assert backend.state(ValueStateDescriptor("v", Types.LONG())).value() == 1


def test_state_in_a_namespace_is_apart_from_other_namespaces(backend: KeyedStateBackend) -> None:
    namespace = [1]
    state = backend.state(ValueStateDescriptor("v", Types.LONG()), namespace=lambda: namespace[0])
    state.update(10)
    namespace[0] = 2
    assert state.value() is None
    with pytest.raises(StateAccessError, match="both per window and over all windows"):
        backend.state(ValueStateDescriptor("v", Types.LONG()))


def test_a_timer_is_one_per_key_namespace_and_time(backend: KeyedStateBackend) -> None:
    timers = backend.timers()
    for _ in range(2):
        timers.register_event_time(None, 10)
    timers.register_event_time("w", 10)
    backend.set_current_key([2])
    timers.register_event_time(None, 20)
    timers.register_event_time(None, 30)
    timers.delete_event_time(None, 30)
    assert list(backend.pop_event_timers(9, 100)) == []
    assert list(backend.pop_event_timers(99, 100)) == [(10, "k", None), (10, "k", "w")]
    assert list(backend.pop_event_timers(99, 100)) == [(20, [2], None)]
    assert list(backend.pop_event_timers(99, 100)) == []


def test_no_more_timers_are_popped_than_asked_for(backend: KeyedStateBackend) -> None:
    for key in range(5):
        backend.set_current_key(key)
        backend.timers().register_processing_time(None, 10)
    assert backend.next_processing_time() == 10
    popped = [key for _ in range(3) for _, key, _ in backend.pop_processing_timers(10, 2)]
    assert sorted(popped) == [0, 1, 2, 3, 4]
    assert backend.next_processing_time() is None


def test_an_unknown_backend_is_refused_with_the_one_to_use() -> None:
    configuration = Configuration().set_string("state.backend.type", "rocksdb2")
    with pytest.raises(ConfigurationError, match="one of hashmap, rocksdb"):
        create_keyed_backend(configuration, lambda key: 0, ManualClock(), "the operator", None, Path)


def test_after_the_first_values_of_a_state_nothing_is_looked_at_any_more(backend: KeyedStateBackend) -> None:
    state = backend.state(ValueStateDescriptor("v", Types.LONG()))
    kept_by_the_user = state.update
    for number in range(CHECKED_UPDATES):
        state.update(number)
    kept_by_the_user("anything")
    assert state.value() == "anything"
    assert state.update is not kept_by_the_user
    assert state.update.__name__ == "update"
    assert backend.state(ValueStateDescriptor("v", Types.LONG())).update.__name__ == "update"


@pytest.mark.parametrize("window", [None, "w"])
def test_checking_lists_and_maps_ends_after_the_first_writes_and_leaves_the_plain_state(
    window: str | None, backend: KeyedStateBackend
) -> None:
    namespace = None if window is None else (lambda: window)
    elements = backend.state(ListStateDescriptor("l", Types.INT()), namespace)
    entries = backend.state(MapStateDescriptor("m", Types.STRING(), Types.INT()), namespace)
    for number in range(CHECKED_UPDATES):
        elements.add(number)
        entries["key"] = number
    for write in (lambda: elements.add(0), lambda: entries.put("key", 1)):
        write()  # notices that enough were checked
    assert [type(state).__name__ for state in (elements, entries)] == ["HeapListState", "HeapMapState"]
    assert (len(list(elements.get())), entries["key"]) == (CHECKED_UPDATES + 1, 1)
