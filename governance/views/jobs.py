"""Jobs: what runs by the clock, when it ran last and runs next, and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.house import House
from governance.tables import JobRun, Request
from governance.views.paging import CAP, Cursor, Row, Slice, turn

KEY: Final = (str,)
TITLES: Final = {
    "pull": "Pull",
    "detect": "Detect",
    "remediate": "Remediate",
    "verify": "Verify",
    "remind": "Remind",
    "retention": "Retention",
    "check": "Check",
    "configure": "Configure",
    "import": "Import a role mapping",
    "reviews": "Reviews",
    "evidence": "Evidence",
}
STATUSES: Final = {"running": "Running", "ok": "Done", "failed": "Failed", "stopped": "Stopped by a guard"}


PATIENCE: Final = timedelta(seconds=30)
IDLE: Final = "Is the worker running? leaverwatch up starts it."


@dataclass(frozen=True)
class Planned:
    """A feed that is pulled by the clock: when it ran last and when it is due."""

    feed: str
    title: str
    every: timedelta
    last: datetime | None

    def due(self, now: datetime) -> datetime:
        """When it is due next; now when it should have run already."""
        return now if self.last is None else max(now, self.last + self.every)


@dataclass(frozen=True)
class Today:
    """The last day in three numbers, and what waits for the worker."""

    runs: int
    failed: int
    running: int
    waiting: int
    last_finished: datetime | None
    waiting_since: datetime | None = None  # when the first of those that wait was asked for

    def stuck(self, now: datetime) -> bool:
        """Whether something waits for longer than an idle worker lets it, and nothing runs: it looks every 2 s."""
        waits = self.waiting_since is not None and now - self.waiting_since > PATIENCE
        return waits and not self.running


def today(house: House, now: datetime) -> Today:
    """How the last 24 hours went."""
    with house.store.read() as session:
        lately = col(JobRun.started_at) > now - timedelta(hours=24)
        rows = session.execute(
            sa.select(col(JobRun.status), sa.func.count()).where(lately).group_by(col(JobRun.status))
        )
        counts = {str(status): int(n) for status, n in rows}
        asked = select(Request.at).where(Request.status == "waiting").order_by(col(Request.at)).limit(1000)
        waiting = session.exec(asked).all()
        done = select(JobRun.finished_at).where(col(JobRun.finished_at).is_not(None)).order_by(col(JobRun.id).desc())
        last = session.exec(done.limit(1)).first()
    runs, failed, running = sum(counts.values()), counts.get("failed", 0), counts.get("running", 0)
    return Today(runs, failed, running, len(waiting), last, min(waiting, default=None))


def planned(house: House) -> list[Planned]:
    """Every feed with its clock, the one due soonest first."""
    at = JobRun.__table__.c.started_at.type  # type: ignore[attr-defined]
    newest = sa.func.max(col(JobRun.started_at), type_=at)
    query = sa.select(col(JobRun.feed), newest).where(col(JobRun.job) == "pull").group_by(col(JobRun.feed))
    with house.store.read() as session:
        last = {str(feed): when for feed, when in session.execute(query)}
    feeds = (*house.settings.source, *house.settings.application)
    found = [Planned(feed.name, feed.label, feed.every, last.get(feed.name)) for feed in feeds]
    return sorted(
        found,
        key=lambda plan: (
            plan.last is not None,
            (plan.last.timestamp() if plan.last else 0) + plan.every.total_seconds(),
        ),
    )


def late(house: House, now: datetime) -> bool:
    """Whether some feed should have been pulled long ago: then nothing works by the clock."""
    grace = timedelta(minutes=5)
    return any(now - (plan.last or now) > 2 * plan.every + grace for plan in planned(house))


def page(house: House, status: str | None = None, job: str | None = None, cursor: Cursor | None = None) -> Slice:
    """One page of job runs, the newest first."""
    conditions = [getattr(JobRun, name) == value for name, value in (("status", status), ("job", job)) if value]

    def fetch(session: Session, at: Cursor | None, limit: int) -> list[Row]:
        query, back = select(JobRun).where(*conditions), at is not None and at.back
        if at is not None:
            query = query.where(col(JobRun.id) > at.key[0] if back else col(JobRun.id) < at.key[0])
        order = col(JobRun.id).asc() if back else col(JobRun.id).desc()
        return [row.model_dump() for row in session.exec(query.order_by(order).limit(limit))]

    with house.store.read() as session:
        some = select(JobRun.id).where(*conditions).limit(CAP + 1).subquery()
        total = session.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
        return turn(lambda at, limit: fetch(session, at, limit), lambda row: (row["id"],), cursor, int(total))
