"""Count windows and the global window (mirrors ``pyflink.datastream.window``)."""

from __future__ import annotations

from typing import Any

from wiesel.core.serializer import TypeSerializer
from wiesel.core.state import ValueStateDescriptor
from wiesel.core.triggers import CountTrigger, NeverTrigger, Trigger
from wiesel.core.types import Types
from wiesel.core.window_assigners import WindowAssigner
from wiesel.core.windows import CountWindow, CountWindowSerializer, GlobalWindow, GlobalWindowSerializer

__all__ = ["CountSlidingWindowAssigner", "CountTumblingWindowAssigner", "GlobalWindows"]


class _CountWindows(WindowAssigner[Any, CountWindow]):
    """What both count assigners share: the key's elements are numbered, from 0."""

    window_size: int
    #: State that holds how many elements the key has had.
    count_descriptor: ValueStateDescriptor[int]

    def _next_number(self, context: WindowAssigner.WindowAssignerContext) -> int:
        count = context.get_runtime_context().get_state(self.count_descriptor)
        number = count.value() or 0
        count.update(number + 1)
        return number

    def get_default_trigger(self, env: Any) -> Trigger[Any, Any]:
        """Return a trigger that fires when the window is full."""
        return CountTrigger(self.window_size)

    def get_window_serializer(self) -> TypeSerializer[CountWindow]:
        """Return the serializer of count windows."""
        return CountWindowSerializer()

    def is_event_time(self) -> bool:
        """Return False."""
        return False


class CountTumblingWindowAssigner(_CountWindows):
    """Windows of ``window_size`` elements of a key, one after the other."""

    def __init__(self, window_size: int) -> None:
        if window_size <= 0:
            raise ValueError(f"CountTumblingWindowAssigner needs a size above 0, got {window_size}")
        self.window_size = window_size
        self.count_descriptor = ValueStateDescriptor("tumble-count-assigner", Types.LONG())

    @staticmethod
    def of(window_size: int) -> CountTumblingWindowAssigner:
        """Return windows of that many elements."""
        return CountTumblingWindowAssigner(window_size)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[CountWindow]:
        """Return the window that is being filled."""
        return [CountWindow(self._next_number(context) // self.window_size)]

    def __repr__(self) -> str:
        return f"CountTumblingWindowAssigner({self.window_size})"


class CountSlidingWindowAssigner(_CountWindows):
    """Windows of ``window_size`` elements of a key that begin with every ``window_slide``-th element."""

    def __init__(self, window_size: int, window_slide: int) -> None:
        if window_size <= 0 or window_slide <= 0:
            raise ValueError(
                f"CountSlidingWindowAssigner needs a size and a slide above 0, got {window_size} and {window_slide}"
            )
        self.window_size = window_size
        self.window_slide = window_slide
        self.count_descriptor = ValueStateDescriptor("slide-count-assigner", Types.LONG())

    @staticmethod
    def of(window_size: int, window_slide: int) -> CountSlidingWindowAssigner:
        """Return windows of ``window_size`` elements that begin every ``window_slide`` elements."""
        return CountSlidingWindowAssigner(window_size, window_slide)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[CountWindow]:
        """Return the windows that are being filled, the latest first; with gaps between windows there may be none."""
        return [CountWindow(id) for id in self.window_ids(self._next_number(context))]

    def window_ids(self, number: int) -> range:
        """Return the ids of the windows that hold the element with that number, the latest first."""
        last = number // self.window_slide
        # The earliest window that still reaches the element: id * slide + size > number.
        first = max(0, (number - self.window_size) // self.window_slide + 1)
        return range(last, first - 1, -1)

    def __repr__(self) -> str:
        return f"CountSlidingWindowAssigner({self.window_size}, {self.window_slide})"


class GlobalWindows(WindowAssigner[Any, GlobalWindow]):
    """All elements of a key in one window; something happens only with a trigger of one's own."""

    def __init__(self) -> None:
        super().__init__()

    @staticmethod
    def create() -> GlobalWindows:
        """Return the assigner."""
        return GlobalWindows()

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[GlobalWindow]:
        """Return the global window."""
        return [GlobalWindow.get()]

    def get_default_trigger(self, env: Any) -> Trigger[Any, Any]:
        """Return a trigger that never fires."""
        return NeverTrigger()

    def get_window_serializer(self) -> TypeSerializer[GlobalWindow]:
        """Return the serializer of global windows."""
        return GlobalWindowSerializer()

    def is_event_time(self) -> bool:
        """Return False."""
        return False

    def __repr__(self) -> str:
        return "GlobalWindows()"
