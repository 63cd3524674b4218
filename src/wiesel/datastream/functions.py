"""The API of pyflink.datastream.functions."""

from __future__ import annotations

from typing import Any

from wiesel.core.async_functions import (
    AsyncFunction,
    AsyncFunctionDescriptor,
    AsyncRetryPredicate,
    AsyncRetryStrategy,
)
from wiesel.core.functions import (
    AggregateFunction,
    AllWindowFunction,
    BaseBroadcastProcessFunction,
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    FilterFunction,
    FlatMapFunction,
    Function,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    OutputTag,
    Partitioner,
    ProcessAllWindowFunction,
    ProcessFunction,
    ProcessWindowFunction,
    ReduceFunction,
    RuntimeContext,
    TimeDomain,
    TimerService,
    WindowFunction,
)
from wiesel.core.join_functions import CoGroupFunction, FlatJoinFunction, JoinFunction, ProcessJoinFunction
from wiesel.core.tagged_union import TaggedUnion
from wiesel.datastream.connectors.base import JavaFunctionWrapper, Sink, Source

__all__ = [
    "AggregateFunction",
    "AllWindowFunction",
    "AsyncFunction",
    "AsyncFunctionDescriptor",
    "AsyncRetryPredicate",
    "AsyncRetryStrategy",
    "BaseBroadcastProcessFunction",
    "BroadcastProcessFunction",
    "CoFlatMapFunction",
    "CoGroupFunction",
    "CoMapFunction",
    "CoProcessFunction",
    "FilterFunction",
    "FlatJoinFunction",
    "FlatMapFunction",
    "Function",
    "JavaFunctionWrapper",
    "JoinFunction",
    "KeySelector",
    "KeyedBroadcastProcessFunction",
    "KeyedCoProcessFunction",
    "KeyedProcessFunction",
    "MapFunction",
    "OutputTag",
    "Partitioner",
    "ProcessAllWindowFunction",
    "ProcessFunction",
    "ProcessJoinFunction",
    "ProcessWindowFunction",
    "ReduceFunction",
    "RuntimeContext",
    "SinkFunction",
    "SourceFunction",
    "TaggedUnion",
    "TimeDomain",
    "TimerService",
    "WindowFunction",
]


class SourceFunction(Source):
    """A source of the old kind, for ``env.add_source``.

    Args:
        source_func: its spec; the name of a Java class raises, as there is no JVM.
    """

    def __init__(self, source_func: Any) -> None:
        super().__init__(source_func)


class SinkFunction(Sink):
    """A sink of the old kind, for ``stream.add_sink``.

    Args:
        sink_func: its spec; the name of a Java class raises, as there is no JVM.
    """

    def __init__(self, sink_func: Any) -> None:
        super().__init__(sink_func)
