"""A real SFTP server on loopback over a folder, with a user of its own; keys are made for the run."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncssh

USER, PASSWORD = "hr-reader", "a long password for one folder"


@functools.cache
def ssh_key(name: str, kind: str = "ssh-ed25519") -> asyncssh.SSHKey:
    """The same key for the same name within one run."""
    return asyncssh.generate_private_key(kind, comment=name)


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


class _Login(asyncssh.SSHServer):
    def __init__(self, server: SftpFolder) -> None:
        self._server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._server.connections += 1
        self._server.live.append(conn)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._server.passwords += 1
        return self._server.users.get(username) == password

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and public(key).split()[:2] == public(ssh_key("client")).split()[:2]


class SftpFolder:
    """Serves `root`. `delay_s` before each read; `on_read` is called with the path before the first bytes leave."""

    def __init__(
        self, root: Path, host_key: str = "server", kind: str = "ssh-ed25519", host: str = "127.0.0.1"
    ) -> None:
        self.root = root
        self.key = ssh_key(host_key, kind)
        self.delay_s = 0.0
        self.on_read: Any = None
        self.connections = self.passwords = 0
        self.opened: list[str] = []
        self.users = {USER: PASSWORD}
        self.forbidden: set[str] = set()  # folders whose files nobody may open
        self.live: list[asyncssh.SSHServerConnection] = []
        self.host, self.port = host, 0
        self._files: list[Any] = []
        self._over = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sftp", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def url(self, path: str) -> str:
        return f"sftp://{self.host}:{self.port}/{path}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()

    async def _listen(self) -> None:
        outer = self

        class Folder(asyncssh.SFTPServer):
            def __init__(self, chan: Any) -> None:
                super().__init__(chan, chroot=str(outer.root).encode())

            def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
                outer.opened.append(path.decode())
                if path.decode().strip("/").partition("/")[0] in outer.forbidden:
                    raise asyncssh.SFTPPermissionDenied("not for you")
                file = super().open(path, pflags, attrs)
                outer._files.append(file)
                return file

            async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
                if outer.on_read:
                    outer.on_read()
                if outer.delay_s:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(outer._over.wait(), outer.delay_s)
                    if file_obj.closed:
                        return b""
                return super().read(file_obj, offset, size)

        self._server = await asyncssh.listen(
            self.host,
            0,
            server_factory=lambda: _Login(self),
            server_host_keys=[self.key],
            sftp_factory=Folder,
        )
        self.port = self._server.get_port()

    async def _close(self) -> None:
        for connection in self.live:
            connection.abort()
        self._over.set()
        await asyncio.sleep(0)  # whoever still reads sees it
        for file in self._files:
            file.close()
        self._server.close()
        await self._server.wait_closed()
