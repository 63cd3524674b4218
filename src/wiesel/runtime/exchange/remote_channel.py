"""A channel between two processes: its sending end, its receiving end, and the credit that flows back.

The sender may have ``CAPACITY`` records and ``CAPACITY_BYTES`` under way; the receiver gives credit back as its task
takes them, never before. So what waits anywhere between two tasks is bounded, however large the records, and a
transport that carries many channels is never held up by one of them: whatever was sent had room. How frames travel is
injected.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from wiesel.core.elements import Batch, Element
from wiesel.core.pickling import pickle_value, unpickle_value
from wiesel.runtime.exchange.channel import CAPACITY

#: Records after which credit is given back: seldom enough to cost nothing, early enough that a sender need not wait.
CREDIT_STEP: Final = CAPACITY // 4
#: Bytes that may be under way: far more than small records need, so that only large ones are counted by it.
CAPACITY_BYTES: Final = 8 << 20
CREDIT_STEP_BYTES: Final = CAPACITY_BYTES // 4


class OutgoingChannel:
    """The sending end.

    Args:
        send: hands a frame to the transport, which keeps the order and does not wait.
    """

    __slots__ = ("_credit", "_room", "_send", "bytes_sent")

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._credit = CAPACITY
        self._room = CAPACITY_BYTES
        self.bytes_sent = 0

    def put(self, element: Element) -> None:
        """Send an element; never refuses, because a sender looks at ``has_credit`` before it is stepped."""
        frame = encode(element)
        if type(element) is Batch:
            self._credit -= len(element.values)
            self._room -= len(frame)
            self.bytes_sent += len(frame)
        self._send(frame)

    def has_credit(self) -> bool:
        """Whether the sender may go on."""
        return self._credit > 0 and self._room > 0

    def grant(self, records: int, size: int) -> None:
        """Take credit that came back, in records and bytes."""
        self._credit += records
        self._room += size


class IncomingChannel:
    """The receiving end.

    Args:
        grant: gives credit for so many records and bytes back to the sender.
    """

    __slots__ = ("_frames", "_grant", "_taken", "_taken_bytes", "bytes_received")

    def __init__(self, grant: Callable[[int, int], None]) -> None:
        self._grant = grant
        self._frames: deque[bytes] = deque()
        self._taken = 0
        self._taken_bytes = 0
        self.bytes_received = 0

    def receive(self, frame: bytes) -> None:
        """Take a frame from the transport; it is decoded when the task asks for it."""
        self._frames.append(frame)

    def poll(self) -> Element | None:
        """Take the next element, or None."""
        if not self._frames:
            return None
        frame = self._frames.popleft()
        element = decode(frame)
        if type(element) is Batch:
            self._taken += len(element.values)
            self._taken_bytes += len(frame)
            self.bytes_received += len(frame)
            if self._taken >= CREDIT_STEP or self._taken_bytes >= CREDIT_STEP_BYTES:
                self._grant(self._taken, self._taken_bytes)
                self._taken = self._taken_bytes = 0
        return element

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._frames


def encode(element: Element) -> bytes:
    """Return an element as bytes.

    Raises:
        pickle.PicklingError, TypeError, AttributeError: a record cannot be pickled.
    """
    if type(element) is not Batch:
        return pickle_value(element)
    timestamps: Any = element.timestamps
    if timestamps and timestamps.count(timestamps[0]) == len(timestamps):
        timestamps = timestamps[0]  # a stream without event time has the same one everywhere
    return pickle_value((element.values, timestamps, element.keys))


def decode(frame: bytes) -> Element:
    """Return the element of a frame, which another process of this very job has made."""
    content: Any = unpickle_value(frame)
    if type(content) is not tuple:
        element: Element = content
        return element
    values, timestamps, keys = content
    return Batch(values, timestamps if type(timestamps) is list else [timestamps] * len(values), keys)
