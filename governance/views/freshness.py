"""How old what the pages show is: the age of every feed, and what a guard holds back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.declaration import CLOCKS_DIFFER_BY
from governance.errors import AuthenticationFailed
from governance.house import House
from governance.settings import SourceSettings
from governance.snapshots import Doubt, doubts_told, newest_told
from governance.tables import Pull, Snapshot
from governance.views.words import span

State = Literal["fresh", "outdated", "never"]
REFUSALS: Final = 3  # so many in a row, and a feed is tried once a day only: more could lock its credential out
REFUSED: Final = AuthenticationFailed.__name__
_LAST_PULL: Final = (
    sa.select(col(Pull.status), col(Pull.error), col(Pull.error_kind))
    .where(col(Pull.feed) == sa.bindparam("feed"), col(Pull.status) != "running")
    .order_by(col(Pull.id).desc())
    .limit(1)
)


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
    quarantined: bool = False  # its credential was refused several times in a row: it is tried once a day only
    doubt: Doubt | None = None  # who is missing from what is believed, and not taken for gone

    @property
    def ahead(self) -> bool:
        """Whether its facts are of a time that has not come yet: it was read while the clock was ahead."""
        return self.age is not None and self.age < -CLOCKS_DIFFER_BY

    @property
    def age_text(self) -> str:
        """Its age, or that it was never read; below zero where the clock was ahead, so that nobody knows it."""
        if self.age is None:
            return "never read"
        return f"minus {span(-self.age)}" if self.ahead else span(self.age)

    @property
    def said(self) -> str:
        """Name, age and what is wrong with it."""
        trouble = ", outdated" if self.state == "outdated" else ""
        trouble += (
            ", held by a guard"
            if self.held
            else ", credential refused"
            if self.quarantined
            else ", last pull failed"
            if self.failed
            else ""
        )
        trouble += f", {self.doubt.missing:,} missing not counted" if self.doubt else ""
        return f"{self.title} {self.age_text}{trouble}"

    @property
    def sound(self) -> bool:
        """Recent, nothing wrong with the newest pull, and whoever is missing from it is gone."""
        return self.state == "fresh" and not self.failed and not self.held and not self.doubt


def freshness(house: House, now: datetime) -> list[Feed]:
    """Every configured feed, those that must not be relied on first, then sources of truth, then applications."""
    with house.store.read() as session:
        names = [feed.name for feed in house.settings.feeds]
        told = newest_told(session, names)
        last = _last_pulls(session, names)
        held = set(session.exec(select(Snapshot.feed).where(Snapshot.status == "held")))
        refused = {name for name, (_, _, kind) in last.items() if kind == REFUSED and _refused(session, name)}
    doubted = doubts_told(house.settings.feeds, told)
    feeds = []
    for settings in (*house.settings.source, *house.settings.application):
        at = told[settings.name][0] if settings.name in told else None
        age = None if at is None else now - at
        state: State = "never" if age is None else "outdated" if age > settings.outdated_after else "fresh"
        if age is not None and age < -CLOCKS_DIFFER_BY:
            state = "outdated"  # for all that is known its facts may be as old as the clock was ahead
        status, error, _ = last.get(settings.name, ("", None, None))
        quarantined = settings.name in refused
        if quarantined:
            error = f"{error}; refused {REFUSALS} times in a row, so it is tried once a day: renew the credential, then"
            error += f" `leaverwatch connectors check {settings.name}` and `leaverwatch pull {settings.name}`"
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
                quarantined=quarantined,
                doubt=doubted.get(settings.name),
            )
        )
    return sorted(feeds, key=lambda feed: (feed.sound, feed.kind != "source"))


def quarantined(house: House, name: str) -> Pull | None:
    """The last pull of a feed whose credential was refused several times in a row; None when it is read as planned."""
    with house.store.read() as session:
        return _refused(session, name)


def _refused(session: Session, name: str) -> Pull | None:
    newest = select(Pull).where(Pull.feed == name, Pull.status != "running").order_by(col(Pull.id).desc())
    last = session.exec(newest.limit(REFUSALS)).all()
    return last[0] if [pull.error_kind for pull in last] == [REFUSED] * REFUSALS else None


def _last_pulls(session: Session, feeds: Iterable[str]) -> dict[str, tuple[str, str | None, str | None]]:
    asked = ((feed, session.execute(_LAST_PULL, {"feed": feed}).first()) for feed in feeds)
    return {feed: (row[0], row[1], row[2]) for feed, row in asked if row is not None}
