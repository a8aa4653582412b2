"""How old what the pages show is: the age of every feed, and what a guard holds back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.house import House
from governance.settings import SourceSettings
from governance.tables import Pull, Snapshot
from governance.views.words import span

State = Literal["fresh", "outdated", "never"]


@dataclass(frozen=True)
class Feed:
    """One feed: what time its facts are of, and whether that is recent enough to judge by."""

    name: str
    title: str
    kind: Literal["source", "application"]
    at: datetime | None  # what time the newest believed facts are of
    age: timedelta | None
    state: State
    failed: str | None = None  # why the newest pull failed; the facts before it stand
    held: bool = False  # the newest pull waits for a release

    @property
    def age_text(self) -> str:
        """Its age, or that it was never read."""
        return "never read" if self.age is None else span(self.age)

    @property
    def said(self) -> str:
        """Name, age and what is wrong with it."""
        trouble = ", outdated" if self.state == "outdated" else ""
        trouble += ", held by a guard" if self.held else ", last pull failed" if self.failed else ""
        return f"{self.title} {self.age_text}{trouble}"

    @property
    def sound(self) -> bool:
        """Recent, and nothing wrong with the newest pull."""
        return self.state == "fresh" and not self.failed and not self.held


def freshness(house: House, now: datetime) -> list[Feed]:
    """Every configured feed, those that must not be relied on first, then sources of truth, then applications."""
    with house.store.read() as session:
        believed = _believed(session)
        last = _last_pulls(session)
        held = set(session.exec(select(Snapshot.feed).where(Snapshot.status == "held")))
    feeds = []
    for settings in (*house.settings.source, *house.settings.application):
        at = believed.get(settings.name)
        age = None if at is None else now - at
        state: State = "never" if age is None else "outdated" if age > settings.outdated_after else "fresh"
        status, error = last.get(settings.name, ("", None))
        feeds.append(
            Feed(
                name=settings.name,
                title=settings.label,
                kind="source" if isinstance(settings, SourceSettings) else "application",
                at=at,
                age=age,
                state=state,
                failed=(error or "no reason was noted") if status == "failed" else None,
                held=settings.name in held,
            )
        )
    return sorted(feeds, key=lambda feed: (feed.sound, feed.kind != "source"))


def _believed(session: Session) -> dict[str, datetime]:
    newest: Any = sa.func.max(col(Snapshot.at), type_=Snapshot.__table__.c.at.type)  # type: ignore[attr-defined]
    rows = session.execute(
        sa.select(col(Snapshot.feed), newest).where(col(Snapshot.status) == "published").group_by(col(Snapshot.feed))
    )
    return {str(feed): at for feed, at in rows}


def _last_pulls(session: Session) -> dict[str, tuple[str, str | None]]:
    newest = sa.select(sa.func.max(col(Pull.id))).where(col(Pull.status) != "running").group_by(col(Pull.feed))
    rows = session.execute(sa.select(col(Pull.feed), col(Pull.status), col(Pull.error)).where(col(Pull.id).in_(newest)))
    return {str(feed): (str(status), error) for feed, status, error in rows}
