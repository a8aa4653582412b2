"""SQLite files: made whole or not at all, and looked at before anything is written to them."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from governance.errors import StoreError
from governance.store import schema
from governance.store.failures import explained
from governance.store.transactions import Store, connect_sqlite

_HEADER: Final = 100  # bytes
_MAGIC: Final = b"SQLite format 3\x00"


class Damaged(StoreError):
    """The file was a store and is none any more."""


def create_file(file: Path) -> None:
    """A new store in its file; when another process is faster, that one's."""
    with draft_of(file) as draft:
        store = Store(connect_sqlite(draft))
        try:
            with explained(str(file)):
                with closing(sqlite3.connect(draft, isolation_level=None)) as raw:
                    raw.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
                    raw.execute("PRAGMA journal_mode=WAL")
                with store.write() as session:
                    schema.create(session.connection())
        finally:
            store.close()


@contextmanager
def draft_of(file: Path) -> Iterator[Path]:
    """An empty file beside this one, for our eyes only, that takes its name at the end unless that is taken."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            yield draft
            _name(draft, file)
        finally:
            for left in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm"), Path(f"{draft}-journal")):
                left.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; nothing was written") from error


def _name(draft: Path, file: Path) -> None:
    try:
        os.link(draft, file)
    except FileExistsError:
        return
    except OSError:
        draft.rename(file)  # a file system without links


def inspect(file: Path) -> bool:
    """Refuse a file that is no store of ours or is cut short, by its header alone. Says whether it is in WAL mode."""
    try:
        with file.open("rb") as stream:
            header = stream.read(_HEADER)
        size = file.stat().st_size
        log = Path(f"{file}-wal")
        logged = log.exists() and log.stat().st_size > 0
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; nothing was written") from error
    if not header:
        raise Damaged(f"{file}: the file is empty, which a store never is; restore a backup or remove the file")
    if not header.startswith(_MAGIC) or len(header) < _HEADER:
        raise Damaged(f"{file}: this is no SQLite file; nothing was written: restore a backup")
    if int.from_bytes(header[68:72], "big") != schema.APPLICATION_ID:
        raise StoreError(
            f"{file}: this SQLite file belongs to another program; nothing was written: name another under [store] url"
        )
    page = int.from_bytes(header[16:18], "big")
    promised = int.from_bytes(header[28:32], "big") * (65_536 if page == 1 else page)
    if size < promised and not logged:  # a log that was not yet taken over may hold the rest
        raise Damaged(f"{file}: cut short, {size:,} of {promised:,} bytes are there; restore a backup")
    return header[18] == 2 and header[19] == 2


def prove(file: Path) -> None:
    """Read the whole of a file nobody writes to, and refuse it when a page is damaged."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)) as raw:
        try:
            found = raw.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            found = str(error)
    if found != "ok":
        raise Damaged(f"{file}: damaged ({found}); restore a backup")


def revision_of(file: Path) -> str:
    """The revision of a store in a file nobody writes to."""
    with explained(str(file)), closing(sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)) as raw:
        return str(raw.execute("SELECT version_num FROM alembic_version").fetchone()[0])
