"""User functions: what a script subclasses or passes as a callable (mirrors ``pyflink.datastream.functions``).

Process and window functions emit by ``yield`` (or by returning an iterable); a pair of an ``OutputTag`` and a value
goes to that side output. The contexts below are contracts that the runtime fills in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from wiesel.core.types import TypeInformation, Types
from wiesel.core.types.declared import declared_type

if TYPE_CHECKING:
    from wiesel.core.metrics import MetricGroup
    from wiesel.core.state import (
        AggregatingState,
        AggregatingStateDescriptor,
        BroadcastState,
        ListState,
        ListStateDescriptor,
        MapState,
        MapStateDescriptor,
        ReadOnlyBroadcastState,
        ReducingState,
        ReducingStateDescriptor,
        ValueState,
        ValueStateDescriptor,
    )

# Scripts annotate with them, as in ProcessWindowFunction[dict, str, str, TimeWindow]: number and order are PyFlink's.
IN = TypeVar("IN")
IN1 = TypeVar("IN1")
IN2 = TypeVar("IN2")
OUT = TypeVar("OUT")
KEY = TypeVar("KEY")
W = TypeVar("W")
W2 = TypeVar("W2")


class OutputTag:
    """Names a side output and its type (Flink: ``OutputTag``); equal when the ids are."""

    def __init__(self, tag_id: str, type_info: TypeInformation | list[Any] | None = None) -> None:
        if not tag_id:
            raise ValueError("OutputTag tag_id cannot be None or empty string")
        self.tag_id = tag_id
        self.type_info = declared_type(type_info, "OutputTag") or Types.PICKLED_BYTE_ARRAY()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OutputTag) and other.tag_id == self.tag_id

    def __hash__(self) -> int:
        return hash(self.tag_id)

    def __repr__(self) -> str:
        return f"OutputTag({self.tag_id!r}, {self.type_info})"

    def get_java_output_tag(self) -> Any:
        """Raise: there is no Java here."""
        raise NotImplementedError("There is no Java object behind an OutputTag in Wiesel; pass the OutputTag itself.")


class TimeDomain(Enum):
    """Which clock a timer goes by."""

    EVENT_TIME = 0
    PROCESSING_TIME = 1


class TimerService(ABC):
    """Time and timers of the current key (Flink: ``TimerService``); times are milliseconds since the epoch."""

    @abstractmethod
    def current_processing_time(self) -> int:
        """Return the wall clock."""

    @abstractmethod
    def current_watermark(self) -> int:
        """Return the operator's event time."""

    @abstractmethod
    def register_processing_time_timer(self, timestamp: int) -> None:
        """Call ``on_timer`` once the wall clock has passed ``timestamp``."""

    @abstractmethod
    def register_event_time_timer(self, timestamp: int) -> None:
        """Call ``on_timer`` once the watermark has passed ``timestamp``."""

    @abstractmethod
    def delete_processing_time_timer(self, timestamp: int) -> None:
        """Forget that timer of the current key; nothing happens when there is none."""

    @abstractmethod
    def delete_event_time_timer(self, timestamp: int) -> None:
        """Forget that timer of the current key; nothing happens when there is none."""


class RuntimeContext(ABC):
    """Where a function runs, and its keyed state (Flink: ``RuntimeContext``)."""

    @abstractmethod
    def get_task_name(self) -> str:
        """Return the name of the chained task."""

    @abstractmethod
    def get_number_of_parallel_subtasks(self) -> int:
        """Return the operator's parallelism."""

    @abstractmethod
    def get_max_number_of_parallel_subtasks(self) -> int:
        """Return the maximum parallelism, which is the number of key groups."""

    @abstractmethod
    def get_index_of_this_subtask(self) -> int:
        """Return this parallel instance's number, from 0."""

    @abstractmethod
    def get_attempt_number(self) -> int:
        """Return how often the task was restarted, from 0."""

    @abstractmethod
    def get_task_name_with_subtasks(self) -> str:
        """Return the task's name with subtask and parallelism, as in ``Map (1/2)#0``."""

    @abstractmethod
    def get_job_parameter(self, key: str, default_value: str) -> str:
        """Return a global job parameter."""

    @abstractmethod
    def get_metrics_group(self) -> MetricGroup:
        """Return the group in which the function registers its metrics."""

    @abstractmethod
    def get_state(self, state_descriptor: ValueStateDescriptor[Any]) -> ValueState[Any]:
        """Return the value state of that descriptor; only on keyed streams."""

    @abstractmethod
    def get_list_state(self, state_descriptor: ListStateDescriptor[Any]) -> ListState[Any]:
        """Return the list state of that descriptor; only on keyed streams."""

    @abstractmethod
    def get_map_state(self, state_descriptor: MapStateDescriptor[Any, Any]) -> MapState[Any, Any]:
        """Return the map state of that descriptor; only on keyed streams."""

    @abstractmethod
    def get_reducing_state(self, state_descriptor: ReducingStateDescriptor[Any]) -> ReducingState[Any]:
        """Return the reducing state of that descriptor; only on keyed streams."""

    @abstractmethod
    def get_aggregating_state(self, state_descriptor: AggregatingStateDescriptor) -> AggregatingState[Any, Any]:
        """Return the aggregating state of that descriptor; only on keyed streams."""


class Function(ABC):
    """Base of all user functions."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare; called once for each parallel instance before the first record."""

    def close(self) -> None:
        """Tidy up; called once after the last record or on failure."""


class MapFunction(Function):
    """One value in, one value out."""

    @abstractmethod
    def map(self, value: Any) -> Any:
        """Return the new value."""


class CoMapFunction(Function):
    """``MapFunction`` over two connected streams."""

    @abstractmethod
    def map1(self, value: Any) -> Any:
        """Return the new value of a record of the first stream."""

    @abstractmethod
    def map2(self, value: Any) -> Any:
        """Return the new value of a record of the second stream."""


class FlatMapFunction(Function):
    """One value in, any number out."""

    @abstractmethod
    def flat_map(self, value: Any) -> Any:
        """Yield or return an iterable of values."""


class CoFlatMapFunction(Function):
    """``FlatMapFunction`` over two connected streams."""

    @abstractmethod
    def flat_map1(self, value: Any) -> Any:
        """Yield values for a record of the first stream."""

    @abstractmethod
    def flat_map2(self, value: Any) -> Any:
        """Yield values for a record of the second stream."""


class FilterFunction(Function):
    """Keeps the records for which ``filter`` is true."""

    @abstractmethod
    def filter(self, value: Any) -> bool:
        """Whether to keep ``value``."""


class ReduceFunction(Function):
    """Folds two values of one type into one."""

    @abstractmethod
    def reduce(self, value1: Any, value2: Any) -> Any:
        """Return the combined value."""


class KeySelector(Function):
    """Extracts a record's key; must be deterministic."""

    @abstractmethod
    def get_key(self, value: Any) -> Any:
        """Return the key of ``value``."""


class Partitioner(Function):
    """Chooses the subtask for a key (``DataStream.partition_custom``)."""

    @abstractmethod
    def partition(self, key: Any, num_partitions: int) -> int:
        """Return a number from 0 to ``num_partitions`` - 1."""


class AggregateFunction(Function):
    """Folds values into an accumulator and the accumulator into a result (Flink: ``AggregateFunction``)."""

    @abstractmethod
    def create_accumulator(self) -> Any:
        """Return an empty accumulator."""

    @abstractmethod
    def add(self, value: Any, accumulator: Any) -> Any:
        """Return the accumulator with ``value`` added."""

    @abstractmethod
    def get_result(self, accumulator: Any) -> Any:
        """Return the result of the accumulator."""

    @abstractmethod
    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        """Return both accumulators in one; used by merging windows."""


class ProcessFunction(Function):
    """One value in, any number out, with the record's time (Flink: ``ProcessFunction``)."""

    class Context(ABC):
        """What ``process_element`` may ask."""

        @abstractmethod
        def timer_service(self) -> TimerService:
            """Return time; timers only on keyed streams."""

        @abstractmethod
        def timestamp(self) -> int:
            """Return the record's timestamp, -2**63 when it has none."""

    @abstractmethod
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Any:
        """Yield results; ``tag, value`` goes to a side output."""


class KeyedProcessFunction(Function):
    """``ProcessFunction`` on a keyed stream, with keyed state and timers (Flink: ``KeyedProcessFunction``)."""

    class Context(ABC):
        """What ``process_element`` may ask."""

        @abstractmethod
        def get_current_key(self) -> Any:
            """Return the record's key."""

        @abstractmethod
        def timer_service(self) -> TimerService:
            """Return time and timers."""

        @abstractmethod
        def timestamp(self) -> int:
            """Return the record's timestamp, -2**63 when it has none."""

    class OnTimerContext(Context):
        """What ``on_timer`` may ask."""

        @abstractmethod
        def time_domain(self) -> TimeDomain:
            """Return the kind of the timer that fired."""

    @abstractmethod
    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        """Yield results; ``tag, value`` goes to a side output."""

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        """Yield results of a timer that fired."""


class CoProcessFunction(Function):
    """``ProcessFunction`` over two connected streams."""

    class Context(ProcessFunction.Context):
        """What the process methods may ask."""

    @abstractmethod
    def process_element1(self, value: Any, ctx: CoProcessFunction.Context) -> Any:
        """Yield results for a record of the first stream."""

    @abstractmethod
    def process_element2(self, value: Any, ctx: CoProcessFunction.Context) -> Any:
        """Yield results for a record of the second stream."""


class KeyedCoProcessFunction(Function):
    """``KeyedProcessFunction`` over two connected streams with one key."""

    class Context(KeyedProcessFunction.Context):
        """What the process methods may ask."""

    class OnTimerContext(KeyedProcessFunction.OnTimerContext):
        """What ``on_timer`` may ask."""

    @abstractmethod
    def process_element1(self, value: Any, ctx: KeyedCoProcessFunction.Context) -> Any:
        """Yield results for a record of the first stream."""

    @abstractmethod
    def process_element2(self, value: Any, ctx: KeyedCoProcessFunction.Context) -> Any:
        """Yield results for a record of the second stream."""

    def on_timer(self, timestamp: int, ctx: KeyedCoProcessFunction.OnTimerContext) -> Any:
        """Yield results of a timer that fired."""


class BaseBroadcastProcessFunction(Function):
    """What the two broadcast process functions share."""

    class BaseContext(ABC):
        """Time."""

        @abstractmethod
        def timestamp(self) -> int:
            """Return the record's timestamp, -2**63 when it has none."""

        @abstractmethod
        def current_processing_time(self) -> int:
            """Return the wall clock in milliseconds."""

        @abstractmethod
        def current_watermark(self) -> int:
            """Return the operator's event time."""

    class Context(BaseContext):
        """The broadcast side may write broadcast state."""

        @abstractmethod
        def get_broadcast_state(self, state_descriptor: MapStateDescriptor[Any, Any]) -> BroadcastState[Any, Any]:
            """Return the broadcast state of that descriptor."""

    class ReadOnlyContext(BaseContext):
        """The other side may only read it."""

        @abstractmethod
        def get_broadcast_state(
            self, state_descriptor: MapStateDescriptor[Any, Any]
        ) -> ReadOnlyBroadcastState[Any, Any]:
            """Return the broadcast state of that descriptor, read-only."""


class BroadcastProcessFunction(BaseBroadcastProcessFunction, Generic[IN1, IN2, OUT]):
    """A stream connected to a broadcast stream (Flink: the broadcast state pattern)."""

    @abstractmethod
    def process_element(self, value: Any, ctx: BroadcastProcessFunction.ReadOnlyContext) -> Any:
        """Yield results for a record of the non-broadcast side."""

    @abstractmethod
    def process_broadcast_element(self, value: Any, ctx: BroadcastProcessFunction.Context) -> Any:
        """Yield results for a record of the broadcast side."""


class KeyedBroadcastProcessFunction(BaseBroadcastProcessFunction, Generic[KEY, IN1, IN2, OUT]):
    """A keyed stream connected to a broadcast stream."""

    class ReadOnlyContext(BaseBroadcastProcessFunction.ReadOnlyContext):
        """The keyed side has keys and timers."""

        @abstractmethod
        def timer_service(self) -> TimerService:
            """Return time and timers."""

        @abstractmethod
        def get_current_key(self) -> Any:
            """Return the record's key."""

    class OnTimerContext(ReadOnlyContext):
        """What ``on_timer`` may ask."""

        @abstractmethod
        def time_domain(self) -> TimeDomain:
            """Return the kind of the timer that fired."""

    @abstractmethod
    def process_element(self, value: Any, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> Any:
        """Yield results for a record of the keyed side."""

    @abstractmethod
    def process_broadcast_element(self, value: Any, ctx: KeyedBroadcastProcessFunction.Context) -> Any:
        """Yield results for a record of the broadcast side."""

    def on_timer(self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext) -> Any:
        """Yield results of a timer that fired."""


class WindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """All elements of a fired window of one key at once."""

    @abstractmethod
    def apply(self, key: Any, window: W, inputs: Iterable[Any]) -> Any:
        """Yield results for the window."""


class AllWindowFunction(Function, Generic[IN, OUT, W]):
    """All elements of a fired window of a non-keyed stream at once."""

    @abstractmethod
    def apply(self, window: W, inputs: Iterable[Any]) -> Any:
        """Yield results for the window."""


class ProcessWindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """``WindowFunction`` with time and state (Flink: ``ProcessWindowFunction``)."""

    class Context(ABC, Generic[W2]):
        """What ``process`` and ``clear`` may ask."""

        @abstractmethod
        def window(self) -> Any:
            """Return the window that is evaluated."""

        @abstractmethod
        def current_processing_time(self) -> int:
            """Return the wall clock in milliseconds."""

        @abstractmethod
        def current_watermark(self) -> int:
            """Return the operator's event time."""

        @abstractmethod
        def window_state(self) -> Any:
            """Return state of this key and this window."""

        @abstractmethod
        def global_state(self) -> Any:
            """Return state of this key over all windows."""

    @abstractmethod
    def process(self, key: Any, context: ProcessWindowFunction.Context[W], elements: Iterable[Any]) -> Any:
        """Yield results for the window."""

    def clear(self, context: ProcessWindowFunction.Context[W]) -> None:
        """Remove per-window state of one's own when the window is dropped."""


class ProcessAllWindowFunction(Function, Generic[IN, OUT, W]):
    """``ProcessWindowFunction`` for a non-keyed stream."""

    class Context(ABC, Generic[W2]):
        """What ``process`` and ``clear`` may ask."""

        @abstractmethod
        def window(self) -> Any:
            """Return the window that is evaluated."""

        @abstractmethod
        def window_state(self) -> Any:
            """Return state of this window."""

        @abstractmethod
        def global_state(self) -> Any:
            """Return state over all windows."""

    @abstractmethod
    def process(self, context: ProcessAllWindowFunction.Context[W], elements: Iterable[Any]) -> Any:
        """Yield results for the window."""

    def clear(self, context: ProcessAllWindowFunction.Context[W]) -> None:
        """Remove per-window state of one's own when the window is dropped."""


def method_or_callable(func: Any, base: type[Function], method: str) -> Callable[..., Any]:
    """Return the callable behind ``func``, a ``base`` instance or a plain callable.

    Raises:
        TypeError: it is neither, in PyFlink's words.
    """
    if isinstance(func, base):
        bound: Callable[..., Any] = getattr(func, method)
        return bound
    if callable(func):
        return func  # type: ignore[no-any-return]
    raise TypeError(f"The input must be a {base.__name__} or a callable function")
