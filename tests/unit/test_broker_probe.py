"""Does a broker answer? Real sockets, on which a few lines play the broker."""

import socket
from collections.abc import Callable
from threading import Thread

from wiesel.broker.probe import answers, free_port, is_taken
from wiesel.broker.properties import HOST, Listener


def probe(protocol: str, play: Callable[[socket.socket], None], timeout: float = 60) -> bool:
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                play(connection)

        thread = Thread(target=serve)
        thread.start()
        answered = answers(Listener("NAME", HOST, server.getsockname()[1], protocol), timeout)
        thread.join()
        return answered


def reply(content: bytes) -> Callable[[socket.socket], None]:
    def play(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(content)

    return play


def read_until_closed(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def test_a_broker_that_replies_answers():
    assert probe("PLAINTEXT", reply(b"\0\0\0\x0a" + bytes(10)))


def test_the_request_is_api_versions_so_that_anybody_may_ask():
    requests: list[bytes] = []
    probe("SASL_PLAINTEXT", lambda connection: requests.append(connection.recv(1024)))
    # length, key 18, version 0, correlation 1, client id
    assert requests == [b"\0\0\0\x10" + b"\0\x12" + b"\0\0" + b"\0\0\0\x01" + b"\0\x06wiesel"]


def test_a_port_that_is_open_but_silent_does_not_answer():
    assert not probe("PLAINTEXT", read_until_closed, timeout=0.05)


def test_a_broker_that_hangs_up_does_not_answer():
    assert not probe("PLAINTEXT", lambda connection: connection.close())


def test_a_closed_port_does_not_answer():
    assert not answers(Listener("PLAINTEXT", HOST, free_port(), "PLAINTEXT"), 1)


def test_a_tls_listener_answers_even_by_refusing_the_handshake():
    alert = bytes([21, 3, 3, 0, 2, 2, 40])  # fatal, handshake_failure
    assert probe("SSL", reply(alert))


def test_a_tls_listener_that_is_silent_does_not_answer():
    assert not probe("SASL_SSL", read_until_closed, timeout=0.05)


def test_a_port_is_taken_while_somebody_listens_there():
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert is_taken(HOST, port)
    assert not is_taken(HOST, port)
