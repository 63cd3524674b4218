"""Misuse of the API is refused where it happens, as PyFlink refuses it, in words that say what was meant.

One test a kind of mistake; what Kafka, files and the command line refuse is tested with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Message

from tests.unit.connectors.files import source_context
from tests.unit.datastream.collect import collect
from wiesel.common import Row, Time, Types, WatermarkStrategy
from wiesel.connectors.kafka.bad_records import BadRecordPolicy, BadRecords
from wiesel.connectors.kafka.decoding import decoder_for
from wiesel.connectors.kafka.partitions import Partition
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError, JobExecutionError, RecordError, TypeMismatchError
from wiesel.datastream import (
    AggregateFunction,
    CoMapFunction,
    CoProcessFunction,
    DataStream,
    KeyedProcessFunction,
    MapFunction,
    OutputTag,
    ProcessFunction,
    StreamExecutionEnvironment,
)
from wiesel.datastream.connectors.kafka import KafkaSource
from wiesel.datastream.formats.avro import AvroRowDeserializationSchema
from wiesel.datastream.formats.csv import CsvRowDeserializationSchema
from wiesel.datastream.formats.json import JsonRowDeserializationSchema
from wiesel.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)
from wiesel.datastream.window import TumblingEventTimeWindows

ROW = Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()])


#: The names whose misuse is tested are untyped here: a type checker refuses it as well.
T: Any = Types
State: Any = (ValueStateDescriptor, ListStateDescriptor, MapStateDescriptor)


def environment(parallelism: int = 1) -> Any:
    return StreamExecutionEnvironment(Configuration()).set_parallelism(parallelism)


def numbers(parallelism: int = 1) -> Any:
    return environment(parallelism).from_collection([1, 2])


def windows() -> Any:
    return numbers().key_by(lambda v: v).window(TumblingEventTimeWindows.of(Time.seconds(1)))


def same(value: Any) -> Any:
    return value


class Mapping(MapFunction):
    def map(self, value: Any) -> Any:
        return value


class Processing(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]


class BothMaps(CoMapFunction):
    def map1(self, value: Any) -> Any:
        return value

    map2 = map1


class Totals(AggregateFunction):
    def create_accumulator(self) -> int:
        return 0

    def add(self, value: Any, accumulator: Any) -> Any:
        return accumulator + value

    def get_result(self, accumulator: Any) -> Any:
        return accumulator

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return acc_a + acc_b


class KeyedProcessing(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]


# ------------------------------------------------------------------------------------------------- wrong types


@pytest.mark.parametrize(
    ("program", "operator", "record", "message"),
    [
        (lambda s: s.map(lambda v: "x", Types.INT()), "Map", "'x'", "Expected .* for INT, got str: 'x'"),
        (lambda s: s.map(lambda v: (1, "x"), ROW), "Map", "(1, 'x')", "Expected Row for .*, got tuple: "),
        (lambda s: s.map(lambda v: Row(1, 2.5), ROW), "Map", "<Row(1, 2.5)>", "field b: Expected .*, got float: 2.5"),
        (lambda s: s.map(lambda v: 2**40, Types.INT()), "Map", str(2**40), "which is out of range"),
        (
            lambda s: s.flat_map(lambda v: [[1]], Types.TUPLE([Types.INT()])),
            "FlatMap",
            "[1]",
            "Expected tuple for .*, got list",
        ),
        (lambda s: s.process(Processing(), Types.STRING()), "PROCESS", "1", "Expected .*STRING, got int: 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_that_is_not_of_its_declared_type_is_named_with_its_operator_where_it_is_sent(
    program: Callable[[DataStream], DataStream], operator: str, record: str, message: str
) -> None:
    with pytest.raises(JobExecutionError, match=message) as failure:
        collect(program(numbers(2)).rebalance().map(same))
    assert (failure.value.operator, failure.value.record) == (operator, record)
    assert isinstance(failure.value.__cause__, TypeMismatchError)


def test_a_key_that_is_not_of_its_declared_type_is_named() -> None:
    with pytest.raises(JobExecutionError, match=r"Expected .* for INT, got str: 'x'") as failure:
        collect(numbers().key_by(lambda v: "x", Types.INT()).map(same))
    assert failure.value.record == "1"


def test_an_element_of_a_collection_that_is_not_of_its_type_is_refused_at_once() -> None:
    with pytest.raises(TypeMismatchError, match=r"field a: Expected .* for INT, got str: 'x'"):
        environment().from_collection([("x", "y")], ROW)


class Storing(KeyedProcessFunction):
    """Stores what it is given, in a state of one kind."""

    def __init__(self, kind: str, ttl: bool) -> None:
        self.kind = kind
        self.ttl = ttl

    def open(self, runtime_context: Any) -> None:
        self.store: Any
        if self.kind == "value":
            value = ValueStateDescriptor[int]("s", Types.INT())
            self.expire(value)
            self.store = runtime_context.get_state(value).update
        elif self.kind.startswith("list"):
            elements = ListStateDescriptor[int]("s", Types.INT())
            self.expire(elements)
            state = runtime_context.get_list_state(elements)
            every = {"list.add_all": state.add_all, "list.update": state.update}
            self.store = state.add if self.kind == "list.add" else lambda value: every[self.kind]([value])
        elif self.kind.startswith("map"):
            entries = MapStateDescriptor[str, int]("s", Types.STRING(), Types.INT())
            self.expire(entries)
            state = runtime_context.get_map_state(entries)
            puts = {
                "map.put": lambda value: state.put("key", value),
                "map.put_all": lambda value: state.put_all({"key": value}),
                "map[]": lambda value: state.__setitem__("key", value),
            }
            self.store = puts[self.kind]
        else:
            last = ReducingStateDescriptor[int]("s", lambda a, b: b, Types.INT())
            self.expire(last)
            self.store = runtime_context.get_reducing_state(last).add

    def expire(self, descriptor: Any) -> None:
        if self.ttl:
            descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time.hours(1)).build())

    def process_element(self, value: Any, ctx: Any) -> Any:
        self.store(value)


@pytest.mark.parametrize("ttl", [False, True])
@pytest.mark.parametrize(
    "kind", ["value", "reducing", "list.add", "list.add_all", "list.update", "map.put", "map.put_all", "map[]"]
)
def test_a_value_that_is_not_of_its_state_s_type_is_named_with_state_operator_and_record(kind: str, ttl: bool) -> None:
    stream = environment().from_collection([1, "x"]).key_by(lambda v: 0).process(Storing(kind, ttl)).uid("store")
    where = "element 0: " if kind.startswith("list") else "entry 'key': " if kind.startswith("map") else ""
    words = rf"State 's' of operator 'KEYED PROCESS' \(uid store\): {where}Expected .* for INT, got str: 'x'"
    with pytest.raises(JobExecutionError, match=words) as failure:
        collect(stream)
    assert (failure.value.operator, failure.value.record) == ("KEYED PROCESS", "'x'")


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: numbers().map(same, int), r"'Map' takes a type .*, got the class int. Did you mean Types.LONG\(\)\?"),
        (lambda: numbers().key_by(same, str), r"key_by\(\) takes a type .*Types.STRING\(\)\?"),
        (lambda: environment().from_collection([1], float), r"Did you mean Types.DOUBLE\(\)\?"),
        (lambda: numbers().connect(numbers()).map(BothMaps(), int), r"'Co-Map' takes a type .*Types.LONG\(\)\?"),
        (lambda: windows().aggregate(Totals(), accumulator_type=int), r"accumulator_type takes a type"),
        (lambda: OutputTag("side", T.INT), r"OutputTag takes a type such as Types.LONG\(\), got "),
        (lambda: numbers().map(same, [int]), "A field of RowTypeInfo takes a type"),
        (lambda: T.ROW([int]), r"A field of RowTypeInfo takes a type"),
        (lambda: T.LIST(dict), r"An element of ListTypeInfo takes a type"),
        (lambda: T.MAP(str, str), "MAP takes a type"),
        (lambda: State[0]("s", int), "ValueStateDescriptor takes a type"),
        (lambda: State[1]("s", 3), "takes a type such as .*, got int: 3"),
        (lambda: State[2]("s", str, int), "takes a type"),
    ],
)
def test_a_class_of_python_s_in_the_place_of_a_type_is_answered_with_the_type(mistake: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        mistake()


# ------------------------------------------------------------------------------------- state, timers, time


@pytest.mark.parametrize("function", ["get_state", "get_list_state", "get_map_state"])
def test_state_off_a_keyed_stream_is_refused(function: str) -> None:
    class Stateful(MapFunction):
        def open(self, runtime_context: Any) -> None:
            getattr(runtime_context, function)(ValueStateDescriptor("s", Types.INT()))

        def map(self, value: Any) -> Any:
            return value

    with pytest.raises(JobExecutionError, match="This state is only accessible by functions executed on a KeyedStream"):
        collect(numbers().map(Stateful()))


@pytest.mark.parametrize(
    "method",
    [
        "register_event_time_timer",
        "register_processing_time_timer",
        "delete_event_time_timer",
        "delete_processing_time_timer",
    ],
)
def test_timers_off_a_keyed_stream_are_refused(method: str) -> None:
    class Timed(ProcessFunction):
        def process_element(self, value: Any, ctx: Any) -> Any:
            getattr(ctx.timer_service(), method)(1)

    with pytest.raises(JobExecutionError, match="supported on a keyed stream"):
        collect(numbers().process(Timed()))


def test_event_time_windows_without_timestamps_are_refused_with_what_to_call() -> None:
    with pytest.raises(JobExecutionError, match=r"did you forget to call .*assign_timestamps_and_watermarks"):
        collect(windows().reduce(lambda a, b: a))


# --------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize("number", [-3, 0, "2", 1.5])
@pytest.mark.parametrize(
    "set_parallelism",
    [
        lambda n: environment().set_parallelism(n),
        lambda n: environment().set_max_parallelism(n),
        lambda n: numbers().map(same).set_parallelism(n),
        lambda n: numbers().map(same).set_max_parallelism(n),
        lambda n: numbers().print().set_parallelism(n),
    ],
)
def test_a_parallelism_that_cannot_be_is_refused(set_parallelism: Callable[[Any], Any], number: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"must be .* got {number!r}"):
        set_parallelism(number)


# -------------------------------------------------------------------------------------- streams and functions


def test_streams_of_different_types_are_not_united() -> None:
    env = environment()
    message = "Cannot union streams of different types: PickledByteArrayTypeInfo and Integer"
    with pytest.raises(ConfigurationError, match=message):
        env.from_collection([1]).union(env.from_collection([1], Types.INT()))


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: numbers().map(Processing()), "must be a MapFunction or a callable"),
        (lambda: numbers().flat_map(Mapping()), "must be a FlatMapFunction or a callable"),
        (lambda: numbers().filter("x"), "must be a FilterFunction or a callable"),
        (lambda: numbers().process(KeyedProcessing()), "ProcessFunction is required for DataStream"),
        (lambda: numbers().process(Processing), "ProcessFunction is required for DataStream"),
        (lambda: numbers().key_by(same).process(Processing()), "KeyedProcessFunction is required for KeyedStream"),
        (lambda: numbers().key_by(same).reduce(Mapping()), "must be a ReduceFunction or a callable"),
        (lambda: numbers().key_by("a"), "should be type of KeySelector or a callable"),
        (lambda: numbers().connect(numbers()).map(Mapping()), "must be a CoMapFunction"),
        (lambda: numbers().connect(numbers()).process(Processing()), "must be a CoProcessFunction"),
        (lambda: windows().process(Mapping()), "must be a WindowFunction or a ProcessWindowFunction, got Mapping"),
        (lambda: windows().aggregate(Mapping()), "must be an AggregateFunction"),
        (lambda: windows().trigger(Time.seconds(1)), "Expected a Trigger, got Time"),
        (lambda: numbers().key_by(same).window(Time.seconds(1)), "Expected a WindowAssigner, got Time"),
        (lambda: numbers().sink_to(print), r"sink_to\(\) takes a sink such as KafkaSink or FileSink, got builtin_func"),
        (lambda: numbers().add_sink(3), r"add_sink\(\) takes a SinkFunction"),
        (lambda: numbers().get_side_output("late"), r"get_side_output\(\) takes an OutputTag, got str: 'late'"),
        (
            lambda: windows().side_output_late_data("late"),
            r"side_output_late_data\(\) takes an OutputTag, got str: 'late'",
        ),
        (lambda: numbers().union([numbers()]), r"union\(\) takes streams, got list"),
        (lambda: numbers().connect([1]), r"connect\(\) takes a stream, got list"),
        (lambda: numbers().broadcast("rules"), r"broadcast\(\) takes MapStateDescriptors, got str"),
        (lambda: numbers().assign_timestamps_and_watermarks(same), "takes a WatermarkStrategy, got function"),
        (lambda: environment().from_source([1], WatermarkStrategy.no_watermarks(), "n"), "takes a source .*got list"),
        (
            lambda: environment().from_source(KafkaSource.builder(), WatermarkStrategy.no_watermarks(), "k"),
            r"got KafkaSourceBuilder.* Call its build\(\) first",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_an_argument_of_the_wrong_kind_is_refused_where_it_is_given(mistake: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        mistake()


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: numbers().execute_and_collect(limit=0), "Limit must be greater than 0, got 0"),
        (lambda: environment().set_buffer_timeout(-5), "buffer must be non-negative or -1, got -5"),
        (lambda: numbers().set_buffer_timeout(-2), "buffer must be non-negative or -1, got -2"),
    ],
)
def test_a_number_that_cannot_be_is_refused_where_it_is_given(mistake: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        mistake()


def test_a_list_of_types_is_declared_as_a_row_of_them() -> None:
    types = [Types.INT(), Types.STRING()]
    row = Types.ROW(types)
    rows = numbers().map(lambda v: Row(v, "x"), types)
    assert (rows.get_type(), OutputTag("side", types).type_info) == (row, row)
    assert numbers().connect(numbers()).map(BothMaps(), types).get_type() == row
    assert windows().aggregate(Totals(), accumulator_type=types, output_type=types).get_type() == row
    assert collect(rows) == [Row(f0=1, f1="x"), Row(f0=2, f1="x")]


def test_a_two_input_function_needs_two_inputs() -> None:
    class Both(CoProcessFunction):
        def process_element1(self, value: Any, ctx: Any) -> Any:
            """Not reached."""

        process_element2 = process_element1

    with pytest.raises(TypeError, match="ProcessFunction is required for DataStream"):
        numbers().process(Both())


def test_a_tag_needs_a_name() -> None:
    with pytest.raises(ValueError, match="tag_id cannot be None or empty"):
        OutputTag("")


# ------------------------------------------------------------------------------------------- malformed messages

SCHEMAS = {
    "JSON": (JsonRowDeserializationSchema.builder().type_info(ROW).build(), b'{"a": 1, "b": "x"}', b'{"a": 1, '),
    "CSV": (CsvRowDeserializationSchema.Builder(ROW).build(), b"1,x", b"one,x"),
    "Avro": (
        AvroRowDeserializationSchema(
            avro_schema_string="""{"type": "record", "name": "r", "fields": [
                {"name": "a", "type": "int"}, {"name": "b", "type": "string"}]}"""
        ),
        b"\x02\x02x",
        b"\x02\x7fx",
    ),
}


def message(offset: int, value: bytes) -> Message:
    return Message("t", 0, offset, None, value, None, None, (1, 0), 0.0, 0)


@pytest.mark.parametrize("form", SCHEMAS)
def test_a_malformed_message_fails_the_job_with_its_place_or_is_skipped_and_counted(form: str) -> None:
    schema, good, malformed = SCHEMAS[form]
    messages = [message(0, good), message(1, malformed), message(2, good)]
    failing = decoder_for(schema, BadRecords(BadRecordPolicy.fail(), source_context()))
    with pytest.raises(RecordError, match=r"t-0 offset 1 cannot be decoded by \w+RowDeserializationSchema"):
        failing.batch(Partition("t", 0), messages, [0, 0, 0])
    counting = BadRecords(BadRecordPolicy.skip(), source_context())
    batch = decoder_for(schema, counting).batch(Partition("t", 0), messages, [0, 0, 0])
    assert batch is not None
    assert batch.values == [Row(a=1, b="x")] * 2
    assert counting.metrics()["numRecordsSkipped"] == 1
