"""HTTP on one connection, by Python's own ``http.server``: bounded requests in, JSON out."""

from __future__ import annotations

import hmac
import json
import logging
import re
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
        refusal = self._refusal()
        if refusal is not None:
            self._send(refusal, close=True)
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

    def _refusal(self) -> Response | None:
        """Return why nothing of the request is looked at, None when it may be."""
        named = self.headers.get("Host", "")
        host = re.sub(r":\d*$", "", named)
        if self._server.hosts is not None and host not in self._server.hosts:
            return failure(421, f"This server does not answer for the host {host!r}.")
        if self._server.token is None:
            return None
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        is_known = hmac.compare_digest(token.strip().encode(), self._server.token.encode())
        if scheme.lower() != "bearer" or not is_known:
            return failure(401, "Send the job's token: Authorization: Bearer …")
        if "Origin" in self.headers:
            return failure(403, "No page of a browser is answered.")
        if self.command not in ("GET", "HEAD") and self.headers.get_content_type() != "application/json":
            return failure(415, "Send application/json.")
        return None

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
        if response.status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if close:
            self.send_header("Connection", "close")  # what follows in the stream may be a body that was not read
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def failure(status: int, text: str) -> Response:
    """Return an error as Flink's REST API answers it."""
    return Response(status, {"errors": [text]})
