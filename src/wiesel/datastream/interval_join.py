"""``interval_join``: pairs of elements whose event times are near each other (Flink docs: "Joining", "Interval Join").

PyFlink has none; the names are Java's in snake_case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wiesel.core.errors import ConfigurationError, UnsupportedError
from wiesel.core.functions import OutputTag
from wiesel.core.join_functions import ProcessJoinFunction
from wiesel.core.operator_specs import IntervalJoinSpec
from wiesel.core.shipping import ship
from wiesel.core.time import Duration, Time, to_millis
from wiesel.core.types import TypeInformation
from wiesel.core.types.declared import declared_type
from wiesel.datastream.data_stream import DataStream
from wiesel.graph.transformations import Upstream

if TYPE_CHECKING:
    from wiesel.datastream.keyed_stream import KeyedStream

__all__ = ["IntervalJoin", "IntervalJoined"]


class IntervalJoin:
    """Two keyed streams, of which the interval is still to be said (Flink: ``KeyedStream.IntervalJoin``).

    Raises:
        TypeError: the second stream is not keyed.
        ConfigurationError: the two types of keys differ.
    """

    def __init__(self, left: KeyedStream, right: KeyedStream) -> None:
        from wiesel.datastream.keyed_stream import KeyedStream

        if not isinstance(right, KeyedStream):
            raise TypeError(f"interval_join() needs a KeyedStream, got {type(right).__name__}: call key_by() on it.")
        if left.key_type != right.key_type:
            raise ConfigurationError(
                f"The keys for the two inputs are not equal: first key = {left.key_type}, second key = "
                f"{right.key_type}. Give both key_by() the same key_type."
            )
        self._streams = left, right
        self._by_event_time = True

    def in_event_time(self) -> IntervalJoin:
        """Join by event time, which is the rule."""
        self._by_event_time = True
        return self

    def in_processing_time(self) -> IntervalJoin:
        """Join by the wall clock, which ``between`` refuses as Flink does."""
        self._by_event_time = False
        return self

    def between(self, lower_bound: Time | Duration, upper_bound: Time | Duration) -> IntervalJoined:
        """Join left with right elements whose time is from ``left + lower_bound`` to ``left + upper_bound``, inclusive.

        Args:
            lower_bound: perhaps negative; ``Time``, ``Duration``, ``timedelta`` or milliseconds.
            upper_bound: not below ``lower_bound``.
        """
        if not self._by_event_time:
            raise UnsupportedError("Time-bounded stream joins are only supported in event time")
        return IntervalJoined(*self._streams, to_millis(lower_bound), to_millis(upper_bound))


class IntervalJoined:
    """Two keyed streams and the interval (Flink: ``KeyedStream.IntervalJoined``)."""

    def __init__(self, left: KeyedStream, right: KeyedStream, lower_bound: int, upper_bound: int) -> None:
        self._left = left
        self._right = right
        self._lower = lower_bound
        self._upper = upper_bound
        self._lower_exclusive = self._upper_exclusive = False
        self._late_tags: dict[str, OutputTag] = {}

    def lower_bound_exclusive(self) -> IntervalJoined:
        """Leave the lower bound itself out."""
        self._lower_exclusive = True
        return self

    def upper_bound_exclusive(self) -> IntervalJoined:
        """Leave the upper bound itself out."""
        self._upper_exclusive = True
        return self

    def side_output_left_late_data(self, output_tag: OutputTag) -> IntervalJoined:
        """Send left elements that come behind the watermark to a side output instead of dropping them."""
        self._late_tags["left"] = output_tag
        return self

    def side_output_right_late_data(self, output_tag: OutputTag) -> IntervalJoined:
        """Send right elements that come behind the watermark to a side output instead of dropping them."""
        self._late_tags["right"] = output_tag
        return self

    def process(self, process_join_function: Any, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a ``ProcessJoinFunction`` to each pair; results carry the later of its two times.

        Raises:
            TypeError: the function is of another kind.
            ConfigurationError: the interval is empty.
        """
        if not isinstance(process_join_function, ProcessJoinFunction):
            raise TypeError(f"The input must be a ProcessJoinFunction, got {type(process_join_function).__name__}.")
        lower, upper = self._lower + self._lower_exclusive, self._upper - self._upper_exclusive
        if lower > upper:
            raise ConfigurationError(f"lower_bound <= upper_bound must be fulfilled, got {lower} ms and {upper} ms.")
        tags = {side: tag.tag_id for side, tag in self._late_tags.items()}
        spec = IntervalJoinSpec(ship(process_join_function), lower, upper, tags.get("left"), tags.get("right"))
        environment = self._left.get_execution_environment()
        inputs = (self._left._upstreams, self._right._upstreams)
        declared = declared_type(output_type, "output_type of 'Interval Join'")
        transformation_id = environment.pipeline.add("Interval Join", spec, inputs, output_type=declared, keyed=True)
        return DataStream(environment, (Upstream(transformation_id),))
