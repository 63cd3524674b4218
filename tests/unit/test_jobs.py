"""Whole jobs that go well: shapes of graphs, numbers of readers, ends, and results in the script."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import Job, stop_at
from tests.support.running_job import until
from tests.support.sinks import PublishingSink
from tests.support.tasks import job_graph
from wiesel.cluster.driver import JobDriver
from wiesel.cluster.handle import LocalJobHandle
from wiesel.common import Types, WatermarkStrategy
from wiesel.connectors.collections.bounded import BoundedReader
from wiesel.connectors.collections.number_sequence import NumberSequenceSpec
from wiesel.core.contracts import SourceContext
from wiesel.core.errors import JobExecutionError, RestoreRefusedError
from wiesel.core.job import JobStatus
from wiesel.datastream import (
    KeyedProcessFunction,
    OutputTag,
    ProcessFunction,
    RuntimeContext,
    StreamExecutionEnvironment,
)
from wiesel.datastream.connectors.base import Sink, Source
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.state import ValueStateDescriptor
from wiesel.runtime.job_master.commands import JobState

TAG = OutputTag("odd", Types.LONG())


def numbers(env: StreamExecutionEnvironment, last: int) -> Any:
    return env.from_source(NumberSequenceSource(0, last), WatermarkStrategy.no_watermarks(), "numbers")


class Count(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        self.count.update((self.count.value() or 0) + 1)
        yield ctx.get_current_key(), self.count.value()


class Odd(ProcessFunction):
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Iterator[Any]:
        yield (TAG, value) if value % 2 else value


def published(directory: Path, build: Any, parallelism: int = 1) -> list[Any]:
    sink = PublishingSink()
    job = Job(directory, lambda env: build(env).sink_to(Sink(sink)), parallelism)
    assert job.run().state is JobState.FINISHED
    return sink.published


def test_more_readers_than_splits_is_fine(tmp_path: Path) -> None:
    assert sorted(published(tmp_path, lambda env: numbers(env, 2), parallelism=5)) == [0, 1, 2]


def test_a_stream_united_with_itself_arrives_twice(tmp_path: Path) -> None:
    def build(env: StreamExecutionEnvironment) -> Any:
        stream = numbers(env, 99)
        return stream.union(stream)

    assert Counter(published(tmp_path, build)) == Counter(list(range(100)) * 2)


@pytest.mark.parametrize("chained", [True, False])
def test_a_side_output_and_the_main_one_part_the_stream(tmp_path: Path, chained: bool) -> None:
    def build(env: StreamExecutionEnvironment) -> Any:
        if not chained:
            env.disable_operator_chaining()
        split = numbers(env, 9).process(Odd())
        return split.get_side_output(TAG).map(lambda v: -v).union(split.map(lambda v: v))

    assert sorted(published(tmp_path, build)) == [-9, -7, -5, -3, -1, 0, 2, 4, 6, 8]


def test_a_side_output_has_the_type_of_its_tag_on_its_way_to_another_task(tmp_path: Path) -> None:
    class Half(ProcessFunction):
        def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Iterator[Any]:
            yield TAG, value + 0.5

    def build(env: StreamExecutionEnvironment) -> Any:
        return numbers(env, 2).process(Half()).get_side_output(TAG).rebalance().map(repr)

    assert sorted(published(tmp_path, build)) == ["0", "1", "2"]


def test_values_of_a_key_keep_their_order_at_any_parallelism(tmp_path: Path) -> None:
    def build(env: StreamExecutionEnvironment) -> Any:
        stream = env.from_collection(list(range(2000))).key_by(lambda v: v % 7, key_type=Types.LONG())
        return stream.map(lambda v: (v % 7, v))

    seen: dict[int, list[int]] = {}
    for key, value in published(tmp_path, build, parallelism=3):
        seen.setdefault(key, []).append(value)
    assert all(values == sorted(values) for values in seen.values())
    assert sum(map(len, seen.values())) == 2000


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 2)])
def test_keyed_state_and_splits_move_to_another_parallelism(tmp_path: Path, before: int, after: int) -> None:
    sink = PublishingSink()
    total, keys = 60_000, 50

    def build(env: StreamExecutionEnvironment) -> Any:
        stream = numbers(env, total - 1).uid("numbers").map(stop_at(total // 3), Types.LONG())
        counts = stream.key_by(lambda v: v % keys).process(Count()).uid("count")
        return counts.sink_to(Sink(sink)).uid("sink")

    assert Job(tmp_path, build, before).run_until_it_stops().stopped_early
    assert Job(tmp_path, build, after).run(resume=True).state is JobState.FINISHED
    assert len(sink.published) == total
    assert set(sink.published) == {(key, n) for key in range(keys) for n in range(1, total // keys + 1)}


class Silent(NumberSequenceSpec):
    """An unbounded source that never has a record."""

    bounded = False

    def create_reader(self, context: SourceContext) -> Any:
        return SilentReader()


class SilentReader(BoundedReader):
    def poll(self, max_records: int) -> None:
        return None


def test_a_stop_takes_its_final_checkpoint_although_a_source_is_idle(tmp_path: Path) -> None:
    sink = PublishingSink()

    def build(env: StreamExecutionEnvironment) -> Any:
        silent = env.from_source(Source(Silent(0, 1)), WatermarkStrategy.no_watermarks(), "silent", Types.LONG())
        return silent.union(numbers(env, 9)).sink_to(Sink(sink))

    def stop_when_published(driver: JobDriver) -> None:
        def wait() -> None:
            while len(sink.published) < 10:
                threading.Event().wait(0.005)
            driver.stop()

        threading.Thread(target=wait, daemon=True).start()

    outcome = Job(tmp_path, build).run_with(stop_when_published)
    assert outcome.stopped_early
    assert sorted(sink.published) == list(range(10))


def test_state_without_an_operator_is_refused_by_its_uid_unless_allowed(tmp_path: Path) -> None:
    def build(uid: str) -> Any:
        return lambda env: (
            numbers(env, 9)
            .uid("n")
            .key_by(lambda v: v)
            .process(Count())
            .uid(uid)
            .sink_to(Sink(PublishingSink()))
            .uid("s")
        )

    def stop(driver: JobDriver) -> None:
        driver.stop()

    Job(tmp_path, build("before")).run_with(stop)
    directory = Job(tmp_path, build("before"))
    directory.run(resume=True)
    latest = max((directory.path).glob("chk-*"))
    with pytest.raises(RestoreRefusedError, match=r"uid before.*--allow-non-restored-state"):
        Job(tmp_path, build("after")).run(from_savepoint=str(latest))
    allowed = Job(tmp_path, build("after")).run(from_savepoint=str(latest), allow_non_restored_state=True)
    assert allowed.state is JobState.FINISHED


# ------------------------------------------------------------------------------------- results in the script


@pytest.fixture
def env() -> StreamExecutionEnvironment:
    environment = StreamExecutionEnvironment.get_execution_environment()
    return environment.set_parallelism(1)


def collected(stream: Any) -> Any:
    """The iterator of results (the method's type depends on its arguments)."""
    return stream.execute_and_collect()


def endless(env: StreamExecutionEnvironment) -> Any:
    return env.from_source(NumberSequenceSource(0, 10**15), WatermarkStrategy.no_watermarks(), "numbers")


def test_closing_the_results_early_ends_the_job(env: StreamExecutionEnvironment) -> None:
    results = endless(env).execute_and_collect()
    assert next(results) == 0
    results.close()
    results.close()
    # Its thread has told the end, and may still be on its way out.
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("wiesel-job")])
    with pytest.raises(StopIteration):
        next(results)


def test_a_limit_takes_no_record_more_than_it_needs(env: StreamExecutionEnvironment) -> None:
    assert endless(env).execute_and_collect(limit=3) == [0, 1, 2]


def test_a_reader_of_results_gets_everything_in_order(env: StreamExecutionEnvironment) -> None:
    with numbers(env, 20_000).execute_and_collect() as results:
        assert next(results) == 0
        assert list(results) == list(range(1, 20_001))


def test_the_job_s_error_comes_out_of_its_results(env: StreamExecutionEnvironment) -> None:
    results = collected(env.from_collection([1, 0]).map(lambda v: 1 // v))
    assert next(results) == 1
    with pytest.raises(JobExecutionError, match="ZeroDivisionError"):
        next(results)


def test_a_collected_value_is_the_reader_s_own(env: StreamExecutionEnvironment) -> None:
    shared: list[int] = []

    def grow(value: int) -> list[int]:
        shared.append(value)
        return shared

    with collected(env.from_collection([1, 2, 3]).map(grow)) as results:
        assert list(results) == [[1], [1, 2], [1, 2, 3]]


def test_a_handle_tells_how_the_job_is_and_was(tmp_path: Path) -> None:
    job = Job(tmp_path, lambda env: numbers(env, 10).sink_to(Sink(PublishingSink())))
    handle = LocalJobHandle(job_graph(job.build), job.options())
    assert handle.result().result().get_net_runtime() >= 0
    assert handle.status() is JobStatus.FINISHED
    again = LocalJobHandle(job_graph(job.build), job.options(resume=True))
    again.result().result()
    assert again.status() is JobStatus.FINISHED, "although there was nothing left to run"


def test_a_cancelled_job_says_so(tmp_path: Path) -> None:
    job = Job(tmp_path, lambda env: endless(env).sink_to(Sink(PublishingSink(transactional=False))))
    handle = LocalJobHandle(job_graph(job.build), job.options())
    handle.cancel().result(timeout=60)
    assert handle.status() is JobStatus.CANCELED
