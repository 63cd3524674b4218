# mypy: disable-error-code="misc, func-returns-value"
"""Small programs that were run on PyFlink 2.3.0, with what it printed there: data for ``test_observed.py``.

``expected`` are the lines of stdout; where Flink's order is its own (keys of one window, several subtasks) ``ordered``
is False and they are compared as a multiset. ``error`` is a part of what the job's failure says.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from wiesel.common import Duration, Row, Time, Types, WatermarkStrategy
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.datastream import (
    AggregateFunction,
    KeyedBroadcastProcessFunction,
    KeyedProcessFunction,
    OutputTag,
    ProcessFunction,
    ProcessWindowFunction,
    RuntimeContext,
    RuntimeExecutionMode,
    StreamExecutionEnvironment,
)
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.state import ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor
from wiesel.datastream.window import (
    EventTimeSessionWindows,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

Env: TypeAlias = StreamExecutionEnvironment


@dataclass(frozen=True)
class Program:
    """One program.

    Args:
        name: says what it shows.
        build: adds it to an environment.
        expected: the lines that it prints.
        parallelism: of the environment.
        ordered: whether their order is given.
        error: a part of the message with which it fails, in PyFlink's words or ours where those name a JVM.
    """

    name: str
    build: Callable[[Env], Any]
    expected: Iterable[str] = ()
    parallelism: int = 1
    ordered: bool = True
    error: str | None = None


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value[1])


class Seconds(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value) * 1000


class TellTimestamp(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        print("RT", record_timestamp, flush=True)
        return int(value[1])


class Describe(ProcessWindowFunction):
    def process(self, key, context, elements):
        window = context.window()
        times = [element[1] for element in elements]
        yield key, window.start, window.end, window.max_timestamp(), times, context.current_watermark()


class CountWindow(ProcessWindowFunction):
    def process(self, key, context, elements):
        return [(key, context.window().start, len(list(elements)))]


class Mean(AggregateFunction):
    def create_accumulator(self):
        return 0, 0

    def add(self, value, accumulator):
        return accumulator[0] + value[1], accumulator[1] + 1

    def get_result(self, accumulator):
        return accumulator[0] / accumulator[1]

    def merge(self, a, b):
        return a[0] + b[0], a[1] + b[1]


class Everything(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext):
        self.value = runtime_context.get_state(ValueStateDescriptor("v", Types.INT()))
        self.map = runtime_context.get_map_state(MapStateDescriptor("m", Types.STRING(), Types.INT()))
        self.list = runtime_context.get_list_state(ListStateDescriptor("l", Types.INT()))

    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        state = (self.value.value(), self.map.get("zz"), list(self.list.get()))
        yield "elem", ctx.get_current_key(), ctx.timestamp(), timers.current_watermark(), *state
        self.value.update((self.value.value() or 0) + 1)
        timers.register_event_time_timer(ctx.timestamp() + 1)
        timers.register_processing_time_timer(timers.current_processing_time() + 100_000)

    def on_timer(self, timestamp, ctx):
        watermark = ctx.timer_service().current_watermark()
        yield "timer", timestamp, ctx.get_current_key(), str(ctx.time_domain()), watermark

    def close(self):
        print("CLOSE", flush=True)


class Twice(KeyedProcessFunction):
    def process_element(self, value, ctx):
        return [value, value]


class Times(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp(), ctx.timer_service().current_watermark()


SIDE = OutputTag("t", Types.STRING())
LATE = OutputTag("late", Types.PICKLED_BYTE_ARRAY())


class Side(ProcessFunction):
    def process_element(self, value, ctx):
        yield SIDE, str(value)
        yield value


class NoState(ProcessFunction):
    def open(self, runtime_context: RuntimeContext):
        runtime_context.get_state(ValueStateDescriptor("v", Types.INT()))

    def process_element(self, value, ctx):
        yield value


class Nothing(ProcessFunction):
    def process_element(self, value, ctx):
        pass


class Output(ProcessFunction):
    def process_element(self, value, ctx):
        ctx.output(SIDE, "x")
        yield value


class Rules(KeyedBroadcastProcessFunction):
    RULES: MapStateDescriptor = MapStateDescriptor("r", Types.STRING(), Types.INT())

    def process_element(self, value, ctx):
        yield "e", value, list(ctx.get_broadcast_state(self.RULES).items())

    def process_broadcast_element(self, value, ctx):
        ctx.get_broadcast_state(self.RULES).put(value[0], value[1])
        yield "b", value


MAX = 9223372036854775807
MIN = -9223372036854775808
EVENTS = [("a", 1000), ("a", 2000), ("b", 4999), ("a", 5000), ("a", 3000), ("a", 12000), ("a", 1500)]
ROW = Types.ROW([Types.INT(), Types.STRING()])
NAMED_ROW = Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()])
IN_ORDER = WatermarkStrategy.for_monotonous_timestamps()
BY_FIELD = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(0)).with_timestamp_assigner(SecondField())


def mapped(value: Any, output_type: Any = None) -> Callable[[Env], Any]:
    """A program that prints one value, untyped or of a type."""
    return lambda env: env.from_collection([0]).map(lambda _: value, output_type=output_type).print()


def keyed(env: Env, values: list[Any]) -> Any:
    return env.from_collection(values).key_by(lambda value: value[0])


def windowed(env: Env, window: Any, values: list[Any] | None = None) -> Any:
    stream = env.from_collection(EVENTS if values is None else values)
    return stream.assign_timestamps_and_watermarks(BY_FIELD).key_by(lambda value: value[0]).window(window)


def late_side_output(env: Env) -> None:
    window = windowed(env, TumblingEventTimeWindows.of(Time.seconds(5))).side_output_late_data(LATE)
    results = window.process(Describe())
    results.print("main")
    results.get_side_output(LATE).print("late")


def side_output(env: Env) -> None:
    results = env.from_collection([1, 2]).process(Side())
    results.print("main")
    results.get_side_output(SIDE).print("side")


def mutable_closure(env: Env) -> None:
    seen: list[int] = []
    env.from_collection([1, 2]).map(lambda value: (seen.append(value), len(seen))[1]).print()


def batch(env: Env) -> None:
    env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    values = [("a", 1), ("b", 5), ("a", 2), ("a", 3)]
    keyed(env, values).reduce(lambda a, b: (a[0], a[1] + b[1])).print()


def numbers(env: Env, last: int, strategy: WatermarkStrategy) -> Any:
    return env.from_source(NumberSequenceSource(1, last), strategy, "s", Types.LONG())


TUMBLING = [
    f"('a', 0, 5000, 4999, [1000, 2000, 3000, 1500], {MAX})",
    f"('b', 0, 5000, 4999, [4999], {MAX})",
    f"('a', 5000, 10000, 9999, [5000], {MAX})",
    f"('a', 10000, 15000, 14999, [12000], {MAX})",
]
LETTERS = list("abcdefgh")

PROGRAMS = [
    # What print shows of untyped values …
    Program("untyped tuple", mapped((1, "a")), ["(1, 'a')"]),
    Program("untyped dict", mapped({"k": 1}), ["{'k': 1}"]),
    Program("untyped unnamed row", mapped(Row(1, "x")), ["<Row(1, 'x')>"]),
    Program("untyped named row", mapped(Row(a=1, b="x")), ["Row(a=1, b='x')"]),
    Program("untyped None", mapped(None), ["None"]),
    Program("untyped text", mapped("s"), ["s"]),
    Program("untyped bool", mapped(True), ["True"]),
    Program("untyped float", mapped(1.5), ["1.5"]),
    Program("untyped bytes", mapped(b"ab"), error="declare bytes"),
    Program("untyped list", mapped([1, 2]), ["[1, 2]"]),
    Program("untyped datetime", mapped(datetime.datetime(2020, 1, 1)), ["2020-01-01 00:00:00"]),
    # … and of typed ones, and what a declared type does to a value.
    Program("typed tuple", mapped((1, "a"), Types.TUPLE([Types.INT(), Types.STRING()])), ["(1,a)"]),
    Program("typed row", mapped(Row(1, "x"), ROW), ["+I[1,x]"]),
    Program("typed named row", mapped(Row(a=1, b="x"), NAMED_ROW), ["+I[1,x]"]),
    Program("typed map", mapped({"k": 1}, Types.MAP(Types.STRING(), Types.INT())), ["{k=1}"]),
    Program("typed bool", mapped(True, Types.BOOLEAN()), ["true"]),
    Program("typed double", mapped(1.0, Types.DOUBLE()), ["1.0"]),
    Program("typed float", mapped(1.1, Types.FLOAT()), ["1.1"]),
    Program("typed list", mapped([1, 2], Types.LIST(Types.INT())), ["[1, 2]"]),
    Program("large double", mapped(1e21, Types.DOUBLE()), ["1.0E21"]),
    Program("whole number as double", mapped(1, Types.DOUBLE()), ["1.0"]),
    Program("fraction as INT", mapped(1.7, Types.INT()), ["1"]),
    Program("None as STRING", mapped(None, Types.STRING()), error="STRING"),
    Program("too large for INT", mapped(2**40, Types.INT()), error="out of range"),
    Program("too large for LONG", mapped(2**70, Types.LONG()), error="out of range"),
    Program("too large for BIG_INT", mapped(2**70, Types.BIG_INT()), error="out of range"),
    Program("text as INT", mapped("x", Types.INT()), error="a whole number"),
    Program("number as STRING", mapped(5, Types.STRING()), error="a str for STRING"),
    Program("tuple as row", mapped((1, "x"), ROW), error="Row"),
    # Collections.
    Program("collection", lambda env: env.from_collection([(1, "a"), (2, "b")]).print(), ["(1, 'a')", "(2, 'b')"]),
    Program(
        "typed collection", lambda env: env.from_collection([(1, "a"), (2, "b")], ROW).print(), ["+I[1,a]", "+I[2,b]"]
    ),
    Program("label", lambda env: env.from_collection([1, 2]).print("lbl"), ["lbl> 1", "lbl> 2"]),
    Program("empty collection", lambda env: env.from_collection([]).print()),
    Program("range", lambda env: env.from_collection(range(2)).print(), ["0", "1"]),
    Program(
        "rows of a collection",
        lambda env: env.from_collection([(1, "a")], ROW).map(lambda r: (type(r).__name__, repr(r), r[0])).print(),
        ["""('Row', "Row(f0=1, f1='a')", 1)"""],
    ),
    Program(
        "tuples of a collection",
        lambda env: (
            env.from_collection([(1, "a")], Types.TUPLE([Types.INT(), Types.STRING()]))
            .map(lambda t: (type(t).__name__, repr(t), t[0]))
            .print()
        ),
        ["""('tuple', "(1, 'a')", 1)"""],
    ),
    # Functions without state.
    Program(
        "flat_map of lists",
        lambda env: env.from_collection([1, 2]).flat_map(lambda x: [x, x * 10]).print(),
        ["1", "10", "2", "20"],
    ),
    Program(
        "flat_map of None",
        lambda env: env.from_collection([1]).flat_map(lambda x: None).print(),
        error="'NoneType' object is not iterable",
    ),
    Program("flat_map of text", lambda env: env.from_collection([1]).flat_map(lambda x: "ab").print(), ["a", "b"]),
    Program("map to None", lambda env: env.from_collection([1]).map(lambda x: None).map(repr).print(), ["None"]),
    Program("filter by truth", lambda env: env.from_collection([0, 1, 2]).filter(lambda x: x).print(), ["1", "2"]),
    Program(
        "exception",
        lambda env: env.from_collection([1, 0]).map(lambda x: 1 // x).print(),
        ["1"],
        error="ZeroDivisionError: integer division or modulo by zero",
    ),
    Program("mutable closure", mutable_closure, ["1", "2"]),
    Program("process without results", lambda env: env.from_collection([1]).process(Nothing()).print()),
    Program(
        "ctx.output", lambda env: env.from_collection([1]).process(Output()).print(), error="has no attribute 'output'"
    ),
    Program("side output", side_output, ["main> 1", "main> 2", "side> 1", "side> 2"], ordered=False),
    Program(
        "state off a keyed stream",
        lambda env: env.from_collection([1]).process(NoState()).print(),
        error="This state is only accessible by functions executed on a KeyedStream.",
    ),
    Program(
        "dict through a chain",
        lambda env: (
            env.from_collection([1])
            .map(lambda x: {"a": x, "b": "z"}, NAMED_ROW)
            .map(lambda r: (type(r).__name__, repr(r)))
            .print()
        ),
        ["""('dict', "{'a': 1, 'b': 'z'}")"""],
    ),
    Program(
        "tuple for a row over a shuffle",
        lambda env: env.from_collection([1]).map(lambda x: (x, "z"), NAMED_ROW).rebalance().map(repr).print(),
        parallelism=2,
        error="Row",
    ),
    Program(
        "list for a tuple over a shuffle",
        lambda env: (
            env.from_collection([1])
            .map(lambda x: [x, "z"], Types.TUPLE([Types.INT(), Types.STRING()]))
            .rebalance()
            .map(repr)
            .print()
        ),
        parallelism=2,
        error="tuple",
    ),
    # Keyed streams.
    Program(
        "running reduce",
        lambda env: (
            keyed(env, [("a", 1), ("b", 5), ("a", 2), ("a", 3)]).reduce(lambda a, b: (a[0], a[1] + b[1])).print()
        ),
        ["('a', 1)", "('b', 5)", "('a', 3)", "('a', 6)"],
    ),
    Program(
        "sum",
        lambda env: keyed(env, [("a", 1), ("b", 5), ("a", 2)]).sum(1).print(),
        ["('a', 1)", "('b', 5)", "('a', 3)"],
    ),
    Program(
        "min keeps the first record's other fields",
        lambda env: keyed(env, [("a", 3, "x"), ("a", 1, "y"), ("a", 2, "z")]).min(1).print(),
        ["('a', 3, 'x')", "('a', 1, 'x')", "('a', 1, 'x')"],
    ),
    Program(
        "min_by returns whole records",
        lambda env: keyed(env, [("a", 3, "x"), ("a", 1, "y"), ("a", 2, "z")]).min_by(1).print(),
        ["('a', 3, 'x')", "('a', 1, 'y')", "('a', 1, 'y')"],
    ),
    Program(
        "sum of a dict's field",
        lambda env: (
            env.from_collection([{"k": "a", "v": 1}, {"k": "a", "v": 2}]).key_by(lambda x: x["k"]).sum("v").print()
        ),
        ["{'k': 'a', 'v': 1}"],
        error="The v field selected on a basic type. A field expression on a basic type can only select the 0th field",
    ),
    Program(
        "sum of a named row's field",
        lambda env: (
            env.from_collection(
                [Row(k="a", v=1), Row(k="a", v=2)], Types.ROW_NAMED(["k", "v"], [Types.STRING(), Types.INT()])
            )
            .key_by(lambda x: x["k"])
            .sum("v")
            .print()
        ),
        ["+I[a,1]", "+I[a,3]"],
    ),
    Program("BATCH emits the last fold only", batch, ["('a', 6)", "('b', 5)"], ordered=False),
    Program(
        "key None", lambda env: env.from_collection([1]).key_by(lambda x: None).reduce(lambda a, b: a).print(), ["1"]
    ),
    Program(
        "key that cannot be hashed",
        lambda env: env.from_collection([1, 1]).key_by(lambda x: [x]).reduce(lambda a, b: a + b).print(),
        ["1", "2"],
    ),
    Program(
        "key of another type than declared",
        lambda env: (
            env.from_collection([1]).key_by(lambda x: x, key_type=Types.STRING()).reduce(lambda a, b: a).print()
        ),
        error="a str for STRING",
    ),
    Program(
        "process returns a list", lambda env: keyed(env, [("a", 1)]).process(Twice()).print(), ["('a', 1)", "('a', 1)"]
    ),
    Program(
        "keyed process without timestamps",
        lambda env: keyed(env, [("a", 1)]).process(Everything()).print(),
        [
            f"('elem', 'a', {MIN}, {MIN}, None, None, [])",
            f"('timer', {MIN + 1}, 'a', 'TimeDomain.EVENT_TIME', {MAX})",
            "CLOSE",
        ],
    ),
    Program(
        "keyed process with timestamps",
        lambda env: (
            env.from_collection(EVENTS[:3])
            .assign_timestamps_and_watermarks(BY_FIELD)
            .key_by(lambda x: x[0])
            .process(Everything())
            .print()
        ),
        [
            f"('elem', 'a', 1000, {MIN}, None, None, [])",
            f"('elem', 'a', 2000, {MIN}, 1, None, [])",
            f"('elem', 'b', 4999, {MIN}, None, None, [])",
            f"('timer', 1001, 'a', 'TimeDomain.EVENT_TIME', {MAX})",
            f"('timer', 2001, 'a', 'TimeDomain.EVENT_TIME', {MAX})",
            f"('timer', 5000, 'b', 'TimeDomain.EVENT_TIME', {MAX})",
            "CLOSE",
        ],
    ),
    Program(
        "broadcast state",
        lambda env: (
            env.from_collection([1, 2])
            .key_by(lambda x: x)
            .connect(env.from_collection([("r", 1)]).broadcast(Rules.RULES))
            .process(Rules())
            .map(lambda result: result[0])
            .print()
        ),
        ["b", "e", "e"],
        ordered=False,
    ),
    # Which subtask owns a key.
    Program(
        "owners of untyped keys",
        lambda env: env.from_collection(LETTERS).key_by(lambda x: x).map(lambda x: x).print("lbl"),
        [f"lbl:1> {x}" for x in "abcd"] + [f"lbl:2> {x}" for x in "efgh"],
        parallelism=2,
        ordered=False,
    ),
    Program(
        "owners of keys of type STRING",
        lambda env: (
            env.from_collection(LETTERS, Types.STRING())
            .key_by(lambda x: x, key_type=Types.STRING())
            .map(lambda x: x, Types.STRING())
            .print("lbl")
        ),
        [f"lbl:2> {x}" for x in "abdef"] + [f"lbl:1> {x}" for x in "cgh"],
        parallelism=2,
        ordered=False,
    ),
    Program(
        "owners of keys of type LONG",
        lambda env: (
            env.from_collection(list(range(1, 9)), Types.LONG())
            .key_by(lambda x: x, key_type=Types.LONG())
            .map(lambda x: x, Types.LONG())
            .print("lbl")
        ),
        [f"lbl:1> {x}" for x in (1, 4, 5, 7)] + [f"lbl:2> {x}" for x in (2, 3, 6, 8)],
        parallelism=2,
        ordered=False,
    ),
    # Time and windows.
    Program(
        "tumbling windows",
        lambda env: windowed(env, TumblingEventTimeWindows.of(Time.seconds(5))).process(Describe()).print(),
        TUMBLING,
        ordered=False,
    ),
    Program(
        "nothing is late in a small bounded input",
        late_side_output,
        [f"main> {line}" for line in TUMBLING],
        ordered=False,
    ),
    Program(
        "session windows",
        lambda env: windowed(env, EventTimeSessionWindows.with_gap(Time.seconds(3))).process(Describe()).print(),
        [
            f"('b', 4999, 7999, 7998, [4999], {MAX})",
            f"('a', 1000, 8000, 7999, [1000, 2000, 5000, 3000, 1500], {MAX})",
            f"('a', 12000, 15000, 14999, [12000], {MAX})",
        ],
        ordered=False,
    ),
    Program(
        "sliding windows, aggregated",
        lambda env: (
            windowed(
                env,
                SlidingEventTimeWindows.of(Time.seconds(10), Time.seconds(5)),
                [("a", 1000), ("b", 2000), ("a", 7000)],
            )
            .aggregate(Mean())
            .print()
        ),
        ["1000.0", "2000.0", "4000.0", "2000.0", "7000.0"],
        ordered=False,
    ),
    Program(
        "processing-time windows do not fire at the end",
        lambda env: (
            keyed(env, EVENTS)
            .window(TumblingProcessingTimeWindows.of(Time.seconds(3600)))
            .reduce(lambda a, b: a)
            .print()
        ),
    ),
    Program(
        "count windows",
        lambda env: keyed(env, EVENTS).count_window(2).reduce(lambda a, b: (a[0], a[1] + b[1])).print(),
        ["('a', 3000)", "('a', 8000)", "('a', 13500)"],
    ),
    Program(
        "event-time windows without timestamps",
        lambda env: (
            keyed(env, EVENTS).window(TumblingEventTimeWindows.of(Time.seconds(5))).reduce(lambda a, b: a).print()
        ),
        error="Record has Java Long.MIN_VALUE timestamp (= no timestamp marker).",
    ),
    Program(
        "an assigner sees no timestamp as Java's smallest long",
        lambda env: (
            env.from_collection(EVENTS[:1])
            .assign_timestamps_and_watermarks(IN_ORDER.with_timestamp_assigner(TellTimestamp()))
            .print()
        ),
        [f"RT {MIN}", "('a', 1000)"],
    ),
    Program(
        "from_source ignores a Python assigner",
        lambda env: numbers(env, 3, IN_ORDER.with_timestamp_assigner(Seconds())).process(Times()).print(),
        [f"({i}, {MIN}, {MIN})" for i in (1, 2, 3)],
    ),
    Program(
        "timestamps assigned after a source",
        lambda env: (
            numbers(env, 3, WatermarkStrategy.no_watermarks())
            .assign_timestamps_and_watermarks(IN_ORDER.with_timestamp_assigner(Seconds()))
            .process(Times())
            .print()
        ),
        [f"({i}, {i}000, {MIN})" for i in (1, 2, 3)],
    ),
    Program(
        "a window function that returns a list",
        lambda env: (
            numbers(env, 12, WatermarkStrategy.no_watermarks())
            .assign_timestamps_and_watermarks(IN_ORDER.with_timestamp_assigner(Seconds()))
            .key_by(lambda x: x % 3)
            .window(TumblingEventTimeWindows.of(Time.seconds(5)))
            .process(CountWindow())
            .print()
        ),
        [
            "(1, 0, 2)",
            "(2, 0, 1)",
            "(0, 0, 1)",
            "(2, 5000, 2)",
            "(0, 5000, 2)",
            "(1, 5000, 1)",
            "(0, 10000, 1)",
            "(1, 10000, 1)",
            "(2, 10000, 1)",
        ],
        ordered=False,
    ),
]
