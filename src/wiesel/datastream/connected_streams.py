"""Two streams read by one function: ``ConnectedStreams`` and the broadcast state pattern."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wiesel.core.functions import (
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeySelector,
)
from wiesel.core.operator_specs import BroadcastProcessSpec, CoProcessSpec, KeyedCoProcessSpec, OperatorSpec
from wiesel.core.shipping import ship
from wiesel.core.state import MapStateDescriptor
from wiesel.core.types import TypeInformation
from wiesel.core.types.declared import declared_type
from wiesel.datastream.data_stream import DataStream
from wiesel.datastream.keyed_stream import KeyedStream
from wiesel.graph.transformations import Upstream

__all__ = ["BroadcastConnectedStream", "BroadcastStream", "ConnectedStreams"]


class ConnectedStreams:
    """Two streams of perhaps different types (Flink: ``ConnectedStreams``)."""

    def __init__(self, stream1: DataStream, stream2: DataStream) -> None:
        self.stream1 = stream1
        self.stream2 = stream2

    def key_by(
        self,
        key_selector1: Callable[..., Any] | KeySelector,
        key_selector2: Callable[..., Any] | KeySelector,
        key_type: TypeInformation | None = None,
    ) -> ConnectedStreams:
        """Partition both streams by key, so that equal keys of both reach one subtask."""
        return ConnectedStreams(
            self.stream1.key_by(key_selector1, key_type), self.stream2.key_by(key_selector2, key_type)
        )

    def map(self, func: CoMapFunction, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a ``CoMapFunction``."""
        if not isinstance(func, CoMapFunction):
            raise TypeError("The input function must be a CoMapFunction!")
        return self._transform("Co-Map", CoProcessSpec(ship(func)), output_type)

    def flat_map(self, func: CoFlatMapFunction, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a ``CoFlatMapFunction``."""
        if not isinstance(func, CoFlatMapFunction):
            raise TypeError("The input must be a CoFlatMapFunction!")
        return self._transform("Co-Flat Map", CoProcessSpec(ship(func)), output_type)

    def process(self, func: Any, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a ``CoProcessFunction``, or a ``KeyedCoProcessFunction`` if both streams are keyed."""
        if not isinstance(func, CoProcessFunction | KeyedCoProcessFunction):
            raise TypeError("The input must be a CoProcessFunction or KeyedCoProcessFunction!")
        if isinstance(func, KeyedCoProcessFunction):
            if not self._is_keyed():
                raise TypeError("A KeyedCoProcessFunction needs both streams keyed: call key_by() on them first.")
            return self._transform("Keyed Co-Process", KeyedCoProcessSpec(ship(func)), output_type)
        return self._transform("Co-Process", CoProcessSpec(ship(func)), output_type)

    def _is_keyed(self) -> bool:
        return isinstance(self.stream1, KeyedStream) and isinstance(self.stream2, KeyedStream)

    def _transform(self, name: str, spec: OperatorSpec, output_type: TypeInformation | None) -> DataStream:
        environment = self.stream1.get_execution_environment()
        inputs = (self.stream1._upstreams, self.stream2._upstreams)
        transformation_id = environment.pipeline.add(
            name,
            spec,
            inputs,
            output_type=declared_type(output_type, f"output_type of {name!r}"),
            keyed=self._is_keyed(),
        )
        return DataStream(environment, (Upstream(transformation_id),))


class BroadcastStream:
    """A stream of which every subtask gets every record (Flink: ``BroadcastStream``)."""

    def __init__(
        self, input_stream: DataStream, broadcast_state_descriptors: list[MapStateDescriptor[Any, Any]]
    ) -> None:
        self.input_stream = input_stream
        self.broadcast_state_descriptors = broadcast_state_descriptors


class BroadcastConnectedStream:
    """A stream, keyed or not, connected to a broadcast stream."""

    def __init__(
        self,
        non_broadcast_stream: DataStream,
        broadcast_stream: BroadcastStream,
        broadcast_state_descriptors: list[MapStateDescriptor[Any, Any]],
    ) -> None:
        self.non_broadcast_stream = non_broadcast_stream
        self.broadcast_stream = broadcast_stream
        self.broadcast_state_descriptors = broadcast_state_descriptors

    def process(self, func: Any, output_type: TypeInformation | None = None) -> DataStream:
        """Apply a ``BroadcastProcessFunction``, or a ``KeyedBroadcastProcessFunction`` if the stream is keyed."""
        stream = self.non_broadcast_stream
        keyed = isinstance(stream, KeyedStream)
        required = KeyedBroadcastProcessFunction if keyed else BroadcastProcessFunction
        if not isinstance(func, required):
            raise TypeError(f"The input must be a {required.__name__}, got {type(func).__name__}.")
        name = "Keyed-Co-Process-Broadcast" if keyed else "Co-Process-Broadcast"
        spec = BroadcastProcessSpec(ship(func), tuple(self.broadcast_state_descriptors), keyed)
        inputs = (stream._upstreams, self.broadcast_stream.input_stream._upstreams)
        environment = stream.get_execution_environment()
        declared = declared_type(output_type, f"output_type of {name!r}")
        transformation_id = environment.pipeline.add(name, spec, inputs, output_type=declared, keyed=keyed)
        return DataStream(environment, (Upstream(transformation_id),))
