"""The newest file of a feed, here or on an SFTP server; one from afar is here only while it is read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connectors.kit.contract import Circumstances, Field
from connectors.kit.files import newest_file
from connectors.kit.options import text_option, whole_option
from governance.errors import ConfigurationError, FeedError
from governance.records import Reading

if TYPE_CHECKING:
    from connectors.kit.sftp import SftpServer

MEGABYTE: Final = 1024 * 1024
SFTP: Final = (
    Field("host_key", "SFTP: the server's public key or its fingerprint SHA256:…; no other is believed."),
    Field("username", "SFTP: who may read the folder."),
    Field("private_key", "SFTP: that user's private key, without a passphrase.", "secret"),
    Field("password", "SFTP: a password instead of a key.", "secret"),
    Field("largest_mb", "SFTP: the largest file that is fetched.", "number", default=512),
    Field("allow_private", "SFTP: whether a private host is meant.", "flag", default=False),
)


class FeedFile:
    """What a feed's `path` means."""

    def __init__(self, path: str, options: Mapping[str, Any], given: Circumstances, where: str) -> None:
        self._path, self._given = path, given
        self._server = _server(path, options, given, where) if path.startswith("sftp://") else None

    @contextmanager
    def newest(self, reading: Reading) -> Iterator[Path]:
        """The newest file. Errors and evidence call one from afar by its own address."""
        if self._server is None:
            yield newest_file(self._path, self._given.home)
            return
        with tempfile.TemporaryDirectory(prefix="leaverwatch-") as folder:
            path = self._server.fetch(Path(folder), self._given.deadline_s)
            address = self._server.place.of(path.name)
            try:
                yield path
            except FeedError as error:
                error.args = tuple(a.replace(folder, address.rpartition("/")[0]) for a in error.args)
                raise
            finally:
                reading.source = address


def _server(path: str, options: Mapping[str, Any], given: Circumstances, where: str) -> SftpServer:
    from connectors.kit.sftp import Login, SftpServer  # takes a while: only where it is needed
    from connectors.kit.sftp_address import pinned_keys, sftp_place

    user = text_option(options, "username", where)
    if not user:
        raise ConfigurationError(f"{where}: username: is missing (who may read the folder)")
    if not isinstance(options["allow_private"], bool):
        raise ConfigurationError(f"{where}: allow_private: expected true or false")
    secrets = given.secrets
    return SftpServer(
        sftp_place(path, where),
        Login(user, secrets.get("password"), secrets.get("private_key")),
        pinned_keys(text_option(options, "host_key", where), where),
        where,
        allow_private=options["allow_private"],
        most_bytes=whole_option(options, "largest_mb", where, 1, 100_000) * MEGABYTE,
    )
