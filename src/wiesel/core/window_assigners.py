"""Window assigners: which windows an element belongs to (mirrors ``pyflink.datastream.window``).

Sizes, slides, offsets and gaps are milliseconds in constructors; ``of`` and ``with_gap`` take ``Time``, ``Duration``
or ``timedelta`` (PyFlink takes ``Time`` only).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from wiesel.core.elements import MIN_TIMESTAMP
from wiesel.core.serializer import TypeSerializer
from wiesel.core.time import Duration, Time, to_millis
from wiesel.core.triggers import EventTimeTrigger, ProcessingTimeTrigger, Trigger
from wiesel.core.windows import TimeWindow, TimeWindowSerializer

if TYPE_CHECKING:
    from wiesel.core.functions import RuntimeContext

T = TypeVar("T")
W = TypeVar("W")
W2 = TypeVar("W2")

__all__ = [
    "MergingWindowAssigner",
    "SlidingEventTimeWindows",
    "SlidingProcessingTimeWindows",
    "TumblingEventTimeWindows",
    "TumblingProcessingTimeWindows",
    "WindowAssigner",
]

NO_TIMESTAMP = (
    "Record has Java Long.MIN_VALUE timestamp (= no timestamp marker). Is the time characteristic set to "
    "'ProcessingTime', or did you forget to call 'data_stream.assign_timestamps_and_watermarks(...)'?"
)


class WindowAssigner(ABC, Generic[T, W]):
    """Puts an element into zero or more windows."""

    class WindowAssignerContext(ABC):
        """What ``assign_windows`` may ask."""

        @abstractmethod
        def get_current_processing_time(self) -> int:
            """Return the wall clock in milliseconds."""

        @abstractmethod
        def get_runtime_context(self) -> RuntimeContext:
            """Return where the operator runs, and the key's state."""

    @abstractmethod
    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[W]:
        """Return the windows that ``element`` belongs to."""

    @abstractmethod
    def get_default_trigger(self, env: Any) -> Trigger[T, W]:
        """Return the trigger that is used when the program names none."""

    @abstractmethod
    def get_window_serializer(self) -> TypeSerializer[W]:
        """Return how windows are written (for Flink; Wiesel does not ask)."""

    @abstractmethod
    def is_event_time(self) -> bool:
        """Whether windows end by the watermark, not by the wall clock."""


class MergingWindowAssigner(WindowAssigner[T, W]):
    """A window assigner whose windows may merge, such as sessions."""

    class MergeCallback(ABC, Generic[W2]):
        """Told which windows become one."""

        @abstractmethod
        def merge(self, to_be_merged: Iterable[W2], merge_result: W2) -> None:
            """Let ``to_be_merged`` become ``merge_result``."""

    @abstractmethod
    def merge_windows(self, windows: Iterable[W], callback: MergingWindowAssigner.MergeCallback[W]) -> None:
        """Call ``callback`` for each group of ``windows`` that must become one."""


class TimeWindowAssigner(WindowAssigner[Any, TimeWindow]):
    """What assigners of time windows share."""

    def get_window_serializer(self) -> TypeSerializer[TimeWindow]:
        """Return the serializer of time windows."""
        return TimeWindowSerializer()


class EventTimeAssigner(TimeWindowAssigner):
    def get_default_trigger(self, env: Any) -> Trigger[Any, Any]:
        """Return a trigger that fires at the window's end in event time."""
        return EventTimeTrigger()

    def is_event_time(self) -> bool:
        """Return True."""
        return True


class ProcessingTimeAssigner(TimeWindowAssigner):
    def get_default_trigger(self, env: Any) -> Trigger[Any, Any]:
        """Return a trigger that fires at the window's end by the wall clock."""
        return ProcessingTimeTrigger()

    def is_event_time(self) -> bool:
        """Return False."""
        return False


class _Tumbling(TimeWindowAssigner):
    def __init__(self, size: int, offset: int) -> None:
        if abs(offset) >= size:
            raise ValueError(f"{type(self).__name__} parameters must satisfy abs(offset) < size")
        self.size = size
        self.offset = offset

    def _window_of(self, timestamp: int) -> TimeWindow:
        start = timestamp - (timestamp - self.offset) % self.size
        return TimeWindow(start, start + self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size}, {self.offset})"


class TumblingEventTimeWindows(_Tumbling, EventTimeAssigner):
    """Windows of one size, one after the other, by event time."""

    @staticmethod
    def of(size: Time | Duration, offset: Time | Duration | None = None) -> TumblingEventTimeWindows:
        """Return windows of ``size`` that start at multiples of it since the epoch, shifted by ``offset``."""
        return TumblingEventTimeWindows(to_millis(size), 0 if offset is None else to_millis(offset))

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        """Return the one window around ``timestamp``."""
        if timestamp <= MIN_TIMESTAMP:
            raise ValueError(NO_TIMESTAMP)
        return [self._window_of(timestamp)]


class TumblingProcessingTimeWindows(_Tumbling, ProcessingTimeAssigner):
    """Windows of one size, one after the other, by the wall clock."""

    @staticmethod
    def of(size: Time | Duration, offset: Time | Duration | None = None) -> TumblingProcessingTimeWindows:
        """Return windows of ``size`` that start at multiples of it since the epoch, shifted by ``offset``."""
        return TumblingProcessingTimeWindows(to_millis(size), 0 if offset is None else to_millis(offset))

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        """Return the one window around now."""
        return [self._window_of(context.get_current_processing_time())]


class _Sliding(TimeWindowAssigner):
    def __init__(self, size: int, slide: int, offset: int) -> None:
        if abs(offset) >= slide or size <= 0:
            raise ValueError(f"{type(self).__name__} parameters must satisfy abs(offset) < slide and size > 0")
        self.size = size
        self.slide = slide
        self.offset = offset

    def _windows_of(self, timestamp: int) -> list[TimeWindow]:
        size, slide = self.size, self.slide
        last_start = timestamp - (timestamp - self.offset) % slide
        return [TimeWindow(start, start + size) for start in range(last_start, timestamp - size, -slide)]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size}, {self.slide}, {self.offset})"


class SlidingEventTimeWindows(_Sliding, EventTimeAssigner):
    """Windows of one size that begin every ``slide``, by event time; with ``slide`` below ``size`` they overlap."""

    @staticmethod
    def of(
        size: Time | Duration, slide: Time | Duration, offset: Time | Duration | None = None
    ) -> SlidingEventTimeWindows:
        """Return windows of ``size`` that start every ``slide`` since the epoch, shifted by ``offset``."""
        shift = 0 if offset is None else to_millis(offset)
        return SlidingEventTimeWindows(to_millis(size), to_millis(slide), shift)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        """Return all windows that hold ``timestamp``, the latest first."""
        if timestamp <= MIN_TIMESTAMP:
            raise ValueError(NO_TIMESTAMP)
        return self._windows_of(timestamp)


class SlidingProcessingTimeWindows(_Sliding, ProcessingTimeAssigner):
    """Windows of one size that begin every ``slide``, by the wall clock."""

    @staticmethod
    def of(
        size: Time | Duration, slide: Time | Duration, offset: Time | Duration | None = None
    ) -> SlidingProcessingTimeWindows:
        """Return windows of ``size`` that start every ``slide`` since the epoch, shifted by ``offset``."""
        shift = 0 if offset is None else to_millis(offset)
        return SlidingProcessingTimeWindows(to_millis(size), to_millis(slide), shift)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        """Return all windows that hold the present, the latest first."""
        return self._windows_of(context.get_current_processing_time())
