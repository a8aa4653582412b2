"""The form of the store: which revisions there are, and how a new store comes to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlmodel import SQLModel

import governance.tables  # noqa: F401 - fills the metadata
from governance.store.searching import index_search


@dataclass(frozen=True)
class Migrations:
    """Where the migrations lie and every revision there ever was, oldest first."""

    folder: Path
    revisions: tuple[str, ...]

    @property
    def head(self) -> str:
        """The revision this program works with."""
        return self.revisions[-1]


SHIPPED: Final = Migrations(
    Path(__file__).parent / "migrations", ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
)
HEAD: Final = SHIPPED.head
APPLICATION_ID: Final = 0x4C766572  # "Lver", stands in the header of our SQLite files
VERSION: Final = sa.Table(  # as Alembic makes it
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

# Append-only is kept by the database itself, not only by the program.
_APPEND_ONLY: Final = {
    "sqlite": tuple(
        f"CREATE TRIGGER auditentry_{verb} BEFORE {verb} ON auditentry "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
        for verb in ("update", "delete")
    ),
    "postgresql": (
        "CREATE FUNCTION auditentry_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER auditentry_refuse BEFORE UPDATE OR DELETE ON auditentry "
        "FOR EACH ROW EXECUTE FUNCTION auditentry_refuse()",
    ),
}


def create(connection: sa.Connection) -> None:
    """All tables of the newest revision in an empty database. A test proves that the migrations lead to the same."""
    SQLModel.metadata.create_all(connection, checkfirst=False)
    protect_audit(connection)
    index_search(connection)
    VERSION.create(connection)
    connection.execute(VERSION.insert().values(version_num=HEAD))


def protect_audit(connection: sa.Connection) -> None:
    """Let the database refuse to change or remove an audit entry."""
    for statement in _APPEND_ONLY[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def revision(connection: sa.Connection) -> str | None:
    """The revision the store says it has; None when it does not say."""
    row = connection.execute(sa.select(VERSION.c.version_num)).first()
    return str(row[0]) if row else None
