"""The order in which an async operator emits: records waited for, and the watermarks between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol


class Entry:
    """One record that is waited for; ``results`` is None until they are there."""

    __slots__ = ("results", "timestamp", "value")

    def __init__(self, value: Any, timestamp: int) -> None:
        self.value = value
        self.timestamp = timestamp
        self.results: list[Any] | None = None


class AsyncQueue(Protocol):
    """Entries and watermarks that were not emitted yet."""

    def add(self, entry: Entry) -> None:
        """Append a record."""

    def add_watermark(self, watermark: int) -> None:
        """Append a watermark; only while the queue holds a record."""

    def complete(self, entry: Entry, results: list[Any]) -> None:
        """Take over the results of a record."""

    def ready(self) -> Iterator[Entry | int]:
        """Remove and yield what may be emitted now: completed records, and watermarks whose turn has come."""

    def pending(self) -> Iterator[Entry]:
        """Yield the records that were not emitted, oldest first where there is an order."""

    def is_empty(self) -> bool:
        """Whether everything was emitted."""


class OrderedQueue:
    """Everything leaves in the order in which it came."""

    def __init__(self) -> None:
        self._elements: deque[Entry | int] = deque()

    def add(self, entry: Entry) -> None:
        """Append a record."""
        self._elements.append(entry)

    def add_watermark(self, watermark: int) -> None:
        """Append a watermark."""
        self._elements.append(watermark)

    def complete(self, entry: Entry, results: list[Any]) -> None:
        """Take over the results of a record."""
        entry.results = results

    def ready(self) -> Iterator[Entry | int]:
        """Yield from the front up to the first record without results."""
        elements = self._elements
        while elements:
            first = elements[0]
            if isinstance(first, Entry) and first.results is None:
                return
            yield elements.popleft()

    def pending(self) -> Iterator[Entry]:
        """Yield the records in order."""
        return (element for element in self._elements if isinstance(element, Entry))

    def is_empty(self) -> bool:
        """Whether everything was emitted."""
        return not self._elements


class _Segment:
    """The records between two watermarks."""

    __slots__ = ("completed", "incomplete", "watermark")

    def __init__(self) -> None:
        self.incomplete: dict[Entry, None] = {}
        self.completed: deque[Entry] = deque()
        self.watermark: int | None = None  # the one that follows them


class UnorderedQueue:
    """Records leave as they complete, but none overtakes a watermark, in either direction."""

    def __init__(self) -> None:
        self._segments: deque[_Segment] = deque([_Segment()])
        self._segment_of: dict[Entry, _Segment] = {}

    def add(self, entry: Entry) -> None:
        """Append a record."""
        segment = self._segment_of[entry] = self._segments[-1]
        segment.incomplete[entry] = None

    def add_watermark(self, watermark: int) -> None:
        """End the segment; of watermarks without a record between them only the last counts."""
        last = self._segments[-1]
        if not last.incomplete and not last.completed and len(self._segments) > 1:
            self._segments[-2].watermark = watermark
            return
        last.watermark = watermark
        self._segments.append(_Segment())

    def complete(self, entry: Entry, results: list[Any]) -> None:
        """Take over the results of a record."""
        entry.results = results
        segment = self._segment_of.pop(entry)
        del segment.incomplete[entry]
        segment.completed.append(entry)

    def ready(self) -> Iterator[Entry | int]:
        """Yield the completed records of the first segment, then its watermark once it is empty, and so on."""
        segments = self._segments
        while True:
            first = segments[0]
            while first.completed:
                yield first.completed.popleft()
            if first.incomplete or first.watermark is None:
                return
            segments.popleft()
            yield first.watermark

    def pending(self) -> Iterator[Entry]:
        """Yield the records segment by segment."""
        for segment in self._segments:
            yield from segment.completed
            yield from segment.incomplete

    def is_empty(self) -> bool:
        """Whether everything was emitted."""
        first = self._segments[0]
        return len(self._segments) == 1 and not first.incomplete and not first.completed
