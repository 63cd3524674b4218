"""State whose program has changed: it goes on as docs/checkpoints.md tells, or is refused by its name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from wiesel.common import Row, Time, Types
from wiesel.core.errors import RestoreRefusedError, StateAccessError
from wiesel.core.state_ttl import StateTtlConfig
from wiesel.core.types import TypeInformation
from wiesel.datastream import (
    AggregateFunction,
    BroadcastProcessFunction,
    KeyedProcessFunction,
    ProcessWindowFunction,
)
from wiesel.datastream.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    ValueStateDescriptor,
)
from wiesel.datastream.window import TumblingEventTimeWindows
from wiesel.state.heap.backend import HeapKeyedStateBackend
from wiesel.state.heap.table import CHECKED_UPDATES
from wiesel.testing import OperatorHarness, Snapshot

AB = Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()])
ABC = Types.ROW_NAMED(["a", "b", "c"], [Types.LONG(), Types.STRING(), Types.DOUBLE()])
INT, LONG, STRING, ANY = Types.INT(), Types.LONG(), Types.STRING(), Types.PICKLED_BYTE_ARRAY()

Descriptors = Callable[[], list[StateDescriptor[Any]]]


class Act(KeyedProcessFunction):
    """Each record is a key and what to do with the handles of the states, by name."""

    def __init__(self, descriptors: Descriptors, lazy: bool = False) -> None:
        self.descriptors = descriptors
        self.lazy = lazy

    def open(self, runtime_context: Any) -> None:
        self.context = runtime_context
        self.states = {} if self.lazy else self.handles()

    def handles(self) -> dict[str, Any]:
        get = {
            ValueStateDescriptor: self.context.get_state,
            ListStateDescriptor: self.context.get_list_state,
            MapStateDescriptor: self.context.get_map_state,
            ReducingStateDescriptor: self.context.get_reducing_state,
            AggregatingStateDescriptor: self.context.get_aggregating_state,
        }
        return {d.name: get[type(d)](d) for d in self.descriptors()}

    def process_element(self, value: Any, ctx: Any) -> Any:
        result = value[1](**(self.states or self.handles()))
        return [] if result is None else [result]


def program(descriptors: Descriptors, lazy: bool = False, key_type: TypeInformation | None = None) -> Any:
    return lambda stream: stream.key_by(lambda v: v[0], key_type).process(Act(descriptors, lazy)).uid("act").name("Act")


def saved(descriptors: Descriptors, *acts: Any, keys: str = "k") -> Snapshot:
    with OperatorHarness(program(descriptors)) as harness:
        for key in keys:
            for act in acts:
                harness.process_element((key, act))
        return harness.snapshot()


def restored(snapshot: Snapshot, descriptors: Descriptors, act: Any) -> Any:
    with OperatorHarness(program(descriptors), restore=snapshot) as harness:
        harness.process_element(("k", act))
        return harness.output[0]


def value(type_info: TypeInformation, name: str = "s") -> Descriptors:
    return lambda: [ValueStateDescriptor(name, type_info)]


def put(what: Any) -> Any:
    return lambda s: s.update(what)


def get(s: Any) -> Any:
    return repr(s.value())


# -------------------------------------------------------------------------------------------------- what goes on


@pytest.mark.parametrize(
    ("before", "stored", "after", "expected"),
    [
        (AB, Row(a=1, b="x"), ABC, Row(a=1, b="x", c=None)),
        (ABC, Row(a=1, b="x", c=0.5), Types.ROW_NAMED(["b"], [STRING]), Row(b="x")),
        (AB, Row(a=1, b="x"), Types.ROW_NAMED(["b", "a"], [STRING, INT]), Row(b="x", a=1)),
        (Types.TUPLE([INT, AB]), (1, Row(a=1, b="x")), Types.TUPLE([LONG, ABC]), (1, Row(a=1, b="x", c=None))),
        (INT, 7, LONG, 7),
        (INT, 7, Types.DOUBLE(), 7.0),
        (ANY, Row(a=1, b="x"), AB, Row(a=1, b="x")),
        (AB, Row(a=1, b="x"), ANY, Row(a=1, b="x")),
        (ANY, {1, 2}, ANY, {1, 2}),
    ],
    ids=repr,
)
def test_a_value_follows_its_type(before: Any, stored: Any, after: Any, expected: Any) -> None:
    assert restored(saved(value(before), put(stored)), value(after), get) == repr(expected)


def test_elements_of_a_list_follow_their_type() -> None:
    snapshot = saved(lambda: [ListStateDescriptor("s", AB)], lambda s: s.add(Row(a=1, b="x")))
    found = restored(snapshot, lambda: [ListStateDescriptor("s", ABC)], lambda s: list(s.get()))
    assert found == [Row(a=1, b="x", c=None)]


def test_keys_and_values_of_a_map_follow_their_types() -> None:
    snapshot = saved(lambda: [MapStateDescriptor("s", INT, AB)], lambda s: s.put_all({1: Row(a=1, b="x"), 2: None}))
    found = restored(snapshot, lambda: [MapStateDescriptor("s", Types.DOUBLE(), ABC)], lambda s: repr(dict(s.items())))
    assert found == repr({1.0: Row(a=1, b="x", c=None), 2.0: None})


def test_folded_values_go_on_under_a_new_function_and_a_wider_type() -> None:
    snapshot = saved(lambda: [ReducingStateDescriptor("s", lambda a, b: a + b, INT)], lambda s: s.add(5))
    times: Descriptors = lambda: [ReducingStateDescriptor("s", lambda a, b: a * b, LONG)]  # noqa: E731
    assert restored(snapshot, times, lambda s: (s.add(3), s.get())[1]) == 15


class Mean(AggregateFunction):
    def create_accumulator(self) -> Any:
        return Row(total=0, count=0)

    def add(self, value: Any, accumulator: Any) -> Any:
        return Row(total=accumulator.total + value, count=accumulator.count + 1)

    def get_result(self, accumulator: Any) -> Any:
        return accumulator.total / accumulator.count

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        raise NotImplementedError


def test_accumulators_follow_their_type() -> None:
    def means(number: TypeInformation) -> Descriptors:
        row = Types.ROW_NAMED(["total", "count"], [number, number])
        return lambda: [AggregatingStateDescriptor("s", Mean(), row)]

    snapshot = saved(means(INT), lambda s: s.add(2))
    assert restored(snapshot, means(LONG), lambda s: (s.add(4), s.get())[1]) == 3.0


@pytest.mark.parametrize("ttl_before", [False, True])
@pytest.mark.parametrize("ttl_after", [False, True])
def test_a_time_to_live_and_a_type_may_change_together(ttl_before: bool, ttl_after: bool) -> None:
    def states(row: TypeInformation, ttl: bool) -> Descriptors:
        def descriptors() -> list[StateDescriptor[Any]]:
            made: list[StateDescriptor[Any]] = [
                ValueStateDescriptor("s", row),
                ListStateDescriptor("list", row),
                MapStateDescriptor("map", STRING, row),
            ]
            for descriptor in made if ttl else []:
                descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time.hours(1)).build())
            return made

        return descriptors

    def fill(s: Any, list: Any, map: Any) -> None:
        s.update(Row(a=1, b="x"))
        list.add(Row(a=2, b="x"))
        map.put("m", Row(a=3, b="x"))

    def read(s: Any, list: Any, map: Any) -> Any:
        return repr([s.value(), *list.get(), map.get("m")])

    found = restored(saved(states(AB, ttl_before), fill), states(ABC, ttl_after), read)
    assert found == repr([Row(a=n, b="x", c=None) for n in (1, 2, 3)])


def test_a_default_is_the_program_s_so_a_new_one_holds_where_nothing_is_stored() -> None:
    def default(number: int) -> Any:
        return lambda s: s.value() if s.value() is not None else number

    snapshot = saved(value(INT), put(1))
    assert restored(snapshot, value(INT), default(9)) == 1
    with OperatorHarness(program(value(INT)), restore=snapshot) as harness:
        harness.process_element(("other", default(9)))
        assert harness.output == [9]


def test_a_state_that_the_program_gave_up_is_kept_and_named_once(caplog: pytest.LogCaptureFixture) -> None:
    snapshot = saved(value(INT, "old"), lambda old: old.update(7))
    with caplog.at_level(logging.WARNING), OperatorHarness(program(value(INT, "new")), restore=snapshot) as harness:
        harness.process_element(("k", lambda new: new.update(1)))
        later = harness.snapshot()
    assert [r.getMessage() for r in caplog.records] == [
        "Operator 'Act' (uid act) does not use state 'old' of the checkpoint; it is kept, and written to every "
        "checkpoint, in case a later program does."
    ]
    both: Descriptors = lambda: [ValueStateDescriptor("old", LONG), ValueStateDescriptor("new", INT)]  # noqa: E731
    assert restored(later, both, lambda old, new: (old.value(), new.value())) == (7, 1)


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("before", "stored", "after", "message"),
    [
        (LONG, 7, INT, r"State 's' of operator 'Act' \(uid act\) was saved as ValueState of Long and is ValueState of"),
        (STRING, "7", LONG, "String cannot become Long"),
        (AB, Row(a=1, b="x"), Types.ROW_NAMED(["a"], [STRING]), "field a: Integer cannot become String"),
        (Types.TUPLE([INT]), (1,), Types.TUPLE([INT, INT]), "a tuple keeps its length"),
        (ANY, "seven", INT, "Expected .*, got str: 'seven'"),
    ],
    ids=repr,
)
def test_a_value_that_cannot_follow_is_refused_by_name(before: Any, stored: Any, after: Any, message: str) -> None:
    snapshot = saved(value(before), put(stored))
    with pytest.raises(RestoreRefusedError, match=message) as failure:
        OperatorHarness(program(value(after)), restore=snapshot)
    assert "give the new state another name" in str(failure.value)


@pytest.mark.parametrize(
    ("before", "good", "stored", "after", "message"),
    [
        (AB, Row(a=1, b="x"), (1, "x"), ABC, "Expected Row for .*, got tuple"),
        (INT, 7, "seven", LONG, "Expected .*, got str: 'seven'"),
    ],
    ids=repr,
)
def test_a_value_that_was_never_of_its_type_is_refused_by_name(
    before: Any, good: Any, stored: Any, after: Any, message: str
) -> None:
    # Only the first values are held to their type when they are stored.
    snapshot = saved(value(before), *[put(good)] * CHECKED_UPDATES, put(stored))
    with pytest.raises(RestoreRefusedError, match=message):
        OperatorHarness(program(value(after)), restore=snapshot)


def test_another_kind_of_state_under_the_same_name_is_refused() -> None:
    snapshot = saved(value(INT), put(1))
    with pytest.raises(RestoreRefusedError, match="saved as ValueState of Integer and is ListState of"):
        OperatorHarness(program(lambda: [ListStateDescriptor("s", INT)]), restore=snapshot)


def test_keys_of_another_type_are_refused() -> None:
    with OperatorHarness(program(value(INT), key_type=INT)) as harness:
        harness.process_element((1, put(1)))
        snapshot = harness.snapshot()
    with pytest.raises(RestoreRefusedError, match=r"keys of operator 'Act' \(uid act\) were saved as Integer and are"):
        OperatorHarness(program(value(INT), key_type=LONG), restore=snapshot)


def test_one_name_for_two_states_of_one_program_is_refused() -> None:
    with pytest.raises(StateAccessError, match=r"as ValueState of Integer and as ListState of .*use two names"):
        OperatorHarness(program(lambda: [ValueStateDescriptor("s", INT), ListStateDescriptor("s", INT)]))


class All(ProcessWindowFunction[Any, Any, Any, Any]):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        return [sorted(elements)]


def test_contents_of_windows_are_not_taken_for_others() -> None:
    def windows(stream: Any) -> Any:
        return stream.key_by(lambda v: 0).window(TumblingEventTimeWindows.of(Time.milliseconds(10)))

    with OperatorHarness(lambda s: windows(s).reduce(lambda a, b: a + b).uid("w")) as harness:
        harness.process_element(1, 1)
        snapshot = harness.snapshot()
    with pytest.raises(RestoreRefusedError, match=r"'_window-contents'.*reduced values.*elements of windows"):
        OperatorHarness(lambda s: windows(s).process(All()).uid("w"), restore=snapshot)
    with OperatorHarness(lambda s: windows(s).reduce(lambda a, b: a * b).uid("w"), restore=snapshot) as harness:
        harness.process_element(5, 2)
        harness.end_input()
        assert harness.output == [5]


# ------------------------------------------------------------------------------------------------ broadcast state


class Rules(BroadcastProcessFunction):
    def __init__(self, *descriptors: MapStateDescriptor[Any, Any]) -> None:
        self.descriptors = descriptors

    def process_element(self, value: Any, ctx: Any) -> Any:
        return [repr([dict(ctx.get_broadcast_state(d).items()) for d in self.descriptors])]

    def process_broadcast_element(self, value: Any, ctx: Any) -> Any:
        for descriptor in self.descriptors:
            ctx.get_broadcast_state(descriptor).put("k", value)


def rules(*descriptors: MapStateDescriptor[Any, Any]) -> Any:
    return lambda stream, side: stream.connect(side.broadcast(*descriptors)).process(Rules(*descriptors)).uid("rules")


def test_broadcast_state_follows_its_type_or_is_refused_and_is_kept_when_unused() -> None:
    two = (None, None)
    with OperatorHarness(rules(MapStateDescriptor("a", STRING, AB), MapStateDescriptor("b", STRING, AB)), two) as first:
        first.process_element(Row(a=1, b="x"), input=1)
        snapshot = first.snapshot()
    with OperatorHarness(rules(MapStateDescriptor("a", STRING, ABC)), two, restore=snapshot) as second:
        second.process_element(0)
        assert second.output == [repr([{"k": Row(a=1, b="x", c=None)}])]
        later = second.snapshot()
    with OperatorHarness(rules(MapStateDescriptor("b", STRING, AB)), two, restore=later) as third:
        third.process_element(0)
        assert third.output == [repr([{"k": Row(a=1, b="x")}])]
    with pytest.raises(RestoreRefusedError, match=r"Broadcast state 'a' of operator 'Co-Process-Broadcast' \(uid"):
        OperatorHarness(rules(MapStateDescriptor("a", STRING, LONG)), two, restore=later)


# ------------------------------------------------------------------------------------ subtasks that differ


def test_a_subtask_that_has_not_asked_for_a_changed_state_yet_may_be_rescaled() -> None:
    """At parallelism 4 only one subtask sees a record, and so the new type, before the next change of parallelism."""
    keys = "abcdefgh"
    snapshot = saved(value(AB), put(Row(a=1, b="x")), keys=keys)
    with OperatorHarness(program(value(ABC), lazy=True), restore=snapshot, parallelism=4) as harness:
        harness.process_element(("a", put(Row(a=2, b="y", c=0.5))))
        later = harness.snapshot()
    for parallelism in (1, 2, 3):
        with OperatorHarness(program(value(ABC), lazy=True), restore=later, parallelism=parallelism) as harness:
            harness.process_elements([((key, get), None) for key in keys])
            expected = [repr(Row(a=2, b="y", c=0.5)), *[repr(Row(a=1, b="x", c=None))] * 7]
            assert sorted(harness.output) == sorted(expected)


def test_a_snapshot_under_way_when_a_state_is_asked_for_holds_the_old_form() -> None:
    def backend(*pieces: bytes) -> HeapKeyedStateBackend:
        made = HeapKeyedStateBackend(lambda key: 0)
        made.restore(pieces, None)
        return made

    def values(of: HeapKeyedStateBackend, type_info: TypeInformation) -> list[Any]:
        state, found = of.state(ValueStateDescriptor("s", type_info)), []
        for key in range(100):
            of.set_current_key(key)
            found.append(state.value())
        return found

    first = backend()
    state = first.state(ValueStateDescriptor("s", ANY))
    for key in range(100):
        first.set_current_key(key)
        state.update(1.7)
    second = backend(*first.snapshot().slices())
    slices = second.snapshot().slices()
    pieces = [next(slices), next(slices)]
    assert values(second, INT) == [1] * 100
    assert values(backend(*pieces, *slices), ANY) == [1.7] * 100
