"""Ends the lingering of a producer whose task has nothing to do.

A producer waits some milliseconds for company of each record (``linger.ms``), which makes large batches under load and
nothing but latency when records are rare. librdkafka sends at once only while somebody waits in ``flush``, so a thread
does that for a moment when the task says that it is idle. It begins with the first such moment that finds something
unsent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wiesel.core.host import host

if TYPE_CHECKING:
    from confluent_kafka import Producer

    from wiesel.core.host import Thread

#: Long enough for the client's threads to notice; a record that is sent and acknowledged sooner ends it.
_FLUSH_SECONDS: Final = 0.002
#: Between two moments: a task that is idle thousands of times a second has a load, and its records company.
_APART_SECONDS: Final = 0.002


class IdleFlush:
    """One producer's; ``ask`` and ``close`` are called on the task thread, and ``ask`` never waits.

    Args:
        producer: whose records linger.
        name: of the thread.
    """

    def __init__(self, producer: Producer, name: str) -> None:
        self._producer = producer
        self._name = name
        self._asked = host().event()
        self._closed = host().event()
        self._next = 0.0
        self._thread: Thread | None = None

    def ask(self) -> None:
        """Have what is unsent sent now."""
        if self._asked.is_set() or not len(self._producer):
            return
        now = host().monotonic()
        if now < self._next:
            return
        self._next = now + _APART_SECONDS
        if self._thread is None:
            self._thread = host().start_thread(self._run, self._name)
        self._asked.set()

    def _run(self) -> None:
        while not self._closed.is_set():  # asked again: close() may ring just before the bell is cleared below
            self._asked.wait()
            if self._closed.is_set():
                return
            # Who failed is told by callbacks, as everywhere.
            self._producer.flush(_FLUSH_SECONDS)
            self._asked.clear()

    def close(self) -> None:
        """End the thread; takes some milliseconds at most."""
        self._closed.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join()
