"""The connections beneath a session: they refuse private peers and can be hung up when the time is over."""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry

from connectors.kit.addresses import Address, is_private_ip
from governance.errors import ConfigurationError

Connection = HTTPConnection | HTTPSConnection


class Wire(HTTPAdapter):
    """An adapter of requests for one address."""

    def __init__(self, address: Address, place: str) -> None:
        self._address = address
        self._place = place
        self._open: weakref.WeakSet[Connection] = weakref.WeakSet()
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=2)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Pools whose connections are watched."""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = _pools(self._watch)

    def patient(self, retry: Retry) -> None:
        """Ask again as this says in the next request."""
        self.max_retries = retry

    @contextmanager
    def until(self, seconds: float) -> Iterator[None]:
        """Hang up after so many seconds. Timeouts of a socket alone never end an answer that trickles."""
        timer = threading.Timer(max(seconds, 0.0), self.hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def hang_up(self) -> None:
        """End every connection; whoever waits on one gets an error at once."""
        for connection in list(self._open):
            if connection.sock is not None:
                with suppress(OSError):  # it ended by itself
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _watch(self, connection: Connection, sock: socket.socket) -> None:
        self._open.add(connection)
        # Looked at after connecting and before anything is sent, so that a name cannot resolve to one address when
        # checked and to another when used.
        address = self._address
        if connection.proxy is None and not address.allow_private and not address.loopback:
            peer = str(sock.getpeername()[0])
            if is_private_ip(peer):
                sock.close()
                raise ConfigurationError(
                    f"{self._place}: base_url: {address.origin.host} is the private address {peer};"
                    " set allow_private = true to allow it"
                )


def _pools(watch: Callable[[Connection, socket.socket], None]) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            watch(self, sock)
            return sock

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            watch(self, sock)
            return sock

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
