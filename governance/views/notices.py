"""Notices as they are looked at: what did not arrive, what waits, and what one person was told lately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from governance.house import House
from governance.notices import KINDS, Preference, room
from governance.tables import Notice
from governance.views.words import count, span

STATUSES = {"waiting": "Waiting", "sent": "Sent", "failed": "Not delivered", "dropped": "Not needed any more"}
LOOKED_AT = 500


@dataclass(frozen=True)
class Told:
    """What one receiver was told of one kind in one message, or is to be told."""

    to: str
    title: str
    lines: tuple[str, ...]
    status: str
    at: datetime  # when it arrived; else when it was made
    due_at: datetime
    attempts: int
    error: str
    channels: tuple[str, ...]
    number: int

    @property
    def receiver(self) -> str:
        """Whom it is for, in words."""
        name = room(self.to)
        return self.to if name is None else f"the room {name}"

    def tried(self, now: datetime) -> str:
        """How often it was tried and when again."""
        times = count(self.attempts, "time", "times")
        if self.status == "failed":
            return f"tried {times}, given up"
        minutes = max(0, int((self.due_at - now).total_seconds() // 60))
        return f"tried {times}, again in {span(timedelta(minutes=minutes))}" if minutes else f"tried {times}, again now"


@dataclass(frozen=True)
class Undelivered:
    """What failed for good or is tried again, and how many notices wait for nothing but their time."""

    failed: int
    retried: int
    waiting: int
    shown: list[Told]
    failed_ids: list[str]  # at most those that can be tried again at once


def listed(house: House, status: str | None = None, to: str | None = None, limit: int = 1000) -> list[Notice]:
    """Notices, the newest first."""
    wanted = select(Notice).order_by(col(Notice.id).desc()).limit(limit)
    if status:
        wanted = wanted.where(Notice.status == status)
    if to:
        wanted = wanted.where(Notice.to == to)
    with house.store.read() as session:
        return list(session.exec(wanted).all())


def undelivered(house: House) -> Undelivered:
    """What an admin should see."""
    tried = sa.case((col(Notice.attempts) > 0, 1), else_=0)
    numbers = sa.select(col(Notice.status), tried, sa.func.count()).where(col(Notice.status).in_(("waiting", "failed")))
    troubled = sa.or_(
        col(Notice.status) == "failed", sa.and_(col(Notice.status) == "waiting", col(Notice.attempts) > 0)
    )
    newest = select(Notice).where(troubled).order_by(col(Notice.status), col(Notice.id).desc()).limit(LOOKED_AT)
    again = select(Notice.id).where(Notice.status == "failed").order_by(col(Notice.id)).limit(500)
    with house.store.read() as session:
        by = {(str(s), int(t)): int(n) for s, t, n in session.execute(numbers.group_by(col(Notice.status), tried))}
        return Undelivered(
            failed=by.get(("failed", 0), 0) + by.get(("failed", 1), 0),
            retried=by.get(("waiting", 1), 0),
            waiting=by.get(("waiting", 0), 0),
            shown=together(session.exec(newest).all()),
            failed_ids=list(session.exec(again).all()),
        )


def together(notices: Sequence[Notice]) -> list[Told]:
    """Notices as they are told: those of one kind that go, or went, to one receiver at one time are one."""
    groups: dict[tuple[object, ...], list[Notice]] = {}
    for n in notices:
        when = n.sent_at if n.status == "sent" else n.due_at if n.status == "waiting" else None
        groups.setdefault((n.to, n.kind, n.status, when, n.attempts, n.error), []).append(n)
    return [_told(group) for group in groups.values()]


def _told(group: list[Notice]) -> Told:
    first = group[0]
    kind = {str(name): kind for name, kind in KINDS.items()}.get(first.kind)
    abouts = len({n.about for n in group})
    bodies = Counter(n.body for n in group)
    return Told(
        to=first.to,
        title=kind.title(abouts, room=room(first.to) is not None) if kind else first.title,
        lines=tuple(kind.line(body, n) if kind else body for body, n in bodies.items()),
        status=first.status,
        at=first.sent_at or first.made_at,
        due_at=first.due_at,
        attempts=first.attempts,
        error=first.error or "",
        channels=tuple(first.channels or ()),
        number=len(group),
    )


def said(wishes: Preference, personal: tuple[str, ...]) -> str:
    """How somebody is told, as half a sentence: "at once by mail, but not from 20:00 to 07:00 (UTC)"."""
    chosen = [name for name in personal if name in wishes.channels] or list(personal)
    when = "at once" if wishes.digest == "at_once" else f"every day at 08:00 ({wishes.time_zone})"
    quiet = f", but not from {wishes.quiet_from} to {wishes.quiet_until}" if wishes.quiet_from else ""
    zone = f" ({wishes.time_zone})" if wishes.quiet_from and wishes.digest == "at_once" else ""
    return f"{when} by {' and '.join(chosen)}{quiet}{zone}"
