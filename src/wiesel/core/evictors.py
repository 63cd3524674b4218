"""Evictors: take elements out of a window before or after it is evaluated (Flink docs: "Windows", "Evictors").

PyFlink has none; the names are Java's in snake_case. A window with an evictor keeps all its elements.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.time import Duration, Time, to_millis

if TYPE_CHECKING:
    from wiesel.core.metrics import MetricGroup

T = TypeVar("T")
W = TypeVar("W")

__all__ = ["CountEvictor", "DeltaEvictor", "Evictor", "TimeEvictor", "TimestampedValue"]


class TimestampedValue(NamedTuple):
    """An element and its event time in milliseconds."""

    value: Any
    timestamp: int

    def has_timestamp(self) -> bool:
        """Whether the element has an event time at all."""
        return self.timestamp != MIN_TIMESTAMP


class Evictor(ABC, Generic[T, W]):
    """Takes elements out of a window by removing them from the list that it is given."""

    class EvictorContext(ABC):
        """What an evictor may ask."""

        @abstractmethod
        def get_current_processing_time(self) -> int:
            """Return the wall clock in milliseconds."""

        @abstractmethod
        def get_metric_group(self) -> MetricGroup:
            """Return the group in which the evictor registers metrics."""

        @abstractmethod
        def get_current_watermark(self) -> int:
            """Return the operator's event time."""

    @abstractmethod
    def evict_before(
        self, elements: list[TimestampedValue], size: int, window: W, evictor_context: Evictor.EvictorContext
    ) -> None:
        """Remove from ``elements``, of which there are ``size``, what the window function must not see."""

    @abstractmethod
    def evict_after(
        self, elements: list[TimestampedValue], size: int, window: W, evictor_context: Evictor.EvictorContext
    ) -> None:
        """Remove from ``elements`` what must not be there when the window fires again."""


class _OnceEvictor(Evictor[Any, Any]):
    """Evicts either before or after the window function."""

    def __init__(self, do_evict_after: bool = False) -> None:
        self._after = do_evict_after

    @abstractmethod
    def _evict(self, elements: list[TimestampedValue]) -> None:
        """Remove from ``elements``; there is at least one."""

    def evict_before(
        self, elements: list[TimestampedValue], size: int, window: Any, evictor_context: Evictor.EvictorContext
    ) -> None:
        """Evict, unless this evictor does so afterwards."""
        if elements and not self._after:
            self._evict(elements)

    def evict_after(
        self, elements: list[TimestampedValue], size: int, window: Any, evictor_context: Evictor.EvictorContext
    ) -> None:
        """Evict, if this evictor does so afterwards."""
        if elements and self._after:
            self._evict(elements)


class CountEvictor(_OnceEvictor):
    """Keeps the last ``max_count`` elements."""

    def __init__(self, max_count: int, do_evict_after: bool = False) -> None:
        super().__init__(do_evict_after)
        self._max_count = max_count

    @staticmethod
    def of(max_count: int, do_evict_after: bool = False) -> CountEvictor:
        """Return an evictor that keeps the last ``max_count`` elements."""
        return CountEvictor(max_count, do_evict_after)

    def _evict(self, elements: list[TimestampedValue]) -> None:
        del elements[: max(0, len(elements) - self._max_count)]


class TimeEvictor(_OnceEvictor):
    """Keeps the elements within ``window_size`` milliseconds of the newest; does nothing without timestamps."""

    def __init__(self, window_size: int, do_evict_after: bool = False) -> None:
        super().__init__(do_evict_after)
        self._window_size = window_size

    @staticmethod
    def of(window_size: Time | Duration, do_evict_after: bool = False) -> TimeEvictor:
        """Return an evictor that keeps the elements within ``window_size`` of the newest."""
        return TimeEvictor(to_millis(window_size), do_evict_after)

    def _evict(self, elements: list[TimestampedValue]) -> None:
        if elements[0].has_timestamp():
            cutoff = max(element.timestamp for element in elements) - self._window_size
            elements[:] = [element for element in elements if element.timestamp > cutoff]


class DeltaEvictor(_OnceEvictor):
    """Keeps the elements whose distance to the last one is below ``threshold``."""

    def __init__(
        self, threshold: float, delta_function: Callable[[Any, Any], float], do_evict_after: bool = False
    ) -> None:
        super().__init__(do_evict_after)
        self._threshold = threshold
        self._delta = delta_function

    @staticmethod
    def of(threshold: float, delta_function: Callable[[Any, Any], float], do_evict_after: bool = False) -> DeltaEvictor:
        """Return an evictor that asks ``delta_function(element, last element)``."""
        return DeltaEvictor(threshold, delta_function, do_evict_after)

    def _evict(self, elements: list[TimestampedValue]) -> None:
        last = elements[-1].value
        elements[:] = [element for element in elements if self._delta(element.value, last) < self._threshold]
