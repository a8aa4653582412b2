"""A server that answers byte for byte what a test says, however wrong, and keeps what was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

Behaviour = Callable[[socket.socket, "WildServer"], None]


class WildServer:
    """Listens on loopback. Each request gets the next behaviour; the last one is for all that follow."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)
        self.heads: list[bytes] = []
        self.connections = 0
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/scim/v2/"

    def paths(self) -> list[str]:
        return [head.split(b" ")[1].decode() for head in self.heads]

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        for sock in (self._listener, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _run(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(sock)
            self._run(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = sock.recv(65536)
                if not piece:
                    return
                head += piece
            self.heads.append(head)
            behave = self.behaviours[min(len(self.heads), len(self.behaviours)) - 1]
            behave(sock, self)
            sock.shutdown(socket.SHUT_WR)
        self._open.discard(sock)


def raw(*pieces: bytes, pause: float = 0.0) -> Behaviour:
    """These bytes, with a pause after each piece."""

    def behave(sock: socket.socket, server: WildServer) -> None:
        for piece in pieces:
            sock.sendall(piece)
            if pause and server.over.wait(pause):
                return

    return behave


def head(status: int = 200, length: int | None = None, kind: str = "application/scim+json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def says(body: Any, status: int = 200, kind: str = "application/scim+json", **headers: str) -> Behaviour:
    """One whole answer; anything but bytes becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return raw(head(status, len(content), kind, **headers) + content)


def listing(*resources: Any, total: int | None = None, **more: Any) -> dict[str, Any]:
    """A page of a SCIM list."""
    return {"totalResults": len(resources) if total is None else total, "Resources": list(resources), **more}


def silence(sock: socket.socket, server: WildServer) -> None:
    """Never answers."""
    server.over.wait(60)


def drip(content: bytes, pause: float = 0.05) -> Behaviour:
    """One byte at a time, for ever."""

    def behave(sock: socket.socket, server: WildServer) -> None:
        for byte in content:
            sock.sendall(bytes([byte]))
            if server.over.wait(pause):
                return
        server.over.wait(60)

    return behave
