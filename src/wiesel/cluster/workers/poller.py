"""Waits for all of a worker's sockets at once; the only place where its thread sleeps."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from time import monotonic
from typing import Any

from wiesel.cluster.workers.connection import Connection


class Poller:
    """Sends and receives on all connections, and can be woken from any thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._connections: list[Connection] = []
        self._blocked: set[Connection] = set()
        self._receivers: dict[Connection, Callable[[Connection], None]] = {}
        self._woken = False
        self._wake_reads, self._wake_writes = os.pipe()
        os.set_blocking(self._wake_reads, False)
        self._selector.register(self._wake_reads, selectors.EVENT_READ)

    def add(self, connection: Connection, receive: Callable[[Connection], None]) -> None:
        """Look after a connection; ``receive`` is called when there is something to read."""
        self._connections.append(connection)
        self._receivers[connection] = receive
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def wake(self) -> None:
        """End the present or next sleep; from any thread, cheap when that is asked for already."""
        if not self._woken:
            self._woken = True
            os.write(self._wake_writes, b".")

    def exchange(self, timeout: float) -> None:
        """Send what waits, then receive what is there, sleeping for ``timeout`` seconds if that is nothing."""
        for connection in self._connections:
            self._send(connection)
        for key, events in self._selector.select(timeout):
            if key.data is None:
                os.read(self._wake_reads, 64)
                self._woken = False  # before the caller looks at what it was woken for
            elif events & selectors.EVENT_READ:
                self._receivers[key.data](key.data)
        for connection in self._connections:
            if connection.is_closed:
                self._forget(connection)
                break  # the list has changed; another one can wait for the next round

    def _send(self, connection: Connection) -> None:
        is_blocked = not connection.flush()
        if connection.is_closed or is_blocked == (connection in self._blocked):
            return
        events = selectors.EVENT_READ
        if is_blocked:
            events |= selectors.EVENT_WRITE
            self._blocked.add(connection)
        else:
            self._blocked.discard(connection)
        self._selector.modify(connection.socket, events, connection)

    def _forget(self, connection: Connection) -> None:
        self._connections.remove(connection)
        self._blocked.discard(connection)
        self._selector.unregister(connection.socket)

    def flush(self, connection: Connection, seconds: float) -> None:
        """Send everything that waits in one connection, if that takes no longer than ``seconds``."""
        deadline = monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            if not connection.is_closed:
                selector.register(connection.socket, selectors.EVENT_WRITE)
            while not connection.flush() and monotonic() < deadline:
                events: list[Any] = selector.select(max(0.0, deadline - monotonic()))
                if not events:
                    return

    def close(self) -> None:
        """Give up what waking needs; the connections are the caller's."""
        self._selector.close()
        os.close(self._wake_reads)
        os.close(self._wake_writes)
