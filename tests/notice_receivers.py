"""Who takes notices in tests: a real mail server and a receiver of webhooks, each answering as a test says."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEY = "hmac-key-of-the-receiver-4711"
TOKEN = "token-in-the-path-8f3a2b"
SILENCE = "silence"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Silent:
    """Takes connections and says nothing, ever."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()


class MailServer:
    """An SMTP server on loopback. `answers` are given to the next mails; after them every mail is taken."""

    def __init__(self, *answers: str, port: int = 0) -> None:
        self.answers = list(answers)
        self.port = port or free_port()
        self.mails: list[EmailMessage] = []
        self.receivers: list[str] = []
        self.tries = 0

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}/?from=lw@example.com&cto=0.5"

    def to(self, email: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == email]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.tries += 1
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
        self.receivers += envelope.rcpt_tos
        return "250 taken"

    def __enter__(self) -> Self:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()


class Receiver:
    """Takes webhooks and believes only those whose signature holds over the body as it came, and that are not old."""

    def __init__(self, *answers: int | str, port: int = 0) -> None:
        self.answers = list(answers)
        self.port = port or free_port()
        self.taken: list[dict[str, Any]] = []
        self.ids: list[str] = []  # of every request, also of those that were not taken
        self.forged = 0
        self._over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in/{TOKEN}"

    def believes(self, header: str, body: bytes) -> bool:
        parts = dict(part.split("=", 1) for part in header.split(","))
        wanted = hmac.new(KEY.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, parts["v1"]) and abs(time.time() - int(parts["t"])) < 300

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not receiver.believes(self.headers["X-Leaverwatch-Signature"], body):
                    receiver.forged += 1
                receiver.ids.append(json.loads(body)["id"])
                answer = receiver.answers.pop(0) if receiver.answers else 202
                if answer == SILENCE:
                    receiver._over.wait(10)
                    return
                if answer == 202:
                    receiver.taken.append(json.loads(body))
                self.send_response(int(answer))
                if answer == 302:
                    self.send_header("Location", receiver.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
