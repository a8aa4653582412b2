"""The list of findings: filtered, most severe first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from governance.access import Reach
from governance.correlation import fold
from governance.house import House
from governance.score import SEVERITY
from governance.store import indexed, led
from governance.store.chain import clean
from governance.tables import Finding
from governance.views.paging import CAP, PART, Cursor, Row, Slice, turn
from governance.views.tallies import tally, within

KEY: Final = (int, str)  # score, fingerprint
ByText = tuple[sa.Join, sa.ColumnElement[bool]]
NEAR: Final = 5_000  # findings looked at for a text that many hold, before its index is asked
BAND: Final = 19  # how far privilege, criticality and use lift a score above its severity's least
COLUMNS: Final = (
    "fingerprint",
    "rule",
    "severity",
    "score",
    "status",
    "application",
    "account_id",
    "username",
    "identity_id",
    "identity_name",
    "reason",
    "opened_at",
    "since_at",
    "resolved_at",
    "resolved_why",
    "reopened",
)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; None or empty means all."""

    status: str = "open"
    rule: str | None = None
    severity: str | None = None
    application: str | None = None
    text: str = ""
    identity_id: str | None = None
    reach: Reach | None = None  # what the reader may see; None is everything

    @property
    def words(self) -> list[str]:
        """What every finding of the list must hold."""
        return (fold(clean(self.text)) or "").split()

    @property
    def narrowed(self) -> bool:
        """Whether anything but the status narrows the list."""
        return any((self.rule, self.severity, self.application, self.text.strip(), self.identity_id))


def page(house: House, filters: Filters, cursor: Cursor | None = None) -> Slice:
    """One page of findings, the highest score first."""
    with house.store.read() as session:
        by_text = indexed(session, filters.words) if filters.words else None
        total = _total(house, session, filters, by_text)
        if total == 0:
            return Slice([], 0, 0, None, None)

        def fetch(at: Cursor | None, limit: int) -> list[Row]:
            if by_text is None or total <= CAP:
                return _fetch(session, _wanted(filters, by_text, *_shown()), at, limit)
            return _fetch_among_many(session, filters, by_text, at, limit)

        return turn(fetch, lambda row: (row["score"], row["fingerprint"]), cursor, total)


def since(row: Row) -> datetime:
    """Since when it is so: for a leaver the day of leaving, else the day it was found."""
    at: datetime = row["since_at"] or row["opened_at"]
    return at


_BRIEFLY: Final = (
    ("the account is still active and was used after that, last on", "still active, used since, last on"),
    ("the account is still active", "still active"),
    ("the account was used after that, last on", "used since, last on"),
)


def short(row: Row, where: str, now: datetime) -> str:
    """The sentence without what stands beside it in a row: the account, the application and this year."""
    account = f"the account {row['username'] or row['account_id']} in {where}"
    text = str(row["reason"]).replace(f"The account {account[12:]}", "The account").replace(account, "the account")
    for long, brief in _BRIEFLY:
        text = text.replace(long, brief)
    return text.replace(f" {now.year}", "")


def _total(house: House, session: Session, filters: Filters, by_text: ByText | None) -> int:
    if not filters.words and not filters.identity_id:
        return tally(house, filters.reach).of(filters.status, filters.application, filters.rule, filters.severity)
    some = _wanted(filters, by_text, sa.literal(1)).limit(CAP + 1).subquery()
    return int(session.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


def _wanted(filters: Filters, by_text: ByText | None, *columns: Any) -> sa.Select[Any]:
    """These columns of the findings the list is narrowed to; `by_text` leads when it is given."""
    own = led if by_text else col
    wanted: list[Any] = [own(Finding.status) == filters.status]
    for name in ("rule", "severity", "application", "identity_id"):
        value = getattr(filters, name)
        if value:
            wanted.append(own(getattr(Finding, name)) == value)
    if filters.severity in SEVERITY:  # severities are bands of the score: the index that orders the list finds them
        least = SEVERITY[filters.severity]
        wanted += [own(Finding.score) >= least, own(Finding.score) <= least + BAND]
    wanted += [col(Finding.search).contains(word, autoescape=True) for word in filters.words]
    wanted += within(filters.reach, own)
    query = sa.select(*columns).where(*wanted)
    return query.select_from(by_text[0]).where(by_text[1]) if by_text else query.select_from(Finding)


def _shown() -> list[Any]:
    return [getattr(Finding, name) for name in COLUMNS]


def _fetch(session: Session, query: sa.Select[Any], cursor: Cursor | None, limit: int) -> list[Row]:
    return [dict(row) for row in session.execute(_turned(query, cursor, limit)).mappings()]


def _fetch_among_many(
    session: Session, filters: Filters, by_text: ByText, cursor: Cursor | None, limit: int
) -> list[Row]:
    """A page of what many findings hold: mostly they stand near; if not, the index tells them from the rest."""
    words, shown = filters.words, _shown()
    near = _turned(_wanted(replace(filters, text=""), None, *shown, Finding.search), cursor, NEAR).subquery()
    query = sa.select(*(near.c[name] for name in COLUMNS)).where(
        *(near.c.search.contains(word, autoescape=True) for word in words)
    )
    back = cursor is not None and cursor.back
    found: list[Row] = [
        dict(row) for row in session.execute(query.order_by(*_order(near.c, back)).limit(limit)).mappings()
    ]
    if len(found) == limit:
        return found
    text, may_hold = by_text[0].left, by_text[1]
    places = sa.select(text.c.rowid).where(may_hold)
    return _fetch(
        session,
        _wanted(filters, None, *shown).where(led(sa.literal_column("finding.rowid")).in_(places)),
        cursor,
        limit,
    )


def _turned(query: sa.Select[Any], cursor: Cursor | None, limit: int) -> sa.Select[Any]:
    """The query in the order of the list, from the cursor on."""
    score, fingerprint = col(Finding.score), col(Finding.fingerprint)
    back = cursor is not None and cursor.back
    if cursor is not None:
        at, own = cursor.key
        if back:
            query = query.where(score >= at, sa.or_(score > at, fingerprint < own))
        else:
            query = query.where(score <= at, sa.or_(score < at, fingerprint > own))
    return query.order_by(*_order(Finding, back)).limit(limit)


def _order(columns: Any, back: bool) -> tuple[Any, Any]:
    score, fingerprint = columns.score, columns.fingerprint
    return (score.asc(), fingerprint.desc()) if back else (score.desc(), fingerprint.asc())


def worst_of(session: Session, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """The worst open finding of each of these accounts, and how many there are (`count`)."""
    if not keys:
        return {}
    # Both columns by themselves, and no status: only so does SQLite find the rows by the index finding_account.
    query = (
        sa.select(
            *(getattr(Finding, name) for name in ("application", "account_id", "rule", "severity", "fingerprint"))
        )
        .add_columns(col(Finding.status), col(Finding.score))
        .where(
            col(Finding.application).in_({application for application, _ in keys}),
            col(Finding.account_id).in_({account_id for _, account_id in keys}),
        )
    )
    rows = sorted((row for row in session.execute(query) if row.status == "open"), key=lambda row: -row.score)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        first = {"rule": row.rule, "severity": row.severity, "fingerprint": row.fingerprint, "count": 0}
        found.setdefault((row.application or "", row.account_id or ""), first)["count"] += 1
    return dict(found)


def export(house: House, filters: Filters) -> Iterator[Row]:
    """The whole filtered list for a file, a part at a time, as of one moment."""
    with house.store.read() as session:
        by_text = indexed(session, filters.words) if filters.words else None
        query = _wanted(filters, by_text, *_shown()).order_by(*_order(Finding, back=False))
        with session.execute(query, execution_options={"yield_per": PART}) as rows:
            for row in rows.mappings():
                yield dict(row)
