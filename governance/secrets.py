"""Secrets at rest: sealed with AES-GCM in the store, under a key that lies outside it."""

from __future__ import annotations

import base64
import os
import secrets
import stat
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from governance.access import Actor, Verb, demand
from governance.errors import ConfigurationError
from governance.store import Store, upsert_rows
from governance.store.chain import append
from governance.tables import StoredSecret

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Place(Protocol):
    """What secrets need of a house."""

    @property
    def home(self) -> Path:
        """The folder that holds the key file."""

    @property
    def store(self) -> Store:
        """Where the sealed secrets lie."""

    @property
    def key(self) -> str | None:
        """The key the environment gave (LEAVERWATCH_KEY), if it did."""


def put(house: Place, actor: Actor, now: datetime, name: str, value: str) -> None:
    """Seal a secret under its name, in place of an older one. The audit keeps the name, never the value."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    demand(actor, Verb.CONFIGURE)
    if not name.strip() or not value:
        raise ConfigurationError("a secret needs a name and a value")
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(load_key(house.home, house.key, create=True)).encrypt(nonce, value.encode(), name.encode())
    with house.store.write() as session:
        upsert_rows(session, StoredSecret, [{"name": name, "nonce": nonce, "sealed": sealed}])
        append(session, now=now, actor=actor.email, verb="secrets.put", object=name)


def get(store: Store, home: Path, name: str, key: str | None = None) -> str:
    """The secret of that name; `key` is what LEAVERWATCH_KEY says, if it is set."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    with store.read() as session:
        row = session.get(StoredSecret, name)
    if row is None:
        raise ConfigurationError(f"no secret named {name!r} is in the store")
    try:
        # The name is authenticated too: a sealed secret can't be put under another name.
        return AESGCM(load_key(home, key)).decrypt(row.nonce, row.sealed, name.encode()).decode()
    except InvalidTag as error:
        raise ConfigurationError(f"the secret {name!r} was sealed with another key, or was changed") from error


def load_key(home: Path, given: str | None = None, *, create: bool = False) -> bytes:
    """The key: the one given (LEAVERWATCH_KEY), else the file `key` in the home folder, made when `create` says so."""
    if given:
        return _decoded(given, "LEAVERWATCH_KEY")
    file = home / "key"
    try:
        if create:
            _create(file)
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & 0o077:
            raise ConfigurationError(f"{file}: others may read this key (mode {mode:o}); run chmod 600 {file}")
        return _decoded(file.read_text(encoding="ascii"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: the key of the stored secrets can't be read: {error}") from error


def derived(home: Path, given: str | None, purpose: str) -> str:
    """A secret of its own for one purpose, the same in every process that has the key; says nothing of the key."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    key = load_key(home, given, create=True)
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"leaverwatch {purpose}".encode()).derive(key).hex()


def _create(file: Path) -> None:
    """A new key file, whole or not at all; when there is one already, that one stays."""
    if file.exists():
        return
    draft = file.with_name(f".key.{secrets.token_hex(4)}.new")
    try:
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            stream.flush()
            os.fsync(handle)
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def _decoded(text: str, where: str) -> bytes:
    try:
        found = base64.b64decode(text.strip(), altchars=b"-_" if "-" in text or "_" in text else None, validate=True)
    except ValueError:
        found = b""
    if len(found) != KEY_BYTES:
        raise ConfigurationError(f"{where}: expected {KEY_BYTES} bytes in base64, as from: openssl rand -base64 32")
    return found
