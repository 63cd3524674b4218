from concurrent.futures import Future
from typing import Any

import pytest

from wiesel.common import (
    CompletableFuture,
    ConfigOptions,
    Configuration,
    JobClient,
    JobExecutionResult,
    JobID,
    JobStatus,
)
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import optional_value_of, value_of


def done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


class FinishedJob:
    """A handle on a job that has ended; it writes down what it is asked."""

    job_id = JobID("flights-0")

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def status(self) -> JobStatus:
        return JobStatus.FINISHED

    def cancel(self) -> Future[Any]:
        self.asked.append(("cancel",))
        return done(None)

    def stop_with_savepoint(self, drain: bool, directory: str | None) -> Future[str]:
        self.asked.append(("stop", drain, directory))
        return done("path-1")

    def trigger_savepoint(self, directory: str | None) -> Future[str]:
        self.asked.append(("savepoint", directory))
        return done("path-2")

    def accumulators(self) -> Future[dict[str, Any]]:
        return done({"n": 1})

    def result(self) -> Future[JobExecutionResult]:
        return done(JobExecutionResult(self.job_id, 1500, {"n": 2}))


def test_every_question_is_answered_by_a_future() -> None:
    job = FinishedJob()
    client = JobClient(job)
    assert str(client.get_job_id()) == "flights-0"
    assert client.get_job_status().result() is JobStatus.FINISHED
    assert client.stop_with_savepoint(True, "dir").result() == "path-1"
    assert client.trigger_savepoint().result() == "path-2"
    assert client.get_accumulators().result() == {"n": 1}
    client.cancel().result()
    assert job.asked == [("stop", True, "dir"), ("savepoint", None), ("cancel",)]


def test_result_tells_runtime_and_accumulators() -> None:
    result = JobClient(FinishedJob()).get_job_execution_result().result()
    assert result.get_job_id() == JobID("flights-0")
    assert result.get_net_runtime() == 1500
    assert result.get_accumulator_result("n") == 2
    assert result.get_accumulator_result("m") is None
    assert result.get_all_accumulator_results() == {"n": 2}
    assert "Job Runtime: 1500 ms" in str(result)


def test_future_tells_how_it_ended() -> None:
    failed: Future[Any] = Future()
    future = CompletableFuture(failed)
    assert not future.done()
    assert future.exception() is None
    failed.set_exception(ValueError("boom"))
    assert future.done()
    assert isinstance(future.exception(), ValueError)
    assert str(future) == "CompletableFuture[Completed exceptionally]"
    with pytest.raises(ValueError, match="boom"):
        future.result()


def test_future_can_be_given_up() -> None:
    future = CompletableFuture(Future())
    assert future.cancel()
    assert future.cancelled()
    assert future.exception() is None
    assert str(future) == "CompletableFuture[Cancelled]"


def test_only_finished_failed_and_cancelled_jobs_are_over_for_good() -> None:
    over = {JobStatus.FAILED, JobStatus.CANCELED, JobStatus.FINISHED}
    assert {status for status in JobStatus if status.is_globally_terminal_state()} == over
    assert {status for status in JobStatus if status.is_terminal_state()} == over | {JobStatus.SUSPENDED}


def test_options_of_the_script_s_own_are_typed() -> None:
    option = ConfigOptions.key("my.limit").int_type().default_value(5)
    assert value_of(Configuration(), option) == 5
    assert value_of(Configuration().set_integer("my.limit", 7), option) == 7
    with pytest.raises(ConfigurationError, match=r"my\.limit must be a whole number, not 'x'"):
        value_of(Configuration().set_string("my.limit", "x"), option)
    assert optional_value_of(Configuration(), ConfigOptions.key("a").string_type().no_default_value()) is None
    assert value_of(Configuration(), ConfigOptions.key("b").boolean_type().default_value(True)) is True
