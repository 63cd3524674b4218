"""State that expires: update types, visibility, cleanup on access, in the background and in snapshots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wiesel.common import Time, Types
from wiesel.core.functions import AggregateFunction
from wiesel.core.state_ttl import StateTtlConfig
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.functions import KeyedProcessFunction, RuntimeContext
from wiesel.datastream.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)
from wiesel.state.heap.backend import HeapKeyedStateBackend
from wiesel.testing.clock import ManualClock

Configure = Callable[[StateTtlConfig.Builder], Any]


def keep(builder: StateTtlConfig.Builder) -> None:
    """Leave the defaults: written, never returned expired."""


def on_read(builder: StateTtlConfig.Builder) -> None:
    builder.update_ttl_on_read_and_write()


def show(builder: StateTtlConfig.Builder) -> None:
    builder.return_expired_if_not_cleaned_up().disable_cleanup_in_background()


def in_snapshot(builder: StateTtlConfig.Builder) -> None:
    builder.cleanup_full_snapshot().disable_cleanup_in_background()


class Bench:
    """A heap backend whose clock the test turns; the time to live is 10 ms."""

    def __init__(self, configure: Configure = keep, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock(1000)
        self.backend = HeapKeyedStateBackend(lambda key: 0, self.clock)
        self.backend.set_current_key("k")
        builder = StateTtlConfig.new_builder(Time.milliseconds(10))
        configure(builder)
        self.config = builder.build()

    def state(self, descriptor: Any, expires: bool = True) -> Any:
        if expires:
            descriptor.enable_time_to_live(self.config)
        return self.backend.state(descriptor)

    def value(self) -> Any:
        return self.state(ValueStateDescriptor("v", Types.INT()))

    def list(self) -> Any:
        return self.state(ListStateDescriptor("l", Types.INT()))

    def map(self) -> Any:
        return self.state(MapStateDescriptor("m", Types.STRING(), Types.INT()))

    def after(self, milliseconds: int) -> Bench:
        self.clock.advance(milliseconds)
        return self

    def restarted(self, configure: Configure = keep) -> Bench:
        """Return a bench whose backend is restored from a snapshot of this one."""
        pieces = list(self.backend.snapshot().slices())
        other = Bench(configure, self.clock)
        other.backend.restore(pieces, None)
        return other


class Average(AggregateFunction):
    def create_accumulator(self) -> tuple[int, int]:
        return 0, 0

    def add(self, value: int, accumulator: tuple[int, int]) -> tuple[int, int]:
        return accumulator[0] + value, accumulator[1] + 1

    def get_result(self, accumulator: tuple[int, int]) -> float:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: tuple[int, int], acc_b: tuple[int, int]) -> tuple[int, int]:
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]


# ------------------------------------------------------------------------------------------------------- values


def test_a_value_is_gone_at_the_end_of_its_time_and_not_before() -> None:
    bench = Bench()
    value = bench.value()
    value.update(7)
    bench.after(9)
    assert value.value() == 7
    bench.after(1)
    assert value.value() is None
    assert bench.backend.number_of_keys() == 0


def test_writing_begins_a_value_s_life_anew_and_reading_does_not() -> None:
    bench = Bench()
    value = bench.value()
    value.update(7)
    bench.after(6)
    assert value.value() == 7
    bench.after(6)
    assert value.value() is None
    value.update(8)
    bench.after(6)
    value.update(9)
    bench.after(6)
    assert value.value() == 9


def test_reading_begins_a_value_s_life_anew_when_it_is_said_to() -> None:
    bench = Bench(on_read)
    value = bench.value()
    value.update(7)
    for _ in range(3):
        bench.after(9)
        assert value.value() == 7
    bench.after(10)
    assert value.value() is None


def test_an_expired_value_may_be_seen_once_more_when_it_is_allowed() -> None:
    bench = Bench(show)
    value = bench.value()
    value.update(7)
    bench.after(10)
    assert value.value() == 7
    assert value.value() is None


def test_a_fold_begins_anew_after_its_time() -> None:
    bench = Bench()
    reducing = bench.state(ReducingStateDescriptor("r", lambda a, b: a + b, Types.INT()))
    average = bench.state(AggregatingStateDescriptor("a", Average(), Types.PICKLED_BYTE_ARRAY()))
    for state in (reducing, average):
        state.add(1)
        state.add(2)
    assert (reducing.get(), average.get()) == (3, 1.5)
    bench.after(10)
    assert (reducing.get(), average.get()) == (None, None)
    for state in (reducing, average):
        state.add(4)
    assert (reducing.get(), average.get()) == (4, 4.0)


# -------------------------------------------------------------------------------------------- lists and maps


def test_elements_of_a_list_expire_one_by_one() -> None:
    bench = Bench()
    elements = bench.list()
    elements.add(1)
    bench.after(5)
    elements.add_all([2, 3])
    bench.after(5)
    assert list(elements.get()) == [2, 3]
    bench.after(5)
    assert list(elements.get()) == []
    assert bench.backend.number_of_keys() == 0


def test_replacing_a_list_begins_all_lives_anew() -> None:
    bench = Bench()
    elements = bench.list()
    elements.add(1)
    bench.after(9)
    elements.update([1, 2])
    bench.after(9)
    assert list(elements.get()) == [1, 2]
    elements.clear()
    assert list(elements.get()) == []


def test_reading_a_list_renews_all_of_it_when_it_is_said_to() -> None:
    bench = Bench(on_read)
    elements = bench.list()
    elements.add(1)
    bench.after(9)
    assert list(elements.get()) == [1]
    bench.after(9)
    assert list(elements.get()) == [1]


def test_entries_of_a_map_expire_one_by_one() -> None:
    bench = Bench()
    entries = bench.map()
    entries.put("a", 1)
    bench.after(5)
    entries["b"] = 2
    bench.after(5)
    assert dict(entries.items()) == {"b": 2}
    assert (entries.get("a"), entries["b"], "a" in entries, entries.contains("b")) == (None, 2, False, True)
    bench.after(5)
    assert entries.get("b") is None
    assert entries.is_empty()
    assert bench.backend.number_of_keys() == 0


def test_reading_an_entry_renews_that_entry_only() -> None:
    bench = Bench(on_read)
    entries = bench.map()
    entries.put_all({"a": 1, "b": 2})
    bench.after(9)
    assert entries.get("a") == 1
    bench.after(1)
    assert sorted(entries.keys()) == ["a"]


def test_expired_elements_and_entries_may_be_seen_when_it_is_allowed() -> None:
    bench = Bench(show)
    elements, entries = bench.list(), bench.map()
    elements.add(1)
    entries.put_all({"a": 1, "b": 2})
    bench.after(10)
    assert entries.get("a") == 1
    assert "a" not in entries
    assert list(entries.values()) == [2]
    assert list(elements.get()) == [1]
    assert list(elements.get()) == []


def test_removing_and_clearing_work_as_without_a_time_to_live() -> None:
    bench = Bench()
    entries = bench.map()
    entries.put_all({"a": 1, "b": 2})
    del entries["a"]
    assert list(entries) == ["b"]
    entries.clear()
    assert entries.is_empty()
    value = bench.value()
    value.update(1)
    value.update(None)
    assert value.value() is None


# ----------------------------------------------------------------------------------------------------- cleanup


def test_a_few_entries_are_cleaned_up_with_each_access() -> None:
    bench = Bench()
    value = bench.value()
    for key in range(100):
        bench.backend.set_current_key(key)
        value.update(key)
    bench.after(10)
    bench.backend.set_current_key("another")
    left = [bench.backend.number_of_keys()]
    while left[-1]:
        value.value()
        left.append(bench.backend.number_of_keys())
        assert left[-2] - 5 * 16 <= left[-1] <= left[-2], "sixteen accesses look together"
        assert len(left) < 1000


def test_entries_that_were_just_looked_at_are_left_alone_for_half_their_time() -> None:
    """An hour's state of a million keys need not be gone through again and again."""
    bench = Bench()
    value = bench.value()

    def keys_after_many_accesses() -> int:
        bench.backend.set_current_key("another")
        for _ in range(2000):
            value.value()
        return bench.backend.number_of_keys()

    for key in range(100):
        bench.backend.set_current_key(key)
        value.update(key)
    assert keys_after_many_accesses() == 100
    bench.after(8)
    assert keys_after_many_accesses() == 100, "they live, and rest until 13"
    bench.after(4)
    assert keys_after_many_accesses() == 100, "they are over, and nobody has looked"
    bench.after(1)
    assert keys_after_many_accesses() == 0


def test_cleaning_up_goes_on_where_another_handle_of_the_state_left_off() -> None:
    bench = Bench()
    value = bench.value()
    for key in range(100):
        bench.backend.set_current_key(key)
        value.update(key)
    bench.after(10)
    bench.backend.set_current_key("another")
    for _ in range(200):
        bench.value().value()
    assert bench.backend.number_of_keys() == 0


@pytest.mark.parametrize(("for_every_record", "left"), [(True, 0), (False, 100)])
def test_records_that_do_not_touch_the_state_clean_it_up_when_it_is_said_so(for_every_record: bool, left: int) -> None:
    bench = Bench(lambda builder: builder.cleanup_incrementally(5, for_every_record))
    value = bench.value()
    for key in range(100):
        bench.backend.set_current_key(key)
        value.update(key)
    bench.after(10)
    run = bench.backend.bind_keyed(lambda value, timestamp: None)
    for _ in range(10):
        run([0] * 20, [0] * 20, ["another"] * 20)
    assert bench.backend.number_of_keys() == left


def test_nothing_is_cleaned_up_in_the_background_when_that_is_off() -> None:
    bench = Bench(lambda builder: builder.disable_cleanup_in_background())
    value = bench.value()
    value.update(1)
    bench.after(10)
    bench.backend.set_current_key("another")
    for _ in range(2000):
        value.value()
    assert bench.backend.number_of_keys() == 1


def test_cleaning_up_leaves_the_living_part_of_a_map() -> None:
    bench = Bench()
    entries = bench.map()
    entries.put("a", 1)
    bench.after(5)
    entries.put("b", 2)
    bench.after(5)
    bench.backend.set_current_key("another")
    for _ in range(200):
        entries.get("a")
    bench.backend.set_current_key("k")
    assert dict(entries.items()) == {"b": 2}


def test_expired_entries_stay_out_of_snapshots_when_it_is_said_so() -> None:
    for configure, left in ((in_snapshot, 0), (show, 1)):
        bench = Bench(configure)
        bench.value().update(1)
        bench.after(10)
        assert bench.restarted().backend.number_of_keys() == left


def test_a_snapshot_keeps_the_living_part_of_a_list() -> None:
    bench = Bench(in_snapshot)
    elements = bench.list()
    elements.add(1)
    bench.after(5)
    elements.add(2)
    bench.after(5)
    assert list(bench.restarted().list().get()) == [2]
    bench.after(5)
    assert bench.restarted().backend.number_of_keys() == 0


def test_cleaning_up_while_a_snapshot_is_written_does_not_change_the_snapshot() -> None:
    bench = Bench()
    value = bench.value()
    value.update(1)
    snapshot = bench.backend.snapshot()
    bench.after(10)
    assert value.value() is None
    restored = Bench(show, ManualClock(1000))
    restored.backend.restore(list(snapshot.slices()), None)
    assert restored.value().value() == 1


# ---------------------------------------------------------------------------------------------------- restores


def test_age_goes_on_over_a_restart() -> None:
    bench = Bench()
    bench.value().update(1)
    bench.after(6)
    again = bench.restarted()
    assert again.value().value() == 1
    again.after(4)
    assert again.value().value() is None


def plain_states(bench: Bench) -> tuple[Any, Any, Any]:
    return (
        bench.state(ValueStateDescriptor("v", Types.INT()), expires=False),
        bench.state(ListStateDescriptor("l", Types.INT()), expires=False),
        bench.state(MapStateDescriptor("m", Types.STRING(), Types.INT()), expires=False),
    )


def test_state_that_is_given_a_time_to_live_later_begins_its_life_at_the_restore() -> None:
    bench = Bench()
    value, elements, entries = plain_states(bench)
    value.update(1)
    elements.add(1)
    entries.put("a", 1)
    again = bench.after(100).restarted()
    value, elements, entries = again.value(), again.list(), again.map()
    again.after(9)
    assert (value.value(), list(elements.get()), dict(entries.items())) == (1, [1], {"a": 1})
    again.after(1)
    assert (value.value(), list(elements.get()), dict(entries.items())) == (None, [], {})


def test_state_whose_time_to_live_is_taken_away_lives_on() -> None:
    bench = Bench()
    bench.value().update(1)
    bench.list().add(1)
    bench.map().put("a", 1)
    again = bench.restarted()
    value, elements, entries = plain_states(again)
    again.after(100)
    assert (value.value(), list(elements.get()), dict(entries.items())) == (1, [1], {"a": 1})


class Seen(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        descriptor: ValueStateDescriptor[int] = ValueStateDescriptor("seen", Types.INT())
        descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time.hours(1)).build())
        self.seen = runtime_context.get_state(descriptor)

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        count = (self.seen.value() or 0) + 1
        self.seen.update(count)
        yield value, count


def test_a_job_may_use_state_with_a_time_to_live() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    stream = env.from_collection(["a", "b", "a"]).key_by(lambda value: value).process(Seen())
    with stream.execute_and_collect() as results:
        assert sorted(results) == [("a", 1), ("a", 2), ("b", 1)]
