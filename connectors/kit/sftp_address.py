"""What is configured of an SFTP server: its address, and the host keys that are believed."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncssh

from governance.errors import ConfigurationError

SCHEME: Final = "sftp://"
MAGIC: Final = re.compile(r"[*?\[]")
_FINGERPRINT: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_OLD: Final = "ssh-rsa"  # SHA-1


@dataclass(frozen=True)
class Pinned:
    """The host keys that are believed: whole ones, and fingerprints of others."""

    fingerprints: frozenset[str]
    algorithms: tuple[str, ...] = ()  # of whole keys: a server that has several must show one of these

    def believes(self, key: asyncssh.SSHKey) -> bool:
        """Whether this is one of them."""
        return key.get_fingerprint("sha256") in self.fingerprints


@dataclass(frozen=True)
class Place:
    """What `sftp://host:port/folder/pattern` means."""

    host: str
    port: int
    folder: str
    pattern: str  # a name or a glob; empty: any file of the folder

    @property
    def url(self) -> str:
        """The address, for messages and evidence."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port != 22 else ""
        return f"{SCHEME}{host}{port}{self.path}"

    @property
    def path(self) -> str:
        """The folder and what is meant in it."""
        return posixpath.join(self.folder, self.pattern)

    def of(self, name: str) -> str:
        """The address of one file."""
        return posixpath.join(self.url.removesuffix(self.pattern), name)


def sftp_place(path: str, where: str) -> Place:
    """What the address means; ConfigurationError where it is none."""
    expected = f"{where}: path: expected an address such as sftp://files.example.com/outgoing/hr_*.csv"
    try:
        parts = urlsplit(path.replace("?", "%3F").replace("#", "%23"))
        port = parts.port or 22
    except ValueError:
        raise ConfigurationError(expected) from None
    if not parts.hostname or "@" in parts.netloc:
        raise ConfigurationError(f"{expected}, without a user in it: that is username")
    folder, _, pattern = unquote(parts.path).rpartition("/")
    if MAGIC.search(folder):
        raise ConfigurationError(f"{where}: path: only the file's name may hold *, ? or [")
    return Place(parts.hostname, port, folder or "/", pattern)


def pinned_keys(told: str | None, where: str) -> Pinned:
    """The pinned host keys: lines as in known_hosts or of ssh-keyscan, public keys, or SHA256 fingerprints."""
    fingerprints, algorithms = set(), []
    for line in (told or "").splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if _FINGERPRINT.fullmatch(text):
            fingerprints.add(text)
            continue
        words = text.split()
        at = next((n for n, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-"))), 0)
        try:
            key = asyncssh.import_public_key(" ".join(words[at : at + 2]))
        except (asyncssh.KeyImportError, ValueError):
            raise ConfigurationError(
                f"{where}: host_key: expected a public key such as ssh-ed25519 AAAA… or a fingerprint SHA256:…"
            ) from None
        fingerprints.add(key.get_fingerprint("sha256"))
        algorithms += [a.decode() for a in key.sig_algorithms if a.decode() != _OLD]
    if not fingerprints:
        raise ConfigurationError(
            f"{where}: host_key: is missing: the server's public key, which its operator tells you"
            " (ssh-keyscan shows what it shows; compare)"
        )
    whole = algorithms if not any(_FINGERPRINT.fullmatch(line.strip()) for line in (told or "").splitlines()) else ()
    return Pinned(frozenset(fingerprints), tuple(dict.fromkeys(whole)))
