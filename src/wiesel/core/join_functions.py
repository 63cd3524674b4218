"""The functions of joins (mirrors Flink's ``JoinFunction``, ``FlatJoinFunction``, ``CoGroupFunction``,
``ProcessJoinFunction``). PyFlink has none of them; the names are Java's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from wiesel.core.functions import Function

__all__ = ["CoGroupFunction", "FlatJoinFunction", "JoinFunction", "ProcessJoinFunction"]


class JoinFunction(Function):
    """Two elements of one key and window in, one value out."""

    @abstractmethod
    def join(self, first: Any, second: Any) -> Any:
        """Return the value of a pair."""


class FlatJoinFunction(Function):
    """Two elements of one key and window in, any number of values out."""

    @abstractmethod
    def join(self, first: Any, second: Any) -> Any:
        """Yield or return an iterable of values of a pair; None is no value."""


class CoGroupFunction(Function):
    """All elements of one key and window of both streams at once; one side may be empty, which makes outer joins."""

    @abstractmethod
    def co_group(self, first: Iterable[Any], second: Iterable[Any]) -> Any:
        """Yield or return an iterable of values; None is no value."""


class ProcessJoinFunction(Function):
    """Two elements of one key whose event times are near each other (Flink docs: "Joining", "Interval Join")."""

    class Context(ABC):
        """The times of the pair, in milliseconds since the epoch."""

        @abstractmethod
        def get_left_timestamp(self) -> int:
            """Return the event time of the left element."""

        @abstractmethod
        def get_right_timestamp(self) -> int:
            """Return the event time of the right element."""

        @abstractmethod
        def get_timestamp(self) -> int:
            """Return the later of the two, which is the event time of the results."""

    @abstractmethod
    def process_element(self, left: Any, right: Any, ctx: ProcessJoinFunction.Context) -> Any:
        """Yield results for a pair; ``yield tag, value`` goes to a side output."""
