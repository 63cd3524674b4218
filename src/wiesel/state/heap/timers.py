"""Timers of one keyed operator: a heap of distinct times, and for each time the keys and namespaces due then.

Windows of many keys end at the same time, so the heap stays small; a deleted timer is only taken from its time's
dictionary, and an empty time is dropped when it comes up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from wiesel.state.heap.table import Cursor

#: A due timer: when, the key as state knows it, and its namespace.
Timer = tuple[int, Any, Any]


class TimerQueue:
    """Timers of one time domain."""

    __slots__ = ("_by_time", "_kept", "_times")

    def __init__(self) -> None:
        self._times: list[int] = []
        self._by_time: dict[int, dict[tuple[Any, Any], None]] = {}
        #: While a snapshot is written: what was due at each time that has been touched since its barrier.
        self._kept: dict[int, list[tuple[Any, Any]]] | None = None

    def register(self, timestamp: int, key: Any, namespace: Any) -> None:
        """Add a timer; registering it twice is once."""
        due = self._by_time.get(timestamp)
        if self._kept is not None:
            self._keep(timestamp)
        if due is None:
            self._by_time[timestamp] = due = {}
            heapq.heappush(self._times, timestamp)
        due[key, namespace] = None

    def delete(self, timestamp: int, key: Any, namespace: Any) -> None:
        """Forget a timer; nothing happens when there is none."""
        due = self._by_time.get(timestamp)
        if due is not None:
            if self._kept is not None:
                self._keep(timestamp)
            due.pop((key, namespace), None)

    def next_time(self) -> int | None:
        """Return the earliest time at which a timer is due."""
        while self._times:
            timestamp = self._times[0]
            if self._by_time[timestamp]:
                return timestamp
            heapq.heappop(self._times)
            del self._by_time[timestamp]
        return None

    def pop_due(self, until: int, limit: int) -> list[Timer]:
        """Remove and return up to ``limit`` timers of the earliest time due at or before ``until``.

        Of one time only: a timer that fires may register others, and those due in between must come before later ones.
        """
        timestamp = self.next_time()
        if timestamp is None or timestamp > until:
            return []
        due = self._by_time[timestamp]
        if self._kept is not None:
            self._keep(timestamp)
        if len(due) <= limit:
            popped = [(timestamp, key, namespace) for key, namespace in due]
            due.clear()
            return popped
        # From the end: a dictionary from whose front entries are taken becomes slower with each.
        return [(timestamp, *due.popitem()[0]) for _ in range(limit)]

    def _keep(self, timestamp: int) -> None:
        assert self._kept is not None
        if timestamp not in self._kept:
            self._kept[timestamp] = list(self._by_time.get(timestamp, ()))

    def snapshot(self) -> Iterator[Timer]:
        """Return an iterator over the timers there are now; it may go on while timers come and go.

        A queue of many times would take long to copy, so each time is copied when it comes up, or before it changes.
        """
        kept = self._kept = {}
        return self._as_of_barrier(list(self._by_time), kept)

    def _as_of_barrier(self, times: list[int], kept: dict[int, list[tuple[Any, Any]]]) -> Iterator[Timer]:
        for timestamp in times:
            due = kept[timestamp] if timestamp in kept else list(self._by_time.get(timestamp, ()))
            for key, namespace in due:
                yield timestamp, key, namespace
        if self._kept is kept:
            self._kept = None

    def __len__(self) -> int:
        return sum(map(len, self._by_time.values()))


class HeapTimers:
    """Timers of the current key in both domains (``core.contracts.Timers``)."""

    __slots__ = ("_cursor", "event", "processing")

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.event = TimerQueue()
        self.processing = TimerQueue()

    def register_event_time(self, namespace: Any, timestamp: int) -> None:
        """Register for the current key."""
        self.event.register(timestamp, self._cursor.key, namespace)

    def delete_event_time(self, namespace: Any, timestamp: int) -> None:
        """Forget the timer of the current key."""
        self.event.delete(timestamp, self._cursor.key, namespace)

    def register_processing_time(self, namespace: Any, timestamp: int) -> None:
        """Register for the current key."""
        self.processing.register(timestamp, self._cursor.key, namespace)

    def delete_processing_time(self, namespace: Any, timestamp: int) -> None:
        """Forget the timer of the current key."""
        self.processing.delete(timestamp, self._cursor.key, namespace)

    def snapshot(self) -> Iterator[tuple[str, int, Any, Any]]:
        """Return an iterator over the timers there are now, with their domain."""
        queues = [("event", self.event.snapshot()), ("processing", self.processing.snapshot())]
        return ((domain, *timer) for domain, timers in queues for timer in timers)

    def restore(self, domain: str, timestamp: int, key: Any, namespace: Any) -> None:
        """Put back a timer of a snapshot."""
        (self.event if domain == "event" else self.processing).register(timestamp, key, namespace)
