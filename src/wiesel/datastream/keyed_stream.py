"""``KeyedStream``: a stream partitioned by key, on which functions find keyed state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

from wiesel.core.adapters import FieldAggregation, RunningReduce
from wiesel.core.errors import ConfigurationError
from wiesel.core.functions import KeyedProcessFunction, KeySelector, Partitioner, ReduceFunction, method_or_callable
from wiesel.core.operator_specs import KeyedProcessSpec
from wiesel.core.shipping import ship
from wiesel.core.types import TypeInformation, Types
from wiesel.datastream.data_stream import DataStream, DataStreamSink
from wiesel.graph.transformations import Partitioning

if TYPE_CHECKING:
    from wiesel.core.contracts import Sink as SinkContract
    from wiesel.core.watermarks import WatermarkStrategy
    from wiesel.core.window_assigners import WindowAssigner
    from wiesel.datastream.interval_join import IntervalJoin
    from wiesel.datastream.windowed_stream import AllWindowedStream, WindowedStream

__all__ = ["KeyedStream"]


class KeyedStream(DataStream):
    """A stream by key (Flink: ``KeyedStream``)."""

    _keyed = True

    class AccumulateType(Enum):
        """The aggregations by field."""

        MIN = 1
        MAX = 2
        MIN_BY = 3
        MAX_BY = 4
        SUM = 5

    def __init__(self, origin: DataStream, partitioning: Partitioning) -> None:
        super().__init__(origin._environment, tuple(replace(u, partitioning=partitioning) for u in origin._upstreams))
        self._origin = origin
        self._side_type = origin._side_type
        self.key_type = partitioning.key_type or Types.PICKLED_BYTE_ARRAY()
        self.partitioning = partitioning

    def _values(self) -> DataStream:
        """Return the stream without its keys; its records are where their keys belong, as in PyFlink."""
        values = DataStream(self._environment, self._upstreams)
        values._side_type = self._side_type
        return values

    # ---------------------------------------------------------------------------------------- operators

    def process(self, func: Any, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a ``KeyedProcessFunction``."""
        if not isinstance(func, KeyedProcessFunction):
            raise TypeError("KeyedProcessFunction is required for KeyedStream.")
        return self._transform("KEYED PROCESS", KeyedProcessSpec(ship(func)), output_type, keyed=True)

    def reduce(self, func: Callable[..., Any] | ReduceFunction) -> DataStream:
        """Fold the records of each key; emits the fold so far for each record (BATCH mode: the last one only)."""
        method_or_callable(func, ReduceFunction, "reduce")
        function = RunningReduce(func, self.get_type(), self._environment.is_batch())
        return self._transform("Reduce", KeyedProcessSpec(ship(function, "Reduce")), self.get_type(), keyed=True)

    def _accumulate(self, kind: str, position: int | str) -> DataStream:
        return self.reduce(FieldAggregation(kind, position))

    def sum(self, position_to_sum: int | str = 0) -> DataStream:
        """Emit the running sum of a field; other fields are those of the key's first record."""
        return self._accumulate("sum", position_to_sum)

    def min(self, position_to_min: int | str = 0) -> DataStream:
        """Emit the running minimum of a field; other fields are those of the key's first record."""
        return self._accumulate("min", position_to_min)

    def max(self, position_to_max: int | str = 0) -> DataStream:
        """Emit the running maximum of a field; other fields are those of the key's first record."""
        return self._accumulate("max", position_to_max)

    def min_by(self, position_to_min_by: int | str = 0) -> DataStream:
        """Emit the record with the smallest field so far, the first of equal ones."""
        return self._accumulate("min_by", position_to_min_by)

    def max_by(self, position_to_max_by: int | str = 0) -> DataStream:
        """Emit the record with the largest field so far, the first of equal ones."""
        return self._accumulate("max_by", position_to_max_by)

    # ------------------------------------------------------------------------------------------ windows

    def window(self, window_assigner: WindowAssigner[Any, Any]) -> WindowedStream:
        """Window the records of each key."""
        from wiesel.datastream.windowed_stream import WindowedStream

        return WindowedStream(self, window_assigner)

    def count_window(self, size: int, slide: int = 0) -> WindowedStream:
        """Window every ``size`` records of a key, or the last ``size`` at every ``slide``."""
        from wiesel.core.count_windows import CountSlidingWindowAssigner, CountTumblingWindowAssigner
        from wiesel.datastream.windowed_stream import WindowedStream

        assigner = CountTumblingWindowAssigner(size) if slide == 0 else CountSlidingWindowAssigner(size, slide)
        return WindowedStream(self, assigner)

    # -------------------------------------------------------------------------------------------- joins

    def interval_join(self, other_stream: KeyedStream) -> IntervalJoin:
        """Pair elements of a key whose event times are near each other (Java's ``intervalJoin``; PyFlink has none)."""
        from wiesel.datastream.interval_join import IntervalJoin

        return IntervalJoin(self, other_stream)

    # ------------------------------------------------------ what applies to the stream without its keys

    def key_by(
        self, key_selector: Callable[..., Any] | KeySelector, key_type: TypeInformation | None = None
    ) -> KeyedStream:
        """Partition by another key."""
        return self._origin.key_by(key_selector, key_type)

    def window_all(self, window_assigner: WindowAssigner[Any, Any]) -> AllWindowedStream:
        """Window the whole stream."""
        return self._values().window_all(window_assigner)

    def union(self, *streams: DataStream) -> DataStream:
        """Join streams; the result is not keyed."""
        return self._values().union(*streams)

    def assign_timestamps_and_watermarks(self, watermark_strategy: WatermarkStrategy) -> DataStream:
        """Take event times anew; the result is not keyed."""
        return self._values().assign_timestamps_and_watermarks(watermark_strategy)

    def project(self, *field_indexes: int) -> DataStream:
        """Keep some fields of tuples; the result is not keyed."""
        return self._values().project(*field_indexes)

    def partition_custom(
        self, partitioner: Callable[..., int] | Partitioner, key_selector: Callable[..., Any] | KeySelector
    ) -> DataStream:
        """Partition otherwise."""
        return self._values().partition_custom(partitioner, key_selector)

    def _sink(self, name: str, sink: SinkContract, **fields: Any) -> DataStreamSink:
        return self._values()._sink(name, sink, **fields)

    # -------------------------------------------------------------------- what a keyed stream does not have

    def _refuse(self, what: str) -> NoReturn:
        raise ConfigurationError(f"{what} for KeyedStream is not supported: call it on the stream before key_by().")

    def get_name(self) -> str:
        """Refuse: a keyed stream is no operator."""
        self._refuse("Get name")

    def name(self, name: str) -> NoReturn:
        """Refuse."""
        self._refuse("Set name")

    def uid(self, uid: str) -> NoReturn:
        """Refuse."""
        self._refuse("Set uid")

    def set_uid_hash(self, uid_hash: str) -> NoReturn:
        """Refuse."""
        self._refuse("Set uid hash")

    def set_parallelism(self, parallelism: int) -> NoReturn:
        """Refuse."""
        self._refuse("Set parallelism")

    def set_max_parallelism(self, max_parallelism: int) -> NoReturn:
        """Refuse."""
        self._refuse("Set max parallelism")

    def set_description(self, description: str) -> NoReturn:
        """Refuse."""
        self._refuse("Set description")

    def force_non_parallel(self) -> NoReturn:
        """Refuse."""
        self._refuse("Set force non parallel")

    def set_buffer_timeout(self, timeout_millis: int) -> NoReturn:
        """Refuse."""
        self._refuse("Set buffer timeout")

    def start_new_chain(self) -> NoReturn:
        """Refuse."""
        self._refuse("Start new chain")

    def disable_chaining(self) -> NoReturn:
        """Refuse."""
        self._refuse("Disable chaining")

    def slot_sharing_group(self, slot_sharing_group: Any) -> NoReturn:
        """Refuse."""
        self._refuse("Set slot sharing group")

    def shuffle(self) -> NoReturn:
        """Refuse: the stream is partitioned by key."""
        self._refuse("Shuffle")

    def rebalance(self) -> NoReturn:
        """Refuse."""
        self._refuse("Rebalance")

    def rescale(self) -> NoReturn:
        """Refuse."""
        self._refuse("Rescale")

    def forward(self) -> NoReturn:
        """Refuse."""
        self._refuse("Forward")

    def broadcast(self, *args: Any) -> NoReturn:
        """Refuse."""
        self._refuse("Broadcast")

    def cache(self) -> NoReturn:
        """Refuse."""
        self._refuse("Cache")
