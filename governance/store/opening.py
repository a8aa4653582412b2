"""Opening a store: create a new one, migrate an older one, refuse what is foreign, newer or damaged."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from governance.errors import ConfigurationError, StoreError
from governance.store import files, schema
from governance.store.failures import explained, is_busy
from governance.store.migrating import migrate
from governance.store.transactions import PATIENCE_SECONDS, Store, connect_sqlite


def open_store(url: str, home: Path, now: datetime, *, migrations: schema.Migrations = schema.SHIPPED) -> Store:
    """The store at this URL, ready to work with; a relative SQLite file lies in `home`. Refusals name the reason."""
    place = locate(url, home)
    if place.get_backend_name() == "sqlite":
        file = Path(str(place.database))
        if not file.exists():
            files.create_file(file)
        logged = files.inspect(file)
        store = Store(place)
    else:
        logged, store = True, Store(place)
    try:
        if not logged:
            _write_ahead(store)
        _settle(store, home, now, migrations)
    except BaseException:
        store.close()
        raise
    return store


def locate(url: str, home: Path) -> sa.URL:
    """The URL with an absolute file; ConfigurationError when it is of neither engine."""
    try:
        place = sa.make_url(url)
        engine = place.get_backend_name()
    except sa.exc.ArgumentError as error:
        raise ConfigurationError("store.url: expected sqlite:///FILE or postgresql+psycopg://…") from error
    if engine not in ("sqlite", "postgresql") or not place.database or place.database == ":memory:":
        raise ConfigurationError(
            "store.url: expected sqlite:///FILE or postgresql+psycopg://…, with a file or database"
        )
    return connect_sqlite((home / place.database).absolute()) if engine == "sqlite" else place


def _settle(store: Store, home: Path, now: datetime, migrations: schema.Migrations) -> None:
    found = _revision(store)
    if found == migrations.head:
        return
    refuse_newer(found, store.name, migrations)
    migrate(store, home, now, migrations)


def refuse_newer(found: str, name: str, migrations: schema.Migrations = schema.SHIPPED) -> None:
    """StoreError when this program does not know the revision: an older program would lose what a newer one wrote."""
    if found not in migrations.revisions:
        raise StoreError(
            f"{name}: written by a newer Leaverwatch (revision {found}, this one knows up to {migrations.head}); "
            "nothing was written: install that version again"
        )


def _revision(store: Store) -> str:
    try:
        with store.read() as session:
            found = schema.revision(session.connection())
    except ProgrammingError:  # PostgreSQL: there is no such table
        return _create_tables(store)
    if found is None:
        raise StoreError(f"{store.name}: the store does not say its revision; restore a backup")
    return found


def _create_tables(store: Store) -> str:
    """A new store in an empty PostgreSQL database; when another process is faster, that one's."""
    with store.write() as session:
        connection = session.connection()
        present = set(sa.inspect(connection).get_table_names())
        if not present:
            schema.create(connection)
        elif not {"alembic_version", "auditentry"} <= present:
            raise StoreError(f"{store.name}: this database holds the tables of another program; nothing was written")
        return str(schema.revision(connection))


def _write_ahead(store: Store) -> None:
    """Switch a restored file to write-ahead logging: readers and the writer must not wait for each other."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with explained(store.name):
        while True:
            try:
                with store.engine.connect() as connection:
                    raw = connection.connection.dbapi_connection
                    raw.execute("PRAGMA journal_mode=WAL").close()  # type: ignore[union-attr]
            except Exception as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return
