"""The few requests of Kafka's protocol that no client of ours can make."""

from __future__ import annotations

import socket
import struct
from types import TracebackType
from typing import Final, Self

_INIT_PRODUCER_ID: Final = 22
_UPDATE_FEATURES: Final = 57
_CONCURRENT_TRANSACTIONS: Final = 51
_SAFE_DOWNGRADE: Final = 2


class RawKafka:
    """One connection to one broker."""

    def __init__(self, servers: str) -> None:
        host, _, port = servers.partition(":")
        self._socket = socket.create_connection((host, int(port)), 10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def init_producer_id(self, tid: str) -> tuple[int, int]:
        """Fence a transactional id; return producer id and epoch."""
        body = _text(tid) + struct.pack(">i", 60_000)
        while True:
            answer = self._ask(_INIT_PRODUCER_ID, 1, _text("raw") + body)
            _, error, producer_id, epoch = struct.unpack(">ihqh", answer)
            if error != _CONCURRENT_TRANSACTIONS:
                assert error == 0, f"InitProducerId: error {error}"
                return producer_id, epoch

    def lower_feature(self, name: str, level: int) -> None:
        """Lower a feature's level for the whole cluster."""
        feature = _compact(name) + struct.pack(">hbb", level, _SAFE_DOWNGRADE, 0)
        # Behind the client's name and the answer's timeout: one feature, not only a rehearsal.
        body = b"\0" + struct.pack(">ib", 10_000, 2) + feature + b"\0\0"
        answer = self._ask(_UPDATE_FEATURES, 1, _text("raw") + body)
        error = struct.unpack_from(">h", answer, 1 + 4)[0]  # behind the header's tags and the throttle time
        assert error == 0, f"UpdateFeatures: error {error}: {answer!r}"

    def _ask(self, api: int, version: int, rest: bytes) -> bytes:
        request = struct.pack(">hhi", api, version, 1) + rest
        self._socket.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", self._read(4))
        return self._read(size)[4:]

    def _read(self, size: int) -> bytes:
        content = bytearray()
        while len(content) < size:
            piece = self._socket.recv(size - len(content))
            assert piece, "the broker closed the connection"
            content += piece
        return bytes(content)


def _text(value: str) -> bytes:
    content = value.encode()
    return struct.pack(">h", len(content)) + content


def _compact(value: str) -> bytes:
    content = value.encode()
    return bytes([len(content) + 1]) + content
