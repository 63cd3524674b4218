"""The control plane over TCP, for clients on other machines and for Prometheus: off until a port is named.

Every request brings the token. An address that other machines reach needs TLS as well, and nothing can be named that
makes a job write where its configuration does not say.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wiesel.cluster.options import local_path
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import catalog, optional_value_of, value_of
from wiesel.rest import token as tokens
from wiesel.rest.server import Handler, HttpServer, Request, Response

if TYPE_CHECKING:
    import ssl

_log = logging.getLogger("wiesel.rest")
#: What a machine calls itself.
_OWN_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
#: Fields of requests that name a directory to write into.
_DIRECTORIES: Final = ("targetDirectory", "target-directory")


def serve_address(stack: ExitStack, answer: Handler, configuration: Configuration) -> None:
    """Answer requests at ``rest.bind-address``, if ``rest.bind-port`` is set, until the stack is closed.

    Raises:
        ConfigurationError: the ports are taken, the token cannot be used, or others could listen in.
    """
    ports = optional_value_of(configuration, catalog.REST_PORT)
    if ports is None:
        return
    host = value_of(configuration, catalog.REST_BIND_ADDRESS)
    tls = _tls(configuration)
    is_own = _is_loopback(host)
    if not is_own and tls is None:
        raise ConfigurationError(
            f"{catalog.REST_BIND_ADDRESS.key}={host} is open to other machines, so it needs TLS: set "
            f"{catalog.REST_CERTIFICATE.key} and {catalog.REST_KEY.key}, or let it be 127.0.0.1."
        )
    hosts = _hosts(configuration, host, is_own)
    token = _token(configuration)
    listener = bind(catalog.REST_PORT.key, host, ports)
    server = HttpServer(listener, _within(answer, configuration), hosts=hosts, token=token, tls=tls)
    stack.callback(server.close)
    _log.info("REST API: %s://%s:%d", "http" if tls is None else "https", host, listener.getsockname()[1])


def bind(key: str, host: str, ports: range) -> socket.socket:
    """Return a listening socket on the first port that is free, as Flink does with a range.

    Args:
        key: the configuration key that names the ports.
        host: the address.
        ports: to be tried in turn.

    Raises:
        ConfigurationError: none is free, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in ports:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()
            return listener
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise ConfigurationError(f"No port can be had at {host}: {error.strerror or error}.") from error
    raise ConfigurationError(
        f"No port of {key} ({ports.start} to {ports.stop - 1}) is free. Each job needs one of its own: give a range, "
        f"as in {ports.start}-{ports.start + 10}."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"  # another name may lead anywhere, and elsewhere tomorrow


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _hosts(configuration: Configuration, host: str, is_own: bool) -> frozenset[str]:
    """Return the names by which clients may call: others are somebody's attempt to reach us through a browser."""
    named = optional_value_of(configuration, catalog.REST_ADDRESS)
    if named is None and _is_any(host):
        raise ConfigurationError(
            f"{catalog.REST_BIND_ADDRESS.key}={host} is no name that clients can use: set {catalog.REST_ADDRESS.key} "
            f"to the one that they do."
        )
    hosts = {f"[{host}]" if ":" in host else host, *([] if named is None else [named])}
    return frozenset(hosts | _OWN_NAMES if is_own else hosts)


def _tls(configuration: Configuration) -> ssl.SSLContext | None:
    certificate = optional_value_of(configuration, catalog.REST_CERTIFICATE)
    key = optional_value_of(configuration, catalog.REST_KEY)
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigurationError(f"{catalog.REST_CERTIFICATE.key} and {catalog.REST_KEY.key} belong together.")
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(local_path(certificate), local_path(key))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"The REST API cannot use certificate {certificate} with key {key}: {error.strerror or error}."
        ) from error
    return context


def _token(configuration: Configuration) -> str:
    named = optional_value_of(configuration, catalog.REST_TOKEN_FILE)
    path = tokens.own_token_file() if named is None else local_path(named)
    try:
        if not path.exists():
            tokens.make_token(path)
            _log.info("A new token for the REST API is in %s.", path)
        return tokens.read_token(path)
    except tokens.TokenError as error:
        raise ConfigurationError(str(error)) from error
    except OSError as error:
        raise ConfigurationError(f"The token {path} cannot be made: {error.strerror or error}.") from error


def _within(answer: Handler, configuration: Configuration) -> Handler:
    """Refuse requests that name a directory outside of the configured one for savepoints."""
    configured = optional_value_of(configuration, catalog.SAVEPOINT_DIRECTORY)
    root = None if configured is None else local_path(configured).resolve()

    def answer_within(request: Request) -> Response:
        for target in (request.body.get(name) for name in _DIRECTORIES):
            if target is None:
                continue
            if root is None or not isinstance(target, str) or not _is_below(target, root):
                text = f"Over the network savepoints go below {catalog.SAVEPOINT_DIRECTORY.key} only."
                return Response(403, {"errors": [text]})
        return answer(request)

    return answer_within


def _is_below(target: str, root: Path) -> bool:
    try:
        return local_path(target).resolve().is_relative_to(root)
    except (ConfigurationError, ValueError, OSError):
        return False
