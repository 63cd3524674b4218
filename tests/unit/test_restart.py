"""Restart strategies: when, and whether, a job is tried again."""

from typing import Any

import pytest

from wiesel.core.configuration import Configuration
from wiesel.core.errors import (
    CheckpointCorruptError,
    CheckpointError,
    ConfigurationError,
    ConnectionFailedError,
    FencedError,
    JobExecutionError,
    is_retriable,
)
from wiesel.runtime.job_master.restart import (
    ExponentialDelay,
    FailureRate,
    FixedDelay,
    NoRestart,
    RestartStrategy,
    restart_strategy,
)


def delays(strategy: RestartStrategy, *times: int) -> list[int | None]:
    return [strategy.next_delay_ms(now) for now in times]


def configured(checkpointing: bool = True, **settings: str) -> RestartStrategy:
    configuration = Configuration()
    for key, value in settings.items():
        configuration.set_string("restart-strategy." + key.replace("__", ".").replace("_", "-"), value)
    return restart_strategy(configuration, checkpointing)


def test_none_never_tries_again() -> None:
    assert delays(NoRestart(), 0) == [None]


def test_fixed_delay_tries_so_many_times() -> None:
    assert delays(FixedDelay(2, 100), 0, 1000, 2000) == [100, 100, None]


def test_failure_rate_gives_up_when_too_many_failures_fall_into_the_interval() -> None:
    assert delays(FailureRate(2, 1000, 10), 0, 500, 900) == [10, 10, None]
    assert delays(FailureRate(2, 1000, 10), 0, 500, 1600) == [10, 10, 10]


def test_exponential_delay_grows_to_its_limit_and_starts_anew_after_a_quiet_time() -> None:
    strategy = ExponentialDelay(initial_ms=100, max_ms=300, multiplier=2, reset_after_ms=1000)
    assert delays(strategy, 0, 200, 600, 1000) == [100, 200, 300, 300]
    assert delays(strategy, 10_000) == [100]


def test_exponential_delay_may_have_a_last_attempt() -> None:
    strategy = ExponentialDelay(max_attempts=2)
    assert delays(strategy, 0, 1, 2) == [1000, 1500, None]


def test_the_default_is_exponential_delay_with_checkpoints_and_none_without() -> None:
    assert isinstance(configured(), ExponentialDelay)
    assert delays(configured(), 0, 2000) == [1000, 1500]
    assert isinstance(configured(checkpointing=False), NoRestart)


@pytest.mark.parametrize(
    ("settings", "strategy"),
    [
        ({"type": "none"}, NoRestart()),
        ({"type": "fixed-delay", "fixed_delay__attempts": "7", "fixed_delay__delay": "2 s"}, FixedDelay(7, 2000)),
        (
            {
                "type": "failure-rate",
                "failure_rate__max_failures_per_interval": "3",
                "failure_rate__failure_rate_interval": "1 min",
                "failure_rate__delay": "5 s",
            },
            FailureRate(3, 60_000, 5000),
        ),
    ],
)
def test_flinks_keys_choose_the_strategy(settings: dict[str, str], strategy: Any) -> None:
    assert configured(True, **settings) == strategy


def cause(error: BaseException) -> JobExecutionError:
    failure = JobExecutionError("failed")
    failure.__cause__ = error
    return failure


@pytest.mark.parametrize(
    ("error", "retriable"),
    [
        (ValueError(), True),
        (ConnectionFailedError(), True),
        (CheckpointError(), True),
        (CheckpointCorruptError(), False),
        (FencedError(), False),
        (ConfigurationError(), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_what_no_retry_can_mend_is_not_retried_whoever_wraps_it(error: BaseException, retriable: bool) -> None:
    assert is_retriable(error) is retriable
    assert is_retriable(cause(error)) is retriable
