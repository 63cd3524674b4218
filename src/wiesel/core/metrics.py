"""Metrics that functions register and the engine reads (mirrors ``pyflink.metrics``; Flink docs: "Metrics").

All updates happen on the task thread and are plain assignments, so nothing here takes a lock. Readers on other
threads see each number whole, though perhaps one update old.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Counter", "Distribution", "Gauge", "Meter", "Metric", "MetricGroup", "MetricReading", "TaskMetricGroup"]


_log = logging.getLogger("wiesel.metrics")

M = TypeVar("M", bound="Metric")


class Metric(ABC):
    """Base of all metrics."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """What it is, as a class of this module."""
        return type(self).__name__

    @abstractmethod
    def read(self) -> dict[str, float]:
        """Return the numbers to report, by suffix; the empty suffix is the metric itself."""


class Counter(Metric):
    """A number that goes up and down."""

    __slots__ = ("_decreased", "count")

    def __init__(self) -> None:
        self.count = 0
        self._decreased = False

    @property
    def kind(self) -> str:
        """A counter only as long as it never went down: monitoring systems take a fall for a restart."""
        return "Gauge" if self._decreased else "Counter"

    def inc(self, n: int = 1) -> None:
        """Add ``n``."""
        self.count += n

    def dec(self, n: int = 1) -> None:
        """Subtract ``n``."""
        self.count -= n
        self._decreased = True

    def get_count(self) -> int:
        """Return the number."""
        return self.count

    def read(self) -> dict[str, float]:
        """Return the count."""
        return {"": self.count}


class Gauge(Metric):
    """A number that is asked for when it is read.

    Args:
        function: returns the number; called on the thread that reads metrics.
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], int]) -> None:
        self.function = function

    def read(self) -> dict[str, float]:
        """Return what the function says now."""
        return {"": self.function()}


class Meter(Metric):
    """Events per second over a time span (Flink: ``MeterView``).

    Args:
        time_span_in_seconds: the span that the rate is averaged over.
        monotonic: the clock, in seconds.
    """

    __slots__ = ("_monotonic", "_readings", "_span", "count")

    def __init__(self, time_span_in_seconds: int = 60, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._span = time_span_in_seconds
        self._monotonic = monotonic
        self._readings: deque[tuple[float, int]] = deque([(monotonic(), 0)])

    def mark_event(self, value: int = 1) -> None:
        """Count ``value`` events."""
        self.count += value

    def get_count(self) -> int:
        """Return how many events there were in all."""
        return self.count

    def rate(self) -> float:
        """Return events per second over the span, or since the start when that is shorter; remembers the reading."""
        now, readings = self._monotonic(), self._readings
        # One reading older than the span is kept: it is the base that the rate is measured from.
        while len(readings) > 1 and readings[1][0] <= now - self._span:
            readings.popleft()
        since, base = readings[0]
        if now > readings[-1][0]:
            readings.append((now, self.count))
        return (self.count - base) / (now - since) if now > since else 0.0

    def read(self) -> dict[str, float]:
        """Return the number of events and their rate."""
        return {"count": self.count, "rate": self.rate()}


class Distribution(Metric):
    """Number, sum, minimum and maximum of the values given to it."""

    __slots__ = ("count", "max", "min", "sum")

    def __init__(self) -> None:
        self.count = 0
        self.sum: float = 0
        self.min: float | None = None
        self.max: float | None = None

    def update(self, value: int) -> None:
        """Take in one value."""
        self.count += 1
        self.sum += value
        if self.min is None or value < self.min:
            self.min = value
        if self.max is None or value > self.max:
            self.max = value

    def read(self) -> dict[str, float]:
        """Return count and sum, and once there were values also minimum, maximum and mean."""
        numbers: dict[str, float] = {"count": self.count, "sum": self.sum}
        if self.min is not None and self.max is not None:
            numbers |= {"min": self.min, "max": self.max, "mean": self.sum / self.count}
        return numbers


@dataclass(frozen=True, slots=True)
class MetricReading:
    """A metric at one moment, as data that can travel between processes.

    Args:
        scope: names from the root group to the metric's own.
        labels: the values among them that were given as ``add_group(name, value)``, by their names.
        kind: its class: ``Counter``, ``Gauge``, ``Meter`` or ``Distribution``.
        numbers: what it says, by suffix; the empty suffix is the metric itself.
    """

    scope: tuple[str, ...]
    labels: Mapping[str, str]
    kind: str
    numbers: Mapping[str, float]


class MetricGroup(ABC):
    """A named place for metrics and further groups (Flink: ``MetricGroup``)."""

    @abstractmethod
    def add_group(self, name: str, extra: str | None = None) -> MetricGroup:
        """Return the sub-group ``name``, or with ``extra`` the group of the pair ``name=extra``."""

    @abstractmethod
    def counter(self, name: str) -> Counter:
        """Register a counter, or return the one of that name."""

    @abstractmethod
    def gauge(self, name: str, obj: Callable[[], int]) -> None:
        """Register a function that is asked whenever metrics are read; a second one replaces the first."""

    @abstractmethod
    def meter(self, name: str, time_span_in_seconds: int = 60) -> Meter:
        """Register a meter, or return the one of that name."""

    @abstractmethod
    def distribution(self, name: str) -> Distribution:
        """Register a distribution, or return the one of that name."""


class TaskMetricGroup(MetricGroup):
    """The group that a function gets from ``RuntimeContext.get_metrics_group``; the engine reads it.

    Args:
        scope: names from the root to this group.
        monotonic: the clock of meters, in seconds.
        labels: see ``MetricReading``.
    """

    def __init__(
        self,
        scope: tuple[str, ...] = (),
        monotonic: Callable[[], float] = time.monotonic,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.scope = scope
        self._labels: Mapping[str, str] = labels or {}
        self._monotonic = monotonic
        self._metrics: dict[str, Metric] = {}
        self._groups: dict[str, TaskMetricGroup] = {}

    def add_group(self, name: str, extra: str | None = None) -> TaskMetricGroup:
        """Return the sub-group ``name``, or with ``extra`` the group of the pair ``name=extra``."""
        group = self._group(name, self._labels)
        return group if extra is None else group._group(extra, {**self._labels, name: extra})

    def _group(self, name: str, labels: Mapping[str, str]) -> TaskMetricGroup:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = TaskMetricGroup((*self.scope, name), self._monotonic, labels)
        return group

    def counter(self, name: str) -> Counter:
        """Register a counter, or return the one of that name."""
        return self._register(name, Counter, Counter)

    def gauge(self, name: str, obj: Callable[[], int]) -> None:
        """Register a function that is asked whenever metrics are read; a second one replaces the first."""
        if not callable(obj):
            raise TypeError(f"The gauge {name!r} needs a callable that returns a number, got {type(obj).__name__}.")
        self._register(name, Gauge, lambda: Gauge(obj)).function = obj

    def meter(self, name: str, time_span_in_seconds: int = 60) -> Meter:
        """Register a meter, or return the one of that name."""
        return self._register(name, Meter, lambda: Meter(time_span_in_seconds, self._monotonic))

    def distribution(self, name: str) -> Distribution:
        """Register a distribution, or return the one of that name."""
        return self._register(name, Distribution, Distribution)

    def read(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """Yield all numbers of this group and below, as (scope and name, number)."""
        for reading in self.readings():
            for suffix, number in reading.numbers.items():
                yield (*reading.scope, suffix) if suffix else reading.scope, number

    def readings(self) -> Iterator[MetricReading]:
        """Yield all metrics of this group and below; a gauge whose function fails is left out, as in Flink."""
        # Copies, because the task thread may register while another thread reads.
        for name, metric in list(self._metrics.items()):
            try:
                numbers = metric.read()
            except Exception as error:
                _log.debug("The gauge %r failed: %s", name, error)
                continue
            yield MetricReading((*self.scope, name), self._labels, metric.kind, numbers)
        for group in list(self._groups.values()):
            yield from group.readings()

    def _register(self, name: str, kind: type[M], create: Callable[[], M]) -> M:
        metric = self._metrics.get(name)
        if metric is None:
            metric = self._metrics[name] = create()
        if not isinstance(metric, kind):
            raise ValueError(f"The metric {name!r} is a {type(metric).__name__} already; take another name.")
        return metric
