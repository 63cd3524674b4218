"""DataGeneratorSource and its rate."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.unit.connectors.files import collected, read_all, source_context
from wiesel.common import Types, WatermarkStrategy
from wiesel.connectors.datagen.rate import RateLimit
from wiesel.connectors.datagen.source_spec import DataGeneratorReader
from wiesel.core.contracts import SourceSplit
from wiesel.core.errors import ConfigurationError
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def reader_of(rate: float, clock: Seconds, parallelism: int = 1) -> Any:
    reader = DataGeneratorReader(lambda i: i * 10, RateLimit(rate), source_context(0, parallelism), clock)
    reader.add_splits([SourceSplit("numbers-0", {"next": 0, "last": 99})])
    return reader


def test_records_are_the_functions_results_in_order():
    reader = reader_of(float("inf"), Seconds())
    assert reader.poll(3).values == [0, 10, 20]
    (split,) = reader.snapshot()
    assert split.position == {"next": 3, "last": 99}
    assert read_all(reader) == [i * 10 for i in range(3, 100)]
    assert reader.finished_splits() == ["numbers-0"]


def test_rate_is_kept_and_shared_by_the_readers():
    clock = Seconds()
    reader = reader_of(100, clock, parallelism=2)
    found = len(read_all(reader))
    for _ in range(20):
        clock.now += 0.05
        found += len(read_all(reader))
    assert 50 <= found <= 51
    reader.close()


def test_pause_is_not_made_up_for_in_one_burst():
    clock = Seconds()
    reader = reader_of(20, clock)
    clock.now += 3600
    assert len(read_all(reader)) == 2
    reader.close()


def test_reader_wakes_the_task_when_the_rate_allows_a_record():
    woken = threading.Event()
    context = source_context()
    object.__setattr__(context, "wake", woken.set)
    reader = DataGeneratorReader(str, RateLimit(50), context)
    reader.add_splits([SourceSplit("numbers-0", {"next": 0, "last": 99})])
    read_all(reader)
    assert woken.wait(60)
    deadline = time.monotonic() + 60
    while reader.poll(1) is None:
        assert time.monotonic() < deadline
    reader.close()


def test_job_makes_each_record_once():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(3)
    source = DataGeneratorSource(str, 1000, RateLimiterStrategy.per_second(100_000), Types.STRING())
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "generator")
    assert stream.get_type() == Types.STRING()
    found = collected(stream)
    assert sorted(found) == sorted(map(str, range(1000)))


def test_no_records_at_all():
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(DataGeneratorSource(str, 0), WatermarkStrategy.no_watermarks(), "generator")
    found = collected(stream)
    assert found == []


def test_wrong_arguments_are_refused():
    with pytest.raises(ConfigurationError, match="above 0"):
        RateLimiterStrategy.per_second(0)
    with pytest.raises(ConfigurationError, match="count"):
        DataGeneratorSource(str, -1)
    with pytest.raises(TypeError, match="function"):
        DataGeneratorSource("x", 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"takes RateLimiterStrategy.per_second.*, got float: 5.0"):
        DataGeneratorSource(str, 1, 5.0)  # type: ignore[arg-type]


def test_the_type_may_be_the_third_argument_as_in_java():
    assert DataGeneratorSource(str, 1, Types.STRING()).produced_type() == Types.STRING()


def test_pyflink_has_no_such_names():
    from wiesel.compat import alias

    alias.activate()
    try:
        with pytest.raises(ImportError, match=r"import it from 'wiesel\.datastream\.connectors'"):
            import pyflink.datastream.connectors.datagen
        with pytest.raises(ImportError, match=r"wiesel\.common"):
            import pyflink.common.parameter_tool  # noqa: F401
    finally:
        alias.deactivate()
