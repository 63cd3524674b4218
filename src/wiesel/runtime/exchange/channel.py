"""A channel from one sending subtask to one receiving subtask, in order, bounded by records.

This is the in-process kind, which is both ends at once; ``remote_channel.py`` has one that joins two processes.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

from wiesel.core.elements import Batch, Element

#: Records that may wait in a channel before its sender is held back.
CAPACITY: Final = 4096


class SendingEnd(Protocol):
    """What writers see of a channel."""

    @property
    def bytes_sent(self) -> int:
        """Bytes of the records that were sent; records that stay in one process are no bytes."""

    def put(self, element: Element) -> None:
        """Append; never refuses, because a sender looks at ``has_credit`` before it is stepped."""

    def has_credit(self) -> bool:
        """Whether the sender may go on."""


class ReceivingEnd(Protocol):
    """What gates see of a channel."""

    @property
    def bytes_received(self) -> int:
        """Bytes of the records that were taken; records that stay in one process are no bytes."""

    def poll(self) -> Element | None:
        """Take the next element, or None."""

    def is_empty(self) -> bool:
        """Whether nothing waits."""


class LocalChannel:
    """A channel inside one process."""

    __slots__ = ("_elements", "_records")
    bytes_sent: Final = 0
    bytes_received: Final = 0

    def __init__(self) -> None:
        self._elements: deque[Element] = deque()
        self._records = 0

    def put(self, element: Element) -> None:
        """Append an element."""
        if type(element) is Batch:
            self._records += len(element.values)
        self._elements.append(element)

    def poll(self) -> Element | None:
        """Take the next element, or None."""
        if not self._elements:
            return None
        element = self._elements.popleft()
        if type(element) is Batch:
            self._records -= len(element.values)
        return element

    def has_credit(self) -> bool:
        """Whether fewer records wait than the capacity."""
        return self._records < CAPACITY

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._elements
