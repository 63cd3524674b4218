"""Windows: finite parts of a stream, and how they are written (mirrors ``pyflink.datastream.window``).

Times are milliseconds since the epoch. What puts elements into windows is in ``window_assigners``, what makes a window
fire is in ``triggers``.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import total_ordering
from io import BytesIO
from typing import TYPE_CHECKING, Any

from wiesel.core.elements import MAX_WATERMARK
from wiesel.core.serializer import TypeSerializer

if TYPE_CHECKING:
    from wiesel.core.window_assigners import MergingWindowAssigner

__all__ = [
    "CountWindow",
    "CountWindowSerializer",
    "GlobalWindow",
    "GlobalWindowSerializer",
    "TimeWindow",
    "TimeWindowSerializer",
    "Window",
]


class Window(ABC):
    """A group of elements that are evaluated together; a subclass must be hashable, comparable and picklable."""

    __slots__ = ()

    @abstractmethod
    def max_timestamp(self) -> int:
        """Return the largest timestamp that still belongs to the window."""


@total_ordering
class TimeWindow(Window):
    """The time from ``start`` (inclusive) to ``end`` (exclusive)."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    def max_timestamp(self) -> int:
        """Return the last millisecond of the window."""
        return self.end - 1

    def intersects(self, other: TimeWindow) -> bool:
        """Whether both overlap or touch."""
        return self.start <= other.end and self.end >= other.start

    def cover(self, other: TimeWindow) -> TimeWindow:
        """Return the smallest window that holds both."""
        return TimeWindow(min(self.start, other.start), max(self.end, other.end))

    @staticmethod
    def get_window_start_with_offset(timestamp: int, offset: int, window_size: int) -> int:
        """Return the start of the window of ``window_size`` that ``timestamp`` falls into; starts lie at ``offset``."""
        return timestamp - (timestamp - offset) % window_size

    @staticmethod
    def merge_windows(windows: Iterable[TimeWindow], callback: MergingWindowAssigner.MergeCallback[TimeWindow]) -> None:
        """Call ``callback`` with each group of two or more windows that overlap or touch, and their cover."""
        groups: list[tuple[TimeWindow, set[TimeWindow]]] = []
        for window in sorted(windows):
            if groups and groups[-1][0].intersects(window):
                cover, members = groups[-1]
                members.add(window)
                groups[-1] = (cover.cover(window), members)
            else:
                groups.append((window, {window}))
        for cover, members in groups:
            if len(members) > 1:
                callback.merge(members, cover)

    def __hash__(self) -> int:
        return hash((self.start, self.end))

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self.start == other.start and self.end == other.end

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, TimeWindow):
            return NotImplemented
        return (self.start, self.end) < (other.start, other.end)

    def __repr__(self) -> str:
        return f"TimeWindow(start={self.start}, end={self.end})"


@total_ordering
class CountWindow(Window):
    """A number of elements; windows of one key are numbered by ``id``."""

    __slots__ = ("id",)

    def __init__(self, id: int) -> None:
        self.id = id

    def max_timestamp(self) -> int:
        """Return the end of time: a count window has none."""
        return MAX_WATERMARK

    def __hash__(self) -> int:
        return hash(self.id)

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self.id == other.id

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, CountWindow):
            return NotImplemented
        return self.id < other.id

    def __repr__(self) -> str:
        return f"CountWindow(id={self.id})"


@total_ordering
class GlobalWindow(Window):
    """The one window that holds everything; all instances are equal."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()

    @staticmethod
    def get() -> GlobalWindow:
        """Return the global window."""
        return _GLOBAL_WINDOW

    def max_timestamp(self) -> int:
        """Return the end of time."""
        return MAX_WATERMARK

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, GlobalWindow):
            return NotImplemented
        return False

    def __repr__(self) -> str:
        return "GlobalWindow"


_GLOBAL_WINDOW = GlobalWindow()


class TimeWindowSerializer(TypeSerializer[TimeWindow]):
    """Start and end as big-endian 64-bit integers, as Flink writes them."""

    def __init__(self) -> None:
        super().__init__()

    def serialize(self, element: TimeWindow, stream: BytesIO) -> None:
        """Write 16 bytes."""
        stream.write(struct.pack(">qq", element.start, element.end))

    def deserialize(self, stream: BytesIO) -> TimeWindow:
        """Read 16 bytes."""
        return TimeWindow(*struct.unpack(">qq", stream.read(16)))


class CountWindowSerializer(TypeSerializer[CountWindow]):
    """The id as a big-endian 64-bit integer, as Flink writes it."""

    def __init__(self) -> None:
        super().__init__()

    def serialize(self, element: CountWindow, stream: BytesIO) -> None:
        """Write 8 bytes."""
        stream.write(struct.pack(">q", element.id))

    def deserialize(self, stream: BytesIO) -> CountWindow:
        """Read 8 bytes."""
        return CountWindow(*struct.unpack(">q", stream.read(8)))


class GlobalWindowSerializer(TypeSerializer[GlobalWindow]):
    """One zero byte, as Flink writes it."""

    def __init__(self) -> None:
        super().__init__()

    def serialize(self, element: GlobalWindow, stream: BytesIO) -> None:
        """Write one byte."""
        stream.write(b"\0")

    def deserialize(self, stream: BytesIO) -> GlobalWindow:
        """Read one byte."""
        stream.read(1)
        return _GLOBAL_WINDOW


def window_to_namespace(window: Any) -> Any:
    """Return what stands for ``window`` in state and timers: plain data for our own windows, else the window itself.

    Plain data hashes fast, is small in checkpoints and outlives a change of these classes.
    """
    kind = type(window)
    if kind is TimeWindow:
        return (window.start, window.end)
    if kind is CountWindow:
        return window.id
    if kind is GlobalWindow:
        return ()
    return window


def namespace_to_window(namespace: Any) -> Any:
    """Return the window that ``namespace`` stands for."""
    kind = type(namespace)
    if kind is tuple:
        return TimeWindow(*namespace) if namespace else _GLOBAL_WINDOW
    if kind is int:
        return CountWindow(namespace)
    return namespace
