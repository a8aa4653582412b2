"""The wire under the SCIM server: HTTP/1.1 on loopback, one thread for one connection, cut short on demand."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol

from connectors.sandbox.directory import ERROR
from connectors.sandbox.manners import Manners

MAX_BODY: Final = 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """One answer before it is written to the wire; a text is a web page, all else becomes JSON."""

    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


class Answering(Protocol):
    """Whoever answers the requests that come in."""

    manners: Manners
    stopping: threading.Event

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        """The answer to one request; names of headers are in lower case."""


class Wire(ThreadingHTTPServer):
    """One thread for one connection; the open ones are known, so that stopping does not wait for idle clients."""

    daemon_threads = False  # joined by server_close: nothing of a test outlives it

    def __init__(self, address: tuple[str, int], sandbox: Answering) -> None:
        self.sandbox = sandbox
        self.connections: set[socket.socket] = set()
        super().__init__(address, Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Know the connection before its thread begins."""
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that ended."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        for connection in list(self.connections):
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is no news."""


class Connection(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet, else every small answer waits for an acknowledgement
    disable_nagle_algorithm = True
    server: Wire

    def finish(self) -> None:
        """Flush what is left, unless the client has gone."""
        with suppress(OSError):
            super().finish()

    def handle_one_request(self) -> None:
        """Answer one request; a client that goes away ends its connection and nothing else."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: the sandbox keeps `requests`."""

    def _respond(self) -> None:
        sandbox = self.server.sandbox
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            self._write(Reply(413, {"schemas": [ERROR], "status": "413", "detail": "The body is too large"}))
            return
        raw = self.rfile.read(length)
        if sandbox.manners.delay_s:
            sandbox.stopping.wait(sandbox.manners.delay_s)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._write(sandbox.answer(self.command, self.path, headers, raw))

    def _write(self, reply: Reply) -> None:
        html = isinstance(reply.body, str)
        text = reply.body if html else "" if reply.body is None else json.dumps(reply.body, ensure_ascii=False)
        content = text.encode()
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8" if html else "application/scim+json")
        if reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.sandbox.manners.half_body and reply.status == 200:
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond
