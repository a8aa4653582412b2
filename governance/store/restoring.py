"""Restoring: a backup takes the place of the store, and what was there is kept."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import SQLModel

from governance.store import files
from governance.store.backups import backup, copy_file, copy_rows
from governance.store.chain import append
from governance.store.opening import locate, open_store, refuse_newer
from governance.store.transactions import Store


def restore(file: Path, url: str, home: Path, now: datetime) -> Path | None:
    """Put a backup in the place of the store; says where what was there is kept. A bad backup changes nothing."""
    files.inspect(file)
    files.prove(file)
    refuse_newer(files.revision_of(file), str(file))
    place = locate(url, home)
    if place.get_backend_name() != "sqlite":
        return _into_server(file, url, home, now)
    target = Path(str(place.database))
    kept = _kept(target, home / "backups", now) if target.exists() else None
    if target.exists():
        copy_file(file, target)  # through SQLite: processes that have the store open see the restored one
    else:
        with files.draft_of(target) as draft:
            copy_file(file, draft)
    store = open_store(url, home, now)
    try:
        with store.write(durable=True) as session:
            append(session, now=now, actor="system", verb="store.restore", object=file.name, reason=_why(kept))
    finally:
        store.close()
    return kept


def _kept(target: Path, folder: Path, now: datetime) -> Path:
    """A copy of the store as it is; a damaged one is moved aside as it is."""
    try:
        files.inspect(target)
        store = Store(locate(f"sqlite:///{target}", folder))
        try:
            return backup(store, folder, now)
        finally:
            store.close()
    except files.Damaged:
        aside = folder / f"damaged-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in (target, Path(f"{target}-wal"), Path(f"{target}-shm")):
            if part.exists():
                part.rename(aside / part.name)
        return aside / target.name


def _into_server(file: Path, url: str, home: Path, now: datetime) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "restored.db"
        copy_file(file, copy)
        source, target = open_store(f"sqlite:///{copy}", Path(folder), now), open_store(url, home, now)
        try:
            kept = backup(target, home / "backups", now)
            with source.read() as there, target.write() as here:
                names = ", ".join(table.name for table in SQLModel.metadata.sorted_tables)
                here.connection().execute(sa.text(f"TRUNCATE {names}"))
                copy_rows(there, here)
                append(here, now=now, actor="system", verb="store.restore", object=file.name, reason=_why(kept))
        finally:
            source.close()
            target.close()
    return kept


def _why(kept: Path | None) -> str:
    return f"what was there before is kept in {kept}" if kept else "there was no store before"
