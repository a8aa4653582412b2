"""A vendor's answers, made once by the sandbox and given again from memory: the same pages to whoever is measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import Any, Final

HOP: Final = frozenset({"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"})


@dataclass(frozen=True)
class Asked:
    """One request that a connector made: enough to make it again."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Kept:
    """Its answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Replay:
    """The requests to one application and their answers, in their order."""

    def __init__(self, origin: str) -> None:
        self.origin = origin  # where the sandbox answers what is asked for the first time
        self.asked: list[Asked] = []
        self._kept: dict[tuple[str, str, bytes], Kept] = {}
        self._lock = Lock()

    def answer(self, asked: Asked) -> Kept:
        """The answer, from memory where it was given before."""
        import requests

        key = (asked.method, asked.path, asked.body)
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                url = self.origin + asked.path
                got = requests.request(asked.method, url, headers=asked.headers, data=asked.body, timeout=600)
                headers = [(k, v) for k, v in got.headers.items() if k.lower() not in HOP]
                kept = self._kept[key] = Kept(got.status_code, headers, got.content)
                self.asked.append(asked)
            return kept


def serve(vendor: str, accounts: int, now: datetime, pipe: Connection) -> None:
    """Answer for one vendor's application of so many accounts; tells the port, then on demand what was asked."""
    from connectors.sandbox.serving import Sandbox
    from jobs.bench_company import application
    from jobs.bench_vendors import VENDORS

    with Sandbox([application(VENDORS[vendor], accounts, now)], remember=False) as sandbox:
        replay = Replay(f"http://127.0.0.1:{sandbox.port}")
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(replay))
        Thread(target=server.serve_forever, daemon=True).start()
        pipe.send(server.server_address[1])
        while pipe.recv() == "asked":
            pipe.send(replay.asked)


def _handler(replay: Replay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            # The host stays the caller's, so that links lead back here.
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP or k.lower() == "host"}
            kept = replay.answer(Asked(self.command, self.path, headers, body))
            self.send_response(kept.status)
            for name, value in kept.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(kept.body)))
            self.end_headers()
            self.wfile.write(kept.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

        do_GET = do_POST = _respond

    return Handler
