"""The audit as a list: who did what, on what and why, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.house import House
from governance.tables import AuditEntry
from governance.views.paging import CAP, PART, Cursor, Row, Slice, turn

KEY: Final = (int,)
DECISIONS: Final = (
    "propose",
    "approve",
    "reject",
    "cancel",
    "exclude",
    "exclude.end",
    "pin",
    "release",
    "claim_done",
    "reactivate",
)
DEEDS: Final = ("deactivate", "executed", "verified", "not_verified", "failed", "hold", "use_release", "expire")
SCOPES: Final = {"all": "All", "decisions": "Decisions", "deeds": "Deeds"}


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to."""

    scope: str = "all"
    text: str = ""


@dataclass(frozen=True)
class Chain:
    """How long the chain is and when it grew last."""

    entries: int
    last: datetime | None
    tip: str
    today: int


def chain(house: House, now: datetime) -> Chain:
    """The end of the chain."""
    with house.store.read() as session:
        newest = session.exec(select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(1)).first()
        after = (
            select(AuditEntry.seq).where(AuditEntry.at > now - timedelta(hours=24)).order_by(col(AuditEntry.seq).desc())
        )
        lately = (
            len(session.exec(after.limit(CAP + 1)).all()) if newest and newest.at > now - timedelta(hours=24) else 0
        )
    return Chain(newest.seq if newest else 0, newest.at if newest else None, newest.hash[:16] if newest else "", lately)


def page(house: House, filters: Filters, cursor: Cursor | None = None) -> Slice:
    """One page of the audit."""
    conditions = _conditions(filters)

    def fetch(session: Session, at: Cursor | None, limit: int) -> list[Row]:
        query, back = select(AuditEntry).where(*conditions), at is not None and at.back
        if at is not None:
            query = query.where(col(AuditEntry.seq) > at.key[0] if back else col(AuditEntry.seq) < at.key[0])
        order = col(AuditEntry.seq).asc() if back else col(AuditEntry.seq).desc()
        return [row.model_dump() for row in session.exec(query.order_by(order).limit(limit))]

    with house.store.read() as session:
        some = select(AuditEntry.seq).where(*conditions).limit(CAP + 1).subquery()
        total = session.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
        return turn(lambda at, limit: fetch(session, at, limit), lambda row: (row["seq"],), cursor, int(total))


def _conditions(filters: Filters) -> list[Any]:
    conditions: list[Any] = []
    if filters.scope in ("decisions", "deeds"):
        conditions.append(col(AuditEntry.verb).in_(DECISIONS if filters.scope == "decisions" else DEEDS))
    for word in filters.text.split():
        columns = (AuditEntry.actor, AuditEntry.verb, AuditEntry.object, AuditEntry.reason)
        conditions.append(sa.or_(*(col(column).icontains(word, autoescape=True) for column in columns)))
    return conditions


def export(house: House, filters: Filters) -> Iterator[Row]:
    """All filtered entries for a file, a part at a time, as of one moment."""
    query = select(AuditEntry).where(*_conditions(filters)).order_by(col(AuditEntry.seq).desc())
    with house.store.read() as session, session.exec(query, execution_options={"yield_per": PART}) as rows:
        for row in rows:
            yield row.model_dump()
