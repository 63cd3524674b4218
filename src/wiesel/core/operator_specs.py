"""What an operator of the graph is, as inert data: a kind and its parameters, with user functions already pickled.

The runtime has one table from these classes to its operators (``runtime/operators/__init__.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wiesel.core.contracts import Sink, Source
from wiesel.core.shipping import ShippedFunction
from wiesel.core.types import TypeInformation
from wiesel.core.watermarks import WatermarkStrategy


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Reads a source; watermarks are generated for each split."""

    source: Source
    watermark_strategy: WatermarkStrategy


@dataclass(frozen=True, slots=True)
class MapSpec:
    """``function(value)`` for each value."""

    function: ShippedFunction


@dataclass(frozen=True, slots=True)
class FlatMapSpec:
    """Every element of the iterable ``function(value)``."""

    function: ShippedFunction


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """The values for which ``function(value)`` is true."""

    function: ShippedFunction


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A ``ProcessFunction``."""

    function: ShippedFunction


@dataclass(frozen=True, slots=True)
class KeyedProcessSpec:
    """A ``KeyedProcessFunction`` behind ``key_by``."""

    function: ShippedFunction


@dataclass(frozen=True, slots=True)
class CoProcessSpec:
    """A ``CoProcessFunction``, ``CoMapFunction`` or ``CoFlatMapFunction`` over two inputs."""

    function: ShippedFunction


@dataclass(frozen=True, slots=True)
class KeyedCoProcessSpec:
    """A ``KeyedCoProcessFunction`` over two inputs keyed alike."""

    function: ShippedFunction


@dataclass(frozen=True, slots=True)
class IntervalJoinSpec:
    """Joins two inputs keyed alike by event time.

    Args:
        function: a ``ProcessJoinFunction``.
        lower_ms: how far before a left element a right one may be (as a negative number) or must be behind it.
        upper_ms: how far behind a left element a right one may be; both bounds are inclusive.
        left_late_tag: id of the side output for left elements that come too late; None drops them.
        right_late_tag: the same for right ones.
    """

    function: ShippedFunction
    lower_ms: int
    upper_ms: int
    left_late_tag: str | None = None
    right_late_tag: str | None = None


@dataclass(frozen=True, slots=True)
class BroadcastProcessSpec:
    """A ``BroadcastProcessFunction`` or its keyed kind; input 1 is the broadcast side."""

    function: ShippedFunction
    descriptors: tuple[Any, ...]
    keyed: bool


@dataclass(frozen=True, slots=True)
class TimestampsSpec:
    """``assign_timestamps_and_watermarks``: new timestamps and watermarks, the upstream's watermarks are dropped."""

    watermark_strategy: WatermarkStrategy


@dataclass(frozen=True, slots=True)
class AsyncWaitSpec:
    """Waits for an ``AsyncFunction``, for many records at a time.

    Args:
        function: the ``AsyncFunction``.
        retry_strategy: an ``AsyncRetryStrategy``.
        timeout_ms: how long all attempts for a record may take; 0 is for ever.
        capacity: records asked for at the same time, at most.
        ordered: results keep the order of their records; otherwise only watermarks keep their place.
    """

    function: ShippedFunction
    retry_strategy: ShippedFunction
    timeout_ms: int
    capacity: int
    ordered: bool


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """A window over a keyed stream (or over one artificial key for ``window_all``).

    Args:
        assigner: puts elements into windows.
        trigger: says when a window fires; None is the assigner's default.
        function: what is applied to the contents: a window function (``WindowFunction``, ``ProcessWindowFunction``,
            the ``All`` kinds), or None when ``reduce`` or ``aggregate`` give the result by themselves.
        reduce: folds elements as they come, a ``ReduceFunction`` or callable.
        aggregate: folds elements as they come, an ``AggregateFunction``.
        allowed_lateness_ms: how long after its end a window still takes late elements.
        late_tag: id of the side output for elements that are too late; None drops them.
        all_windows: whether the stream is not keyed by the user, so that functions see no key.
        evictor: removes elements before or after the function (Java's ``Evictor``); None is the rule.
    """

    assigner: ShippedFunction
    trigger: ShippedFunction | None
    function: ShippedFunction | None = None
    reduce: ShippedFunction | None = None
    aggregate: ShippedFunction | None = None
    allowed_lateness_ms: int = 0
    late_tag: str | None = None
    all_windows: bool = False
    evictor: ShippedFunction | None = None


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """Writes to a sink."""

    sink: Sink
    type_info: TypeInformation | None = None


OperatorSpec = (
    SourceSpec
    | MapSpec
    | FlatMapSpec
    | FilterSpec
    | ProcessSpec
    | KeyedProcessSpec
    | CoProcessSpec
    | KeyedCoProcessSpec
    | IntervalJoinSpec
    | BroadcastProcessSpec
    | TimestampsSpec
    | AsyncWaitSpec
    | WindowSpec
    | SinkSpec
)
