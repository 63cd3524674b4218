"""Timers of one keyed operator: a heap of distinct times, and for each time the keys and namespaces due then.

Windows of many keys end at the same time, so the heap stays small; a deleted timer is only taken from its time's
dictionary, and an empty time is dropped when it comes up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Any, Final, final

from wiesel.state.heap.table import Cursor

#: A due timer: when, the key as state knows it, and its namespace.
Timer = tuple[int, Any, Any]
#: A timer of a time that is known: its key and its namespace.
_Entry = tuple[Any, Any]
#: The timers of one time are in one dictionary up to so many, then in so many dictionaries. One is copied at a time,
#: which takes less than 0.1 ms even of a million timers.
_FEW: Final = 8192
_PARTS: Final = 256


@final
class ManyTimers:
    """The timers of a time that has very many, spread over dictionaries by their hashes.

    Args:
        timers: those there are.
    """

    __slots__ = ("parts",)

    def __init__(self, timers: Iterable[_Entry]) -> None:
        self.parts: list[dict[_Entry, None]] = [{} for _ in range(_PARTS)]
        for entry in timers:
            self.parts[hash(entry) % _PARTS][entry] = None

    def last(self) -> int:
        """Return the number of the last part that holds any; there must be one."""
        return next(number for number in reversed(range(_PARTS)) if self.parts[number])

    def __bool__(self) -> bool:
        return any(self.parts)

    def __len__(self) -> int:
        return sum(map(len, self.parts))


_Due = dict[_Entry, None] | ManyTimers


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
        #: What was due at each time, or part of one, that has been touched since the barrier; None without a snapshot.
        self._kept: dict[int | tuple[int, int], list[_Entry]] | None = None

    def register(self, timestamp: int, key: Any, namespace: Any) -> None:
        """Add a timer; registering it twice is once."""
        due = self._by_time.get(timestamp)
        if self._kept is not None:
            due = self._touch(timestamp, due, (key, namespace))
        if due is None:
            due = {}
            (self._by_time if self._kept is None else self._recent)[timestamp] = due
            heapq.heappush(self._times, timestamp)
        elif self._dropped and timestamp in self._dropped:
            self._dropped.discard(timestamp)
            heapq.heappush(self._times, timestamp)
        if type(due) is not ManyTimers:
            due[key, namespace] = None
            if len(due) > _FEW:
                self._spread(timestamp, due)
        else:
            entry = key, namespace
            due.parts[hash(entry) % _PARTS][entry] = None

    def _spread(self, timestamp: int, due: dict[_Entry, None]) -> None:
        times = self._by_time if self._kept is None else self._recent
        if times.get(timestamp) is due:  # else the snapshot walks through it, and it is spread later
            times[timestamp] = ManyTimers(due)

    def delete(self, timestamp: int, key: Any, namespace: Any) -> None:
        """Forget a timer; nothing happens when there is none."""
        due = self._by_time.get(timestamp)
        if self._kept is not None:
            due = self._touch(timestamp, due, (key, namespace))
        if type(due) is ManyTimers:
            due = due.parts[hash((key, namespace)) % _PARTS]
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
            due = self._touch(timestamp, due, None)
        assert due is not None
        if type(due) is ManyTimers:
            due = due.parts[due.last()]
        if len(due) <= limit:
            popped = [(timestamp, key, namespace) for key, namespace in due]
            due.clear()
            return popped
        # From the end: a dictionary from whose front entries are taken becomes slower with each.
        return [(timestamp, *due.popitem()[0]) for _ in range(limit)]

    def _touch(self, timestamp: int, due: _Due | None, entry: _Entry | None) -> _Due | None:
        """Keep what was due at the barrier before it changes; return what is due now, None for a time not known.

        Args:
            timestamp: the time.
            due: what is due then, of what was known at the barrier.
            entry: the timer that comes or goes; None is any, of the last part.
        """
        if due is None:
            return self._recent.get(timestamp)
        assert self._kept is not None
        if type(due) is not ManyTimers:
            if timestamp not in self._kept:
                self._kept[timestamp] = list(due)
        elif entry is not None or due:
            number = due.last() if entry is None else hash(entry) % _PARTS
            if (timestamp, number) not in self._kept:
                self._kept[timestamp, number] = list(due.parts[number])
        return due

    def snapshot(self) -> Iterator[Timer]:
        """Return an iterator over the timers there are now; it may go on while timers come and go.

        A queue of many times would take long to copy, so each time is copied when it comes up, or before it changes,
        and one with very many timers part by part.
        """
        self._settle()  # an earlier one was given up
        kept = self._kept = {}
        return self._as_of_barrier(kept)

    def _as_of_barrier(self, kept: dict[int | tuple[int, int], list[_Entry]]) -> Iterator[Timer]:
        for timestamp, due in self._by_time.items():
            if type(due) is ManyTimers:
                for number, part in enumerate(due.parts):
                    listed = kept.get((timestamp, number))
                    for key, namespace in list(part) if listed is None else listed:
                        yield timestamp, key, namespace
                continue
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
