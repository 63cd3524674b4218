"""The DataStream API, module for module as pyflink.datastream: environment, streams, builders."""

from wiesel.core.functions import OutputTag, TimeDomain, TimerService
from wiesel.core.state import StateTtlConfig
from wiesel.core.triggers import Trigger, TriggerResult
from wiesel.core.window_assigners import MergingWindowAssigner, WindowAssigner
from wiesel.core.windows import CountWindow, GlobalWindow, TimeWindow, Window
from wiesel.datastream.checkpoint_config import CheckpointConfig
from wiesel.datastream.connected_streams import BroadcastConnectedStream, BroadcastStream, ConnectedStreams
from wiesel.datastream.data_stream import DataStream, DataStreamSink
from wiesel.datastream.functions import (
    AggregateFunction,
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    FilterFunction,
    FlatMapFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    Partitioner,
    ProcessFunction,
    ProcessWindowFunction,
    ReduceFunction,
    RuntimeContext,
    WindowFunction,
)
from wiesel.datastream.keyed_stream import KeyedStream
from wiesel.datastream.modes import (
    CheckpointingMode,
    ExternalizedCheckpointRetention,
    RuntimeExecutionMode,
    TimeCharacteristic,
)
from wiesel.datastream.slot_sharing_group import MemorySize, SlotSharingGroup
from wiesel.datastream.stream_execution_environment import StreamExecutionEnvironment
from wiesel.datastream.windowed_stream import AllWindowedStream, WindowedStream

__all__ = [
    "AggregateFunction",
    "AllWindowedStream",
    "BroadcastConnectedStream",
    "BroadcastProcessFunction",
    "BroadcastStream",
    "CheckpointConfig",
    "CheckpointingMode",
    "CoFlatMapFunction",
    "CoMapFunction",
    "CoProcessFunction",
    "ConnectedStreams",
    "CountWindow",
    "DataStream",
    "DataStreamSink",
    "ExternalizedCheckpointRetention",
    "FilterFunction",
    "FlatMapFunction",
    "GlobalWindow",
    "KeySelector",
    "KeyedBroadcastProcessFunction",
    "KeyedCoProcessFunction",
    "KeyedProcessFunction",
    "KeyedStream",
    "MapFunction",
    "MemorySize",
    "MergingWindowAssigner",
    "OutputTag",
    "Partitioner",
    "ProcessFunction",
    "ProcessWindowFunction",
    "ReduceFunction",
    "RuntimeContext",
    "RuntimeExecutionMode",
    "SlotSharingGroup",
    "StateTtlConfig",
    "StreamExecutionEnvironment",
    "TimeCharacteristic",
    "TimeDomain",
    "TimeWindow",
    "TimerService",
    "Trigger",
    "TriggerResult",
    "Window",
    "WindowAssigner",
    "WindowFunction",
    "WindowedStream",
]
