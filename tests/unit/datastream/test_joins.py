"""Window joins, co-groups and interval joins as programs: what they emit, and what they refuse."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.unit.datastream.collect import collect, environment
from wiesel.common import Duration, Time, Types, WatermarkStrategy
from wiesel.common.watermark_strategy import TimestampAssigner
from wiesel.core.errors import ConfigurationError, JobExecutionError, UnsupportedError
from wiesel.datastream import DataStream, OutputTag, StreamExecutionEnvironment
from wiesel.datastream.functions import (
    CoGroupFunction,
    FlatJoinFunction,
    JoinFunction,
    KeySelector,
    ProcessJoinFunction,
    RuntimeContext,
    TaggedUnion,
)
from wiesel.datastream.window import (
    CountEvictor,
    CountTrigger,
    EventTimeSessionWindows,
    Evictor,
    GlobalWindows,
    PurgingTrigger,
    SessionWindowTimeGapExtractor,
    TumblingEventTimeWindows,
)

TEN = TumblingEventTimeWindows.of(Time.milliseconds(10))
LEFT = [("a", 1), ("b", 2), ("a", 4), ("c", 5), ("a", 12)]
RIGHT = [("a", 3), ("d", 4), ("b", 8), ("a", 13), ("b", 19)]


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value[1])


BY_SECOND_FIELD = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(SecondField())


def stream(env: StreamExecutionEnvironment, rows: list[Any], type_info: Any = None) -> DataStream:
    """Return a stream of rows whose second field is their event time."""
    return env.from_collection(rows, type_info).assign_timestamps_and_watermarks(BY_SECOND_FIELD)


def key(row: Any) -> Any:
    return row[0]


class Key(KeySelector):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.opened = True

    def get_key(self, value: Any) -> Any:
        assert self.opened
        return value[0]


def pairs(function: Any, parallelism: int = 2) -> list[Any]:
    env = environment(parallelism)
    left, right = stream(env, LEFT), stream(env, RIGHT)
    return collect(left.join(right).where(key).equal_to(Key()).window(TEN).apply(function))


EXPECTED_PAIRS = [("a", 1, 3), ("a", 4, 3), ("b", 2, 8), ("a", 12, 13)]


def test_join_emits_each_pair_of_a_key_and_window() -> None:
    assert Counter(pairs(lambda one, two: (one[0], one[1], two[1]))) == Counter(EXPECTED_PAIRS)


class Opened(JoinFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.subtasks = runtime_context.get_number_of_parallel_subtasks()

    def join(self, first: Any, second: Any) -> Any:
        return first[0], first[1], second[1], self.subtasks


def test_join_function_is_opened_where_it_runs() -> None:
    assert Counter(pairs(Opened())) == Counter((*pair, 2) for pair in EXPECTED_PAIRS)


class Closed(JoinFunction):
    def join(self, first: Any, second: Any) -> Any:
        return None

    def close(self) -> None:
        raise RuntimeError("closed")


def test_join_function_is_closed_at_the_end() -> None:
    with pytest.raises(JobExecutionError, match="closed"):
        pairs(Closed(), parallelism=1)


class OnlyEarlier(FlatJoinFunction):
    def join(self, first: Any, second: Any) -> Any:
        if first[1] > second[1]:
            return None
        return [first[1], second[1]]


def test_flat_join_emits_any_number_for_a_pair() -> None:
    assert sorted(pairs(OnlyEarlier())) == [1, 2, 3, 8, 12, 13]


class Outer(CoGroupFunction):
    def co_group(self, first: Any, second: Any) -> Any:
        ones, twos = [time for _, time in first] or [None], [time for _, time in second] or [None]
        for one in ones:
            for two in twos:
                yield one, two


def test_an_outer_join_is_a_co_group_that_looks_at_the_empty_side() -> None:
    env = environment(2)
    grouped = stream(env, LEFT).co_group(stream(env, RIGHT)).where(key).equal_to(key).window(TEN).apply(Outer())
    assert Counter(collect(grouped)) == Counter(
        [(1, 3), (4, 3), (2, 8), (5, None), (None, 4), (12, 13), (None, 19)],
    )


def test_co_group_takes_a_callable_of_two_lists() -> None:
    env = environment()
    grouped = stream(env, LEFT[:3]).co_group(stream(env, RIGHT[:1])).where(key).equal_to(key).window(TEN)
    assert Counter(collect(grouped.apply(lambda one, two: [(len(one), len(two))]))) == Counter([(2, 1), (1, 0)])


def test_results_of_a_join_carry_the_end_of_their_window() -> None:
    env = environment()
    joined = stream(env, LEFT).join(stream(env, RIGHT)).where(key).equal_to(key).window(TEN)
    once_more = joined.apply(lambda one, two: one).key_by(key).window(TEN)
    assert sorted(collect(once_more.reduce(lambda one, two: (one[0], one[1] + two[1])))) == [
        ("a", 5),
        ("a", 12),
        ("b", 2),
    ]


def test_a_trigger_makes_a_join_fire_early_and_purge() -> None:
    env = environment()
    everything = stream(env, LEFT).join(stream(env, RIGHT)).where(key).equal_to(key).window(GlobalWindows.create())
    fired = everything.trigger(PurgingTrigger.of(CountTrigger.of(5)))
    # Only key a has five elements: three on the left, two on the right.
    assert len(collect(fired.apply(lambda one, two: (one, two)))) == 6


class OnlyTheFirstStream(Evictor[Any, Any]):
    def evict_before(self, elements: Any, size: int, window: Any, evictor_context: Any) -> None:
        assert all(type(element.value) is TaggedUnion for element in elements)
        elements[:] = [element for element in elements if element.value.is_one()]

    def evict_after(self, elements: Any, size: int, window: Any, evictor_context: Any) -> None:
        pass


def test_an_evictor_sees_elements_with_their_stream() -> None:
    env = environment()
    windows = stream(env, LEFT).co_group(stream(env, RIGHT)).where(key).equal_to(key).window(TEN)
    rows = collect(windows.evictor(OnlyTheFirstStream()).apply(lambda one, two: [(len(one), len(two))]))
    assert Counter(rows) == Counter([(2, 0), (1, 0), (1, 0), (0, 0), (1, 0), (0, 0)])


def test_an_evictor_of_wiesels_own_works_on_joins() -> None:
    env = environment()
    windows = stream(env, LEFT).co_group(stream(env, RIGHT)).where(key).equal_to(key).window(TEN)
    rows = collect(windows.evictor(CountEvictor.of(1)).apply(lambda one, two: [len(one) + len(two)]))
    assert rows == [1] * 6


class GapOfStream(SessionWindowTimeGapExtractor):
    def extract(self, element: Any) -> int:
        return 3 if element.is_one() else 1


def test_dynamic_sessions_are_told_the_stream_of_an_element() -> None:
    env = environment()
    sessions = EventTimeSessionWindows.with_dynamic_gap(GapOfStream())
    joined = stream(env, LEFT).join(stream(env, RIGHT)).where(key).equal_to(key).window(sessions)
    # 1 to 4 holds 3; the right element at 3 ends at 4, where the left one at 4 begins.
    assert Counter(collect(joined.apply(lambda one, two: (one[1], two[1])))) == Counter([(1, 3), (4, 3), (12, 13)])


def test_types_act_on_both_streams_of_a_join() -> None:
    env = environment()
    numbers = Types.TUPLE([Types.STRING(), Types.LONG(), Types.FLOAT()])
    left = stream(env, [("a", 1, 0.5)]).map(lambda row: (row[0], row[1], 0.1), numbers)
    right = stream(env, [("a", 2)], Types.TUPLE([Types.STRING(), Types.LONG()]))
    joined = left.join(right).where(key, Types.STRING()).equal_to(key).window(TEN).apply(lambda one, two: one[2])
    assert collect(joined) == [0.10000000149011612]


def test_streams_of_different_types_are_joined() -> None:
    env = environment()
    left = stream(env, [("a", 1)], Types.TUPLE([Types.STRING(), Types.LONG()]))
    joined = left.join(stream(env, [("a", 2)])).where(key).equal_to(key).window(TEN)
    assert joined.apply(lambda one, two: one[1] + two[1], Types.LONG()).get_type() == Types.LONG()


def test_a_stream_is_joined_with_itself() -> None:
    env = environment()
    left = stream(env, LEFT)
    joined = left.join(left).where(key).equal_to(key).window(TEN).apply(lambda one, two: (one[1], two[1]))
    assert Counter(collect(joined)) == Counter([(1, 1), (1, 4), (4, 1), (4, 4), (2, 2), (5, 5), (12, 12)])


def test_a_keyed_stream_and_a_union_are_joined_by_other_keys() -> None:
    env = environment(2)
    left = stream(env, LEFT[:2]).union(stream(env, LEFT[2:])).key_by(lambda row: row[1])
    joined = left.join(stream(env, RIGHT).key_by(lambda row: row[1])).where(key).equal_to(key).window(TEN)
    assert Counter(collect(joined.apply(lambda one, two: (one[0], one[1], two[1])))) == Counter(EXPECTED_PAIRS)


def test_elements_are_marked_with_the_parallelism_of_their_stream() -> None:
    env = environment(4)
    joined = stream(env, LEFT).set_parallelism(3).join(stream(env, RIGHT)).where(key).equal_to(key).window(TEN)
    joined.apply(lambda one, two: one).print()
    parallelisms = [t.parallelism for t in env.pipeline.transformations() if t.name == "Map"]
    assert parallelisms == [3, None]


def test_what_joins_refuse() -> None:
    env = environment()
    left, right = stream(env, LEFT), stream(env, RIGHT)
    with pytest.raises(TypeError, match="Expected a DataStream, got list"):
        left.join([])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="KeySelector or a callable"):
        left.join(right).where(0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="KeySelector or a callable"):
        left.join(right).where(key).equal_to("f0")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"first key = String, second key = Long|same key_type"):
        left.join(right).where(key, Types.STRING()).equal_to(key, Types.LONG())
    windows = left.join(right).where(key).equal_to(key).window(TEN)
    with pytest.raises(TypeError, match="a JoinFunction, a FlatJoinFunction or a callable"):
        windows.apply(1)
    with pytest.raises(ConfigurationError, match=r"Opened is a class\. Pass an instance"):
        windows.apply(Opened)
    with pytest.raises(TypeError, match="CoGroupFunction or a callable"):
        left.co_group(right).where(key).equal_to(key).window(TEN).apply(None)
    with pytest.raises(TypeError, match="Expected a WindowAssigner"):
        left.join(right).where(key).equal_to(key).window("10 s")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ interval joins


class Times(ProcessJoinFunction):
    def process_element(self, left: Any, right: Any, ctx: ProcessJoinFunction.Context) -> Any:
        assert ctx.get_left_timestamp() == left[1]
        assert ctx.get_right_timestamp() == right[1]
        yield left[0], left[1], right[1], ctx.get_timestamp()


def near(env: StreamExecutionEnvironment) -> Any:
    left, right = stream(env, LEFT).key_by(key), stream(env, RIGHT).key_by(key)
    return left.interval_join(right).between(Time.milliseconds(-1), Duration.of_millis(2))


def test_interval_join_pairs_what_is_within_the_interval() -> None:
    rows = collect(near(environment(2)).process(Times()))
    assert Counter(rows) == Counter([("a", 1, 3, 3), ("a", 4, 3, 4), ("a", 12, 13, 13)])


def test_bounds_of_an_interval_join_can_be_left_out() -> None:
    assert Counter(collect(near(environment()).lower_bound_exclusive().process(Times()))) == Counter(
        [("a", 1, 3, 3), ("a", 12, 13, 13)]
    )
    assert Counter(collect(near(environment()).upper_bound_exclusive().process(Times()))) == Counter(
        [("a", 4, 3, 4), ("a", 12, 13, 13)]
    )


def test_results_of_an_interval_join_carry_the_later_time() -> None:
    windows = near(environment()).process(Times()).key_by(key).window(TumblingEventTimeWindows.of(Time.milliseconds(4)))
    # By 3 and by 4: two windows.
    assert sorted(row[1] for row in collect(windows.reduce(lambda one, two: two))) == [1, 4, 12]


ASIDE = OutputTag("aside", Types.LONG())


class Aside(ProcessJoinFunction):
    def process_element(self, left: Any, right: Any, ctx: ProcessJoinFunction.Context) -> Any:
        yield ASIDE, ctx.get_timestamp()


def test_interval_join_writes_to_side_outputs() -> None:
    assert sorted(collect(near(environment()).process(Aside()).get_side_output(ASIDE))) == [3, 4, 13]


def test_interval_join_needs_timestamps() -> None:
    env = environment()
    left, right = env.from_collection(LEFT).key_by(key), env.from_collection(RIGHT).key_by(key)
    joined = left.interval_join(right).in_event_time().between(Time.milliseconds(0), Time.milliseconds(1))
    with pytest.raises(JobExecutionError, match=r"Long\.MIN_VALUE timestamp.*assign_timestamps_and_watermarks"):
        collect(joined.process(Times()))


def test_what_interval_joins_refuse() -> None:
    env = environment()
    left, right = stream(env, LEFT).key_by(key), stream(env, RIGHT).key_by(key)
    with pytest.raises(TypeError, match=r"needs a KeyedStream, got DataStream: call key_by\(\)"):
        left.interval_join(stream(env, RIGHT))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="The keys for the two inputs are not equal"):
        left.interval_join(stream(env, RIGHT).key_by(key, Types.STRING()))
    with pytest.raises(UnsupportedError, match="only supported in event time"):
        left.interval_join(right).in_processing_time().between(Time.seconds(0), Time.seconds(1))
    with pytest.raises(ConfigurationError, match="lower_bound <= upper_bound"):
        left.interval_join(right).between(Time.seconds(2), Time.seconds(1)).process(Times())
    point = left.interval_join(right).between(Time.seconds(1), Time.seconds(1))
    with pytest.raises(ConfigurationError, match="lower_bound <= upper_bound"):
        point.lower_bound_exclusive().process(Times())
    with pytest.raises(TypeError, match="must be a ProcessJoinFunction, got function"):
        left.interval_join(right).between(Time.seconds(0), Time.seconds(1)).process(key)


def test_names_of_joins_are_wiesels_own() -> None:
    import wiesel
    from wiesel.compat.alias import deactivate

    wiesel.activate()
    try:
        from pyflink.datastream import functions

        with pytest.raises(
            AttributeError, match=r"'ProcessJoinFunction' is Wiesel's own.*wiesel\.datastream\.functions"
        ):
            _ = functions.ProcessJoinFunction
    finally:
        deactivate()
