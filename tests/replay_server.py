"""A server that answers exactly what was recorded: method, path and query decide, headers and bodies are as they were.

with ReplayServer([Recorded("GET", "/users", answer=[...])]) as server:
    requests.get(server.url + "users")
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Recorded:
    """One request and the answer to it. `{name}` in the path stands for one step; `query` must be part of what is asked."""

    method: str
    path: str
    answer: Any = None
    status: int = 200
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def fits(self, method: str, path: str, query: Mapping[str, str]) -> bool:
        """Whether this is the answer to that request."""
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(self.path))
        return method == self.method and bool(re.fullmatch(pattern, path)) and self.query.items() <= query.items()


class ReplayServer:
    """Answers with the first recording that fits; 404 for what was never recorded. `asked` is what came."""

    def __init__(self, recorded: Iterable[Recorded], headers: Mapping[str, str] | None = None) -> None:
        self.recorded = list(recorded)
        self.headers = dict(headers or {})  # on every answer
        self.asked: list[tuple[str, str]] = []
        self.unknown: list[tuple[str, str]] = []
        self.used: set[int] = set()  # which recordings were answered with
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="replay", daemon=True)

    @property
    def url(self) -> str:
        """The address, with a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def handle_any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                replay.asked.append((self.command, self.path))
                found = next(
                    (n for n, r in enumerate(replay.recorded) if r.fits(self.command, parts.path, query)), None
                )
                if found is None:
                    replay.unknown.append((self.command, self.path))
                    self.reply(404, {"message": "Not Found"}, {})
                else:
                    replay.used.add(found)
                    told = replay.recorded[found]
                    self.reply(told.status, told.answer, told.headers)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def reply(self, status: int, answer: Any, headers: Mapping[str, str]) -> None:
                body = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                told = {"Content-Type": "application/json; charset=utf-8", **replay.headers, **headers}
                for name, value in told.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if status != 204 else b"")

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing on the console."""

        return Handler
