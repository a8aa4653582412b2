"""Backups: one SQLite file with everything in it, taken from either engine while the store is in use."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from governance.store import files
from governance.store.failures import explained
from governance.store.searching import indexed_together
from governance.store.transactions import Store, connect_sqlite

_CHUNK: Final = 5_000


def backup(store: Store, folder: Path, now: datetime) -> Path:
    """A copy of the whole store as of one moment, as a SQLite file in `folder`; others may go on working."""
    file = folder / f"leaverwatch-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.db"
    if file.exists():
        file = file.with_stem(f"{file.stem}-{secrets.token_hex(3)}")
    if store.file is None:
        files.create_file(file)
        copy = Store(connect_sqlite(file))
        try:
            with store.read() as source, copy.write() as target:
                copy_rows(source, target)
        except BaseException:
            copy.close()
            file.unlink(missing_ok=True)
            raise
        copy.close()
    else:
        with files.draft_of(file) as draft:
            copy_file(store.file, draft)
            files.prove(draft)
    return file


def copy_file(source: Path, target: Path) -> None:
    """Copy one SQLite file over another as of one moment, while both may be in use."""
    with (
        explained(str(source)),
        closing(sqlite3.connect(source, timeout=60)) as there,
        closing(sqlite3.connect(target, timeout=60)) as here,
    ):
        there.backup(here)


def copy_rows(source: Session, target: Session) -> None:
    """Copy every row of every table into empty tables of the same form."""
    with indexed_together(target):
        for table in SQLModel.metadata.sorted_tables:
            # Closed also when a write fails: an open cursor outlives its connection and complains much later.
            with source.connection().execution_options(yield_per=_CHUNK).execute(sa.select(table)) as rows:
                for part in rows.mappings().partitions():
                    target.connection().execute(sa.insert(table), [dict(row) for row in part])
