"""Migrating an older store, and that migrations lead to the tables as they are declared."""

from __future__ import annotations

import re
import shutil
import time
import warnings
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import NOW
from sqlmodel import SQLModel, select
from store_files import accounts, fill

from governance import audit
from governance.errors import StoreError
from governance.store import HEAD, Store, open_store, schema
from governance.store.migrating import configuration, upgrade
from governance.store.opening import locate
from governance.tables import AuditEntry

# --- the form


def forms(connection: sa.Connection) -> list[tuple[object, ...]]:
    """Every table, index and trigger as the database itself describes it."""
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        return sorted((kind, name, re.sub(r'[\s",]+', " ", sql or "").strip()) for kind, name, sql in found)
    columns = connection.exec_driver_sql(
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
        "WHERE table_schema = 'public'"
    )
    indexes = connection.exec_driver_sql(
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    )
    triggers = connection.exec_driver_sql(
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    )
    return sorted([*map(tuple, columns), *map(tuple, indexes), *map(tuple, triggers)], key=str)


def migrated(url: str, home: Path) -> Store:
    """A database that came to be by the migrations alone."""
    store = Store(locate(url, home))
    with store.write() as session:
        upgrade(session.connection(), schema.SHIPPED)
    return store


def test_the_migrations_lead_to_exactly_the_tables(empty_url: str, tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def comparable(thing: object, name: str | None, kind: str, *_: object) -> bool:
        # Alembic can't tell an expression (score DESC) in SQLite, nor the index of the search box: the next test
        # compares what the database says.
        if kind == "index" and store.dialect == "postgresql":
            return name != "finding_search"
        return not (name or "").startswith(("finding_", "findingte", "findinglater"))

    store = migrated(empty_url, tmp_path)
    options = {"compare_type": True, "include_object": comparable}
    with store.read() as session, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="autogenerate skipping metadata-specified expression")
        context = MigrationContext.configure(session.connection(), opts=options)
        assert compare_metadata(context, SQLModel.metadata) == []
    store.close()


def test_a_new_store_equals_a_migrated_one(store: Store, empty_url: str, tmp_path: Path) -> None:
    with store.read() as session:
        new = forms(session.connection())
    other = migrated(empty_url.replace("leaverwatch.db", "migrated.db"), tmp_path)
    with other.read() as session:
        assert forms(session.connection()) == new, "tables.py and the migrations differ: see migrations/draft.py"
    other.close()


def test_the_revisions_named_are_those_that_exist() -> None:
    from alembic.script import ScriptDirectory

    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(configuration(connection, schema.SHIPPED))
    engine.dispose()
    assert tuple(one.revision for one in reversed(list(scripts.walk_revisions()))) == schema.SHIPPED.revisions
    assert scripts.get_current_head() == HEAD


# --- migrating an older store


NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "next", "{last}"
def upgrade():
    op.add_column("pin", sa.Column("colour", sa.String()))
    {then}
"""


def with_next(place: Path, then: str = "") -> schema.Migrations:
    """The shipped migrations and one more."""
    copy = place / "migrations"
    shutil.copytree(schema.SHIPPED.folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / "next.py").write_text(NEXT.format(last=HEAD, then=then))
    return schema.Migrations(copy, (*schema.SHIPPED.revisions, "next"))


def columns(store: Store) -> set[str]:
    with store.read() as session:
        return {column["name"] for column in sa.inspect(session.connection()).get_columns("pin")}


def test_an_older_store_is_copied_then_migrated_and_the_audit_says_so(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    fill(store)
    store.close()
    newer = open_store(store_url, tmp_path, NOW, migrations=with_next(tmp_path))
    assert "colour" in columns(newer)
    assert accounts(newer) == ["0", "1", "2"]
    with newer.read() as session:
        last = session.exec(select(AuditEntry).order_by(sa.desc("seq"))).first()
    assert last is not None
    assert (last.verb, last.object) == ("store.migrate", f"{HEAD} to next")
    copies = list((tmp_path / "backups").glob("*.db")) if (tmp_path / "backups").exists() else []
    if newer.dialect == "sqlite":
        assert str(copies[0]) in last.reason
        assert copies[0].stat().st_mode & 0o777 == 0o600
        old = open_store(f"sqlite:///{copies[0]}", tmp_path, NOW)  # the copy is the older form, whole
        assert accounts(old) == ["0", "1", "2"]
        old.close()
    else:
        assert (copies, "pg_dump" in last.reason) == ([], True)
    newer.close()
    again = open_store(
        store_url, tmp_path, NOW, migrations=schema.Migrations(tmp_path, (*schema.SHIPPED.revisions, "next"))
    )
    assert audit.verify(again).entries == 4  # and is not migrated again
    again.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(store: Store, store_url: str, tmp_path: Path) -> None:
    fill(store)
    with pytest.raises(StoreError, match="nothing was written"):
        open_store(
            store_url,
            tmp_path,
            NOW,
            migrations=with_next(tmp_path, 'raise sa.exc.OperationalError("no", {}, OSError("no room"))'),
        )
    assert "colour" not in columns(store)
    again = open_store(store_url, tmp_path, NOW)
    assert (accounts(again), audit.verify(again).entries) == (["0", "1", "2"], 3)
    again.close()


@pytest.mark.soak
def test_migrating_a_store_of_a_million_findings_stays_under_a_minute(tmp_path: Path) -> None:
    from governance.store import put_rows
    from governance.tables import Finding

    store = open_store("sqlite:///leaverwatch.db", tmp_path, NOW)
    row = {"rule": "ghost", "severity": "critical", "score": 90, "status": "open", "first_seen": NOW, "opened_at": NOW}
    with store.write() as session:
        put_rows(session, Finding, [{**row, "fingerprint": f"{number:016x}"} for number in range(1_000_000)])
    store.close()
    start = time.perf_counter()
    open_store("sqlite:///leaverwatch.db", tmp_path, NOW, migrations=with_next(tmp_path)).close()
    assert time.perf_counter() - start < 60
