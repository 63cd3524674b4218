"""The proxy between clients and a broker, with an upstream that answers every request by its correlation id."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from wiesel.testing.kafka_proxy import Action, Api, KafkaProxy, Rule


class Upstream:
    """Answers each request with its correlation id, and remembers what has come."""

    def __init__(self) -> None:
        self.came: list[bytes] = []
        self._more = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # What the proxy closes with an answer on its way to it is reset.
        with suppress(ConnectionError), connection, connection.makefile("rb") as stream:
            while head := stream.read(4):
                body = stream.read(struct.unpack(">i", head)[0])
                with self._more:
                    self.came.append(body[8:])
                    self._more.notify_all()
                connection.sendall(struct.pack(">i", 4) + body[4:8])

    def await_requests(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.came) >= count, 60)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Client:
    def __init__(self, proxy: KafkaProxy) -> None:
        self._socket = socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
        self._stream = self._socket.makefile("rb")

    def send(self, api: int, correlation: int, payload: bytes = b"") -> None:
        self._socket.sendall(struct.pack(">ihhi", 8 + len(payload), api, 0, correlation) + payload)

    def answer(self) -> int | None:
        """The correlation id of the next answer, None when the connection is closed."""
        frame = self._stream.read(8)
        return int(struct.unpack(">ii", frame)[1]) if frame else None

    def expect_silence(self, seconds: float = 0.1) -> None:
        ready, _, _ = select.select([self._socket], [], [], seconds)
        assert not ready

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[KafkaProxy]:
    with KafkaProxy(upstream.port) as made:
        yield made


@pytest.fixture
def client(proxy: KafkaProxy) -> Iterator[Client]:
    made = Client(proxy)
    yield made
    made.close()


def test_what_no_rule_names_passes_both_ways(proxy: KafkaProxy, upstream: Upstream, client: Client) -> None:
    proxy.add(Rule(Api.END_TXN, Action.RESET))
    client.send(Api.PRODUCE, 1, b"data")
    assert client.answer() == 1
    assert upstream.came == [b"data"]
    assert proxy.seen == {Api.PRODUCE: 1}


def test_a_swallowed_answer_is_missing_and_the_next_one_comes(
    proxy: KafkaProxy, upstream: Upstream, client: Client
) -> None:
    proxy.add(Rule(Api.END_TXN, Action.SWALLOW, skip=1))
    for correlation in (1, 2, 3):
        client.send(Api.END_TXN, correlation, b"%d" % correlation)
    assert (client.answer(), client.answer()) == (1, 3)
    assert upstream.came == [b"1", b"2", b"3"]


def test_a_dropped_request_never_arrives(proxy: KafkaProxy, upstream: Upstream, client: Client) -> None:
    proxy.add(Rule(Api.PRODUCE, Action.DROP, containing=b"orders"))
    client.send(Api.PRODUCE, 1, b"flights")
    client.send(Api.PRODUCE, 2, b"orders")
    client.send(Api.PRODUCE, 3, b"orders")
    assert (client.answer(), client.answer()) == (1, 3)
    assert upstream.came == [b"flights", b"orders"]


def test_a_reset_closes_the_connection_before_the_request_arrives(
    proxy: KafkaProxy, upstream: Upstream, client: Client
) -> None:
    proxy.add(Rule(Api.END_TXN, Action.RESET))
    client.send(Api.END_TXN, 1)
    assert client.answer() is None
    assert upstream.came == []


def test_a_held_request_arrives_when_it_is_released_behind_what_came_by_another_connection(
    proxy: KafkaProxy, upstream: Upstream, client: Client
) -> None:
    proxy.add(Rule(Api.END_TXN, Action.HOLD))
    client.send(Api.END_TXN, 1, b"held")
    assert client.answer() is None
    again = Client(proxy)
    again.send(Api.END_TXN, 1, b"again")
    assert again.answer() == 1
    assert upstream.came == [b"again"]
    assert proxy.release() == 1
    again.close()
    upstream.await_requests(2)
    assert upstream.came == [b"again", b"held"]


def test_a_rule_that_was_cleared_does_nothing(proxy: KafkaProxy, client: Client) -> None:
    proxy.add(Rule(Api.END_TXN, Action.RESET))
    proxy.clear()
    client.send(Api.END_TXN, 1)
    assert client.answer() == 1


def test_a_rule_that_is_added_again_counts_anew(proxy: KafkaProxy, client: Client) -> None:
    rule = Rule(Api.END_TXN, Action.SWALLOW)
    for correlation in (1, 3):
        proxy.add(rule)
        client.send(Api.END_TXN, correlation)
        client.send(Api.END_TXN, correlation + 1)
        assert client.answer() == correlation + 1
        proxy.clear()


def test_what_is_done_behind_a_request_keeps_the_next_one_waiting(
    proxy: KafkaProxy, upstream: Upstream, client: Client
) -> None:
    came_before: list[bytes] = []
    proxy.add(Rule(Api.PRODUCE, Action.LET_BY, then=lambda: came_before.extend(upstream.came)))
    client.send(Api.PRODUCE, 1, b"first")
    client.send(Api.PRODUCE, 2, b"second")
    assert (client.answer(), client.answer()) == (1, 2)
    assert b"second" not in came_before


def test_what_is_done_before_a_request_keeps_it_waiting(proxy: KafkaProxy, upstream: Upstream, client: Client) -> None:
    came_before: list[int] = []
    proxy.add(Rule(Api.PRODUCE, Action.LET_BY, first=lambda: came_before.append(len(upstream.came))))
    client.send(Api.PRODUCE, 1)
    assert client.answer() == 1
    assert came_before == [0]


def test_each_rule_counts_every_request_that_it_names(proxy: KafkaProxy, upstream: Upstream, client: Client) -> None:
    proxy.add(Rule(Api.PRODUCE, Action.DROP))
    proxy.add(Rule(Api.PRODUCE, Action.DROP, skip=2))
    for correlation in (1, 2, 3, 4):
        client.send(Api.PRODUCE, correlation, b"%d" % correlation)
    assert (client.answer(), client.answer()) == (2, 4)
    assert upstream.came == [b"2", b"4"]


@pytest.mark.parametrize(("requests", "answers"), [(True, True), (True, False), (False, True)])
def test_what_comes_while_the_line_is_cut_goes_on_when_it_is_healed(
    proxy: KafkaProxy, upstream: Upstream, client: Client, requests: bool, answers: bool
) -> None:
    proxy.cut(requests=requests, answers=answers)
    client.send(Api.PRODUCE, 1, b"data")
    if not requests:
        upstream.await_requests(1)
    client.expect_silence()
    assert upstream.came == ([] if requests else [b"data"])
    proxy.heal()
    assert client.answer() == 1
    assert upstream.came == [b"data"]


def test_a_reset_of_all_closes_every_connection_and_new_ones_are_served(proxy: KafkaProxy, client: Client) -> None:
    client.send(Api.PRODUCE, 1)
    assert client.answer() == 1
    assert proxy.reset() == 1
    assert client.answer() is None
    again = Client(proxy)
    again.send(Api.PRODUCE, 2)
    assert again.answer() == 2
    again.close()


def test_a_thin_line_takes_a_time_for_each_request_and_answer_and_for_each_byte(
    proxy: KafkaProxy, client: Client
) -> None:
    proxy.slow(0.05, 1000)
    began = time.monotonic()
    client.send(Api.PRODUCE, 1, b"x" * 100)
    assert client.answer() == 1
    assert time.monotonic() - began >= 0.2
