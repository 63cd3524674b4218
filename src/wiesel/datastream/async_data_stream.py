"""``AsyncDataStream``: applies an async function to a stream (``pyflink.datastream.async_data_stream``)."""

from __future__ import annotations

import inspect
from typing import Any

from wiesel.core.async_functions import (
    NO_RETRY_STRATEGY,
    AsyncFunction,
    AsyncFunctionDescriptor,
    AsyncRetryStrategy,
    NoRetryStrategy,
)
from wiesel.core.errors import ConfigurationError
from wiesel.core.operator_specs import AsyncWaitSpec
from wiesel.core.shipping import ship
from wiesel.core.time import Duration, Time, to_millis
from wiesel.core.types import TypeInformation
from wiesel.datastream.data_stream import DataStream

__all__ = ["AsyncDataStream"]

_Mode = AsyncFunctionDescriptor.OutputMode


class AsyncDataStream:
    """Waits for async functions, with the results in the records' order or as they come.

    All four take the stream, an ``AsyncFunction``, the time that all attempts for one record may take together (a
    ``Time``; 0 waits for ever), how many records may be in flight, and the type of the results. Records in flight are
    part of every checkpoint and are asked for again after a restart, so the outside sees a request at least once.
    """

    @staticmethod
    def unordered_wait(
        data_stream: DataStream,
        async_function: AsyncFunction[Any, Any],
        timeout: Time | Duration,
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """Emit results as they come; no result overtakes a watermark."""
        return AsyncDataStream.unordered_wait_with_retry(
            data_stream, async_function, timeout, NO_RETRY_STRATEGY, capacity, output_type
        )

    @staticmethod
    def unordered_wait_with_retry(
        data_stream: DataStream,
        async_function: AsyncFunction[Any, Any],
        timeout: Time | Duration,
        async_retry_strategy: AsyncRetryStrategy[Any],
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """Emit results as they come, repeating attempts as the strategy says."""
        descriptor = AsyncFunctionDescriptor(async_function, timeout, capacity, async_retry_strategy, _Mode.UNORDERED)
        return _wait(data_stream, descriptor, output_type)

    @staticmethod
    def ordered_wait(
        data_stream: DataStream,
        async_function: AsyncFunction[Any, Any],
        timeout: Time | Duration,
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """Emit results in the order of their records."""
        return AsyncDataStream.ordered_wait_with_retry(
            data_stream, async_function, timeout, NO_RETRY_STRATEGY, capacity, output_type
        )

    @staticmethod
    def ordered_wait_with_retry(
        data_stream: DataStream,
        async_function: AsyncFunction[Any, Any],
        timeout: Time | Duration,
        async_retry_strategy: AsyncRetryStrategy[Any],
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """Emit results in the order of their records, repeating attempts as the strategy says."""
        descriptor = AsyncFunctionDescriptor(async_function, timeout, capacity, async_retry_strategy, _Mode.ORDERED)
        return _wait(data_stream, descriptor, output_type)


def _wait(stream: DataStream, descriptor: AsyncFunctionDescriptor, output_type: TypeInformation | None) -> DataStream:
    _check(descriptor)
    spec = AsyncWaitSpec(
        function=ship(descriptor.async_function),
        retry_strategy=ship(descriptor.async_retry_strategy),
        timeout_ms=to_millis(descriptor.timeout),
        capacity=descriptor.capacity,
        ordered=descriptor.output_mode is _Mode.ORDERED,
    )
    return stream._values()._transform("async wait operator", spec, output_type)


def _check(descriptor: AsyncFunctionDescriptor) -> None:
    function, strategy = descriptor.async_function, descriptor.async_retry_strategy
    if not isinstance(function, AsyncFunction):
        raise TypeError(f"The input must be an AsyncFunction, got {type(function).__name__}.")
    if not inspect.iscoroutinefunction(function.async_invoke):
        raise ConfigurationError(
            f"Method 'async_invoke' of class '{type(function).__name__}' should be declared as 'async def'."
        )
    if not isinstance(strategy, AsyncRetryStrategy):
        raise TypeError(f"The retry strategy must be an AsyncRetryStrategy, got {type(strategy).__name__}.")
    if strategy.get_retry_predicate() is None:
        raise ConfigurationError(
            f"Retry predicate of the async retry strategy '{type(strategy).__name__}' is None; return a RetryPredicate."
        )
    if not isinstance(strategy, NoRetryStrategy) and to_millis(descriptor.timeout) <= 0:
        raise ConfigurationError("Timeout should be configured when do async with retry: give one above zero.")
    if descriptor.capacity < 1:
        raise ConfigurationError(f"The capacity must be at least one record, got {descriptor.capacity!r}.")
