"""A proxy that knows Kafka's requests apart: it drops, delays, holds, swallows and resets chosen ones.

It stands between clients and one broker that advertises the proxy's port instead of its own:

    with KafkaProxy() as proxy:
        advertised = {"advertised.listeners": f"PLAINTEXT://127.0.0.1:{proxy.port}"}
        with LocalBroker.start(directory, properties=advertised) as broker:
            proxy.upstream_port = broker.port
            proxy.add(Rule(Api.END_TXN, Action.SWALLOW))
            ...  # clients of proxy.bootstrap_servers

Requests and answers are told apart by their length, request type and correlation id, which have the same place in every
version of the protocol; nothing else of them is read, so plain connections only.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from types import TracebackType
from typing import Final, Self

_HOST: Final = "127.0.0.1"
_CONNECT_SECONDS: Final = 10.0


class Api(IntEnum):
    """Types of requests, by Kafka's names and numbers; any other number will do, too."""

    PRODUCE = 0
    FETCH = 1
    METADATA = 3
    FIND_COORDINATOR = 10
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    END_TXN = 26


class Action(Enum):
    """What happens to a request."""

    #: It never arrives, and the client waits.
    DROP = "drop"
    #: It never arrives: the connection is closed instead.
    RESET = "reset"
    #: It arrives, and its answer does not come back.
    SWALLOW = "swallow"
    #: It arrives later: ``seconds`` later, with all that is behind it on its connection.
    DELAY = "delay"
    #: It arrives when ``release`` is called. The client's connection is closed, so that it tries again by another.
    HOLD = "hold"
    #: Nothing happens to it; ``first`` is called before it, ``then`` behind it.
    LET_BY = "let by"


@dataclass(frozen=True)
class Rule:
    """
    One fault.

    Args:
        api: type of the requests.
        action: what happens to them.
        skip: so many of them pass before.
        times: so many of them meet it.
        containing: only requests with these bytes in them, such as a topic's name.
        seconds: of ``DELAY``.
        first: called before the action, on the connection's thread: the request waits, and all that is behind it.
        then: called when the action is done, on the connection's thread: what follows there waits.
    """

    api: int
    action: Action
    skip: int = 0
    times: int = 1
    containing: bytes = b""
    seconds: float = 0.0
    first: Callable[[], object] | None = None
    then: Callable[[], object] | None = None


@dataclass(slots=True)
class _Counted:
    """A rule, and how many requests it was for."""

    rule: Rule
    matched: int = 0


class KafkaProxy:
    """
    Listens from its beginning to `close`.

    Args:
        upstream_port: of the broker on this machine; may be set later, before the first client.
    """

    def __init__(self, upstream_port: int = 0) -> None:
        self.upstream_port = upstream_port
        #: How many requests of each type have come.
        self.seen: Counter[int] = Counter()
        self._rules: list[_Counted] = []
        self._held: list[tuple[socket.socket, bytes]] = []
        self._sockets: list[socket.socket] = []
        self._seconds_each = 0.0
        self._bytes_per_second = 0.0
        self._guard = threading.Lock()
        self._requests_flow, self._answers_flow = threading.Event(), threading.Event()
        self.heal()
        self._closing = threading.Event()
        self._listener = socket.create_server((_HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="kafka-proxy", daemon=True).start()

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return f"{_HOST}:{self.port}"

    def add(self, rule: Rule) -> None:
        """Let a fault happen from now on."""
        with self._guard:
            self._rules.append(_Counted(rule))

    def clear(self) -> None:
        """Let no fault happen any more; what is held stays so until `release`."""
        with self._guard:
            self._rules.clear()

    def cut(self, *, requests: bool = True, answers: bool = True) -> None:
        """Let nothing through in these directions until `heal`; what comes is kept, as by TCP, and goes on then."""
        for flow, stops in ((self._requests_flow, requests), (self._answers_flow, answers)):
            if stops:
                flow.clear()

    def heal(self) -> None:
        """Let everything through again, at full speed."""
        self.slow(0.0, 0.0)
        self._requests_flow.set()
        self._answers_flow.set()

    def slow(self, seconds_each: float, bytes_per_second: float) -> None:
        """Be a thin line: each request and each answer takes a time of its own, and one for each byte (0: none)."""
        self._seconds_each, self._bytes_per_second = seconds_each, bytes_per_second

    def reset(self) -> int:
        """Close all connections, those of held requests too; returns how many there were."""
        with self._guard:
            sockets, self._sockets = self._sockets, []
        for one in sockets:
            _shut(one)
        return len(sockets) // 2

    def release(self) -> int:
        """Send what was held to the broker now; returns how many requests that were."""
        with self._guard:
            held, self._held = self._held, []
        for upstream, frame in held:
            upstream.sendall(frame)
        return len(held)

    def close(self) -> None:
        """Close the port and all connections."""
        self._closing.set()
        self.heal()
        _shut(self._listener)
        self.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # ---------------------------------------------------------------------------------------------- connections

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # close() ends it
            while True:
                client, _ = self._listener.accept()
                try:
                    upstream = socket.create_connection((_HOST, self.upstream_port), _CONNECT_SECONDS)
                except OSError:
                    _shut(client)  # the broker is down, and the client learns it as it would without us
                    continue
                upstream.settimeout(None)
                with self._guard:
                    self._sockets += [client, upstream]
                swallowed: set[int] = set()
                for target, arguments in ((self._requests, (client, upstream)), (self._answers, (upstream, client))):
                    threading.Thread(target=target, args=(*arguments, swallowed), daemon=True).start()

    def _requests(self, client: socket.socket, upstream: socket.socket, swallowed: set[int]) -> None:
        held = False
        with contextlib.suppress(OSError):
            while (frame := _read_frame(client)) is not None:
                api, _, correlation = struct.unpack_from(">hhi", frame, 4)
                self._take_time(self._requests_flow, len(frame))
                rule = self._rule_for(api, frame)
                if rule is None:
                    upstream.sendall(frame)
                    continue
                if rule.first is not None:
                    rule.first()
                held = self._apply(rule, frame, correlation, upstream, swallowed)
                if rule.then is not None:
                    rule.then()
                if held or rule.action is Action.RESET:
                    break
        _shut(client)
        if not held:
            _shut(upstream)

    def _rule_for(self, api: int, frame: bytes) -> Rule | None:
        chosen = None
        with self._guard:
            self.seen[api] += 1
            for counted in self._rules:
                rule = counted.rule
                if rule.api == api and rule.containing in frame:
                    counted.matched += 1
                    if chosen is None and rule.skip < counted.matched <= rule.skip + rule.times:
                        chosen = rule
        return chosen

    def _apply(self, rule: Rule, frame: bytes, correlation: int, upstream: socket.socket, swallowed: set[int]) -> bool:
        """Do what the rule says; return whether the request is held, so that its way to the broker must stay open."""
        if rule.action is Action.HOLD:
            with self._guard:
                self._held.append((upstream, frame))
            return True
        if rule.action is Action.SWALLOW:
            swallowed.add(correlation)
        if rule.action is Action.DELAY:
            self._closing.wait(rule.seconds)
        if rule.action in (Action.SWALLOW, Action.DELAY, Action.LET_BY):
            upstream.sendall(frame)
        return False

    def _answers(self, upstream: socket.socket, client: socket.socket, swallowed: set[int]) -> None:
        with contextlib.suppress(OSError):
            while (frame := _read_frame(upstream)) is not None:
                (correlation,) = struct.unpack_from(">i", frame, 4)
                self._take_time(self._answers_flow, len(frame))
                if correlation in swallowed:
                    swallowed.discard(correlation)
                else:
                    client.sendall(frame)
        _shut(client)

    def _take_time(self, flow: threading.Event, size: int) -> None:
        flow.wait()
        seconds = self._seconds_each + (size / self._bytes_per_second if self._bytes_per_second else 0.0)
        if seconds:
            self._closing.wait(seconds)


def _read_frame(source: socket.socket) -> bytes | None:
    """Return the next request or answer with its length in front, None at the end."""
    head = _read(source, 4)
    if head is None:
        return None
    body = _read(source, struct.unpack(">i", head)[0])
    return None if body is None else head + body


def _read(source: socket.socket, size: int) -> bytes | None:
    content = bytearray()
    while len(content) < size:
        piece = source.recv(min(size - len(content), 1 << 20))
        if not piece:
            return None
        content += piece
    return bytes(content)


def _shut(one: socket.socket) -> None:
    """Close a socket that another thread may be reading."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
