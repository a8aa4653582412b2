"""What stands before a real server: one port of loopback for each application, where connections go wrong on request."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable

from connectors.sandbox.faults import SIGN_IN_PAGE, Faults

PIECES = 200  # so many that none is waited for long


class Fronts:
    """Each application's port; `serve(client, name)` answers one connection in a thread of its own.

    `cut` is after how many bytes towards the client the line breaks; `sent` is how many there were so far.
    """

    def __init__(self, serve: Callable[[socket.socket, str], None]) -> None:
        self.cut: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        self.over = threading.Event()
        self._serve = serve
        self._ports: dict[str, int] = {}
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._accept, name="fronts", daemon=True)
        self._thread.start()

    def port(self, name: str) -> int:
        """Where the application is to be found."""
        with self._lock:
            if name not in self._ports:
                listening = socket.create_server(("127.0.0.1", 0))
                self._ports[name] = listening.getsockname()[1]
                self._selector.register(listening, selectors.EVENT_READ, name)
            return self._ports[name]

    def send(self, client: socket.socket, name: str, data: bytes, faults: Faults) -> bool:
        """Send it as the faults say; False when the line is broken now."""
        if faults.html_with_200:
            data = SIGN_IN_PAGE.encode()
        if faults.half_body:
            data = data[: len(data) // 2]
        left = self.cut.get(name, len(data) + self.sent.get(name, 0)) - self.sent.get(name, 0)
        pieces = [data[: max(left, 0)]]
        if faults.slow_body_s:
            size = max(1, len(data) // PIECES)
            pieces = [data[at : at + size] for at in range(0, len(data), size)]
        try:
            for piece in pieces:
                client.sendall(piece)
                self.sent[name] = self.sent.get(name, 0) + len(piece)
                if faults.slow_body_s and self.over.wait(faults.slow_body_s / PIECES):
                    return False
        except OSError:
            return False
        return left >= len(data) and not faults.half_body and not faults.html_with_200

    def close(self) -> None:
        """End every connection."""
        self.over.set()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def _accept(self) -> None:
        while not self.over.is_set():
            for key, _ in self._selector.select(0.2):
                with contextlib.suppress(OSError):
                    client, _ = key.fileobj.accept()  # type: ignore[union-attr]
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._answer, args=(client, key.data), daemon=True).start()

    def _answer(self, client: socket.socket, name: str) -> None:
        with self._lock:
            self._open.add(client)
        try:
            with client, contextlib.suppress(OSError):
                self._serve(client, name)
        finally:
            with self._lock:
                self._open.discard(client)


def relay(client: socket.socket, server: socket.socket, send: Callable[[bytes], bool]) -> None:
    """Carry bytes both ways until one side or `send` (towards the client) has enough."""
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # nobody waits for a packet to be full
    with selectors.DefaultSelector() as both:
        both.register(client, selectors.EVENT_READ)
        both.register(server, selectors.EVENT_READ)
        while True:
            for key, _ in both.select():
                data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                if not data:
                    return
                if key.fileobj is client:
                    server.sendall(data)
                elif not send(data):
                    return
