"""The connections beneath a session: they refuse private peers and can be hung up when the time is over."""

from __future__ import annotations

import socket
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util import Retry

from connectors.kit.addresses import Address
from connectors.kit.alarm import Alarm
from connectors.kit.peers import admitted, peers

Connection = HTTPConnection | HTTPSConnection


class Wire(HTTPAdapter):
    """An adapter of requests for one address."""

    def __init__(self, address: Address, place: str) -> None:
        self._address = address
        self._place = place
        self._open: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._alarm = Alarm(self.hang_up)
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=2)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Pools whose connections are watched."""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = _pools(self._peers, self._watch)

    def patient(self, retry: Retry) -> None:
        """Ask again as this says in the next request."""
        self.max_retries = retry

    def until(self, seconds: float) -> AbstractContextManager[None]:
        """Hang up after so many seconds. Timeouts of a socket alone never end an answer that trickles."""
        return self._alarm.after(seconds)

    def hang_up(self) -> None:
        """End every connection; whoever waits on one gets an error at once."""
        for connection in list(self._open):
            if connection.sock is not None:
                with suppress(OSError):  # it ended by itself
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _peers(self, connection: Connection) -> list[str]:
        """The addresses to connect to; none where a proxy does that, or where the name resolves to nothing."""
        address = self._address
        if connection.proxy is not None or address.allow_private:
            return []
        return peers(connection.host, connection.port, f"{self._place}: base_url", allow_private=False)

    def _watch(self, connection: Connection, sock: socket.socket) -> None:
        self._open.add(connection)
        if connection.proxy is None:
            try:
                peer, host = str(sock.getpeername()[0]), self._address.origin.host
                admitted(host, peer, f"{self._place}: base_url", allow_private=self._address.allow_private)
            except BaseException:
                sock.close()
                raise


def _pools(
    found: Callable[[Connection], list[str]], watch: Callable[[Connection, socket.socket], None]
) -> dict[str, type[HTTPConnectionPool]]:
    def connected(connection: Connection, connect: Callable[[], socket.socket]) -> socket.socket:
        """A socket to one of the addresses that were looked at; the name stays what certificates are checked for."""
        name = connection._dns_host
        addresses = found(connection) or [name]
        try:
            for number, address in enumerate(addresses, start=1):
                connection._dns_host = address
                try:
                    sock = connect()
                    break
                except (NewConnectionError, ConnectTimeoutError):
                    if number == len(addresses):
                        raise
        finally:
            connection._dns_host = name
        watch(connection, sock)
        return sock

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connected(self, super()._new_conn)

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connected(self, super()._new_conn)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
