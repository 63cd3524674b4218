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


#: The timers of one time: pairs of key and namespace.
_Due = dict[tuple[Any, Any], None]


class TimerQueue:
    """Timers of one time domain."""

    __slots__ = ("_by_time", "_dropped", "_kept", "_recent", "_times")

    def __init__(self) -> None:
        self._times: list[int] = []
        self._by_time: dict[int, _Due] = {}
        # While a snapshot is written ``_by_time`` neither gains nor loses a time, so that it can be walked through, and
        # a barrier need not copy a million of them. New times are in ``_recent``; those that came up are ``_dropped``.
        self._recent: dict[int, _Due] = {}
        self._dropped: set[int] = set()
        #: What was due at each time that has been touched since the barrier; None while no snapshot is written.
        self._kept: dict[int, list[tuple[Any, Any]]] | None = None

    def register(self, timestamp: int, key: Any, namespace: Any) -> None:
        """Add a timer; registering it twice is once."""
        due = self._by_time.get(timestamp)
        if self._kept is not None:
            due = self._touch(timestamp, due)
        if due is None:
            due = {}
            (self._by_time if self._kept is None else self._recent)[timestamp] = due
            heapq.heappush(self._times, timestamp)
        elif self._dropped and timestamp in self._dropped:
            self._dropped.discard(timestamp)
            heapq.heappush(self._times, timestamp)
        due[key, namespace] = None

    def delete(self, timestamp: int, key: Any, namespace: Any) -> None:
        """Forget a timer; nothing happens when there is none."""
        due = self._by_time.get(timestamp)
        if self._kept is not None:
            due = self._touch(timestamp, due)
        if due is not None:
            due.pop((key, namespace), None)

    def next_time(self) -> int | None:
        """Return the earliest time at which a timer is due."""
        while self._times:
            timestamp = self._times[0]
            if self._by_time.get(timestamp) or self._recent.get(timestamp):
                return timestamp
            heapq.heappop(self._times)
            if self._recent.pop(timestamp, None) is None:
                if self._kept is None:
                    del self._by_time[timestamp]
                else:
                    self._dropped.add(timestamp)
        return None

    def pop_due(self, until: int, limit: int) -> list[Timer]:
        """Remove and return up to ``limit`` timers of the earliest time due at or before ``until``.

        Of one time only: a timer that fires may register others, and those due in between must come before later ones.
        """
        timestamp = self.next_time()
        if timestamp is None or timestamp > until:
            return []
        due = self._by_time.get(timestamp)
        if self._kept is not None:
            due = self._touch(timestamp, due)
        assert due is not None
        if len(due) <= limit:
            popped = [(timestamp, key, namespace) for key, namespace in due]
            due.clear()
            return popped
        # From the end: a dictionary from whose front entries are taken becomes slower with each.
        return [(timestamp, *due.popitem()[0]) for _ in range(limit)]

    def _touch(self, timestamp: int, due: _Due | None) -> _Due | None:
        """Keep what was due at the barrier before it changes; return what is due now, None for a time not known."""
        if due is None:
            return self._recent.get(timestamp)
        assert self._kept is not None
        if timestamp not in self._kept:
            self._kept[timestamp] = list(due)
        return due

    def snapshot(self) -> Iterator[Timer]:
        """Return an iterator over the timers there are now; it may go on while timers come and go.

        A queue of many times would take long to copy, so each time is copied when it comes up, or before it changes.
        """
        self._settle()  # an earlier one was given up
        kept = self._kept = {}
        return self._as_of_barrier(kept)

    def _as_of_barrier(self, kept: dict[int, list[tuple[Any, Any]]]) -> Iterator[Timer]:
        for timestamp, due in self._by_time.items():
            listed = kept.get(timestamp)
            for key, namespace in list(due) if listed is None else listed:
                yield timestamp, key, namespace
        if self._kept is kept:
            self._settle()

    def _settle(self) -> None:
        """No snapshot is written any more: times come and go again."""
        self._kept = None
        for timestamp in self._dropped:
            del self._by_time[timestamp]
        self._dropped.clear()
        self._by_time |= self._recent
        self._recent = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_time.values())) + sum(map(len, self._recent.values()))


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
