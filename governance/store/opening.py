"""Opening a store: create a new one, migrate an older one, refuse what is not ours, newer or damaged."""

from __future__ import annotations

import os
import secrets
import sqlite3
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from governance.errors import ConfigurationError, StoreError
from governance.store import schema
from governance.store.failures import explained
from governance.store.transactions import Store, connect_sqlite

_HEADER = 100


def open_store(url: str, home: Path, now: datetime) -> Store:
    """The store at this URL, ready to work with; a relative SQLite file lies in `home`. Refusals name the reason."""
    try:
        place = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise ConfigurationError("store.url: expected sqlite:///FILE or postgresql+psycopg://…") from error
    if place.get_backend_name() != "sqlite":
        return _open_server(Store(place))
    if not place.database:
        raise ConfigurationError("store.url: expected a file, as in sqlite:///leaverwatch.db")
    file = home / place.database
    if not file.exists():
        _create_file(file)
    inspect(file)
    return _current(Store(connect_sqlite(file)), now, home)


def _create_file(file: Path) -> None:
    """A new store, whole or not at all: built beside and then given its name."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; no store was created") from error
    store = Store(connect_sqlite(draft))
    try:
        with explained(str(file)):
            with sqlite3.connect(draft, isolation_level=None) as raw:
                raw.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
                raw.execute("PRAGMA journal_mode=WAL")
            raw.close()
            with store.write() as session:
                schema.create(session.connection())
        store.close()
        try:
            os.link(draft, file)
        except FileExistsError:
            pass  # another process was faster: its store is as good
        except OSError:
            os.rename(draft, file)  # a file system without links
    finally:
        store.close()
        for left in (draft, *(Path(f"{draft}{tail}") for tail in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)


def inspect(file: Path) -> None:
    """Refuse a file that is not a store of ours or is cut short, by its header alone: nothing is written."""
    try:
        with file.open("rb") as stream:
            header = stream.read(_HEADER)
        size = file.stat().st_size
        log = Path(f"{file}-wal")
        logged = log.exists() and log.stat().st_size > 0
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; nothing was written") from error
    if not header:
        raise StoreError(f"{file}: the file is empty, a store never is; restore a backup or remove the file")
    if not header.startswith(b"SQLite format 3\x00") or len(header) < _HEADER:
        raise StoreError(f"{file}: this is no SQLite file; nothing was written")
    if int.from_bytes(header[68:72], "big") != schema.APPLICATION_ID:
        raise StoreError(f"{file}: this SQLite file belongs to another program; nothing was written")
    page = int.from_bytes(header[16:18], "big")
    promised = int.from_bytes(header[28:32], "big") * (65_536 if page == 1 else page)
    if size < promised and not logged:
        raise StoreError(f"{file}: cut short, {size:,} of {promised:,} bytes are there; restore a backup")


def _open_server(store: Store) -> Store:
    return store


def _current(store: Store, now: datetime, home: Path) -> Store:
    with store.read() as session:
        found = schema.revision(session.connection())
    if found != schema.HEAD:
        store.close()
        raise StoreError(f"{store.name}: revision {found}")
    return store
