"""Restart strategies as objects (mirrors ``pyflink.common.restart_strategy``); today's way are configuration keys."""

from __future__ import annotations

from datetime import timedelta

from wiesel.core.configuration import Configuration
from wiesel.core.options import catalog
from wiesel.core.time import to_millis

__all__ = ["RestartStrategies", "RestartStrategyConfiguration"]


class RestartStrategyConfiguration:
    """A restart strategy and its parameters.

    Args:
        description: a sentence for people.
        entries: the configuration that means the same.
    """

    def __init__(self, description: str, entries: dict[str, str]) -> None:
        self._description = description
        self._entries = entries

    def get_description(self) -> str:
        """Return a sentence about the strategy."""
        return self._description

    def apply_to(self, configuration: Configuration) -> None:
        """Set the keys that mean the same; what ``set_restart_strategy`` calls."""
        for key, value in self._entries.items():
            configuration.set_string(key, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__) and self._entries == other._entries

    def __hash__(self) -> int:
        return hash(tuple(self._entries.items()))


class RestartStrategies:
    """Makes restart strategies."""

    class NoRestartStrategyConfiguration(RestartStrategyConfiguration):
        """No restart: the first failure fails the job."""

        def __init__(self) -> None:
            super().__init__("Restart deactivated.", {catalog.RESTART_STRATEGY.key: "none"})

    class FixedDelayRestartStrategyConfiguration(RestartStrategyConfiguration):
        """So many restarts, each after the same wait.

        Args:
            restart_attempts: restarts before giving up.
            delay_between_attempts_interval: the wait, milliseconds or a timedelta.
        """

        def __init__(self, restart_attempts: int, delay_between_attempts_interval: int | timedelta) -> None:
            delay = _millis("delay_between_attempts_interval", delay_between_attempts_interval)
            self._restart_attempts, self._delay = restart_attempts, delay
            super().__init__(
                f"Restart with fixed delay ({delay} ms). #{restart_attempts} restart attempts.",
                {
                    catalog.RESTART_STRATEGY.key: "fixed-delay",
                    catalog.FIXED_DELAY_ATTEMPTS.key: str(restart_attempts),
                    catalog.FIXED_DELAY_DELAY.key: f"{delay} ms",
                },
            )

        def get_restart_attempts(self) -> int:
            """Return the restarts before giving up."""
            return self._restart_attempts

        def get_delay_between_attempts_interval(self) -> timedelta:
            """Return the wait before each restart."""
            return timedelta(milliseconds=self._delay)

    class FailureRateRestartStrategyConfiguration(RestartStrategyConfiguration):
        """Restarts until failures come too often.

        Args:
            max_failure_rate: failures in the interval before giving up.
            failure_interval: the interval, milliseconds or a timedelta.
            delay_between_attempts_interval: the wait before each restart, milliseconds or a timedelta.
        """

        def __init__(
            self,
            max_failure_rate: int,
            failure_interval: int | timedelta,
            delay_between_attempts_interval: int | timedelta,
        ) -> None:
            interval = _millis("failure_interval", failure_interval)
            delay = _millis("delay_between_attempts_interval", delay_between_attempts_interval)
            self._max_failure_rate, self._interval, self._delay = max_failure_rate, interval, delay
            super().__init__(
                f"Failure rate restart with maximum of {max_failure_rate} failures within interval {interval} ms "
                f"and fixed delay {delay} ms.",
                {
                    catalog.RESTART_STRATEGY.key: "failure-rate",
                    catalog.FAILURE_RATE_MAX_FAILURES.key: str(max_failure_rate),
                    catalog.FAILURE_RATE_INTERVAL.key: f"{interval} ms",
                    catalog.FAILURE_RATE_DELAY.key: f"{delay} ms",
                },
            )

        def get_max_failure_rate(self) -> int:
            """Return the failures in the interval before giving up."""
            return self._max_failure_rate

        def get_failure_interval(self) -> timedelta:
            """Return the interval in which failures are counted."""
            return timedelta(milliseconds=self._interval)

        def get_delay_between_attempts_interval(self) -> timedelta:
            """Return the wait before each restart."""
            return timedelta(milliseconds=self._delay)

    class FallbackRestartStrategyConfiguration(RestartStrategyConfiguration):
        """Whatever the configuration says."""

        def __init__(self) -> None:
            super().__init__("Cluster level default restart strategy", {})

    @staticmethod
    def no_restart() -> RestartStrategies.NoRestartStrategyConfiguration:
        """Return the strategy that never restarts."""
        return RestartStrategies.NoRestartStrategyConfiguration()

    @staticmethod
    def fall_back_restart() -> RestartStrategies.FallbackRestartStrategyConfiguration:
        """Return the strategy that leaves it to the configuration."""
        return RestartStrategies.FallbackRestartStrategyConfiguration()

    @staticmethod
    def fixed_delay_restart(
        restart_attempts: int, delay_between_attempts: int | timedelta
    ) -> RestartStrategies.FixedDelayRestartStrategyConfiguration:
        """Return the strategy of so many restarts, each after the same wait (milliseconds or a timedelta)."""
        return RestartStrategies.FixedDelayRestartStrategyConfiguration(restart_attempts, delay_between_attempts)

    @staticmethod
    def failure_rate_restart(
        failure_rate: int, failure_interval: int | timedelta, delay_interval: int | timedelta
    ) -> RestartStrategies.FailureRateRestartStrategyConfiguration:
        """Return the strategy that restarts until there are ``failure_rate`` failures in the interval."""
        return RestartStrategies.FailureRateRestartStrategyConfiguration(failure_rate, failure_interval, delay_interval)


def _millis(name: str, amount: int | timedelta) -> int:
    if isinstance(amount, (timedelta, int)):
        return to_millis(amount)
    raise TypeError(f"{name} only supports integer and datetime.timedelta, current input type is {type(amount)}.")
