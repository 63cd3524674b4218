from datetime import timedelta

import pytest

from wiesel.common import Configuration, RestartStrategies
from wiesel.core.options import catalog, value_of


def test_fixed_delay_says_and_configures_attempts_and_delay() -> None:
    strategy = RestartStrategies.fixed_delay_restart(3, timedelta(seconds=2))
    assert strategy.get_restart_attempts() == 3
    assert strategy.get_delay_between_attempts_interval() == timedelta(seconds=2)
    assert strategy.get_description() == "Restart with fixed delay (2000 ms). #3 restart attempts."
    configuration = Configuration()
    strategy.apply_to(configuration)
    assert value_of(configuration, catalog.RESTART_STRATEGY) == "fixed-delay"
    assert value_of(configuration, catalog.FIXED_DELAY_ATTEMPTS) == 3
    assert value_of(configuration, catalog.FIXED_DELAY_DELAY) == 2000


def test_failure_rate_says_and_configures_its_three_numbers() -> None:
    strategy = RestartStrategies.failure_rate_restart(5, 60_000, timedelta(seconds=1))
    assert strategy.get_max_failure_rate() == 5
    assert strategy.get_failure_interval() == timedelta(minutes=1)
    assert strategy.get_delay_between_attempts_interval() == timedelta(seconds=1)
    configuration = Configuration()
    strategy.apply_to(configuration)
    assert value_of(configuration, catalog.RESTART_STRATEGY) == "failure-rate"
    assert value_of(configuration, catalog.FAILURE_RATE_MAX_FAILURES) == 5
    assert value_of(configuration, catalog.FAILURE_RATE_INTERVAL) == 60_000
    assert value_of(configuration, catalog.FAILURE_RATE_DELAY) == 1000


def test_no_restart_and_fall_back() -> None:
    configuration = Configuration()
    RestartStrategies.fall_back_restart().apply_to(configuration)
    assert configuration.to_dict() == {}
    RestartStrategies.no_restart().apply_to(configuration)
    assert value_of(configuration, catalog.RESTART_STRATEGY) == "none"


def test_strategies_equal_by_their_numbers() -> None:
    assert RestartStrategies.fixed_delay_restart(1, 5) == RestartStrategies.fixed_delay_restart(1, 5)
    assert RestartStrategies.fixed_delay_restart(1, 5) != RestartStrategies.fixed_delay_restart(2, 5)
    assert len({RestartStrategies.no_restart(), RestartStrategies.no_restart()}) == 1


def test_delays_are_milliseconds_or_timedeltas() -> None:
    with pytest.raises(TypeError, match=r"only supports integer and datetime\.timedelta"):
        RestartStrategies.fixed_delay_restart(1, "5 s")  # type: ignore[arg-type]
