"""``DataStream`` and ``DataStreamSink``: each call adds a transformation to the environment's pipeline."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self, overload

from wiesel.core.arguments import expect, expect_attribute, expect_type
from wiesel.core.contracts import Sink as SinkContract
from wiesel.core.errors import ConfigurationError, UnsupportedError
from wiesel.core.functions import (
    FilterFunction,
    FlatMapFunction,
    KeySelector,
    MapFunction,
    OutputTag,
    Partitioner,
    ProcessFunction,
    method_or_callable,
)
from wiesel.core.operator_specs import (
    FilterSpec,
    FlatMapSpec,
    MapSpec,
    OperatorSpec,
    ProcessSpec,
    SinkSpec,
    SourceSpec,
    TimestampsSpec,
)
from wiesel.core.shipping import ship
from wiesel.core.state import MapStateDescriptor
from wiesel.core.types import PickledBytesTypeInfo, RowTypeInfo, TupleTypeInfo, TypeInformation, Types
from wiesel.core.types.declared import declared_type
from wiesel.core.watermarks import WatermarkStrategy
from wiesel.graph.transformations import ChainingStrategy, Partitioning, ShipStrategy, Upstream

if TYPE_CHECKING:
    from wiesel.common.execution_config import ExecutionConfig
    from wiesel.core.window_assigners import WindowAssigner
    from wiesel.datastream.collect import CloseableIterator
    from wiesel.datastream.connected_streams import BroadcastConnectedStream, BroadcastStream, ConnectedStreams
    from wiesel.datastream.joined_streams import CoGroupedStreams, JoinedStreams
    from wiesel.datastream.keyed_stream import KeyedStream
    from wiesel.datastream.stream_execution_environment import StreamExecutionEnvironment
    from wiesel.datastream.windowed_stream import AllWindowedStream

__all__ = ["DataStream", "DataStreamSink"]

_log = logging.getLogger("wiesel.datastream")

_SOURCE: Final = "Source: "


class _Operator:
    """What a stream and a sink share: the settings of the operator that makes them."""

    def __init__(self, environment: StreamExecutionEnvironment, upstreams: tuple[Upstream, ...]) -> None:
        self._environment = environment
        self._upstreams = upstreams

    def _change(self, **fields: Any) -> Self:
        if len(self._upstreams) != 1:
            raise ConfigurationError("A union of streams is no operator; set this on the streams before union().")
        self._environment.pipeline.change(self._upstreams[0].transformation_id, **fields)
        return self

    def name(self, name: str) -> Self:
        """Name the operator in plans, metrics and errors."""
        return self._change(name=name)

    def uid(self, uid: str) -> Self:
        """Give the operator the identity under which its state is found again after changes of the program."""
        return self._change(uid=uid)

    def set_uid_hash(self, uid_hash: str) -> Self:
        """Set the operator's id verbatim, 32 hexadecimal digits, to take over state by a generated id."""
        if len(uid_hash) != 32 or any(c not in "0123456789abcdefABCDEF" for c in uid_hash):
            raise ConfigurationError(
                f"Node hash must be a 32 character String that describes a hex code, got {uid_hash!r}."
            )
        return self._change(uid_hash=uid_hash)

    def set_description(self, description: str) -> Self:
        """Describe the operator in plans."""
        return self._change(description=description)

    def set_parallelism(self, parallelism: int) -> Self:
        """Run so many subtasks of the operator."""
        return self._change(parallelism=parallelism)

    def disable_chaining(self) -> Self:
        """Keep the operator in a task of its own."""
        return self._change(chaining=ChainingStrategy.NEVER)

    def slot_sharing_group(self, slot_sharing_group: Any) -> Self:
        """Put the operator into a slot sharing group, by name or ``SlotSharingGroup``."""
        get_name = getattr(slot_sharing_group, "get_name", None)
        return self._change(slot_sharing_group=str(slot_sharing_group) if get_name is None else get_name())


class DataStream(_Operator):
    """A stream of records (Flink: ``DataStream``)."""

    # -------------------------------------------------------------------------------------------- about it

    def get_name(self) -> str:
        """Return the operator's name."""
        return self._environment.pipeline.get(self._upstreams[0].transformation_id).name.removeprefix(_SOURCE)

    def name(self, name: str) -> Self:
        """Name the operator in plans, metrics and errors; Flink writes "Source: " in front of a source's name."""
        is_source = isinstance(self._environment.pipeline.get(self._upstreams[0].transformation_id).spec, SourceSpec)
        return super().name(f"{_SOURCE}{name}" if is_source else name)

    def get_type(self) -> TypeInformation:
        """Return the type of the records."""
        upstream = self._upstreams[0]
        if upstream.side_output is not None:
            return self._side_type
        return self._environment.pipeline.get(upstream.transformation_id).output_type or Types.PICKLED_BYTE_ARRAY()

    _side_type: TypeInformation = Types.PICKLED_BYTE_ARRAY()

    def get_execution_environment(self) -> StreamExecutionEnvironment:
        """Return the environment."""
        return self._environment

    def get_execution_config(self) -> ExecutionConfig:
        """Return the environment's ``ExecutionConfig``."""
        return self._environment.get_config()

    def set_max_parallelism(self, max_parallelism: int) -> DataStream:
        """Set the number of key groups, the bound for rescaling."""
        self._change(max_parallelism=max_parallelism)
        return self

    def force_non_parallel(self) -> DataStream:
        """Run one subtask, at whatever parallelism the job runs."""
        self._change(parallelism=1, max_parallelism=1)
        return self

    def set_buffer_timeout(self, timeout_millis: int) -> DataStream:
        """Accept Flink's network buffer timeout; batches here are never held back to fill."""
        require_buffer_timeout(timeout_millis)
        return self

    def start_new_chain(self) -> DataStream:
        """Begin a new task with this operator."""
        self._change(chaining=ChainingStrategy.HEAD)
        return self

    def cache(self) -> DataStream:
        """Refuse: intermediate results are not cached."""
        raise UnsupportedError("cache() is not available: write the stream to a sink and read it back.")

    # ------------------------------------------------------------------------------------------ operators

    def _transform(
        self, name: str, spec: OperatorSpec, output_type: TypeInformation | None, **fields: Any
    ) -> DataStream:
        """Add an operator that reads this stream."""
        declared = declared_type(output_type, f"output_type of {name!r}")
        transformation_id = self._environment.pipeline.add(
            name, spec, (self._upstreams,), output_type=declared, **fields
        )
        return DataStream(self._environment, (Upstream(transformation_id),))

    def map(self, func: Callable[..., Any] | MapFunction, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a ``MapFunction`` or a callable to each record."""
        method_or_callable(func, MapFunction, "map")
        return self._transform("Map", MapSpec(ship(func)), output_type, keyed=self._keyed)

    def flat_map(
        self, func: Callable[..., Any] | FlatMapFunction, output_type: TypeInformation | None = None
    ) -> DataStream:
        """Apply a ``FlatMapFunction`` or a callable that returns any number of records for each."""
        method_or_callable(func, FlatMapFunction, "flat_map")
        return self._transform("FlatMap", FlatMapSpec(ship(func)), output_type, keyed=self._keyed)

    def filter(self, func: Callable[..., Any] | FilterFunction) -> DataStream:
        """Keep the records for which ``func`` is true."""
        method_or_callable(func, FilterFunction, "filter")
        return self._transform("Filter", FilterSpec(ship(func)), self.get_type(), keyed=self._keyed)

    #: Whether operators on this stream find keyed state.
    _keyed = False

    def process(self, func: Any, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a ``ProcessFunction``."""
        if not isinstance(func, ProcessFunction):
            raise TypeError("ProcessFunction is required for DataStream.")
        return self._transform("PROCESS", ProcessSpec(ship(func)), output_type)

    def project(self, *field_indexes: int) -> DataStream:
        """Keep some fields of tuples, in the order given."""
        type_info = self.get_type()
        if not isinstance(type_info, TupleTypeInfo):
            raise TypeError("Only Tuple DataStreams can be projected.")
        kept = Types.TUPLE([type_info.get_field_types()[i] for i in field_indexes])
        spec = MapSpec(ship(lambda value: tuple(value[i] for i in field_indexes), "Projection"))
        return self._transform("Projection", spec, kept, python=False)

    def assign_timestamps_and_watermarks(self, watermark_strategy: WatermarkStrategy) -> DataStream:
        """Take event times and watermarks anew from the records."""
        expect(watermark_strategy, WatermarkStrategy, "assign_timestamps_and_watermarks()", "a WatermarkStrategy")
        if watermark_strategy.alignment is not None:
            _log.warning(
                "assign_timestamps_and_watermarks(): only sources can be aligned; Flink ignores a watermark alignment "
                "here, and so does Wiesel. Give the strategy to from_source()."
            )
        fields: dict[str, Any] = {"python": False}
        if watermark_strategy.timestamp_assigner is not None:
            fields.update(before="Extract-Timestamp", behind="Remove-Timestamp")
        return self._transform("Timestamps/Watermarks", TimestampsSpec(watermark_strategy), self.get_type(), **fields)

    def key_by(
        self, key_selector: Callable[..., Any] | KeySelector, key_type: TypeInformation | None = None
    ) -> KeyedStream:
        """Partition by key: all records of a key reach one subtask, in order.

        Args:
            key_selector: a callable or ``KeySelector``.
            key_type: the key's type, on which its key group depends; pickled without one.
        """
        from wiesel.datastream.keyed_stream import KeyedStream

        _require_key_selector(key_selector)
        expect_type(key_type, "key_by()")
        partitioning = Partitioning(ShipStrategy.HASH, ship(key_selector), key_type or Types.PICKLED_BYTE_ARRAY())
        return KeyedStream(self, partitioning)

    def window_all(self, window_assigner: WindowAssigner[Any, Any]) -> AllWindowedStream:
        """Window the whole stream; one subtask does it."""
        from wiesel.datastream.windowed_stream import AllWindowedStream

        return AllWindowedStream(self, window_assigner)

    def get_side_output(self, output_tag: OutputTag) -> DataStream:
        """Return a side output of the operator."""
        expect(output_tag, OutputTag, "get_side_output()", "an OutputTag")
        if len(self._upstreams) != 1:
            raise ConfigurationError("A union of streams has no side output; ask the streams before union().")
        source, type_info = self._upstreams[0].transformation_id, output_tag.type_info
        upstream = Upstream(source, side_output=output_tag.tag_id, side_type=type_info)
        side = DataStream(self._environment, (upstream,))
        side._side_type = type_info
        return side

    # ----------------------------------------------------------------------------------- several streams

    def union(self, *streams: DataStream) -> DataStream:
        """Join streams of one type into one; their records interleave in no particular order."""
        upstreams = list(self._upstreams)
        for stream in streams:
            expect(stream, DataStream, "union()", "streams")
            if stream.get_type() != self.get_type():
                raise ConfigurationError(
                    f"Cannot union streams of different types: {self.get_type()} and {stream.get_type()}. "
                    f"Give both the same output_type."
                )
            upstreams += stream._values()._upstreams
        return DataStream(self._environment, tuple(upstreams))

    def _values(self) -> DataStream:
        return self

    @overload
    def connect(self, ds: DataStream) -> ConnectedStreams: ...

    @overload
    def connect(self, ds: BroadcastStream) -> BroadcastConnectedStream: ...

    def connect(self, ds: DataStream | BroadcastStream) -> ConnectedStreams | BroadcastConnectedStream:
        """Connect two streams that may have different types, for functions that take records of both."""
        from wiesel.datastream.connected_streams import BroadcastConnectedStream, BroadcastStream, ConnectedStreams

        if isinstance(ds, BroadcastStream):
            return BroadcastConnectedStream(self, ds, list(ds.broadcast_state_descriptors))
        expect(ds, DataStream, "connect()", "a stream")
        return ConnectedStreams(self, ds)

    def join(self, other: DataStream) -> JoinedStreams:
        """Pair the elements of two streams that have the same key and window (Java's ``join``; PyFlink has none)."""
        from wiesel.datastream.joined_streams import JoinedStreams

        return JoinedStreams(self, other)

    def co_group(self, other: DataStream) -> CoGroupedStreams:
        """Group two streams by key and window (Java's ``coGroup``; PyFlink has none); outer joins are made of this."""
        from wiesel.datastream.joined_streams import CoGroupedStreams

        return CoGroupedStreams(self, other)

    # --------------------------------------------------------------------------------------- partitioning

    def _partitioned(self, partitioning: Partitioning) -> DataStream:
        changed = DataStream(self._environment, tuple(replace(u, partitioning=partitioning) for u in self._upstreams))
        changed._side_type = self._side_type
        return changed

    def shuffle(self) -> DataStream:
        """Send each record to a random subtask."""
        return self._partitioned(Partitioning(ShipStrategy.SHUFFLE))

    def forward(self) -> DataStream:
        """Send records to the same subtask of the next operator, which must have the same parallelism."""
        return self._partitioned(Partitioning(ShipStrategy.FORWARD))

    def rebalance(self) -> DataStream:
        """Send records to the subtasks in turn."""
        return self._partitioned(Partitioning(ShipStrategy.REBALANCE))

    def rescale(self) -> DataStream:
        """Send records to the near subtasks in turn."""
        return self._partitioned(Partitioning(ShipStrategy.RESCALE))

    @overload
    def broadcast(self) -> DataStream: ...

    @overload
    def broadcast(
        self,
        broadcast_state_descriptor: MapStateDescriptor[Any, Any],
        *other_broadcast_state_descriptors: MapStateDescriptor[Any, Any],
    ) -> BroadcastStream: ...

    def broadcast(
        self,
        broadcast_state_descriptor: MapStateDescriptor[Any, Any] | None = None,
        *other_broadcast_state_descriptors: MapStateDescriptor[Any, Any],
    ) -> DataStream | BroadcastStream:
        """Send each record to every subtask; with descriptors, for the broadcast state pattern."""
        stream = self._partitioned(Partitioning(ShipStrategy.BROADCAST))
        if broadcast_state_descriptor is None:
            return stream
        from wiesel.datastream.connected_streams import BroadcastStream

        descriptors = [broadcast_state_descriptor, *other_broadcast_state_descriptors]
        for descriptor in descriptors:
            expect(descriptor, MapStateDescriptor, "broadcast()", "MapStateDescriptors")
        return BroadcastStream(stream, descriptors)

    def partition_custom(
        self, partitioner: Callable[..., int] | Partitioner, key_selector: Callable[..., Any] | KeySelector
    ) -> DataStream:
        """Send each record to the subtask that ``partitioner(key, number of subtasks)`` says."""
        if not isinstance(partitioner, Partitioner) and not callable(partitioner):
            raise TypeError("Parameter partitioner should be type of Partitioner or a callable function.")
        _require_key_selector(key_selector)
        return self._partitioned(Partitioning(ShipStrategy.CUSTOM, ship(key_selector), None, ship(partitioner)))

    # ---------------------------------------------------------------------------------------------- sinks

    def _sink(self, name: str, sink: SinkContract, **fields: Any) -> DataStreamSink:
        fields = {"pact": "Data Sink", **fields}
        transformation_id = self._environment.pipeline.add(
            f"Sink: {name}", SinkSpec(sink), (self._upstreams,), output_type=None, **fields
        )
        return DataStreamSink(self._environment, (Upstream(transformation_id),))

    def sink_to(self, sink: Any) -> DataStreamSink:
        """Write the stream to a sink."""
        expect_attribute(sink, "spec_for", "sink_to()", "a sink such as KafkaSink or FileSink")
        get_transformer = getattr(sink, "get_transformer", None)
        transformer = get_transformer() if get_transformer is not None else None
        stream = self if transformer is None else transformer.apply(self)
        committer = "Sink: Committer" if sink.commits else None
        return stream._values()._sink("Writer", sink.spec_for(stream.get_type()), pact="Operator", behind=committer)

    def add_sink(self, sink_func: Any) -> DataStreamSink:
        """Write the stream to a sink of the old kind, such as ``FlinkKafkaProducer``."""
        expect_attribute(sink_func, "spec_for", "add_sink()", "a SinkFunction; for other sinks there is sink_to()")
        return self._values()._sink("Unnamed", sink_func.spec_for(self.get_type()))

    def print(self, sink_identifier: str | None = None) -> DataStreamSink:
        """Print each record to stdout, as Flink does: ``label:subtask> record``."""
        from wiesel.connectors.collections.sinks import PrintSpec

        type_info = self.get_type()
        sink = PrintSpec(sink_identifier or "", type_info)
        made_text = isinstance(type_info, PickledBytesTypeInfo | RowTypeInfo)
        return self._values()._sink("Print to Std. Out", sink, before="Map" if made_text else None)

    @overload
    def execute_and_collect(self, job_execution_name: str | None = None) -> CloseableIterator: ...

    @overload
    def execute_and_collect(self, job_execution_name: str | None = None, *, limit: int) -> list[Any]: ...

    @overload
    def execute_and_collect(self, job_execution_name: str | None, limit: int) -> list[Any]: ...

    def execute_and_collect(
        self, job_execution_name: str | None = None, limit: int | None = None
    ) -> CloseableIterator | list[Any]:
        """Run the program and return this stream's records: an iterator to close, or a list of ``limit`` records."""
        from wiesel.datastream.collect import collect

        return collect(self._values(), job_execution_name, limit)


class DataStreamSink(_Operator):
    """The end of a stream (Flink: ``DataStreamSink``)."""

    def name(self, name: str) -> Self:
        """Name the sink in plans, metrics and errors, with what Flink writes before or behind a sink's name."""
        sink = self._environment.pipeline.get(self._upstreams[0].transformation_id)
        if sink.pact == "Data Sink":
            return super().name(f"Sink: {name}")
        return self._change(name=f"{name}: Writer", behind=sink.behind and f"{name}: Committer")


def require_buffer_timeout(timeout_millis: int) -> None:
    """Refuse a network buffer timeout that cannot be, as Flink does."""
    if timeout_millis < -1:
        raise ConfigurationError(f"Timeout of buffer must be non-negative or -1, got {timeout_millis}.")


def _require_key_selector(key_selector: Any) -> None:
    if not isinstance(key_selector, KeySelector) and not callable(key_selector):
        raise TypeError("Parameter key_selector should be type of KeySelector or a callable function.")
