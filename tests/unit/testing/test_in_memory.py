"""The in-memory source and sink in whole jobs: open ends, event time, failures, resuming, and what a test is told."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from wiesel.common import Configuration, Row, Time, Types, WatermarkStrategy
from wiesel.core.errors import ConfigurationError, JobExecutionError
from wiesel.core.pickling import pickle_value, unpickle_value
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.window import TumblingEventTimeWindows
from wiesel.testing import InMemorySink, InMemorySource, TimestampedValue

NO_WATERMARKS = WatermarkStrategy.no_watermarks()


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamExecutionEnvironment:
    monkeypatch.chdir(tmp_path)
    environment = StreamExecutionEnvironment.get_execution_environment(Configuration())
    environment.set_parallelism(1)
    return environment


def test_elements_have_the_event_time_that_they_were_given(env: StreamExecutionEnvironment) -> None:
    source = InMemorySource([TimestampedValue("a", 1), TimestampedValue("a", 9), TimestampedValue("a", 10)])
    sink = InMemorySink()
    stream = env.from_source(source, WatermarkStrategy.for_monotonous_timestamps(), "memory").map(lambda v: (v, 1))
    windows = stream.key_by(lambda v: v[0]).window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
    windows.reduce(lambda a, b: (a[0], a[1] + b[1])).sink_to(sink)
    env.execute()
    sink.assert_published([("a", 2), ("a", 1)], ordered=True)


def test_an_open_source_takes_more_until_it_is_closed(env: StreamExecutionEnvironment) -> None:
    source, sink = InMemorySource(bounded=False), InMemorySink(exactly_once=False)
    env.from_source(source, NO_WATERMARKS, "memory").map(lambda v: v + 1).sink_to(sink)

    def feed() -> None:
        source.add(1)
        source.add(2)
        source.close()

    threading.Thread(target=feed).start()
    env.execute()
    sink.assert_published([2, 3], ordered=True)


def test_values_are_made_to_be_of_the_source_s_type(env: StreamExecutionEnvironment) -> None:
    source = InMemorySource([(1, "x"), {"a": 2}], Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()]))
    with env.from_source(source, NO_WATERMARKS, "memory").execute_and_collect() as rows:
        assert list(rows) == [Row(a=1, b="x"), Row(a=2, b=None)]


def test_what_the_sink_publishes_is_not_changed_by_a_function_that_goes_on_with_it(
    env: StreamExecutionEnvironment,
) -> None:
    seen: list[int] = []

    def grow(value: int) -> list[int]:
        seen.append(value)
        return seen

    sink = InMemorySink()
    env.from_source(InMemorySource([1, 2]), NO_WATERMARKS, "memory").map(grow).sink_to(sink)
    env.execute()
    assert sink.published == [[1], [1, 2]]


def test_output_appears_once_although_the_job_fails_in_between(env: StreamExecutionEnvironment, tmp_path: Path) -> None:
    failed = tmp_path / "failed"

    def fail_once(value: int) -> int:
        if value == 900 and not failed.exists():
            failed.touch()
            raise RuntimeError("once")
        return value

    env.enable_checkpointing(10)
    once, written = InMemorySink(), InMemorySink(exactly_once=False)
    stream = env.from_source(InMemorySource(range(1000)), NO_WATERMARKS, "memory").map(fail_once)
    stream.sink_to(once)
    stream.sink_to(written)
    env.execute()
    once.assert_published(range(1000), ordered=True)
    with pytest.raises(AssertionError, match="Too often, or not expected"):
        written.assert_published(range(1000))


@pytest.mark.parametrize(
    ("expected", "ordered", "message"),
    [
        ([1, 2, 2], False, r"3 values were published, and 3 expected. Missing: 2. Too often, or not expected: 3\."),
        ([3, 2, 1], True, r"The order differs from value 0 on: 1 instead of 3\."),
        ([1], False, r"Missing: nothing. Too often, or not expected: 2, 3\."),
        ([[1]], False, r"Missing: \[1\]."),
    ],
)
def test_a_difference_is_told(
    env: StreamExecutionEnvironment, expected: list[Any], ordered: bool, message: str
) -> None:
    sink = InMemorySink()
    env.from_source(InMemorySource([1, 2, 3]), NO_WATERMARKS, "memory").sink_to(sink)
    env.execute()
    with pytest.raises(AssertionError, match=message):
        sink.assert_published(expected, ordered=ordered)


def test_what_lives_in_this_process_is_not_sent_to_workers() -> None:
    with pytest.raises(ConfigurationError, match="run the job without --workers"):
        pickle_value(InMemorySource(bounded=False).spec)
    with pytest.raises(ConfigurationError, match="run the job without --workers"):
        pickle_value(InMemorySink(exactly_once=False).spec)
    assert unpickle_value(pickle_value(InMemorySource([1]).spec)).elements == [TimestampedValue(1, -(2**63))]
    assert pickle.dumps(InMemorySink().spec)


def test_an_error_names_the_element(env: StreamExecutionEnvironment) -> None:
    env.from_source(InMemorySource([1, 0]), NO_WATERMARKS, "memory").map(lambda v: 1 // v).sink_to(InMemorySink(False))
    with pytest.raises(JobExecutionError, match="element 1 of the InMemorySource"):
        env.execute()
