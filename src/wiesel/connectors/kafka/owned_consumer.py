"""A consumer that one thread at a time owns.

The client fetches on threads of its own into a bounded local queue, so the task thread drains that queue itself:
``consume(n, 0)`` never waits, costs a fraction of a microsecond a record, and needs no second queue and no change of
threads. Only when the queue is empty, a listener thread waits for the next message and rings. Back-pressure is not
draining: the client then stops fetching by itself.

The client lets one call in and makes all others wait, for ever if the first one is repeated. So the listener owns it
while ``_listening`` is set, the task thread otherwise, and what the task thread wants meanwhile goes into ``_orders``.
"""

from __future__ import annotations

import logging
import queue
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from wiesel.connectors.kafka.client import ClientEvents
from wiesel.core.host import host

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

#: Messages taken from the client at once. The client's own limits (queued.max.messages.kbytes) bound their bytes.
_DRAIN: Final = 10_000
_LISTEN_SECONDS: Final = 0.1
#: The client closes in milliseconds, but waits for ever for the answer to a commit whose coordinator is gone.
_CLOSE_SECONDS: Final = 10.0

logger = logging.getLogger(__name__)

Order = Callable[["Consumer"], object]


class OwnedConsumer:
    """Methods are called on the task thread, and none but ``close`` waits.

    Args:
        consumer: the client.
        events: its events.
        wake: called on the listener thread when ``drain`` has something again.
        name: of the listener thread.
    """

    def __init__(self, consumer: Consumer, events: ClientEvents, wake: Callable[[], None], name: str) -> None:
        self._consumer = consumer
        self._events = events
        self._wake = wake
        self._first: Message | None = None
        self._broken: Exception | None = None
        self._orders: deque[Order] = deque()
        self._listening = host().event()
        self._closed = host().event()
        self._ended = host().mailbox()
        self._name = name
        host().start_thread(self._listen, name)

    def drain(self) -> list[Message]:
        """Return what the client has, events among it; after an empty answer ``wake`` is called when there is more.

        Raises:
            WieselError: the broker refuses us.
        """
        if self._listening.is_set():
            return []
        if self._broken is not None:
            raise self._broken
        self._follow_orders()
        messages = self._consumer.consume(_DRAIN, 0)
        if self._first is not None:
            messages.insert(0, self._first)
            self._first = None
        if not messages:
            refused = self._events.refused("reading")
            if refused is not None:
                raise refused
            self._listening.set()
        return messages

    def order(self, order: Order) -> None:
        """Have something done with the client, in order; at once, or within a tenth of a second by the listener."""
        self._orders.append(order)
        if not self._listening.is_set():
            self._follow_orders()

    def _follow_orders(self) -> None:
        """Do what was ordered (on the owner's thread)."""
        while self._orders:
            self._orders.popleft()(self._consumer)

    def _listen(self) -> None:
        """Wait for the next message whenever the task thread has found none (runs on the listener thread)."""
        while not self._closed.is_set():  # asked again: close() may ring just before the bell is cleared below
            self._listening.wait()
            try:
                if self._closed.is_set() or not self._hear():
                    continue
            except Exception as error:
                self._broken = error
            self._listening.clear()
            self._wake()
        self._ended.put(self._end())

    def _end(self) -> Exception | None:
        """Close the client; what went wrong first."""
        wrong: list[Exception] = []
        # What was ordered last are the offsets of the last checkpoint; the client sends them before it is gone.
        for step in (self._follow_orders, self._consumer.close):
            try:
                step()
            except Exception as error:
                wrong.append(error)
        return wrong[0] if wrong else None

    def _hear(self) -> bool:
        """Wait a little for a message; whether there is something to tell the task thread."""
        self._follow_orders()
        messages = self._consumer.consume(1, _LISTEN_SECONDS)
        if messages:
            self._first = messages[0]
        return bool(messages) or self._events.refused("reading") is not None

    def close(self) -> None:
        """Leave the cluster; takes a tenth of a second and a little for the client, ten seconds without brokers.

        Raises:
            Exception: what was ordered last could not be done.
        """
        if self._closed.is_set():
            return
        self._closed.set()
        self._listening.set()
        try:
            error = self._ended.get(timeout=_CLOSE_SECONDS)
        except queue.Empty:
            logger.warning(
                "%s: no broker has answered the last commit of offsets for %d s; the client is left behind.",
                self._name,
                _CLOSE_SECONDS,
            )
            return
        if error is not None:
            raise error
