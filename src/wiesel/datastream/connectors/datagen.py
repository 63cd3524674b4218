"""Generated records (Java: ``org.apache.flink.connector.datagen.source``). PyFlink has no such names, so a script that
uses them runs here and not on Flink.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wiesel.connectors.datagen.rate import RateLimit
from wiesel.connectors.datagen.source_spec import DataGeneratorSpec
from wiesel.core.arguments import expect, expect_type
from wiesel.core.errors import ConfigurationError
from wiesel.core.shipping import ship
from wiesel.core.types import TypeInformation
from wiesel.datastream.connectors.base import Source

__all__ = ["DataGeneratorSource", "RateLimiterStrategy"]


class RateLimiterStrategy:
    """How fast a source may go; made by its static methods.

    Args:
        limit: the connector's data.
    """

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit

    @staticmethod
    def per_second(records_per_second: float) -> RateLimiterStrategy:
        """Return the limit of all readers together, in records a second."""
        return RateLimiterStrategy(RateLimit(float(records_per_second)))

    @staticmethod
    def no_op() -> RateLimiterStrategy:
        """Return no limit."""
        return RateLimiterStrategy(RateLimit())


class DataGeneratorSource(Source):
    """Makes ``generator_function(0)`` to ``generator_function(count - 1)``, each once, also after a restart.

    Example::

        source = DataGeneratorSource(lambda i: f"user-{i % 10}", 1000, RateLimiterStrategy.per_second(100))

    Args:
        generator_function: makes a record of a number.
        count: how many records.
        rate_limiter_strategy: how fast; no limit when None. Java's third argument may be the type as well.
        type_info: type of the records; untyped when None.
    """

    def __init__(
        self,
        generator_function: Callable[[int], Any],
        count: int,
        rate_limiter_strategy: RateLimiterStrategy | TypeInformation | None = None,
        type_info: TypeInformation | None = None,
    ) -> None:
        if isinstance(rate_limiter_strategy, TypeInformation):
            rate_limiter_strategy, type_info = None, rate_limiter_strategy
        if not callable(generator_function):
            raise TypeError(f"DataGeneratorSource takes a function of a number, got {generator_function!r}")
        if count < 0:
            raise ConfigurationError(f"DataGeneratorSource: count must be from 0, got {count}.")
        rate = rate_limiter_strategy or RateLimiterStrategy.no_op()
        expect(rate, RateLimiterStrategy, "DataGeneratorSource", "RateLimiterStrategy.per_second(…)")
        expect_type(type_info, "DataGeneratorSource")
        super().__init__(DataGeneratorSpec(ship(generator_function), count, rate.limit))
        self._type_info = type_info

    def produced_type(self) -> TypeInformation | None:
        """Return the type that was given."""
        return self._type_info
