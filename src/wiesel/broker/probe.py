"""Ports and sockets: which port is free, and does a broker answer on one?"""

import contextlib
import socket
import ssl
import struct

from wiesel.broker.properties import HOST, Listener

# ApiVersions, version 0: the one request that a broker answers to anybody, before authentication too.
_API_VERSIONS = struct.pack(">hhih", 18, 0, 1, 6) + b"wiesel"


def free_port() -> int:
    """A port of the loopback interface on which nobody listens at this moment."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def is_taken(host: str, port: int) -> bool:
    """Whether somebody listens there already."""
    with socket.socket() as listener:
        # As the broker will: otherwise connections of a broker that was just stopped would count as taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return True
    return False


def answers(listener: Listener, timeout_seconds: float) -> bool:
    """
    Whether a broker serves requests there.

    It opens the port long before it serves, so a connection says nothing; the request waits in it and is answered at
    the very moment when the broker is ready. On a TLS listener, any reply to the handshake will do, a refusal included.
    """
    try:
        with socket.create_connection((listener.host, listener.port), timeout=timeout_seconds) as connection:
            if listener.protocol.endswith("SSL"):
                return _answers_tls(connection)
            connection.sendall(struct.pack(">i", len(_API_VERSIONS)) + _API_VERSIONS)
            return bool(connection.recv(4))
    except OSError:
        return False


def _answers_tls(connection: socket.socket) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is sent or believed: only whether the handshake is answered is of interest.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLError):
        context.wrap_socket(connection).close()
    return True
