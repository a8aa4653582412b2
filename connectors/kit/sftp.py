"""The newest file of a folder on an SFTP server, brought here whole or not at all."""

from __future__ import annotations

import asyncio
import posixpath
import re
import socket
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, cast

import asyncssh

from connectors.kit.files import finished, newest_of, sidecars
from connectors.kit.peers import peers
from connectors.kit.redaction import guard_logs
from connectors.kit.sftp_address import MAGIC, Pinned, Place
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    FeedError,
    IncompleteFeed,
    Unavailable,
    UnexpectedAnswer,
)

CONNECT_S: Final = 10.0
CHUNK: Final = 256 * 1024
# Asked for after the pinned kinds: a server that has none of those shows what it has, which is then refused by name. If
# only the pinned kinds were asked for, it would hang up first, and that may arrive as a connection that broke off.
HOST_KEYS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_SAFE: Final = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")


@dataclass(frozen=True)
class Login:
    """Who asks. Secrets never show."""

    username: str
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)


class SftpServer:
    """One server, one login, one pinned key."""

    def __init__(
        self, place: Place, login: Login, pinned: Pinned, where: str, *, allow_private: bool, most_bytes: int
    ) -> None:
        self.place = place
        self._login, self._pinned = login, pinned
        self._allow_private, self._most = allow_private, most_bytes
        self._where = where
        self._keys = _client_keys(login, where)

    def fetch(self, into: Path, deadline_s: float) -> Path:
        """Bring the newest finished file and what stands beside it; FeedError unless all of it came in time."""
        place = self.place.url
        try:
            return asyncio.run(self._within(into, deadline_s))
        except FeedError:
            raise
        except TimeoutError:
            raise Unavailable(f"{place}: not finished within the {deadline_s:g} s this may take") from None
        except asyncssh.PermissionDenied:
            raise AuthenticationFailed(f"{place}: the server refuses this user or its key") from None
        except asyncssh.SFTPPermissionDenied:
            raise AuthenticationFailed(f"{place}: this user may not read it") from None
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise Unavailable(f"{place}: there is no such folder") from None
        except (asyncssh.Error, OSError) as error:
            raise Unavailable(f"{place}: no connection, or it broke off ({type(error).__name__})") from None

    async def _within(self, into: Path, deadline_s: float) -> Path:
        loop = asyncio.get_running_loop()
        ends = loop.time() + deadline_s
        connection = await asyncio.wait_for(self._connect(), deadline_s)
        fetching = asyncio.ensure_future(self._fetched(connection, into))
        try:
            await asyncio.wait({fetching}, timeout=ends - loop.time())
            if not fetching.done():
                raise TimeoutError
            return fetching.result()
        finally:
            # Hung up first: whatever still waits for an answer, to a farewell too, ends at once.
            connection.abort()
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    async def _fetched(self, connection: asyncssh.SSHClientConnection, into: Path) -> Path:
        return await self._bring(await connection.start_sftp_client(), into)

    def _socket(self) -> socket.socket:
        """A connection to one of the addresses the name leads to, all of which were looked at."""
        host, port = self.place.host, self.place.port
        found = peers(host, port, f"{self._where}: path", allow_private=self._allow_private) or [host]
        for number, address in enumerate(found, start=1):
            try:
                return socket.create_connection((address, port), CONNECT_S)
            except OSError:
                if number == len(found):
                    raise
        raise AssertionError("there is one at least")

    async def _connect(self) -> asyncssh.SSHClientConnection:
        place, seen = self.place, _Seen()
        loop = asyncio.get_running_loop()
        sock = await loop.run_in_executor(None, self._socket)
        pinned = self._pinned

        class Client(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                seen.fingerprint = key.get_fingerprint("sha256")
                return pinned.believes(key)

        try:
            return await asyncssh.connect(
                place.host,
                place.port,
                sock=sock,
                client_factory=Client,
                known_hosts=([], [], []),  # ours decides, not a file of whoever runs this
                server_host_key_algs=list(dict.fromkeys((*pinned.algorithms, *HOST_KEYS))),
                config=None,
                agent_path=None,
                username=self._login.username,
                password=self._login.password,
                client_keys=self._keys or None,
                login_timeout=CONNECT_S * 3,
            )
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            shown = f" ({seen.fingerprint})" if seen.fingerprint else ""
            raise AuthenticationFailed(
                f"{place.url}: the server shows another host key{shown} than the pinned one; nothing was sent to it"
            ) from None
        except BaseException:
            sock.close()
            raise

    async def _bring(self, sftp: asyncssh.SFTPClient, into: Path) -> Path:
        place = self.place
        if place.pattern and not MAGIC.search(place.pattern) and await sftp.isdir(place.path):
            place = self.place = replace(place, folder=place.path, pattern="")
        folder = place.folder
        listed: dict[str, asyncssh.SFTPAttrs] = {}
        async for entry in sftp.scandir(folder):
            name = entry.filename if isinstance(entry.filename, str) else entry.filename.decode("utf-8", "replace")
            if _SAFE.fullmatch(name) and entry.attrs.type in (asyncssh.FILEXFER_TYPE_REGULAR, None):
                listed[name] = entry.attrs
        wanted = place.pattern
        if wanted and not MAGIC.search(wanted):
            if wanted not in listed:
                raise Unavailable(f"{place.url}: there is no such file")
            name = wanted
        else:
            meant = [n for n in listed if not wanted or fnmatchcase(n, wanted)]
            found = finished(meant, listed, every=bool(wanted))
            if not found:
                raise Unavailable(f"{place.url}: there is no finished file")
            name = newest_of({n: listed[n].mtime or 0 for n in found})
        await self._download(sftp, folder, name, listed[name], into)
        for beside in sidecars(name):
            if beside in listed:
                await self._download(sftp, folder, beside, listed[beside], into)
        return into / name

    async def _download(
        self, sftp: asyncssh.SFTPClient, folder: str, name: str, attrs: asyncssh.SFTPAttrs, into: Path
    ) -> None:
        """One file; the size and time it had in the list must be those it has afterwards."""
        url, path = self.place.of(name), posixpath.join(folder, name)
        if (attrs.size or 0) > self._most:
            raise UnexpectedAnswer(f"{url}: the file is larger than {self._most} bytes", url)
        arrived = 0
        async with sftp.open(path, "rb") as remote:
            with (into / name).open("wb") as local:
                while piece := cast(bytes, await remote.read(CHUNK, arrived)):
                    arrived += len(piece)
                    if arrived > self._most:
                        raise UnexpectedAnswer(f"{url}: the file is larger than {self._most} bytes", url)
                    local.write(piece)
        after = await sftp.stat(path)
        stamp = (attrs.size, attrs.mtime)
        if (after.size, after.mtime) != stamp or (attrs.size is not None and arrived != attrs.size):
            raise IncompleteFeed(f"{url}: the file changed while it was read")


@dataclass
class _Seen:
    fingerprint: str = ""


def _client_keys(login: Login, where: str) -> list[asyncssh.SSHKey]:
    guard_logs([s for s in (login.password, login.private_key) if s])
    if not login.private_key:
        if not login.password:
            raise ConfigurationError(f"{where}: private_key: is missing (or password)")
        return []
    try:
        return [asyncssh.import_private_key(login.private_key)]
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        raise ConfigurationError(
            f"{where}: private_key: expected a private key as ssh-keygen makes it, without a passphrase"
        ) from None
