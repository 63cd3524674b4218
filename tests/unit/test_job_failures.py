"""Whole jobs in which something goes wrong: what is published, what is closed, what is said."""

import errno
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import Job, stop_at
from tests.support.sinks import PublishingSink
from wiesel.common import Types, WatermarkStrategy
from wiesel.core import exit_codes
from wiesel.core.errors import (
    CheckpointError,
    FencedError,
    JobDirectoryLostError,
    JobExecutionError,
    UnsupportedError,
    exit_code_of,
)
from wiesel.datastream import (
    FilterFunction,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
    RuntimeContext,
    StreamExecutionEnvironment,
)
from wiesel.datastream.connectors.base import Sink
from wiesel.datastream.connectors.number_seq import NumberSequenceSource
from wiesel.datastream.state import ValueStateDescriptor
from wiesel.runtime.job_master.commands import JobState

#: What functions of this module did; they are shipped by reference, so that they share it.
journal: list[Any] = []


@pytest.fixture(autouse=True)
def _empty_journal() -> Iterator[None]:
    journal.clear()
    yield
    journal.clear()


class Recorder(MapFunction):
    """Notes its life, and fails where it is told to.

    Args:
        fails_at: value → how many times ``map`` fails there.
        fails_in: name of another method that fails.
        error: what is raised.
    """

    def __init__(
        self, name: str = "f", fails_at: int | None = None, fails_in: str = "", error: Any = ValueError
    ) -> None:
        self.name, self.fails_at, self.fails_in, self.error = name, fails_at, fails_in, error

    def open(self, runtime_context: RuntimeContext) -> None:
        journal.append(("open", self.name))
        if self.fails_in == "open":
            raise self.error("in open")

    def map(self, value: Any) -> Any:
        if value == self.fails_at and journal.count(("failed", self.name)) == 0:
            journal.append(("failed", self.name))
            raise self.error("in map")
        return value

    def close(self) -> None:
        journal.append(("close", self.name))
        if self.fails_in == "close":
            raise self.error("in close")


class Count(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        self.count.update((self.count.value() or 0) + 1)
        yield ctx.get_current_key(), self.count.value()


def numbers(env: StreamExecutionEnvironment, last: int) -> Any:
    return env.from_source(NumberSequenceSource(0, last), WatermarkStrategy.no_watermarks(), "numbers")


def without_restart(directory: Path, build: Callable[[StreamExecutionEnvironment], Any], **options: Any) -> Job:
    return Job(directory, build, settings={"restart-strategy.type": "none"}, **options)


def failure_of(job: Job) -> JobExecutionError:
    with pytest.raises(JobExecutionError) as failure:
        job.run()
    return failure.value


# ---------------------------------------------------------------------------------------------- exactly once


def test_state_and_output_are_exactly_once_over_a_restart(tmp_path: Path) -> None:
    sink = PublishingSink()
    total, keys = 20_000, 10
    job = Job(
        tmp_path,
        lambda env: (
            numbers(env, total - 1)
            .map(Recorder(fails_at=total // 2))
            .key_by(lambda value: value % keys)
            .process(Count())
            .sink_to(Sink(sink))
        ),
    )
    assert job.run().state is JobState.FINISHED
    assert ("failed", "f") in journal
    expected = {(key, count) for key in range(keys) for count in range(1, total // keys + 1)}
    assert len(sink.published) == total
    assert set(sink.published) == expected


def test_output_decided_before_a_failed_end_is_delivered_and_resume_adds_the_rest(tmp_path: Path) -> None:
    sink = PublishingSink()
    total = 20_000
    job = without_restart(
        tmp_path, lambda env: numbers(env, total - 1).map(Recorder(fails_at=total - 1)).uid("map").sink_to(Sink(sink))
    )
    failure_of(job)
    published = len(sink.published)
    assert sink.published == list(range(published))
    assert job.run(resume=True).state is JobState.FINISHED
    assert sink.published == list(range(total))


def test_a_stop_takes_a_final_checkpoint_from_which_resume_goes_on_without_a_gap(tmp_path: Path) -> None:
    sink = PublishingSink()
    total = 300_000
    job = Job(tmp_path, lambda env: numbers(env, total - 1).map(stop_at(total // 3)).sink_to(Sink(sink)))
    assert job.run_until_it_stops().stopped_early
    assert sink.published == list(range(len(sink.published)))
    job.run(resume=True)
    assert sink.published == list(range(total))


@pytest.mark.parametrize("method", ["commit", "recover"])
def test_a_disk_that_takes_no_output_ends_the_job_with_the_file_and_the_way_on(tmp_path: Path, method: str) -> None:
    sink = PublishingSink()
    sink.failures[method] = [OSError(errno.ENOSPC, "No space left on device", "/out/part-1")]
    job = Job(tmp_path, lambda env: env.from_collection([1, 2, 3]).sink_to(Sink(sink)).uid("sink"))
    with pytest.raises(
        CheckpointError, match=r"No space left on device \(/out/part-1\). Make room.*--resume"
    ) as caught:
        job.run()
    assert exit_code_of(caught.value) == exit_codes.STATE
    job.run(resume=True)
    assert sorted(sink.published) == [1, 2, 3]


def test_nothing_is_published_behind_output_that_could_not_be(tmp_path: Path) -> None:
    sink = PublishingSink()
    sink.failures["commit"] = [FencedError("another job owns this sink")]
    job = Job(tmp_path, lambda env: numbers(env, 300_000).sink_to(Sink(sink)))
    with pytest.raises(FencedError, match="another job owns"):
        job.run()
    assert sink.published == []
    job.run(resume=True)
    assert sink.published == list(range(300_001))


class Unmounts(MapFunction):
    """Lets another directory appear in the place of the job's in the middle of it, as when its disk is unmounted."""

    def __init__(self, place: Path, at: int) -> None:
        self.place, self.at = place, at

    def map(self, value: Any) -> Any:
        if value == self.at and not self.place.with_name("away").exists():
            self.place.rename(self.place.with_name("away"))
            self.place.mkdir()
        return value


@pytest.mark.parametrize("at", [1_000, 100_000])  # before the first checkpoint, and after many
def test_a_job_whose_directory_is_unmounted_fails_publishes_nothing_more_and_goes_on_when_it_is_back(
    tmp_path: Path, at: int
) -> None:
    sink = PublishingSink()
    total, place = 300_000, tmp_path / "checkpoints" / "job"
    job = Job(
        tmp_path,
        lambda env: numbers(env, total - 1).map(Unmounts(place, at)).uid("map").sink_to(Sink(sink)).uid("sink"),
        settings={"execution.checkpointing.tolerable-failed-checkpoints": "1000"},
    )
    with pytest.raises(JobDirectoryLostError, match=f"{place} is not the one any more.*--resume") as caught:
        job.run()
    assert exit_code_of(caught.value) == exit_codes.STATE
    published = list(sink.published)
    assert published == list(range(len(published))) and len(published) < total
    assert not [path for path in place.rglob("*") if path.name in ("_metadata", "_store")]
    shutil.rmtree(place)
    place.with_name("away").rename(place)
    place.with_name("away").mkdir()  # once is enough
    job.run(resume=True)
    assert sink.published == list(range(total))


def test_without_checkpoints_a_bounded_job_publishes_at_its_end(tmp_path: Path) -> None:
    sink = PublishingSink()
    job = Job(
        tmp_path,
        lambda env: numbers(env, 999).sink_to(Sink(sink)),
        settings={"execution.checkpointing.interval": "0 ms"},
    )
    assert job.run().state is JobState.FINISHED
    assert sink.published == list(range(1000))


# ------------------------------------------------------------------------------------------------- lives


def test_a_function_is_opened_and_closed_once_when_all_is_well(tmp_path: Path) -> None:
    Job(tmp_path, lambda env: numbers(env, 10).map(Recorder()).sink_to(Sink(PublishingSink()))).run()
    assert journal == [("open", "f"), ("close", "f")]


def test_a_function_is_closed_once_for_each_attempt_that_fails(tmp_path: Path) -> None:
    sink = PublishingSink()
    Job(tmp_path, lambda env: numbers(env, 10).map(Recorder(fails_at=5)).sink_to(Sink(sink))).run()
    assert journal == [("open", "f"), ("failed", "f"), ("close", "f"), ("open", "f"), ("close", "f")]
    assert sink.closed == 2


def test_when_one_function_cannot_be_opened_those_already_open_are_closed(tmp_path: Path) -> None:
    job = without_restart(
        tmp_path,
        lambda env: (
            numbers(env, 10)
            .map(Recorder("bad", fails_in="open"))
            .name("Bad")
            .map(Recorder("good"))
            .disable_chaining()
            .sink_to(Sink(PublishingSink()))
        ),
    )
    error = failure_of(job)
    assert "ValueError: in open [operator 'Bad', subtask 1/1]" in str(error)
    assert isinstance(error.__cause__, ValueError)
    assert journal == [("open", "good"), ("open", "bad"), ("close", "good")]


def test_a_sink_that_cannot_be_created_is_named_and_the_functions_before_it_are_never_opened(tmp_path: Path) -> None:
    sink = PublishingSink()
    sink.failures["create_writer"] = [OSError("no disk")]
    job = without_restart(tmp_path, lambda env: numbers(env, 10).map(Recorder()).sink_to(Sink(sink)).name("Files"))
    assert "OSError: no disk [operator 'Files: Writer', subtask 1/1]" in str(failure_of(job))
    assert journal == []


def test_a_failure_of_close_at_the_end_fails_the_job_when_its_output_is_delivered(tmp_path: Path) -> None:
    sink = PublishingSink()
    error = failure_of(Job(tmp_path, lambda env: numbers(env, 10).map(Recorder(fails_in="close")).sink_to(Sink(sink))))
    assert "ValueError: in close [operator 'Map', subtask 1/1]" in str(error)
    assert sink.published == list(range(11))
    assert sink.closed == 1


def test_an_attempt_that_cannot_be_deployed_is_retried(tmp_path: Path) -> None:
    sink = PublishingSink()
    sink.failures["create_writer"] = [OSError("not yet"), OSError("not yet")]
    Job(tmp_path, lambda env: numbers(env, 10).sink_to(Sink(sink))).run()
    assert sink.published == list(range(11))


def test_restarts_end_when_the_strategy_says_so(tmp_path: Path) -> None:
    sink = PublishingSink()
    sink.failures["create_writer"] = [OSError("never")] * 10
    assert "never" in str(failure_of(Job(tmp_path, lambda env: numbers(env, 10).sink_to(Sink(sink)))))
    assert len(sink.failures["create_writer"]) == 6, "the first attempt and three restarts"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_leaving_python_in_a_function_ends_the_job_and_still_closes_everything(
    tmp_path: Path, error: type[BaseException]
) -> None:
    sink = PublishingSink()
    job = Job(tmp_path, lambda env: numbers(env, 10).map(Recorder(fails_at=5, error=error)).sink_to(Sink(sink)))
    with pytest.raises(error):
        job.run()
    assert journal[-1] == ("close", "f")
    assert sink.closed == 1
    job.run(resume=True)
    assert sink.published == list(range(11))


def test_no_thread_of_a_job_outlives_it(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    Job(
        tmp_path, lambda env: numbers(env, 10).key_by(lambda v: v).process(Count()).sink_to(Sink(PublishingSink()))
    ).run()
    left = [thread for thread in set(threading.enumerate()) - before if "disk" in thread.name]
    assert left == []


# -------------------------------------------------------------------------------------------- what is said


class Odd(FilterFunction):
    def filter(self, value: Any) -> bool:
        raise RuntimeError("odd")


class Failing(ProcessFunction):
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Any:
        yield value
        raise RuntimeError("odd")


class FailingTimer(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        ctx.timer_service().register_event_time_timer(7)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        raise RuntimeError(f"odd timer {timestamp}")


def fail(value: Any) -> Any:
    raise RuntimeError("odd")


@pytest.mark.parametrize(
    ("build", "operator", "record"),
    [
        (lambda s: s.map(fail).name("Bad"), "Bad", "0"),
        (lambda s: s.map(lambda v: ("x", v)).map(fail).name("Bad").map(lambda v: v), "Bad", "('x', 0)"),
        (lambda s: s.filter(Odd()).name("Bad"), "Bad", "0"),
        (lambda s: s.flat_map(fail).name("Bad"), "Bad", "0"),
        (lambda s: s.process(Failing()).name("Bad"), "Bad", "0"),
        (lambda s: s.map(str).name("A").map(int).name("B").map(fail).name("Bad"), "Bad", "0"),
        (lambda s: s.key_by(lambda v: v).map(fail).name("Bad"), "Bad", "0"),
        (lambda s: s.disable_chaining().map(fail).name("Bad").disable_chaining(), "Bad", "0"),
        (lambda s: s.key_by(lambda v: v).process(FailingTimer()).name("Bad"), "Bad", None),
        (lambda s: s.key_by(fail).process(Count()), "Source: numbers -> _stream_key_by_map_operator", "0"),
    ],
)
def test_an_error_names_the_operator_and_the_record(
    tmp_path: Path, build: Callable[[Any], Any], operator: str, record: str | None
) -> None:
    job = without_restart(tmp_path, lambda env: build(numbers(env, 3)).sink_to(Sink(PublishingSink())))
    error = failure_of(job)
    assert (error.operator, error.record) == (operator, record)
    assert "RuntimeError: odd" in str(error)


def run_out_of_memory(value: Any) -> Any:
    raise MemoryError


def test_a_process_without_memory_says_so_and_where_state_can_be_kept(tmp_path: Path) -> None:
    error = failure_of(
        without_restart(tmp_path, lambda env: numbers(env, 3).map(run_out_of_memory).name("big").print())
    )
    assert "no memory left" in str(error) and "state.backend.type: rocksdb" in str(error)
    assert error.operator == "big"


def test_of_two_operators_with_the_same_function_the_one_that_failed_is_named(tmp_path: Path) -> None:
    job = without_restart(
        tmp_path,
        lambda env: (
            env.from_collection(["1", "x"])
            .map(int)
            .name("First")
            .map(int)
            .name("Second")
            .sink_to(Sink(PublishingSink()))
        ),
    )
    assert failure_of(job).operator == "First"


def test_a_sink_that_refuses_a_record_is_named_with_the_record(tmp_path: Path) -> None:
    sink = PublishingSink()
    sink.failures["write"] = [RuntimeError("too large")]
    job = without_restart(tmp_path, lambda env: numbers(env, 3).map(lambda v: v + 10).sink_to(Sink(sink)).name("Files"))
    error = failure_of(job)
    assert (error.operator, error.record) == ("Files: Writer", "10")


def test_what_cannot_be_served_fails_at_once_whatever_the_restart_strategy(tmp_path: Path) -> None:
    class Unserved(MapFunction):
        def open(self, runtime_context: RuntimeContext) -> None:
            raise UnsupportedError("not served")

        def map(self, value: Any) -> Any:
            return value

    job = Job(tmp_path, lambda env: numbers(env, 3).map(Unserved()).sink_to(Sink(PublishingSink())))
    assert "not served" in str(failure_of(job))
