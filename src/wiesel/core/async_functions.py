"""Functions that wait for something outside, and when their attempts are repeated (Flink: "Async I/O").

Mirrors ``AsyncFunction``, ``AsyncRetryStrategy`` and ``AsyncRetryPredicate`` of ``pyflink.datastream.functions``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from wiesel.core.functions import Function

IN = TypeVar("IN")
OUT = TypeVar("OUT")

__all__ = [
    "NO_RETRY_STRATEGY",
    "AsyncFunction",
    "AsyncFunctionDescriptor",
    "AsyncRetryPredicate",
    "AsyncRetryStrategy",
    "ExponentialBackoffDelayRetryStrategy",
    "FixedDelayRetryStrategy",
    "NoRetryStrategy",
    "RetryPredicate",
]

#: Tells from the results of an attempt, a list, whether to try again.
ResultPredicate = Callable[[list[Any]], bool]
#: Tells from what an attempt raised whether to try again.
ExceptionPredicate = Callable[[Exception], bool]


class AsyncFunction(Function, Generic[IN, OUT]):
    """Asks something outside for each record, many records at a time (Flink: ``AsyncFunction``).

    ``open`` and ``close`` run on the task thread; ``async_invoke`` and ``timeout`` on the operator's event loop, so
    whatever belongs to a loop (an HTTP session, a connection pool) is best made on first use in ``async_invoke``.
    """

    @abstractmethod
    async def async_invoke(self, value: IN) -> list[OUT]:
        """Return the results for ``value``, any number of them."""

    def timeout(self, value: IN) -> list[OUT]:
        """Return the results for a ``value`` whose answer took too long; by default that fails the job."""
        raise TimeoutError(f"Async function call has timed out for input: {value}")


class AsyncRetryPredicate(ABC, Generic[OUT]):
    """Which outcomes of an attempt ask for another one."""

    @abstractmethod
    def result_predicate(self) -> Callable[[list[OUT]], bool] | None:
        """Return a function that says whether these results ask for another attempt; None: no results do."""

    @abstractmethod
    def exception_predicate(self) -> ExceptionPredicate | None:
        """Return a function that says whether this error asks for another attempt; None: no error does."""


class AsyncRetryStrategy(ABC, Generic[OUT]):
    """How often and when attempts are repeated; the operator's timeout covers all of them together."""

    @abstractmethod
    def can_retry(self, current_attempts: int) -> bool:
        """Whether another attempt may follow the ``current_attempts`` made so far."""

    @abstractmethod
    def get_backoff_time_millis(self, current_attempts: int) -> int:
        """Return the pause before the next attempt, in milliseconds."""

    @abstractmethod
    def get_retry_predicate(self) -> AsyncRetryPredicate[OUT]:
        """Return which outcomes ask for another attempt."""

    @staticmethod
    def no_restart() -> AsyncRetryStrategy[Any]:
        """Return the strategy of one attempt."""
        return NO_RETRY_STRATEGY

    @staticmethod
    def fixed_delay(
        max_attempts: int,
        backoff_time_millis: int,
        result_predicate: Callable[[list[OUT]], bool] | None,
        exception_predicate: ExceptionPredicate | None,
    ) -> AsyncRetryStrategy[Any]:
        """Return a strategy of up to ``max_attempts`` repetitions, with the same pause before each."""
        return FixedDelayRetryStrategy(max_attempts, backoff_time_millis, result_predicate, exception_predicate)

    @staticmethod
    def exponential_backoff(
        max_attempts: int,
        initial_delay: int,
        max_retry_delay: int,
        multiplier: float,
        result_predicate: Callable[[list[OUT]], bool] | None,
        exception_predicate: ExceptionPredicate | None,
    ) -> AsyncRetryStrategy[Any]:
        """Return a strategy of up to ``max_attempts`` repetitions whose pauses grow by ``multiplier``."""
        return ExponentialBackoffDelayRetryStrategy(
            max_attempts, initial_delay, max_retry_delay, multiplier, result_predicate, exception_predicate
        )


class RetryPredicate(AsyncRetryPredicate[OUT]):
    """Two functions, either of which may be None."""

    def __init__(
        self,
        result_predicate: Callable[[list[OUT]], bool] | None,
        exception_predicate: ExceptionPredicate | None,
    ) -> None:
        self._result_predicate = result_predicate
        self._exception_predicate = exception_predicate

    def result_predicate(self) -> Callable[[list[OUT]], bool] | None:
        """Return the predicate of results."""
        return self._result_predicate

    def exception_predicate(self) -> ExceptionPredicate | None:
        """Return the predicate of errors."""
        return self._exception_predicate


class NoRetryStrategy(AsyncRetryStrategy[OUT]):
    """One attempt."""

    def can_retry(self, current_attempts: int) -> bool:
        """Return False."""
        return False

    def get_backoff_time_millis(self, current_attempts: int) -> int:
        """Return -1."""
        return -1

    def get_retry_predicate(self) -> AsyncRetryPredicate[OUT]:
        """Return predicates that never ask for another attempt."""
        return RetryPredicate(None, None)


class FixedDelayRetryStrategy(AsyncRetryStrategy[OUT]):
    """The same pause before each repetition.

    Args:
        max_attempts: how often an attempt is repeated at most, from 1.
        backoff_time_millis: the pause, from 1.
        result_predicate: which results ask for another attempt, or None.
        exception_predicate: which errors do, or None.
    """

    def __init__(
        self,
        max_attempts: int,
        backoff_time_millis: int,
        result_predicate: Callable[[list[OUT]], bool] | None,
        exception_predicate: ExceptionPredicate | None,
    ) -> None:
        _require_positive(max_attempts=max_attempts, backoff_time_millis=backoff_time_millis)
        self._max_attempts = max_attempts
        self._backoff_time_millis = backoff_time_millis
        self._predicate: AsyncRetryPredicate[OUT] = RetryPredicate(result_predicate, exception_predicate)

    def can_retry(self, current_attempts: int) -> bool:
        """Whether fewer than the most repetitions were made."""
        return current_attempts <= self._max_attempts

    def get_backoff_time_millis(self, current_attempts: int) -> int:
        """Return the pause."""
        return self._backoff_time_millis

    def get_retry_predicate(self) -> AsyncRetryPredicate[OUT]:
        """Return the predicates given."""
        return self._predicate


class ExponentialBackoffDelayRetryStrategy(AsyncRetryStrategy[OUT]):
    """Pauses that grow.

    The pause follows from the number of attempts alone. PyFlink remembers the pause before in the strategy, which all
    records in flight share, so there one record's retries lengthen another's.

    Args:
        max_attempts: how often an attempt is repeated at most, from 1.
        initial_delay: milliseconds before the first repetition.
        max_retry_delay: the longest pause, in milliseconds.
        multiplier: factor from one pause to the next.
        result_predicate: which results ask for another attempt, or None.
        exception_predicate: which errors do, or None.
    """

    def __init__(
        self,
        max_attempts: int,
        initial_delay: int,
        max_retry_delay: int,
        multiplier: float,
        result_predicate: Callable[[list[OUT]], bool] | None,
        exception_predicate: ExceptionPredicate | None,
    ) -> None:
        _require_positive(
            max_attempts=max_attempts,
            initial_delay=initial_delay,
            max_retry_delay=max_retry_delay,
            multiplier=multiplier,
        )
        self._max_attempts = max_attempts
        self._initial_delay = initial_delay
        self._max_retry_delay = max_retry_delay
        self._multiplier = multiplier
        self._predicate: AsyncRetryPredicate[OUT] = RetryPredicate(result_predicate, exception_predicate)

    def can_retry(self, current_attempts: int) -> bool:
        """Whether fewer than the most repetitions were made."""
        return current_attempts <= self._max_attempts

    def get_backoff_time_millis(self, current_attempts: int) -> int:
        """Return the pause, rounded down at each step as Flink does."""
        delay = self._initial_delay
        for _ in range(current_attempts - 1):
            delay = int(min(delay * self._multiplier, self._max_retry_delay))
        return delay

    def get_retry_predicate(self) -> AsyncRetryPredicate[OUT]:
        """Return the predicates given."""
        return self._predicate


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if value <= 0:
            # PyFlink asserts it, so scripts see this class.
            raise AssertionError(f"{name} should be greater than zero, got {value}.")


NO_RETRY_STRATEGY: Final[AsyncRetryStrategy[Any]] = NoRetryStrategy()


class AsyncFunctionDescriptor:
    """An async function with the way it is waited for.

    Args:
        async_function: the ``AsyncFunction``.
        timeout: a ``Time``: how long all attempts for a record may take; 0 is for ever.
        capacity: records in flight at most.
        async_retry_strategy: when attempts are repeated.
        output_mode: whether results keep the order of the records.
    """

    class OutputMode(Enum):
        """In which order results are emitted."""

        ORDERED = 0
        UNORDERED = 1

    def __init__(
        self,
        async_function: AsyncFunction[Any, Any],
        timeout: Any,
        capacity: int,
        async_retry_strategy: AsyncRetryStrategy[Any],
        output_mode: AsyncFunctionDescriptor.OutputMode,
    ) -> None:
        self.async_function = async_function
        self.timeout = timeout
        self.capacity = capacity
        self.async_retry_strategy = async_retry_strategy
        self.output_mode = output_mode
