"""The first words: one sentence a person understands, with its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.tables import DetectRun, Finding

LIVE = ("open", "excluded", "in_remediation")
LEFT_LATELY = timedelta(days=30)
NO_SOURCE: Final = "No source of truth has been read yet, so nobody can be called a leaver."


@dataclass(frozen=True)
class Headline:
    """How many left, who of them still gets in, through how many accounts, and since when."""

    left: int | None  # people who left in the 30 days before; None: no source of truth has been read
    holders: int
    ghosts: int
    oldest: datetime | None
    as_of: datetime
    holders_lately: int

    @property
    def oldest_days(self) -> int | None:
        """Whole days since the earliest leaver who still gets in left."""
        return None if self.oldest is None else max(0, (self.as_of - self.oldest).days)

    @property
    def sentence(self) -> str:
        """One sentence a person understands."""
        if self.left is None:
            return NO_SOURCE
        first = f"{count(self.left, 'person', 'people')} left in the last 30 days"
        if not self.ghosts:
            return f"{first}; no leaver is known to hold an active account."
        if self.holders == self.holders_lately and self.left:
            second = f"{self.holders:,} of them still hold{'s' if self.holders == 1 else ''}"
        else:
            second = f"{count(self.holders, 'leaver', 'leavers')} still hold{'s' if self.holders == 1 else ''}"
        days = self.oldest_days
        third = "" if days is None else f", the oldest for {count(days, 'day', 'days')}"
        return f"{first}; {second} {count(self.ghosts, 'active account', 'active accounts')}{third}."

    def numbers(self) -> dict[str, Any]:
        """The same numbers for pages."""
        return {
            "leavers_with_access": self.holders,
            "ghost_accounts": self.ghosts,
            "oldest_leaving": None if self.oldest is None else self.oldest.isoformat().replace("+00:00", "Z"),
        }


def count(number: int, one: str, many: str) -> str:
    """A number with its noun: `1 account`, `1,204 accounts`."""
    return f"{number:,} {one if number == 1 else many}"


def headline(session: Session, as_of: datetime, summary: dict[str, Any] | None = None) -> Headline:
    """The headline as findings stand now; without `summary`, how many left is taken from the last detect run."""
    if summary is None:
        last = session.exec(select(DetectRun).order_by(col(DetectRun.id).desc()).limit(1)).first()
        summary = (last.summary or {}) if last else {}
    ghosts = (
        sa.select(
            sa.func.count(),
            sa.func.count(sa.distinct(col(Finding.identity_id))),
            sa.func.min(col(Finding.since_at)),
            sa.func.count(
                sa.distinct(
                    sa.case((col(Finding.since_at) >= as_of - LEFT_LATELY, col(Finding.identity_id)), else_=None)
                )
            ),
        )
        .select_from(Finding)
        .where(col(Finding.rule) == "ghost", col(Finding.status).in_(LIVE))
    )
    count, holders, oldest, lately = session.execute(ghosts).one()
    read = any(feed.get("kind") == "source" for feed in summary.get("feeds", {}).values())
    return Headline(summary.get("leavers_30d", 0) if read else None, holders, count, oldest, as_of, lately)
