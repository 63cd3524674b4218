"""Every kind of user function: it is opened before its first record, called for each, and closed at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import Types
from wiesel.datastream import (
    AggregateFunction,
    AsyncDataStream,
    AsyncFunction,
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    DataStream,
    FilterFunction,
    FlatMapFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    Partitioner,
    ProcessFunction,
    ProcessWindowFunction,
    ReduceFunction,
    RuntimeContext,
    WindowFunction,
)
from wiesel.datastream.functions import AllWindowFunction, Function, ProcessAllWindowFunction
from wiesel.datastream.state import MapStateDescriptor
from wiesel.datastream.window import CountTrigger, GlobalWindows

#: Kinds of functions that were closed; they are shipped by reference, so they write here.
CLOSED: list[str] = []
DESCRIPTOR: MapStateDescriptor[str, int] = MapStateDescriptor("broadcast", Types.STRING(), Types.INT())


class Noting(Function):
    """Counts its calls from what ``open`` set, and notes that it was closed."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.opened = "opened"

    def close(self) -> None:
        CLOSED.append(type(self).__name__)


class Map(Noting, MapFunction):
    def map(self, value: Any) -> Any:
        return self.opened, value


class FlatMap(Noting, FlatMapFunction):
    def flat_map(self, value: Any) -> Any:
        yield self.opened, value


class Filter(Noting, FilterFunction):
    def filter(self, value: Any) -> bool:
        return self.opened == "opened" and value == 1


class Process(Noting, ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield self.opened, value


class KeyedProcess(Noting, KeyedProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield self.opened, value


class Reduce(Noting, ReduceFunction):
    def reduce(self, value1: Any, value2: Any) -> Any:
        return self.opened, value2


class Key(Noting, KeySelector):
    def get_key(self, value: Any) -> Any:
        return self.opened


class Partition(Noting, Partitioner):
    def partition(self, key: Any, num_partitions: int) -> int:
        return len(self.opened) - 6


class CoMap(Noting, CoMapFunction):
    def map1(self, value: Any) -> Any:
        return self.opened, 1, value

    def map2(self, value: Any) -> Any:
        return self.opened, 2, value


class CoFlatMap(Noting, CoFlatMapFunction):
    def flat_map1(self, value: Any) -> Any:
        yield self.opened, 1, value

    def flat_map2(self, value: Any) -> Any:
        yield self.opened, 2, value


class CoProcess(Noting, CoProcessFunction):
    def process_element1(self, value: Any, ctx: Any) -> Any:
        yield self.opened, 1, value

    def process_element2(self, value: Any, ctx: Any) -> Any:
        yield self.opened, 2, value


class KeyedCoProcess(Noting, KeyedCoProcessFunction):
    def process_element1(self, value: Any, ctx: Any) -> Any:
        yield self.opened, 1, value

    def process_element2(self, value: Any, ctx: Any) -> Any:
        yield self.opened, 2, value


class Broadcast(Noting, BroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield self.opened, 1, value

    def process_broadcast_element(self, value: Any, ctx: Any) -> Any:
        yield self.opened, 2, value


class KeyedBroadcast(Noting, KeyedBroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield self.opened, 1, value

    def process_broadcast_element(self, value: Any, ctx: Any) -> Any:
        yield self.opened, 2, value


class Window(Noting, WindowFunction):
    def apply(self, key: Any, window: Any, inputs: Any) -> Any:
        yield self.opened, key, list(inputs)


class ProcessWindow(Noting, ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield self.opened, key, list(elements)


class AllWindow(Noting, AllWindowFunction):
    def apply(self, window: Any, inputs: Any) -> Any:
        yield self.opened, list(inputs)


class ProcessAllWindow(Noting, ProcessAllWindowFunction):
    def process(self, context: Any, elements: Any) -> Any:
        yield self.opened, list(elements)


class Async(Noting, AsyncFunction):
    async def async_invoke(self, value: Any) -> list[Any]:
        return [(self.opened, value)]


def one() -> DataStream:
    return environment().from_collection([1])


def keyed(values: Any = (1,)) -> Any:
    return environment().from_collection(list(values)).key_by(lambda value: 0)


def two(keyed: bool = False) -> Any:
    env = environment()
    first, second = env.from_collection([1]), env.from_collection([1])
    if keyed:
        return first.key_by(lambda value: 0).connect(second.key_by(lambda value: 0))
    return first.connect(second)


def broadcast(keyed: bool) -> Any:
    env = environment()
    stream: Any = env.from_collection([1])
    return (stream.key_by(lambda value: 0) if keyed else stream).connect(env.from_collection([1]).broadcast(DESCRIPTOR))


def windowed() -> Any:
    return keyed().window(GlobalWindows.create()).trigger(CountTrigger.of(1))


def all_windowed() -> Any:
    return one().window_all(GlobalWindows.create()).trigger(CountTrigger.of(1))


BOTH = [("opened", 1, 1), ("opened", 2, 1)]
KINDS: list[tuple[type[Function], Callable[[Any], DataStream], list[Any]]] = [
    (Map, lambda f: one().map(f), [("opened", 1)]),
    (FlatMap, lambda f: one().flat_map(f), [("opened", 1)]),
    (Filter, lambda f: one().filter(f), [1]),
    (Process, lambda f: one().process(f), [("opened", 1)]),
    (KeyedProcess, lambda f: keyed().process(f), [("opened", 1)]),
    (Reduce, lambda f: keyed([1, 2]).reduce(f), [1, ("opened", 2)]),
    (Key, lambda f: one().key_by(f).process(KeyOf()), ["opened"]),
    (Partition, lambda f: one().partition_custom(f, lambda v: v).map(str), ["1"]),
    (CoMap, lambda f: two().map(f), BOTH),
    (CoFlatMap, lambda f: two().flat_map(f), BOTH),
    (CoProcess, lambda f: two().process(f), BOTH),
    (KeyedCoProcess, lambda f: two(keyed=True).process(f), BOTH),
    (Broadcast, lambda f: broadcast(keyed=False).process(f), BOTH),
    (KeyedBroadcast, lambda f: broadcast(keyed=True).process(f), BOTH),
    (Window, lambda f: windowed().apply(f), [("opened", 0, [1])]),
    (ProcessWindow, lambda f: windowed().process(f), [("opened", 0, [1])]),
    (AllWindow, lambda f: all_windowed().apply(f), [("opened", [1])]),
    (ProcessAllWindow, lambda f: all_windowed().process(f), [("opened", [1])]),
    (Async, lambda f: AsyncDataStream.ordered_wait(one(), f, 10_000), [("opened", 1)]),  # type: ignore[arg-type]
]


class KeyOf(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        yield ctx.get_current_key()


@pytest.mark.parametrize(("kind", "build", "expected"), KINDS, ids=lambda part: getattr(part, "__name__", None))
def test_a_function_is_opened_called_and_closed(
    kind: type[Function], build: Callable[[Any], DataStream], expected: list[Any]
) -> None:
    CLOSED.clear()
    assert sorted(collect(build(kind())), key=str) == sorted(expected, key=str)
    assert [kind.__name__] == CLOSED


class Sum(AggregateFunction):
    def create_accumulator(self) -> int:
        return 0

    def add(self, value: int, accumulator: int) -> int:
        return accumulator + value

    def get_result(self, accumulator: int) -> str:
        return f"sum {accumulator}"

    def merge(self, acc_a: int, acc_b: int) -> int:
        return acc_a + acc_b


def test_an_aggregate_function_folds_and_finishes() -> None:
    assert collect(keyed([1, 2, 3]).count_window(3).aggregate(Sum())) == ["sum 6"]


class NeverOpened(Sum):
    def open(self, runtime_context: RuntimeContext) -> None:
        raise AssertionError("PyFlink does not call this")

    def close(self) -> None:
        raise AssertionError("PyFlink does not call this")


def test_an_aggregate_function_is_never_opened_as_in_pyflink() -> None:
    assert collect(keyed([1, 2, 3]).count_window(3).aggregate(NeverOpened())) == ["sum 6"]
