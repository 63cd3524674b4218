"""Accepts connections on a thread of its own and hands each to another; HTTP itself is imported with the first one."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ssl

#: Connections at one time; whoever comes then is turned away.
MAX_CONNECTIONS: Final = 32
#: Seconds that a peer may keep us waiting.
TIMEOUT: Final = 10.0
#: Seconds that a connection lasts whose peer only a token makes known: until it is shown, nobody may keep a place.
LONGEST: Final = 60.0
#: Seconds that an answer under way gets when the server ends.
_LAST_ANSWERS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request as handlers see it.

    Args:
        method: ``GET``, ``POST``, …
        path: decoded and without the query.
        query: the first value of each parameter.
        body: the parsed JSON object, empty without one.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; ``body`` is sent as JSON unless it is bytes already."""

    status: int
    body: Any
    content_type: str = "application/json"


Handler = Callable[[Request], Response]


class HttpServer:
    """Serves a listening socket until it is closed.

    Args:
        listener: the socket, which is taken over.
        handle: answers requests, on any thread.
        admits: whether a connection may speak at all.
        hosts: the only ``Host`` headers that are served; None where a name cannot be forged (Unix sockets).
        token: what every request has to bring; None where the kernel says who asks.
        tls: encrypts connections.
    """

    def __init__(
        self,
        listener: socket.socket,
        handle: Handler,
        admits: Callable[[socket.socket], bool] = lambda connection: True,
        hosts: frozenset[str] | None = None,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.handle = handle
        self.hosts = hosts
        self.token = token
        self._tls = tls
        self._listener = listener
        self._admits = admits
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._answering = 0
        self._idle = threading.Condition()
        self._stop_reads, self._stop_writes = os.pipe()
        self._thread = threading.Thread(target=self._accept, name="wiesel-rest", daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        self._listener.setblocking(False)
        while True:
            ready, _, _ = select.select([self._listener.fileno(), self._stop_reads], [], [])
            if self._stop_reads in ready:
                break
            try:
                connection, _ = self._listener.accept()
            except OSError:
                continue  # it has gone again, or we are out of descriptors for a moment
            if not self._slots.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), name="wiesel-rest-request", daemon=True).start()
        self._listener.close()
        os.close(self._stop_reads)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError), connection:
                connection.settimeout(TIMEOUT)
                if self._admits(connection):
                    from wiesel.rest.http import HttpConnection

                    with self._secured(connection) as secured, self._limited(secured):
                        HttpConnection(secured, self)
        finally:
            self._slots.release()

    def _secured(self, connection: socket.socket) -> socket.socket:
        return connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)

    @contextlib.contextmanager
    def _limited(self, connection: socket.socket) -> Iterator[None]:
        """End a connection from outside after a while, however slowly its peer goes on to speak."""
        if self.token is None:
            yield
            return

        def end() -> None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(LONGEST, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Hold back the end of the server until an answer is sent."""
        with self._idle:
            self._answering += 1
        try:
            yield
        finally:
            with self._idle:
                self._answering -= 1
                self._idle.notify_all()

    def close(self) -> None:
        """Accept nothing more, and wait for a moment until requests under way are answered."""
        os.close(self._stop_writes)
        self._thread.join()
        with self._idle:
            self._idle.wait_for(lambda: self._answering == 0, _LAST_ANSWERS)
