"""Restart strategies, as Flink defines them: when, and whether, a failed job is tried again. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from wiesel.core.configuration import Configuration
from wiesel.core.options import catalog, optional_value_of, value_of


class RestartStrategy(Protocol):
    """Decides after each failure."""

    def next_delay_ms(self, now_ms: int) -> int | None:
        """Return how long to wait before the next attempt, or None to give up."""


@dataclass(slots=True)
class NoRestart:
    """Never."""

    def next_delay_ms(self, now_ms: int) -> int | None:
        """Give up."""
        return None


@dataclass(slots=True)
class FixedDelay:
    """At most ``attempts`` times, always after ``delay_ms``."""

    attempts: int
    delay_ms: int
    used: int = 0

    def next_delay_ms(self, now_ms: int) -> int | None:
        """Return the fixed delay while attempts are left."""
        if self.used >= self.attempts:
            return None
        self.used += 1
        return self.delay_ms


@dataclass(slots=True)
class FailureRate:
    """Until more than ``max_failures`` fall into ``interval_ms``."""

    max_failures: int
    interval_ms: int
    delay_ms: int
    failures: deque[int] = field(default_factory=deque)

    def next_delay_ms(self, now_ms: int) -> int | None:
        """Return the delay unless too many failures are recent."""
        self.failures.append(now_ms)
        while self.failures and now_ms - self.failures[0] > self.interval_ms:
            self.failures.popleft()
        return None if len(self.failures) > self.max_failures else self.delay_ms


@dataclass(slots=True)
class ExponentialDelay:
    """Ever longer delays, from the start again after a quiet time; Flink's default with checkpoints.

    ``jitter`` is left out of the decision: it spreads load over many jobs of a cluster, and here is one.
    """

    initial_ms: int = 1000
    max_ms: int = 60_000
    multiplier: float = 1.5
    reset_after_ms: int = 3_600_000
    max_attempts: int | None = None
    current_ms: float = 0
    last_failure_ms: int | None = None
    used: int = 0

    def next_delay_ms(self, now_ms: int) -> int | None:
        """Return the next delay."""
        quiet = self.last_failure_ms is not None and now_ms - self.last_failure_ms > (
            self.reset_after_ms + self.current_ms
        )
        if quiet:
            self.used = 0
        if self.max_attempts is not None and self.used >= self.max_attempts:
            return None
        first = self.last_failure_ms is None or quiet
        self.current_ms = self.initial_ms if first else min(self.current_ms * self.multiplier, self.max_ms)
        self.last_failure_ms = now_ms
        self.used += 1
        return int(self.current_ms)


def restart_strategy(configuration: Configuration, checkpointing: bool) -> RestartStrategy:
    """Return the strategy that the configuration names; without one: exponential delay if checkpointing, else none."""
    kind = optional_value_of(configuration, catalog.RESTART_STRATEGY)
    kind = kind or ("exponential-delay" if checkpointing else "none")
    if kind == "fixed-delay":
        return FixedDelay(
            value_of(configuration, catalog.FIXED_DELAY_ATTEMPTS), value_of(configuration, catalog.FIXED_DELAY_DELAY)
        )
    if kind == "failure-rate":
        return FailureRate(
            value_of(configuration, catalog.FAILURE_RATE_MAX_FAILURES),
            value_of(configuration, catalog.FAILURE_RATE_INTERVAL),
            value_of(configuration, catalog.FAILURE_RATE_DELAY),
        )
    if kind == "exponential-delay":
        return ExponentialDelay(
            initial_ms=value_of(configuration, catalog.EXPONENTIAL_INITIAL_BACKOFF),
            max_ms=value_of(configuration, catalog.EXPONENTIAL_MAX_BACKOFF),
            multiplier=value_of(configuration, catalog.EXPONENTIAL_MULTIPLIER),
            reset_after_ms=value_of(configuration, catalog.EXPONENTIAL_RESET_THRESHOLD),
            max_attempts=optional_value_of(configuration, catalog.EXPONENTIAL_ATTEMPTS),
        )
    return NoRestart()
