"""Serves a running job's control plane: on its own Unix socket, and on ports where that was asked for."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from wiesel.cluster.rest_address import bind, serve_address
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import catalog, optional_value_of, value_of
from wiesel.rest import registry
from wiesel.rest.job_view import JobControl
from wiesel.rest.server import Handler, HttpServer, Request, Response

_log = logging.getLogger("wiesel.rest")
_LOOPBACK: Final = "127.0.0.1"
#: Names by which a browser or Prometheus may call us; others are somebody's attempt to reach us through it.
_HOSTS: Final = frozenset({"localhost", _LOOPBACK})


@contextmanager
def serving(control: JobControl, configuration: Configuration) -> Iterator[None]:
    """Answer requests about a job while the context lasts.

    Raises:
        ConfigurationError: a port is taken, or would be open to others.
    """

    @cache
    def routes() -> Handler:
        from wiesel.rest.routes import Routes  # a job that nobody asks does not pay for them

        return Routes(control)

    def answer(request: Request) -> Response:
        return routes()(request)

    with ExitStack() as stack:
        _serve_metrics(stack, answer, configuration)
        serve_address(stack, answer, configuration)
        _serve_socket(stack, answer)
        yield


def _serve_socket(stack: ExitStack, answer: Handler) -> None:
    try:
        listener, path = registry.listen()
    except registry.RegistryError as error:
        _log.warning("'wiesel jobs' cannot see this job: %s", error)
        return
    server = HttpServer(listener, answer, _is_ours)
    stack.callback(_close, server, path)


def _close(server: HttpServer, path: Path) -> None:
    path.unlink(missing_ok=True)
    server.close()


def _is_ours(connection: socket.socket) -> bool:
    """Whether the peer is this user or root; the directory's mode says the same, but modes can be changed."""
    return registry.peer_uid(connection) in (os.getuid(), 0)


def _serve_metrics(stack: ExitStack, answer: Handler, configuration: Configuration) -> None:
    ports = optional_value_of(configuration, catalog.PROMETHEUS_PORT)
    if ports is None:
        return
    host = value_of(configuration, catalog.PROMETHEUS_HOST)
    if host not in _HOSTS:
        raise ConfigurationError(
            f"{catalog.PROMETHEUS_HOST.key} must be {_LOOPBACK}, not {host!r}: metrics are not open to other machines. "
            f"Let a reverse proxy with TLS and a login stand before the port."
        )

    def only_metrics(request: Request) -> Response:
        if (request.method, request.path) == ("GET", "/metrics"):
            return answer(request)
        return Response(404, {"errors": ["Only GET /metrics is answered here."]})

    listener = bind(catalog.PROMETHEUS_PORT.key, _LOOPBACK, ports)
    _log.info("Metrics for Prometheus: port %d of this machine, /metrics", listener.getsockname()[1])
    server = HttpServer(listener, only_metrics, hosts=_HOSTS)
    stack.callback(server.close)
