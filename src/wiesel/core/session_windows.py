"""Session windows: elements that follow each other within a gap (mirrors ``pyflink.datastream.window``).

Gaps are milliseconds in constructors; ``with_gap`` takes ``Time``, ``Duration`` or ``timedelta``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from wiesel.core.time import Duration, Time, to_millis
from wiesel.core.window_assigners import (
    EventTimeAssigner,
    MergingWindowAssigner,
    ProcessingTimeAssigner,
    TimeWindowAssigner,
    WindowAssigner,
)
from wiesel.core.windows import TimeWindow

__all__ = [
    "DynamicEventTimeSessionWindows",
    "DynamicProcessingTimeSessionWindows",
    "EventTimeSessionWindows",
    "ProcessingTimeSessionWindows",
    "SessionWindowTimeGapExtractor",
]


class SessionWindowTimeGapExtractor(ABC):
    """Says for each element how long its session stays open."""

    @abstractmethod
    def extract(self, element: Any) -> int:
        """Return the gap in milliseconds, above 0."""


class _Sessions(MergingWindowAssigner[Any, TimeWindow], TimeWindowAssigner):
    """Each element opens a window of its gap; windows that overlap or touch are one session."""

    def merge_windows(
        self, windows: Iterable[TimeWindow], callback: MergingWindowAssigner.MergeCallback[TimeWindow]
    ) -> None:
        """Merge windows that overlap or touch."""
        TimeWindow.merge_windows(windows, callback)


class _FixedGap(_Sessions):
    def __init__(self, session_gap: int) -> None:
        if session_gap <= 0:
            raise ValueError(f"{type(self).__name__} parameters must satisfy 0 < size")
        self.session_gap = session_gap

    def gap_of(self, element: Any) -> int:
        """Return the gap that ``element`` keeps its session open for, in milliseconds."""
        return self.session_gap

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.session_gap})"


class _DynamicGap(_Sessions):
    def __init__(self, session_window_time_gap_extractor: SessionWindowTimeGapExtractor) -> None:
        if not hasattr(session_window_time_gap_extractor, "extract"):
            raise TypeError(
                f"{type(self).__name__} needs a SessionWindowTimeGapExtractor, "
                f"got {type(session_window_time_gap_extractor).__name__}."
            )
        self._extractor = session_window_time_gap_extractor

    def gap_of(self, element: Any) -> int:
        """Return the gap that ``element`` keeps its session open for, in milliseconds."""
        gap: int = self._extractor.extract(element)
        if gap <= 0:
            raise ValueError(f"Dynamic session time gap must satisfy 0 < gap, got {gap}")
        return gap

    def __repr__(self) -> str:
        return f"{type(self).__name__}({type(self._extractor).__name__})"


class EventTimeSessionWindows(_FixedGap, EventTimeAssigner):
    """Sessions that end after a gap without elements, by event time."""

    @staticmethod
    def with_gap(size: Time | Duration) -> EventTimeSessionWindows:
        """Return sessions that end ``size`` after their last element."""
        return EventTimeSessionWindows(to_millis(size))

    @staticmethod
    def with_dynamic_gap(extractor: SessionWindowTimeGapExtractor) -> DynamicEventTimeSessionWindows:
        """Return sessions whose gap each element says for itself."""
        return DynamicEventTimeSessionWindows(extractor)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        """Return the gap after ``timestamp``."""
        return [TimeWindow(timestamp, timestamp + self.session_gap)]


class ProcessingTimeSessionWindows(_FixedGap, ProcessingTimeAssigner):
    """Sessions that end after a gap without elements, by the wall clock."""

    @staticmethod
    def with_gap(size: Time | Duration) -> ProcessingTimeSessionWindows:
        """Return sessions that end ``size`` after their last element."""
        return ProcessingTimeSessionWindows(to_millis(size))

    @staticmethod
    def with_dynamic_gap(extractor: SessionWindowTimeGapExtractor) -> DynamicProcessingTimeSessionWindows:
        """Return sessions whose gap each element says for itself."""
        return DynamicProcessingTimeSessionWindows(extractor)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        """Return the gap from now on."""
        now = context.get_current_processing_time()
        return [TimeWindow(now, now + self.session_gap)]


class DynamicEventTimeSessionWindows(_DynamicGap, EventTimeAssigner):
    """Sessions by event time whose gap each element says for itself."""

    @staticmethod
    def with_dynamic_gap(extractor: SessionWindowTimeGapExtractor) -> DynamicEventTimeSessionWindows:
        """Return sessions with the gaps of ``extractor``."""
        return DynamicEventTimeSessionWindows(extractor)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        """Return the element's gap after ``timestamp``."""
        return [TimeWindow(timestamp, timestamp + self.gap_of(element))]


class DynamicProcessingTimeSessionWindows(_DynamicGap, ProcessingTimeAssigner):
    """Sessions by the wall clock whose gap each element says for itself."""

    @staticmethod
    def with_dynamic_gap(extractor: SessionWindowTimeGapExtractor) -> DynamicProcessingTimeSessionWindows:
        """Return sessions with the gaps of ``extractor``."""
        return DynamicProcessingTimeSessionWindows(extractor)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        """Return the element's gap from now on."""
        now = context.get_current_processing_time()
        return [TimeWindow(now, now + self.gap_of(element))]
