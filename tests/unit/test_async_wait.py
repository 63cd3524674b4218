"""Async I/O: order, watermarks, capacity, timeouts, retries, records in flight."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from wiesel.common import Configuration, Time, Types
from wiesel.core.async_functions import NO_RETRY_STRATEGY, AsyncFunction, AsyncRetryStrategy
from wiesel.core.errors import ConfigurationError, JobExecutionError
from wiesel.core.metrics import TaskMetricGroup
from wiesel.core.operator_specs import AsyncWaitSpec
from wiesel.core.shipping import ship
from wiesel.datastream import AsyncDataStream, StreamExecutionEnvironment
from wiesel.datastream.async_retry_predicates import (
    empty_result_predicate,
    exception_type_predicate,
    has_exception_predicate,
)
from wiesel.datastream.async_retry_strategies import FixedDelayRetryStrategy
from wiesel.runtime.operators import async_calls
from wiesel.runtime.operators.async_wait import AsyncWaitOperator
from wiesel.runtime.operators.base import OperatorContext
from wiesel.runtime.operators.contexts import TaskRuntimeContext
from wiesel.testing.clock import ManualClock

#: What the function was asked for and may answer now, shared with it because it is shipped by reference.
ASKED: list[Any] = []
WAITING: dict[Any, asyncio.Event] = {}
ATTEMPTS: dict[Any, int] = {}


@pytest.fixture(autouse=True)
def forget() -> None:
    for shared in (ASKED, WAITING, ATTEMPTS):
        shared.clear()


class Gate(AsyncFunction):
    """Answers a record once the test has opened its gate."""

    async def async_invoke(self, value: Any) -> list[Any]:
        WAITING[value] = asyncio.Event()
        ASKED.append(value)
        await WAITING[value].wait()
        return [value, f"{value}!"]


class Flaky(AsyncFunction):
    """Fails or answers nothing, as the record says, so many times."""

    async def async_invoke(self, value: tuple[str, int]) -> list[Any]:
        ATTEMPTS[value] = ATTEMPTS.get(value, 0) + 1
        if ATTEMPTS[value] > value[1]:
            return [ATTEMPTS[value]]
        if value[0] == "empty":
            return []
        raise OSError("no answer")


class Never(AsyncFunction):
    async def async_invoke(self, value: Any) -> list[Any]:
        await asyncio.Event().wait()
        return []


class NeverButSo(Never):
    def timeout(self, value: Any) -> list[Any]:
        return [f"late {value}"]


class Wrong(AsyncFunction):
    async def async_invoke(self, value: Any) -> Any:
        return value


class Harness:
    """One async operator; ``emitted`` holds results, and watermarks as ``("watermark", time)``."""

    def __init__(
        self,
        function: AsyncFunction | None = None,
        *,
        ordered: bool = True,
        capacity: int = 10,
        timeout_ms: int = 0,
        strategy: AsyncRetryStrategy = NO_RETRY_STRATEGY,
        restore: Any = None,
        subtask: int = 0,
        parallelism: int = 1,
    ) -> None:
        self.emitted: list[Any] = []
        self.woken = threading.Event()
        spec = AsyncWaitSpec(ship(function or Gate()), ship(strategy), timeout_ms, capacity, ordered)
        self.operator = AsyncWaitOperator(spec)
        self.operator.emit_watermark = lambda watermark: self.emitted.append(("watermark", watermark))
        runtime_context = TaskRuntimeContext(
            task_name="async",
            subtask=subtask,
            parallelism=parallelism,
            max_parallelism=128,
            attempt=0,
            job_parameters={},
            metrics=TaskMetricGroup(),
            backend=None,
        )
        context = OperatorContext(
            name="async",
            uid="async",
            subtask=subtask,
            parallelism=parallelism,
            max_parallelism=128,
            attempt=0,
            clock=ManualClock(),
            configuration=Configuration(),
            runtime_context=runtime_context,
            keyed_backend=None,
            side_outputs={},
            wake=self.woken.set,
            fail=lambda error: None,
            late_dropped=lambda count: None,
        )
        self.operator.setup(context, lambda value, timestamp: self.emitted.append(value))
        if restore is not None:
            self.operator.restore_state(restore)
        self.operator.open()
        self.enter = self.operator.bind(0)

    def send(self, *values: Any) -> None:
        for value in values:
            self.enter(value, 0)

    def watermark(self, watermark: int) -> None:
        self.operator.on_watermark(watermark)
        if self.operator.passes_watermark(watermark):
            self.emitted.append(("watermark", watermark))

    def answer(self, *values: Any) -> None:
        """Open the gates of records one by one, and let the operator emit after each."""
        assert self.operator._calls is not None
        for value in values:
            self.wait_until(lambda value=value: value in ASKED)
            self.operator._calls._loop.call_soon_threadsafe(WAITING[value].set)
            self.next_outcome()

    def next_outcome(self) -> None:
        assert self.woken.wait(60), "nothing completed"
        self.woken.clear()
        self.operator.emit_completed()

    @staticmethod
    def wait_until(condition: Any) -> None:
        done = threading.Event()
        for _ in range(6000):
            if condition():
                return
            done.wait(0.01)
        raise AssertionError("never happened")


@pytest.fixture
def harness() -> Iterator[Any]:
    made: list[Harness] = []

    def make(*args: Any, **options: Any) -> Harness:
        made.append(Harness(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.operator.close()


# ------------------------------------------------------------------------------------------------------- order


def test_ordered_results_wait_for_the_records_before_them(harness: Any) -> None:
    h = harness()
    h.send("a", "b")
    h.answer("b")
    assert h.emitted == []
    h.answer("a")
    assert h.emitted == ["a", "a!", "b", "b!"]


def test_unordered_results_come_as_they_complete(harness: Any) -> None:
    h = harness(ordered=False)
    h.send("a", "b")
    h.answer("b")
    assert h.emitted == ["b", "b!"]
    h.answer("a")
    assert h.emitted == ["b", "b!", "a", "a!"]


def test_no_unordered_result_overtakes_a_watermark(harness: Any) -> None:
    h = harness(ordered=False)
    h.send("a", "b")
    h.watermark(5)
    h.send("c")
    h.answer("c", "b")
    assert h.emitted == ["b", "b!"]
    h.answer("a")
    assert h.emitted == ["b", "b!", "a", "a!", ("watermark", 5), "c", "c!"]


def test_of_watermarks_without_a_record_between_them_the_last_one_counts(harness: Any) -> None:
    h = harness(ordered=False)
    h.send("a")
    h.watermark(5)
    h.watermark(6)
    h.answer("a")
    assert h.emitted == ["a", "a!", ("watermark", 6)]


def test_an_ordered_watermark_keeps_its_place(harness: Any) -> None:
    h = harness()
    h.send("a")
    h.watermark(5)
    h.send("b")
    h.answer("b", "a")
    assert h.emitted == ["a", "a!", ("watermark", 5), "b", "b!"]


@pytest.mark.parametrize("ordered", [True, False])
def test_a_watermark_that_waits_for_nobody_passes_at_once(harness: Any, ordered: bool) -> None:
    h = harness(ordered=ordered)
    h.watermark(5)
    assert h.emitted == [("watermark", 5)]
    assert h.operator.is_idle()


# ----------------------------------------------------------------------------------------------------- capacity


def test_no_more_records_than_the_capacity_are_asked_for(harness: Any) -> None:
    h = harness(capacity=2)
    h.send("a", "b", "c")
    assert not h.operator.is_available()
    h.wait_until(lambda: sorted(ASKED) == ["a", "b"])
    h.answer("b")  # not emitted, as it is a's turn: its place is not free yet
    assert sorted(ASKED) == ["a", "b"]
    h.answer("a")
    h.wait_until(lambda: "c" in ASKED)
    assert h.operator.is_available()
    assert not h.operator.is_idle()
    h.answer("c")
    assert h.operator.is_idle()


# ----------------------------------------------------------------------------------------- timeouts and retries


def test_a_timeout_fails_with_the_record_in_the_text(harness: Any) -> None:
    h = harness(Never(), timeout_ms=1)
    h.send("a")
    with pytest.raises(TimeoutError, match="Async function call has timed out for input: a"):
        h.next_outcome()


def test_a_timeout_may_be_answered_by_the_function(harness: Any) -> None:
    h = harness(NeverButSo(), timeout_ms=1)
    h.send("a")
    h.next_outcome()
    assert h.emitted == ["late a"]


@pytest.mark.parametrize("kind", ["empty", "raise"])
def test_attempts_are_repeated_while_the_predicates_ask_for_it(harness: Any, kind: str) -> None:
    strategy = FixedDelayRetryStrategy(3, 1, empty_result_predicate, has_exception_predicate)
    h = harness(Flaky(), strategy=strategy, timeout_ms=60_000)
    h.send((kind, 2))
    h.next_outcome()
    assert h.emitted == [3]


def test_after_the_last_attempt_the_error_comes_out(harness: Any) -> None:
    h = harness(Flaky(), strategy=FixedDelayRetryStrategy(2, 1, None, has_exception_predicate), timeout_ms=60_000)
    h.send(("raise", 9))
    with pytest.raises(OSError, match="no answer"):
        h.next_outcome()
    assert ATTEMPTS == {("raise", 9): 3}


def test_an_error_that_no_predicate_names_is_not_repeated(harness: Any) -> None:
    named = partial(exception_type_predicate, expected_error_type=KeyError)
    h = harness(Flaky(), strategy=AsyncRetryStrategy.fixed_delay(2, 1, None, named), timeout_ms=60_000)
    h.send(("raise", 9))
    with pytest.raises(OSError, match="no answer"):
        h.next_outcome()
    assert ATTEMPTS == {("raise", 9): 1}


def test_the_pauses_of_exponential_backoff_grow_up_to_the_longest() -> None:
    strategy = AsyncRetryStrategy.exponential_backoff(5, 100, 350, 1.5, None, None)
    assert [strategy.get_backoff_time_millis(n) for n in range(1, 6)] == [100, 150, 225, 337, 350]
    assert [strategy.can_retry(n) for n in (5, 6)] == [True, False]


def test_a_fixed_delay_is_the_same_before_each_attempt() -> None:
    strategy = AsyncRetryStrategy.fixed_delay(2, 70, empty_result_predicate, has_exception_predicate)
    assert [strategy.get_backoff_time_millis(n) for n in (1, 2)] == [70, 70]
    assert [strategy.can_retry(n) for n in (2, 3)] == [True, False]
    assert strategy.get_retry_predicate().result_predicate() is empty_result_predicate
    assert strategy.get_retry_predicate().exception_predicate() is has_exception_predicate


def test_without_a_strategy_there_is_one_attempt() -> None:
    strategy = AsyncRetryStrategy.no_restart()
    assert not strategy.can_retry(1)
    assert strategy.get_backoff_time_millis(1) == -1
    assert strategy.get_retry_predicate().result_predicate() is None


def test_a_strategy_of_no_attempts_is_refused() -> None:
    with pytest.raises(AssertionError, match="max_attempts should be greater than zero"):
        AsyncRetryStrategy.fixed_delay(0, 1, None, None)


@pytest.mark.parametrize(("value", "text"), [(None, "cannot be None"), (3, "should be a list, got int")])
def test_results_that_are_no_list_are_refused(harness: Any, value: Any, text: str) -> None:
    h = harness(Wrong())
    h.send(value)
    with pytest.raises(TypeError, match=text):
        h.next_outcome()


# -------------------------------------------------------------------------------------------------- checkpoints


@pytest.mark.parametrize("ordered", [True, False])
def test_records_in_flight_are_asked_for_again_after_a_restore(harness: Any, ordered: bool) -> None:
    first = harness(ordered=ordered, capacity=1)
    first.send("a", "b", "c")
    first.answer("a")
    state = first.operator.snapshot_state()
    first.operator.close()
    ASKED.clear()
    second = harness(ordered=ordered, restore=[state])
    second.send("d")
    second.answer("b", "c", "d")
    assert second.emitted == ["b", "b!", "c", "c!", "d", "d!"]


def test_an_operator_that_waits_for_nothing_has_no_state(harness: Any) -> None:
    assert harness().operator.snapshot_state() is None


def test_at_a_higher_parallelism_records_in_flight_are_taken_over_once(harness: Any) -> None:
    first = harness()
    first.send("a")
    state = first.operator.snapshot_state()
    shown = [harness(restore=[state], subtask=i, parallelism=3) for i in range(3)]
    assert [h.operator.is_idle() for h in shown] == [False, True, True]


def test_closing_cancels_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_calls, "_CLOSE_TIMEOUT", 60.0)
    h = Harness(Never())
    h.send("a")
    assert h.operator._calls is not None
    thread = h.operator._calls._thread
    h.operator.close()
    assert not thread.is_alive()


# ------------------------------------------------------------------------------------------------------ the API


class TimesTen(AsyncFunction):
    async def async_invoke(self, value: int) -> list[int]:
        await asyncio.sleep(0.001 * (value % 3))
        return [value * 10]


def run(wait: Any, function: AsyncFunction, *args: Any) -> list[Any]:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    stream = wait(env.from_collection(list(range(300)), Types.INT()), function, *args)
    with stream.execute_and_collect() as results:
        return list(results)


def test_a_job_with_ordered_wait_ends_with_every_result_in_order() -> None:
    results = run(AsyncDataStream.ordered_wait, TimesTen(), Time.seconds(30), 20, Types.INT())
    assert results == [i * 10 for i in range(300)]


def test_a_job_with_unordered_wait_ends_with_every_result() -> None:
    results = run(AsyncDataStream.unordered_wait, TimesTen(), Time.seconds(30), 20, Types.INT())
    assert sorted(results) == [i * 10 for i in range(300)]


class SecondTime(AsyncFunction):
    async def async_invoke(self, value: int) -> list[int]:
        ATTEMPTS[value] = ATTEMPTS.get(value, 0) + 1
        return [] if ATTEMPTS[value] < 2 else [value]


@pytest.mark.parametrize("wait", [AsyncDataStream.ordered_wait_with_retry, AsyncDataStream.unordered_wait_with_retry])
def test_a_job_repeats_attempts(wait: Any) -> None:
    strategy = AsyncRetryStrategy.fixed_delay(1, 1, empty_result_predicate, None)
    assert sorted(run(wait, SecondTime(), Time.seconds(30), strategy)) == list(range(300))


def test_a_failing_async_function_fails_the_job_naming_the_operator() -> None:
    with pytest.raises(JobExecutionError, match="async wait operator"):
        run(AsyncDataStream.ordered_wait, Wrong(), Time.seconds(30))


class NotAsync(AsyncFunction):
    def async_invoke(self, value: Any) -> Any:
        return [value]


@pytest.mark.parametrize(
    ("function", "timeout", "strategy", "capacity", "error", "text"),
    [
        (NotAsync(), Time.seconds(1), NO_RETRY_STRATEGY, 1, ConfigurationError, "should be declared as 'async def'"),
        (len, Time.seconds(1), NO_RETRY_STRATEGY, 1, TypeError, "must be an AsyncFunction"),
        (TimesTen(), Time.seconds(1), None, 1, TypeError, "must be an AsyncRetryStrategy"),
        (TimesTen(), Time.seconds(1), NO_RETRY_STRATEGY, 0, ConfigurationError, "at least one record"),
        (
            TimesTen(),
            Time.seconds(0),
            FixedDelayRetryStrategy(1, 1, None, None),
            1,
            ConfigurationError,
            "Timeout should be configured",
        ),
    ],
)
def test_misuse_is_refused_when_the_stream_is_built(
    function: Any, timeout: Time, strategy: Any, capacity: int, error: type[Exception], text: str
) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    with pytest.raises(error, match=text):
        AsyncDataStream.ordered_wait_with_retry(env.from_collection([1]), function, timeout, strategy, capacity)
