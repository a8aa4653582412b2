"""Migrating a store to the newest form: copied first, then changed in one transaction or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from governance.errors import StoreError
from governance.store import schema
from governance.store.backups import backup
from governance.store.chain import append
from governance.store.transactions import Store

_PATIENCE_SECONDS: Final = 600.0


def migrate(store: Store, home: Path, now: datetime, migrations: schema.Migrations) -> None:
    """Bring an older store to the newest revision, after a copy into `home/backups`; recorded in the audit."""
    with _alone(store):
        with store.read() as session:
            before = schema.revision(session.connection())
        if before == migrations.head:
            return  # another process did it while this one waited
        if store.file is not None:
            kept = f"the store as it was is kept in {backup(store, home / 'backups', now)}"
        else:
            kept = "no copy was made from here: backups of PostgreSQL are its operator's (pg_dump)"
        with store.write(durable=True) as session:
            upgrade(session.connection(), migrations)
            append(
                session,
                now=now,
                actor="system",
                verb="store.migrate",
                object=f"{before} to {migrations.head}",
                reason=kept,
            )


def upgrade(connection: sa.Connection, migrations: schema.Migrations) -> None:
    """Run what is missing on this connection, inside its transaction."""
    import alembic.command  # 0.2 s, and hardly ever needed
    import alembic.util

    try:
        alembic.command.upgrade(configuration(connection, migrations), migrations.head)
    except alembic.util.CommandError as error:
        raise StoreError(f"the store was not migrated: {error}; nothing was written") from error


def configuration(connection: sa.Connection, migrations: schema.Migrations) -> Any:
    """What Alembic needs to know."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations.folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with store.lease("migrate") as held:
            if held:
                yield
                return
        time.sleep(0.2)
    raise StoreError(
        f"{store.name}: another process has been migrating this store for ten minutes; nothing was written"
    )
