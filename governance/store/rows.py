"""Many rows at once, through Core: one statement, prepared once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

_CHUNK: Final = 5_000
Row = Mapping[str, Any]


def put_rows(session: Session, model: type[SQLModel], rows: Sequence[Row]) -> int:
    """Insert these rows; a column a row does not name takes its default. Says how many."""
    table = table_of(model)
    connection = session.connection()
    for chunk in _chunks(rows):
        connection.execute(sa.insert(table), _filled(table, chunk))
    return len(rows)


def update_rows(session: Session, model: type[SQLModel], key: str, rows: Sequence[Row]) -> int:
    """Change the rows found by their `key`; every row names the same columns. Says how many were given."""
    if not rows:
        return 0
    table = table_of(model)
    changed = [name for name in rows[0] if name != key]
    statement = (
        sa.update(table)
        .where(table.c[key] == sa.bindparam(f"key_{key}"))
        .values({name: sa.bindparam(name) for name in changed})
    )
    connection = session.connection()
    for chunk in _chunks(rows):
        connection.execute(statement, [{f"key_{key}": row[key], **{n: row[n] for n in changed}} for row in chunk])
    return len(rows)


def upsert_rows(session: Session, model: type[SQLModel], rows: Sequence[Row]) -> int:
    """Insert these rows, or change the ones that are there (by primary key). Says how many were given."""
    if not rows:
        return 0
    table = table_of(model)
    connection = session.connection()
    insert = _insert_of(connection.dialect.name)(table)
    keys = [column.name for column in table.primary_key]
    statement = insert.on_conflict_do_update(
        index_elements=keys, set_={name: insert.excluded[name] for name in rows[0] if name not in keys}
    )
    for chunk in _chunks(rows):
        connection.execute(statement, _filled(table, chunk))
    return len(rows)


def table_of(model: type[SQLModel]) -> sa.Table:
    """The table of a model."""
    table: sa.Table = model.__table__  # type: ignore[attr-defined]
    return table


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def _filled(table: sa.Table, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows with one set of columns: those any of them names."""
    first = rows[0].keys()
    if all(row.keys() == first for row in rows):
        return [dict(row) for row in rows]
    names = {name for row in rows for name in row}
    defaults = {name: _default(table.c[name]) for name in names}
    return [{**defaults, **row} for row in rows]


def _default(column: sa.Column[Any]) -> Any:
    return column.default.arg if isinstance(column.default, sa.ColumnDefault) and column.default.is_scalar else None


def _insert_of(dialect: str) -> Any:
    """The dialect's own insert; imported only when needed, because each dialect takes its time to load."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as own
    else:
        from sqlalchemy.dialects.postgresql import insert as own  # type: ignore[assignment]
    return own
