"""When jobs run: APScheduler in UTC, planned from the job runs in the store, so that a restart repeats nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlmodel import col, select

from governance.house import House
from governance.settings import Settings
from governance.tables import DetectRun, JobRun, Snapshot

TICK: Final = timedelta(seconds=2)
DETECT_EVERY: Final = timedelta(hours=1)  # ends and grace periods pass without any pull
VERIFY_EVERY: Final = timedelta(minutes=5)
REMIND_EVERY: Final = timedelta(seconds=30)
DAILY: Final = (3, 10)  # hour and minute, in UTC: no day has two of them or none


@dataclass(frozen=True)
class Planned:
    """One job, for one feed or for none, and when it is due."""

    job: str
    feed: str | None = None
    every: timedelta | None = None  # None: daily

    @property
    def key(self) -> str:
        """What the job is called in the scheduler."""
        return f"{self.job}.{self.feed}" if self.feed else self.job

    def trigger(self) -> Any:
        """When it fires, always in UTC."""
        if self.every is None:
            return CronTrigger(hour=DAILY[0], minute=DAILY[1], timezone=UTC)
        return IntervalTrigger(seconds=int(self.every.total_seconds()), timezone=UTC)

    def first(self, last: datetime | None, now: datetime) -> datetime:
        """When it is due first after a start: at once if it was missed, however often, else when its time comes.

        At once, too, when it last ran at a time that has not come yet: the clock was ahead then.
        """
        if last is not None and last > now:
            return now
        if self.every is not None:
            return now if last is None else max(now, last + self.every)
        due = now.replace(hour=DAILY[0], minute=DAILY[1], second=0, microsecond=0)
        if due > now:
            due -= timedelta(days=1)
        missed = last is not None and last < due
        return now if missed else due + timedelta(days=1)

    def gap(self, last: datetime | None, now: datetime) -> timedelta | None:
        """How long nothing ran although it was due at least twice; None when nothing was missed."""
        if last is None:
            return None
        every = self.every or timedelta(days=1)
        return now - last if now - last >= 2 * every else None


def planned(settings: Settings) -> list[Planned]:
    """Everything that runs by the clock."""
    feeds = [Planned("pull", feed.name, feed.every) for feed in (*settings.source, *settings.application)]
    told = [Planned("remind", None, REMIND_EVERY)] if settings.notify.channel else []
    own = [Planned("detect", None, DETECT_EVERY), Planned("verify", None, VERIFY_EVERY), *told, Planned("retention")]
    return [*feeds, *own]


def last_runs(house: House) -> dict[tuple[str, str | None], datetime]:
    """When each job last started, for each feed."""
    started = sa.func.max(col(JobRun.started_at), type_=JobRun.__table__.c.started_at.type)  # type: ignore[attr-defined]
    with house.store.read() as session:
        rows = session.exec(select(JobRun.job, JobRun.feed, started).group_by(col(JobRun.job), col(JobRun.feed)))
        return {(job, feed): at for job, feed, at in rows}


def unjudged(house: House) -> bool:
    """Whether a feed has been believed since the last detect run that was stored, as when a worker was stopped."""
    believed = select(Snapshot.published_at).where(col(Snapshot.published_at).is_not(None))
    judged = select(DetectRun.started_at).order_by(col(DetectRun.id).desc())
    with house.store.read() as session:
        newest = session.exec(believed.order_by(col(Snapshot.published_at).desc()).limit(1)).first()
        last = session.exec(judged.limit(1)).first()
    return newest is not None and (last is None or newest > last)


def build(house: House, now: datetime, due: Callable[[Planned], None], tick: Callable[[], None]) -> BackgroundScheduler:
    """A scheduler, not yet started, that calls `due` for each planned job and `tick` every two seconds.

    A job that could not run while the machine slept runs once when it wakes (coalesced, however late). One instance of
    a job at a time: `due` must hand the work to a thread and return.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(4)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    last = last_runs(house)
    for plan in planned(house.settings):
        first = plan.first(last.get((plan.job, plan.feed)), now)
        if plan.job == "detect" and unjudged(house):
            first = now
        scheduler.add_job(due, plan.trigger(), args=[plan], id=plan.key, next_run_time=first)
    scheduler.add_job(
        tick, IntervalTrigger(seconds=int(TICK.total_seconds()), timezone=UTC), id="tick", next_run_time=now
    )
    return scheduler
