"""``DataStream``: what each call does to the records, and to the operator that it names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment, plan
from wiesel.common import Row, Types, WatermarkStrategy
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.core.errors import ConfigurationError, UnsupportedError
from wiesel.datastream import (
    DataStream,
    FilterFunction,
    FlatMapFunction,
    MapFunction,
    OutputTag,
    Partitioner,
    ProcessFunction,
    RuntimeContext,
    SlotSharingGroup,
)
from wiesel.datastream.functions import KeySelector


class AddOne(MapFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.one = 1

    def map(self, value: int) -> int:
        return value + self.one


class Twice(FlatMapFunction):
    def flat_map(self, value: Any) -> Any:
        yield value
        yield value


class Even(FilterFunction):
    def filter(self, value: int) -> bool:
        return value % 2 == 0


class TimeOf(ProcessFunction):
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Any:
        yield value, ctx.timestamp(), ctx.timer_service().current_watermark()


class Split(ProcessFunction):
    def __init__(self, tag: OutputTag) -> None:
        self.tag = tag

    def process_element(self, value: int, ctx: ProcessFunction.Context) -> Any:
        if value % 2:
            yield self.tag, value
        else:
            yield value


class Where(MapFunction):
    """Tells which subtask handles a record."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.subtask = runtime_context.get_index_of_this_subtask()

    def map(self, value: Any) -> Any:
        return value, self.subtask


class ByValue(Partitioner):
    def partition(self, key: int, num_partitions: int) -> int:
        return key % num_partitions


class Itself(KeySelector):
    def get_key(self, value: Any) -> Any:
        return value


class Stamp(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value) * 1000


def numbers(parallelism: int = 1, count: int = 6) -> DataStream:
    return environment(parallelism).from_collection(list(range(count)), Types.INT())


# ---------------------------------------------------------------------------------------------------- operators


def test_map_applies_functions_and_callables() -> None:
    assert collect(numbers().map(AddOne())) == [1, 2, 3, 4, 5, 6]
    assert collect(numbers().map(lambda v: v * 2, Types.INT())) == [0, 2, 4, 6, 8, 10]


def test_flat_map_returns_any_number_of_records() -> None:
    assert collect(numbers(count=2).flat_map(Twice())) == [0, 0, 1, 1]
    assert collect(numbers(count=3).flat_map(range)) == [0, 0, 1]


def test_filter_keeps_what_is_true() -> None:
    assert collect(numbers().filter(Even())) == [0, 2, 4]
    assert collect(numbers().filter(lambda v: v > 3)) == [4, 5]


def test_process_sees_the_record_s_time() -> None:
    assert collect(numbers(count=1).process(TimeOf())) == [(0, -(2**63), -(2**63))]


def test_assigned_timestamps_reach_process_functions() -> None:
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Stamp())
    stamped = numbers(count=3).assign_timestamps_and_watermarks(strategy).process(TimeOf())
    assert [(value, time) for value, time, _ in collect(stamped)] == [(0, 0), (1, 1000), (2, 2000)]


def test_project_keeps_fields_in_the_order_given() -> None:
    rows = environment().from_collection([(1, "a", 2.5)], Types.TUPLE([Types.INT(), Types.STRING(), Types.DOUBLE()]))
    projected = rows.project(2, 0)
    assert projected.get_type() == Types.TUPLE([Types.DOUBLE(), Types.INT()])
    assert collect(projected) == [(2.5, 1)]
    with pytest.raises(TypeError, match="Only Tuple DataStreams can be projected"):
        numbers().project(0)


def test_union_joins_streams_of_one_type() -> None:
    env = environment()
    first, second = (env.from_collection(values, Types.INT()) for values in ([1, 2], [3]))
    with pytest.raises(ConfigurationError, match="Cannot union streams of different types"):
        first.union(env.from_collection(["a"], Types.STRING()))
    assert sorted(collect(first.union(second))) == [1, 2, 3]


def test_side_outputs_leave_beside_the_main_one() -> None:
    tag = OutputTag("odd", Types.INT())
    split = numbers().process(Split(tag), Types.INT())
    odd = split.get_side_output(tag)
    assert odd.get_type() == Types.INT()
    assert collect(odd.map(lambda v: -v)) == [-1, -3, -5]


def test_connect_takes_records_of_both_streams() -> None:
    from wiesel.datastream import CoMapFunction, ConnectedStreams

    class Tell(CoMapFunction):
        def map1(self, value: Any) -> Any:
            return "first", value

        def map2(self, value: Any) -> Any:
            return "second", value

    env = environment()
    connected = env.from_collection([1]).connect(env.from_collection(["a"]))
    assert isinstance(connected, ConnectedStreams)
    assert sorted(collect(connected.map(Tell()))) == [("first", 1), ("second", "a")]


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("map", "The input must be a MapFunction or a callable function"),
        ("flat_map", "The input must be a FlatMapFunction or a callable function"),
        ("filter", "The input must be a FilterFunction or a callable function"),
        ("process", "ProcessFunction is required"),
    ],
)
def test_functions_of_the_wrong_kind_are_refused(method: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        getattr(numbers(), method)(3)


# -------------------------------------------------------------------------------------------------- partitioning


def subtasks(stream: DataStream) -> dict[Any, set[int]]:
    """Return on which subtasks each value was handled."""
    where: dict[Any, set[int]] = {}
    for value, subtask in collect(stream.map(Where())):
        where.setdefault(value, set()).add(subtask)
    return where


def test_rebalance_and_rescale_go_round_the_subtasks() -> None:
    for partitioned in (numbers(3).rebalance(), numbers(3).rescale()):
        where = subtasks(partitioned)
        assert sorted(where) == list(range(6))
        assert set().union(*where.values()) == {0, 1, 2}


def test_shuffle_sends_each_record_to_one_subtask() -> None:
    where = subtasks(numbers(2, 50).shuffle())
    assert all(len(found) == 1 for found in where.values())
    assert set().union(*where.values()) == {0, 1}


def test_broadcast_sends_each_record_to_every_subtask() -> None:
    assert subtasks(numbers(2, 3).broadcast()) == {0: {0, 1}, 1: {0, 1}, 2: {0, 1}}


def test_forward_stays_on_the_subtask() -> None:
    env = environment(2)
    stream = env.from_collection(list(range(6)), Types.INT()).rebalance().map(Where())
    forwarded = collect(stream.forward().map(Where()).disable_chaining())
    assert all(first == second for (_, first), second in forwarded)
    assert {second for _, second in forwarded} == {0, 1}


def test_a_custom_partitioner_chooses_the_subtask() -> None:
    for partitioner, selector in ((ByValue(), Itself()), (lambda key, count: key % count, lambda v: v)):
        where = subtasks(numbers(2, 4).partition_custom(partitioner, selector))
        assert where == {0: {0}, 1: {1}, 2: {0}, 3: {1}}
    with pytest.raises(TypeError, match="Parameter partitioner"):
        numbers().partition_custom(3, Itself())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Parameter key_selector"):
        numbers().partition_custom(ByValue(), 3)  # type: ignore[arg-type]


def test_key_by_sends_a_key_to_one_subtask() -> None:
    stream = environment(2).from_collection(list("abcdefgh") * 2, Types.STRING())
    keyed = stream.key_by(Itself(), Types.STRING())
    where = subtasks(keyed.map(lambda v: v, Types.STRING()))
    assert all(len(found) == 1 for found in where.values())


# ------------------------------------------------------------------------------------- settings of the operator


def test_names_descriptions_and_parallelism_stand_in_the_plan() -> None:
    stream = numbers(4).map(AddOne()).name("plus").set_description("adds one").set_parallelism(3)
    assert stream.get_name() == "plus"
    node = plan(stream.print()._environment)["adds one"]
    assert (node["type"], node["parallelism"]) == ("plus", 3)


def test_force_non_parallel_runs_one_subtask() -> None:
    stream = numbers(4).map(AddOne()).name("alone").force_non_parallel()
    assert plan(stream.print()._environment)["alone"]["parallelism"] == 1


def settings(stream: Any) -> Any:
    return stream._environment.pipeline.get(stream._upstreams[0].transformation_id)


def test_uids_and_limits_belong_to_the_operator() -> None:
    stream = numbers(4).map(AddOne()).uid("mine").set_max_parallelism(16).slot_sharing_group("group")
    assert (settings(stream).uid, settings(stream).max_parallelism) == ("mine", 16)
    assert settings(stream).slot_sharing_group == "group"
    hashed = numbers().map(AddOne()).set_uid_hash("0" * 32)
    assert settings(hashed).uid_hash == "0" * 32
    with pytest.raises(ConfigurationError, match="32 character"):
        hashed.set_uid_hash("short")
    group = numbers().map(AddOne()).slot_sharing_group(SlotSharingGroup.builder("other").build())
    assert settings(group).slot_sharing_group == "other"


class TaskName(MapFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.name = runtime_context.get_task_name()

    def map(self, value: Any) -> str:
        return self.name


def test_chains_are_broken_where_it_is_said() -> None:
    def task(change: Any) -> str:
        stream = change(numbers(count=1).map(AddOne()).name("first")).map(TaskName()).name("second")
        return str(collect(stream)[0])

    assert "first" in task(lambda stream: stream)
    assert "first" not in task(lambda stream: stream.disable_chaining())
    tail = numbers(count=1).map(AddOne()).name("first").map(TaskName()).name("second")
    assert "first" not in collect(tail.start_new_chain())[0]


def test_a_buffer_timeout_changes_nothing() -> None:
    stream = numbers()
    assert stream.set_buffer_timeout(10) is stream


def test_cache_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnsupportedError, match="write the stream to a sink"):
        numbers().cache()


def test_the_stream_knows_its_environment_and_its_type() -> None:
    env = environment()
    stream = env.from_collection([1], Types.INT())
    assert stream.get_execution_environment() is env
    assert stream.get_execution_config().get_parallelism() == env.get_parallelism()
    assert stream.get_type() == Types.INT()
    assert stream.map(str).get_type() == Types.PICKLED_BYTE_ARRAY()


# --------------------------------------------------------------------------------------------------------- sinks


def test_print_writes_lines_with_its_label(capfd: pytest.CaptureFixture[str]) -> None:
    stream = numbers(count=2)
    stream.print("lbl")
    stream.get_execution_environment().execute("printed")
    assert capfd.readouterr().out == "lbl> 0\nlbl> 1\n"


def test_execute_and_collect_gives_an_iterator_or_a_list() -> None:
    with numbers(count=3).execute_and_collect("job") as results:
        assert list(results) == [0, 1, 2]
    assert numbers(count=3).execute_and_collect(limit=2) == [0, 1]


def test_sink_settings_stand_in_the_plan() -> None:
    stream = numbers(4)
    sink = stream.print().name("out").set_description("to the screen").uid("sink").set_parallelism(2)
    assert sink.disable_chaining() is sink
    assert sink.slot_sharing_group("group") is sink
    assert sink.set_uid_hash("1" * 32) is sink
    found = settings(sink)
    assert (found.uid, found.uid_hash, found.slot_sharing_group, found.parallelism) == ("sink", "1" * 32, "group", 2)
    assert found.chaining.name == "NEVER"
    node = plan(stream.get_execution_environment())["to the screen"]
    assert (node["type"], node["parallelism"]) == ("Sink: out", 2)


def test_rows_are_records_like_any_other() -> None:
    row_type = Types.ROW_NAMED(["n", "s"], [Types.INT(), Types.STRING()])
    assert collect(environment().from_collection([Row(n=1, s="a")], row_type).map(lambda row: row["s"])) == ["a"]
    assert collect(environment().from_collection([Row(n=1, s="a")], row_type)) == [Row(n=1, s="a")]
