"""Programs whose execution plans were recorded on PyFlink 2.3.0 (``record_plans.py`` → ``plans.json``).

They import ``pyflink``, so that the real one and Wiesel build the very same thing; nothing of them is executed. Each is
a function that takes an environment and adds to it; what it shows is its docstring.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyflink.common import Duration, Encoder, Row, Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import (
    AggregateFunction,
    AsyncDataStream,
    AsyncFunction,
    BroadcastProcessFunction,
    CoMapFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    MapFunction,
    OutputTag,
    ProcessFunction,
    ProcessWindowFunction,
    WindowFunction,
)
from pyflink.datastream.connectors.file_system import FileSink
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.functions import ProcessAllWindowFunction
from pyflink.datastream.state import MapStateDescriptor
from pyflink.datastream.window import (
    CountTrigger,
    EventTimeSessionWindows,
    GlobalWindows,
    ProcessingTimeSessionWindows,
    PurgingTrigger,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])
NAMED = Types.ROW_NAMED(["a", "b"], [Types.STRING(), Types.LONG()])
RULES = MapStateDescriptor("rules", Types.STRING(), Types.LONG())


class Second(TimestampAssigner):  # type: ignore[misc, unused-ignore]
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value[1])


class Plain(ProcessFunction):  # type: ignore[misc, unused-ignore]
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield value


class Keyed(KeyedProcessFunction):  # type: ignore[misc, unused-ignore]
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield value


class Both(KeyedCoProcessFunction):  # type: ignore[misc, unused-ignore]
    def process_element1(self, value: Any, ctx: Any) -> Any:
        yield value

    def process_element2(self, value: Any, ctx: Any) -> Any:
        yield value


class Either(CoMapFunction):  # type: ignore[misc, unused-ignore]
    def map1(self, value: Any) -> Any:
        return value

    def map2(self, value: Any) -> Any:
        return value


class Broadcast(BroadcastProcessFunction):  # type: ignore[misc, unused-ignore]
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield value

    def process_broadcast_element(self, value: Any, ctx: Any) -> Any:
        return []


class KeyedBroadcast(KeyedBroadcastProcessFunction):  # type: ignore[misc, unused-ignore]
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield value

    def process_broadcast_element(self, value: Any, ctx: Any) -> Any:
        return []


class Count(AggregateFunction):  # type: ignore[misc, unused-ignore]
    def create_accumulator(self) -> int:
        return 0

    def add(self, value: Any, accumulator: int) -> int:
        return accumulator + 1

    def get_result(self, accumulator: int) -> int:
        return accumulator

    def merge(self, acc_a: int, acc_b: int) -> int:
        return acc_a + acc_b


class Whole(ProcessWindowFunction):  # type: ignore[misc, unused-ignore]
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield key


class Applied(WindowFunction):  # type: ignore[misc, unused-ignore]
    def apply(self, key: Any, window: Any, inputs: Any) -> Any:
        return [key]


class WholeAll(ProcessAllWindowFunction):  # type: ignore[misc, unused-ignore]
    def process(self, context: Any, elements: Any) -> Any:
        yield 1


class Same(MapFunction):  # type: ignore[misc, unused-ignore]
    def map(self, value: Any) -> Any:
        return value


class Ask(AsyncFunction):  # type: ignore[misc, unused-ignore]
    async def async_invoke(self, value: Any) -> list[Any]:
        return [value]

    def timeout(self, value: Any) -> list[Any]:
        return [value]


def pairs(env: Any, typed: bool = True) -> Any:
    return env.from_collection([("a", 1), ("b", 2)], PAIR) if typed else env.from_collection([("a", 1), ("b", 2)])


def timed(env: Any) -> Any:
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
    return pairs(env).assign_timestamps_and_watermarks(strategy)


def tag() -> Any:
    """A tag of its own for each program: PyFlink cannot ship one whose type it has translated before."""
    return OutputTag("late", Types.TUPLE([Types.STRING(), Types.LONG()]))


def untyped_map_and_print(env: Any) -> None:
    """Untyped records through map and filter; print adds nothing in front of its sink that shows."""
    env.from_collection([1, 2]).map(lambda v: v).filter(lambda v: True).print()


def typed_map_and_print(env: Any) -> None:
    """Typed records."""
    env.from_collection([1, 2], Types.LONG()).map(lambda v: v, output_type=Types.LONG()).print("label")


def source_and_print(env: Any) -> None:
    """No function of Python's at all."""
    env.from_source(NumberSequenceSource(1, 9), WatermarkStrategy.no_watermarks(), "numbers").print()


def untyped_source_and_print(env: Any) -> None:
    """No function of the user's, but pickled records, which print has to turn into text."""
    env.from_collection([1, 2]).print()


def word_count(env: Any) -> None:
    """The running count: flat map, map, key, reduce."""
    lines = env.from_collection(["a b", "b"], Types.STRING())
    words = lines.flat_map(lambda line: line.split(), Types.STRING()).map(lambda w: (w, 1), PAIR)
    words.key_by(lambda p: p[0], Types.STRING()).reduce(lambda a, b: (a[0], a[1] + b[1])).print()


def key_of_a_source(env: Any) -> None:
    """key_by directly behind a source, sum and a map behind it."""
    pairs(env).key_by(lambda p: p[0]).sum(1).map(lambda p: p[1]).print()


def keyed_map_and_filter(env: Any) -> None:
    """Stateless functions on a keyed stream."""
    keyed = pairs(env).key_by(lambda p: p[0], Types.STRING())
    keyed.map(Same(), PAIR).print()
    keyed.filter(lambda p: True).print()
    keyed.flat_map(lambda p: [p], PAIR).print()


def keyed_process_with_names(env: Any) -> None:
    """Names, descriptions and parallelism of the user's own."""
    stream = pairs(env).map(Same(), PAIR).name("parse").set_description("parses a line").set_parallelism(3)
    stream.key_by(lambda p: p[0], Types.STRING()).process(Keyed(), PAIR).name("decide").uid("d").print().name("out")


def processes_chained(env: Any) -> None:
    """Process functions, one behind the other, with a side output."""
    main = pairs(env).process(Plain(), PAIR).process(Plain(), PAIR)
    main.print()
    main.get_side_output(tag()).map(Same(), PAIR).print()


def tumbling_event_time(env: Any) -> None:
    """Timestamps, a window, a process function, a map behind it."""
    windowed = timed(env).key_by(lambda p: p[0], Types.STRING()).window(TumblingEventTimeWindows.of(Time.seconds(5)))
    windowed.process(Whole(), Types.STRING()).map(lambda k: k).print()


def tumbling_processing_time(env: Any) -> None:
    """A window over processing time with a reduce."""
    keyed = pairs(env).map(Same(), PAIR).key_by(lambda p: p[0], Types.STRING())
    keyed.window(TumblingProcessingTimeWindows.of(Time.seconds(5))).reduce(lambda a, b: a).print()


def sliding_windows_and_late_records(env: Any) -> None:
    """A sliding window with lateness, late records on the side."""
    keyed = timed(env).key_by(lambda p: p[0], Types.STRING())
    windows = keyed.window(SlidingEventTimeWindows.of(Time.seconds(10), Time.seconds(5))).allowed_lateness(1000)
    result = windows.side_output_late_data(tag()).aggregate(Count(), output_type=Types.LONG())
    result.print()
    result.get_side_output(tag()).print()


def session_windows(env: Any) -> None:
    """Windows that merge."""
    keyed = timed(env).key_by(lambda p: p[0], Types.STRING())
    keyed.window(EventTimeSessionWindows.with_gap(Time.seconds(5))).aggregate(
        Count(), window_function=Whole(), output_type=Types.STRING()
    ).print()


def count_windows(env: Any) -> None:
    """Count windows, tumbling and sliding."""
    keyed = pairs(env).key_by(lambda p: p[0], Types.STRING())
    keyed.count_window(2).reduce(lambda a, b: a).print()
    keyed.count_window(4, 2).process(Whole(), Types.STRING()).print()


def window_all(env: Any) -> None:
    """A window over the whole stream, which one subtask has."""
    timed(env).window_all(TumblingEventTimeWindows.of(Time.seconds(5))).process(WholeAll(), Types.LONG()).print()


def timestamps_in_the_middle(env: Any) -> None:
    """Timestamps between functions, with one of Python's and with none."""
    stream = pairs(env).map(Same(), PAIR)
    stream = stream.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(1)).with_timestamp_assigner(Second())
    ).map(Same(), PAIR)
    stream.assign_timestamps_and_watermarks(WatermarkStrategy.for_monotonous_timestamps()).map(Same(), PAIR).print()


def partitions(env: Any) -> None:
    """Every way to ship records."""
    stream = pairs(env).map(Same(), PAIR)
    for shipped in (stream.rebalance(), stream.rescale(), stream.shuffle(), stream.broadcast(), stream.forward()):
        shipped.map(Same(), PAIR).print()


def custom_partitions(env: Any) -> None:
    """The user's own partitioner."""
    pairs(env).partition_custom(lambda key, n: 0, lambda p: p[0]).map(Same(), PAIR).print()
    pairs(env).map(Same(), PAIR).partition_custom(lambda key, n: 0, lambda p: p[0]).print()


def union_of_two(env: Any) -> None:
    """Two sources, one stream."""
    pairs(env).map(Same(), PAIR).union(pairs(env)).map(Same(), PAIR).print()
    pairs(env).union(pairs(env)).key_by(lambda p: p[0]).process(Keyed(), PAIR).print()


def connected(env: Any) -> None:
    """Two streams, one function, not keyed."""
    pairs(env).connect(pairs(env, typed=False)).map(Either(), PAIR).map(Same(), PAIR).print()


def connected_by_key(env: Any) -> None:
    """Two keyed streams."""
    left, right = pairs(env).map(Same(), PAIR), pairs(env)
    left.connect(right).key_by(lambda p: p[0], lambda p: p[0], Types.STRING()).process(Both(), PAIR).print()


def broadcast_state(env: Any) -> None:
    """The broadcast state pattern, keyed and not."""
    rules = pairs(env).broadcast(RULES)
    pairs(env).connect(rules).process(Broadcast(), PAIR).print()
    pairs(env).key_by(lambda p: p[0], Types.STRING()).connect(rules).process(KeyedBroadcast(), PAIR).print()


def asynchronous(env: Any) -> None:
    """Async I/O, ordered and not."""
    stream = pairs(env).map(Same(), PAIR)
    AsyncDataStream.ordered_wait(stream, Ask(), Time.seconds(1), 10, PAIR).print()
    AsyncDataStream.unordered_wait(stream, Ask(), Time.seconds(1), 10, PAIR).map(Same(), PAIR).print()


def chaining_settings(env: Any) -> None:
    """disable_chaining, start_new_chain, slot sharing groups."""
    stream = pairs(env).map(Same(), PAIR).disable_chaining().map(Same(), PAIR).name("second")
    stream = stream.map(Same(), PAIR).start_new_chain().name("third").map(Same(), PAIR).name("fourth")
    stream.filter(lambda p: True).slot_sharing_group("apart").print()


def no_chaining(env: Any) -> None:
    """Chaining switched off for the whole job."""
    env.disable_operator_chaining()
    pairs(env).map(Same(), PAIR).filter(lambda p: True).key_by(lambda p: p[0]).process(Keyed(), PAIR).print()


def diamond(env: Any) -> None:
    """One stream read twice."""
    stream = pairs(env).map(Same(), PAIR)
    stream.map(Same(), PAIR).name("left").union(stream.filter(lambda p: True).name("right")).print()


def projected_rows(env: Any) -> None:
    """A projection, and rows with names."""
    pairs(env).project(1, 0).print()
    env.from_collection([Row("a", 1)], NAMED).key_by(lambda r: r.a).max("b").print()


def asynchronous_behind_a_map(env: Any) -> None:
    """Async I/O with nothing beside it."""
    stream = AsyncDataStream.unordered_wait(pairs(env).map(Same(), PAIR), Ask(), Time.seconds(1), 10, PAIR)
    stream.key_by(lambda p: p[0], Types.STRING()).map(Same(), PAIR).map(Same(), PAIR).print()


def mixed_parallelism(env: Any) -> None:
    """Parallelism of the user's own at several places, and partitions before keys."""
    stream = pairs(env).map(Same(), PAIR).set_parallelism(3).map(Same(), PAIR).filter(lambda p: True)
    stream.rebalance().key_by(lambda p: p[0], Types.STRING()).process(Keyed(), PAIR).set_max_parallelism(64).print()
    stream.key_by(lambda p: p[0], Types.STRING()).sum(1).force_non_parallel().print().set_parallelism(1)


def files(env: Any) -> None:
    """A file sink, which commits."""
    lines = env.from_collection(["a", "b"], Types.STRING()).map(lambda line: line, Types.STRING())
    lines.sink_to(FileSink.for_row_format("/tmp/unused", Encoder.simple_string_encoder()).build())


def described(env: Any) -> None:
    """Descriptions on operators that are chained, and on a window."""
    stream = pairs(env).map(Same(), PAIR).set_description("one").map(Same(), PAIR).set_description("two")
    windows = stream.key_by(lambda p: p[0]).window(TumblingProcessingTimeWindows.of(Time.seconds(5)))
    windows.reduce(lambda a, b: a).set_description("three").name("renamed").print().set_description("four")


def triggers_and_offsets(env: Any) -> None:
    """Windows with offsets and triggers of the user's choice."""
    keyed = pairs(env).key_by(lambda p: p[0], Types.STRING())
    keyed.window(TumblingEventTimeWindows.of(Time.hours(1), Time.minutes(5))).trigger(
        PurgingTrigger.of(CountTrigger.of(3))
    ).process(Whole(), Types.STRING()).print()
    keyed.window(ProcessingTimeSessionWindows.with_gap(Time.seconds(1))).reduce(lambda a, b: a, Whole()).print()
    keyed.window(GlobalWindows.create()).trigger(CountTrigger.of(2)).apply(Applied(), Types.STRING()).print()
    keyed.window(SlidingProcessingTimeWindows.of(Time.seconds(2), Time.seconds(1), Time.milliseconds(5))).reduce(
        lambda a, b: a
    ).print()


PROGRAMS: dict[str, Callable[[Any], None]] = {
    function.__name__: function
    for function in (
        untyped_map_and_print,
        typed_map_and_print,
        source_and_print,
        untyped_source_and_print,
        word_count,
        key_of_a_source,
        keyed_map_and_filter,
        keyed_process_with_names,
        processes_chained,
        tumbling_event_time,
        tumbling_processing_time,
        sliding_windows_and_late_records,
        session_windows,
        count_windows,
        window_all,
        timestamps_in_the_middle,
        partitions,
        custom_partitions,
        union_of_two,
        connected,
        connected_by_key,
        broadcast_state,
        asynchronous,
        chaining_settings,
        no_chaining,
        diamond,
        projected_rows,
        asynchronous_behind_a_map,
        mixed_parallelism,
        files,
        described,
        triggers_and_offsets,
    )
}
