"""How leavers' accounts get closed: how many of those held, and how long it takes until that is proved."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl
from sqlmodel import Session, col, select

from governance.house import House
from governance.tables import Finding
from governance.views import runs

WINDOW: Final = timedelta(days=90)
LATELY: Final = timedelta(days=30)
POLICY: Final = timedelta(hours=24)  # FAULTS.md, section 6, promise 12: closure target
_MOST: Final = 10_000


@dataclass(frozen=True)
class Closures:
    """Hours from the end of an engagement to the proof that an account was closed, one number each."""

    hours: list[float]

    @property
    def median(self) -> float | None:
        """The middle one; None when nothing was closed yet."""
        return statistics.median(self.hours) if self.hours else None

    @property
    def late(self) -> int:
        """How many took longer than policy allows."""
        return sum(h > POLICY.total_seconds() / 3600 for h in self.hours)

    def histogram(self, width: int = 2, most: int = 48) -> list[tuple[int, int]]:
        """From which hour on -> how many; the last one holds everything later."""
        counts = dict.fromkeys(range(0, most + width, width), 0)
        for hours in self.hours:
            counts[min(most, int(hours // width) * width)] += 1
        return list(counts.items())


def closures(house: House, now: datetime) -> Closures:
    """Ghosts closed and proved in the last 90 days."""
    with house.store.read() as session:
        key = ("closures", house.store.url, *runs.version(session), now.date())
        return Closures(runs.remembered(key, lambda: _hours(session, now)))


def _hours(session: Session, now: datetime) -> list[float]:
    query = select(Finding.since_at, Finding.resolved_at).where(
        Finding.rule == "ghost",
        Finding.status == "resolved",
        col(Finding.resolved_why).in_(("verified", "inactive", "gone")),
        col(Finding.resolved_at) > now - WINDOW,
        col(Finding.since_at).is_not(None),
    )
    return [
        max(0.0, (resolved - since).total_seconds() / 3600)
        for since, resolved in session.exec(query.limit(_MOST))
        if since and resolved
    ]


@dataclass(frozen=True)
class Coverage:
    """What became of the accounts that the leavers of the last 30 days held."""

    held: int
    closed: int
    open: int
    excluded: int
    unknown: int

    @property
    def share(self) -> float | None:
        """The closed share in percent; None when nobody left."""
        return 100 * self.closed / self.held if self.held else None


def coverage(house: House) -> Coverage | None:
    """Leaver coverage as things stand; None before the first detect run."""
    run = runs.last_run(house)
    frame = run.table("accounts") if run else None
    if run is None or frame is None:
        return None
    with house.store.read() as session:
        key = ("coverage", house.store.url, str(run.estate), *runs.version(session))
        return runs.remembered(key, lambda: _coverage(run, frame, session))


def _coverage(run: runs.Run, frame: pl.LazyFrame, session: Session) -> Coverage:
    ended = pl.col("owner_ended_at_s")
    since, until = int((run.as_of - LATELY).timestamp()), int(run.as_of.timestamp())
    lately = frame.filter(pl.col("owner_state") == "ended", ended > since, ended <= until)
    state = (
        pl.when(~pl.col("present").fill_null(value=True))
        .then(pl.lit("closed"))
        .when(pl.col("active"))
        .then(pl.lit("open"))
        .when(pl.col("active").is_null())
        .then(pl.lit("unknown"))
        .otherwise(pl.lit("closed"))
    )
    counts = dict(lately.group_by(state.alias("state")).len().collect().iter_rows())
    recent = (Finding.rule == "ghost", col(Finding.since_at) > run.as_of - LATELY)
    proved = select(Finding.fingerprint).where(
        *recent, Finding.status == "resolved", col(Finding.resolved_at) > run.as_of
    )
    since_run = len(session.exec(proved).all())
    excluded = len(session.exec(select(Finding.fingerprint).where(*recent, Finding.status == "excluded")).all())
    held = sum(counts.values())
    closed = min(held, counts.get("closed", 0) + since_run)
    unknown = counts.get("unknown", 0)
    return Coverage(held, closed, max(0, held - closed - excluded - unknown), excluded, unknown)
