"""A socket of a worker, never waited for: frames go into a queue and come out as far as they are there."""

from __future__ import annotations

import socket
from collections import deque
from itertools import islice
from typing import Final

from wiesel.cluster.workers.protocol import DATA, HEADER, LONGEST

_CHUNK: Final = 1 << 18
#: Buffers that one system call may take (POSIX promises 16, Linux and macOS take 1024).
_GATHER: Final = 256


class Connection:
    """One end of a socket pair.

    Args:
        fd: its descriptor, which is taken over.
    """

    def __init__(self, fd: int) -> None:
        self.socket = socket.socket(fileno=fd)
        self.socket.set_inheritable(False)
        self.socket.setblocking(False)
        self.is_closed = False
        self._outgoing: deque[bytes | memoryview] = deque()
        self._incoming = bytearray()

    def wait_for_first(self) -> bytes | None:
        """Wait for the first frame and return its payload; None if the other end is gone."""
        self.socket.setblocking(True)
        try:
            header = self.socket.recv(HEADER.size, socket.MSG_WAITALL)
            length = HEADER.unpack(header)[0] if len(header) == HEADER.size else 0
            payload = self.socket.recv(length, socket.MSG_WAITALL) if length else b""
            return payload or None
        finally:
            self.socket.setblocking(False)

    def send(self, payload: bytes, channel: int = 0, kind: int = DATA) -> None:
        """Append a frame to what is to be sent; ``flush`` sends it."""
        if len(payload) > LONGEST:
            raise ValueError(f"A batch of {len(payload):,} bytes cannot travel between workers; the limit is 4 GB.")
        if not self.is_closed:
            self._outgoing.append(HEADER.pack(len(payload), channel, kind))
            self._outgoing.append(payload)

    def flush(self) -> bool:
        """Send what the socket takes; return whether nothing is left."""
        outgoing = self._outgoing
        while outgoing:
            try:
                sent = self.socket.sendmsg(list(islice(outgoing, _GATHER)))
            except BlockingIOError:
                return False
            except OSError:
                self.close()  # the other end is gone; the driver notices its death and says what to do
                return True
            while sent:
                first = outgoing[0]
                if sent < len(first):
                    outgoing[0] = memoryview(first)[sent:]
                    break
                sent -= len(outgoing.popleft())
            while outgoing and not outgoing[0]:
                outgoing.popleft()
        return True

    def receive(self) -> list[tuple[int, int, bytes]]:
        """Read what is there; return whole frames as (channel, kind, payload)."""
        frames: list[tuple[int, int, bytes]] = []
        try:
            data = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return frames
        except OSError:
            data = b""
        if not data:
            self.close()
            return frames
        incoming = self._incoming
        incoming += data
        position, end = 0, len(incoming)
        while end - position >= HEADER.size:
            length, channel, kind = HEADER.unpack_from(incoming, position)
            start = position + HEADER.size
            if end - start < length:
                break
            position = start + length
            frames.append((channel, kind, bytes(incoming[start:position])))
        del incoming[:position]
        return frames

    def close(self) -> None:
        """Drop everything."""
        if not self.is_closed:
            self.is_closed = True
            self._outgoing.clear()
            self.socket.close()
