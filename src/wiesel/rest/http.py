"""HTTP on one connection, by Python's own ``http.server``: bounded requests in, JSON out."""

from __future__ import annotations

import json
import logging
import socket
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from wiesel.rest.server import HttpServer, Request, Response

_log = logging.getLogger("wiesel.rest")
#: Bytes that a request's body may have; the largest that makes sense has a few hundred.
MAX_BODY: Final = 64 * 1024


class HttpConnection(BaseHTTPRequestHandler):
    """Serves the requests of one connection; done when constructed.

    Args:
        connection: the socket.
        server: whose handler answers.
    """

    protocol_version = "HTTP/1.1"
    server_version = "wiesel"
    sys_version = ""

    def __init__(self, connection: socket.socket, server: HttpServer) -> None:
        self._server = server
        super().__init__(connection, ("local", 0), None)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are no events of the job; they show at DEBUG."""
        _log.debug(format, *args)

    def do_GET(self) -> None:
        """Answer."""
        with self._server.answering():
            self._answer()

    do_HEAD = do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815 - http.server's spelling

    def _answer(self) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if self._server.hosts is not None and host not in self._server.hosts:
            self._send(failure(421, f"This server does not answer for the host {host!r}."), close=True)
            return
        try:
            request = self._request()
        except (ValueError, RecursionError) as error:
            self._send(failure(400, str(error)), close=True)
            return
        try:
            response = self._server.handle(request)
        except Exception as error:
            _log.warning("The control plane failed at %s %s", self.command, self.path, exc_info=error)
            response = failure(500, f"{type(error).__name__}: {error}")
        self._send(response)

    def _request(self) -> Request:
        if self.headers.get("Transfer-Encoding"):
            raise ValueError("Send a body with a Content-Length.")
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= MAX_BODY:
            raise ValueError(f"A body may have {MAX_BODY} bytes, not {length}.")
        content = self.rfile.read(length)
        body = json.loads(content) if content else {}
        if not isinstance(body, dict):
            raise ValueError("The body must be a JSON object.")
        parts = urlsplit(self.path)
        query: dict[str, str] = {}
        for key, value in parse_qsl(parts.query):
            query.setdefault(key, value)
        method = "GET" if self.command == "HEAD" else self.command
        return Request(method, unquote(parts.path), query, body)

    def _send(self, response: Response, close: bool = False) -> None:
        content = response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if close:
            self.send_header("Connection", "close")  # what follows in the stream may be a body that was not read
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def failure(status: int, text: str) -> Response:
    """Return an error as Flink's REST API answers it."""
    return Response(status, {"errors": [text]})
