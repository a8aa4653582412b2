"""The index of the search box: which findings hold a text anywhere, without reading every finding.

SQLite: a full-text table of trigrams, kept in step by triggers, so by every bulk write too. It keeps neither the text
nor the places in it (https://sqlite.org/fts5.html): it tells which findings to look at, and LIKE decides. Two spaces
end every text, so that one or two letters always begin a trigram. PostgreSQL: a trigram index, which LIKE uses by
itself (https://www.postgresql.org/docs/current/pgtrgm.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from governance.store.rows import table_of
from governance.tables import Finding

SIZE: Final = 3  # letters of a trigram
MOST: Final = 200  # trigrams that begin with a short word: with more of them it stands nearly everywhere
_TEXT: Final = sa.table("findingtext", sa.column("rowid"), sa.column("findingtext"))
_TERMS: Final = sa.table("findingterm", sa.column("term"))
_LAST: Final = chr(0x10FFFF)
_TAKEN_OUT: Final = (
    "INSERT INTO findingtext(findingtext, rowid, search) VALUES ('delete', old.rowid, old.search || '  ');"
)
_PUT_IN: Final = "INSERT INTO findingtext(rowid, search) VALUES (new.rowid, new.search || '  ');"
_ALONE: Final = "WHEN NOT EXISTS (SELECT 1 FROM findinglater)"
_INDEX: Final = {
    "sqlite": (
        "CREATE VIRTUAL TABLE findingtext USING fts5(search, content='finding', columnsize=0, detail='none', "
        "tokenize='trigram case_sensitive 1')",
        "CREATE VIRTUAL TABLE findingterm USING fts5vocab('findingtext', 'row')",
        "CREATE TABLE findinglater (one INTEGER PRIMARY KEY)",  # holds a row while many findings are written
        f"CREATE TRIGGER findingtext_insert AFTER INSERT ON finding {_ALONE} BEGIN {_PUT_IN} END",
        f"CREATE TRIGGER findingtext_delete AFTER DELETE ON finding BEGIN {_TAKEN_OUT} END",
        "CREATE TRIGGER findingtext_update AFTER UPDATE OF search ON finding WHEN old.search IS NOT new.search "
        f"BEGIN {_TAKEN_OUT} {_PUT_IN} END",
    ),
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "CREATE INDEX finding_search ON finding USING gin (search gin_trgm_ops)",
    ),
}


def index_search(connection: sa.Connection) -> None:
    """Make the index. Where a server does not let us have its extension, searching works and takes longer."""
    try:
        with connection.begin_nested():
            for statement in _INDEX[connection.dialect.name]:
                connection.exec_driver_sql(statement)
    except sa.exc.DBAPIError:
        if connection.dialect.name == "sqlite":
            raise


@contextmanager
def indexed_together(session: Session) -> Iterator[None]:
    """Findings inserted inside are put into the index at the end, in one statement.

    SQLite closes a segment of the index after every statement: one by one, 87,000 findings took 3 s longer.
    """
    if session.get_bind().dialect.name != "sqlite":
        yield
        return
    connection = session.connection()
    last = connection.exec_driver_sql("SELECT coalesce(max(rowid), 0) FROM finding").scalar_one()
    connection.exec_driver_sql("INSERT INTO findinglater VALUES (1)")
    yield
    connection.exec_driver_sql(
        "INSERT INTO findingtext(rowid, search) SELECT rowid, search || '  ' FROM finding WHERE rowid > ?", (last,)
    )
    connection.exec_driver_sql("DELETE FROM findinglater")


def indexed(session: Session, words: Sequence[str]) -> tuple[sa.Join, sa.ColumnElement[bool]] | None:
    """What to select findings from, and the condition that leads to those that may hold these words.

    None when the words stand nearly everywhere, and on PostgreSQL, whose planner knows how rare they are by itself.
    """
    if session.get_bind().dialect.name != "sqlite":
        return None
    asked = " AND ".join(part for word in words if (part := _asked(session, word)))
    if not asked:
        return None
    reached = _TEXT.join(table_of(Finding), sa.literal_column("finding.rowid") == _TEXT.c.rowid)
    return reached, _TEXT.c.findingtext.op("MATCH")(asked)


def led(column: Any) -> Any:
    """The column in a condition for which SQLite must not take another index (https://sqlite.org/optoverview.html)."""
    return sa.sql.expression.UnaryExpression(column, operator=sa.sql.operators.custom_op("+"), type_=column.type)


def _asked(session: Session, word: str) -> str:
    """The trigrams of a word, side by side; for a short word those it may begin. Empty when it says too little."""
    if len(word) >= SIZE:
        starts = sorted({*range(0, len(word) - SIZE + 1, SIZE), len(word) - SIZE})
        return " AND ".join(_quoted(word[n : n + SIZE]) for n in starts[:MOST])
    begun = sa.select(_TERMS.c.term).where(_TERMS.c.term >= word, _TERMS.c.term < f"{word}{_LAST}").limit(MOST + 1)
    terms = session.execute(begun).scalars().all()
    if len(terms) > MOST:
        return ""
    return f"({' OR '.join(map(_quoted, terms or [word.ljust(SIZE)]))})"


def _quoted(trigram: str) -> str:
    return '"{}"'.format(trigram.replace('"', '""'))
