"""Window joins: ``JoinedStreams`` and ``CoGroupedStreams`` (Flink docs: "Joining", "Window Join").

PyFlink has neither; the names are Java's in snake_case. Both are composed, as in Flink: a union of marked elements,
keyed, windowed, and taken apart again when a window fires. A join is inner; an outer one is a ``co_group`` whose
function looks at which side is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wiesel.core.co_group import CoGroupWindowFunction, JoinWindowFunction, TaggedKeySelector, Tagger
from wiesel.core.errors import ConfigurationError
from wiesel.core.functions import KeySelector, method_or_callable
from wiesel.core.join_functions import CoGroupFunction, FlatJoinFunction, JoinFunction
from wiesel.core.shipping import ShippedFunction, ship
from wiesel.core.types import TypeInformation
from wiesel.datastream.data_stream import DataStream
from wiesel.datastream.windowed_stream import WindowedStream

if TYPE_CHECKING:
    from wiesel.core.evictors import Evictor
    from wiesel.core.triggers import Trigger
    from wiesel.core.window_assigners import WindowAssigner

__all__ = ["CoGroupedStreams", "JoinedStreams"]

_Selector = Callable[..., Any] | KeySelector


class _TwoStreams:
    """What ``join`` and ``co_group`` share: both begin with ``where``."""

    def __init__(self, first: DataStream, second: DataStream) -> None:
        if not isinstance(second, DataStream):
            raise TypeError(f"Expected a DataStream, got {type(second).__name__}.")
        self.first = first
        self.second = second

    def where(self, key_selector: _Selector, key_type: TypeInformation | None = None) -> Where:
        """Take the key of the first stream's elements.

        Args:
            key_selector: a callable or ``KeySelector``.
            key_type: the key's type; pickled without one.
        """
        method_or_callable(key_selector, KeySelector, "get_key")
        return Where(self, ship(key_selector), key_type)

    def _window_function(self, function: Any) -> CoGroupWindowFunction | JoinWindowFunction:
        raise NotImplementedError


class JoinedStreams(_TwoStreams):
    """Pairs of elements that have the same key and are in the same window (Flink: ``JoinedStreams``)."""

    def _window_function(self, function: Any) -> JoinWindowFunction:
        if not isinstance(function, JoinFunction | FlatJoinFunction) and not callable(function):
            raise TypeError("The input must be a JoinFunction, a FlatJoinFunction or a callable function")
        return JoinWindowFunction(ship(function))


class CoGroupedStreams(_TwoStreams):
    """All elements of both streams with the same key in the same window (Flink: ``CoGroupedStreams``)."""

    def _window_function(self, function: Any) -> CoGroupWindowFunction:
        method_or_callable(function, CoGroupFunction, "co_group")
        return CoGroupWindowFunction(ship(function))


@dataclass(frozen=True)
class Where:
    """Two streams of which the first has its key."""

    streams: _TwoStreams
    key_of_first: ShippedFunction
    key_type: TypeInformation | None

    def equal_to(self, key_selector: _Selector, key_type: TypeInformation | None = None) -> EqualTo:
        """Take the key of the second stream's elements; ``key_type`` must be that of the first, when both are given.

        Raises:
            ConfigurationError: the two types differ.
        """
        method_or_callable(key_selector, KeySelector, "get_key")
        if key_type is not None and self.key_type is not None and key_type != self.key_type:
            raise ConfigurationError(
                f"The keys for the two inputs are not equal: first key = {self.key_type}, second key = {key_type}. "
                f"Give where() and equal_to() the same key_type."
            )
        return EqualTo(
            self.streams, TaggedKeySelector(self.key_of_first, ship(key_selector)), self.key_type or key_type
        )


@dataclass(frozen=True)
class EqualTo:
    """Two streams by key."""

    streams: _TwoStreams
    key_selector: TaggedKeySelector
    key_type: TypeInformation | None

    def window(self, assigner: WindowAssigner[Any, Any]) -> WithWindow:
        """Window both streams alike; what the assigner sees of an element is a ``TaggedUnion``."""
        first, second = _tagged(self.streams.first, True), _tagged(self.streams.second, False)
        windowed = WindowedStream(first.union(second).key_by(self.key_selector, self.key_type), assigner)
        return WithWindow(self.streams, windowed)


def _tagged(stream: DataStream, first: bool) -> DataStream:
    values = stream._values()
    tagged = values.map(Tagger(first, values.get_type()))
    if len(values._upstreams) == 1:
        # One subtask for each of the input's, so that no element overtakes another of its key here.
        upstream = values._environment.pipeline.get(values._upstreams[0].transformation_id)
        if upstream.parallelism is not None:
            tagged.set_parallelism(upstream.parallelism)
    return tagged


class WithWindow:
    """Two streams by key and window."""

    def __init__(self, streams: _TwoStreams, windowed: WindowedStream) -> None:
        self._streams = streams
        self._windowed = windowed

    def trigger(self, trigger: Trigger[Any, Any]) -> WithWindow:
        """Set when windows fire, instead of the assigner's default."""
        self._windowed.trigger(trigger)
        return self

    def evictor(self, evictor: Evictor[Any, Any]) -> WithWindow:
        """Let an evictor take elements, which it sees as ``TaggedUnion``, out of windows when they fire."""
        self._windowed.evictor(evictor)
        return self

    def allowed_lateness(self, time_ms: int) -> WithWindow:
        """Let windows take late elements for ``time_ms`` milliseconds after their end."""
        self._windowed.allowed_lateness(time_ms)
        return self

    def apply(self, function: Any, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a function to the windows.

        Args:
            function: for ``join`` a ``JoinFunction``, a ``FlatJoinFunction`` or a callable of two elements that returns
                one value; for ``co_group`` a ``CoGroupFunction`` or a callable of two lists that returns any number.
            output_type: type of the results; pickled without one.
        """
        return self._windowed.apply(self._streams._window_function(function), output_type)
