"""How leavers' accounts get closed: how many of those held, and how long it takes until that is proved."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from governance import findings
from governance.findings import Coverage
from governance.house import House
from governance.tables import Finding
from governance.views import runs

WINDOW: Final = timedelta(days=90)
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
        col(Finding.resolved_why).in_(findings.PROVED),
        col(Finding.resolved_at) > now - WINDOW,
        col(Finding.since_at).is_not(None),
    )
    return [
        max(0.0, (resolved - since).total_seconds() / 3600)
        for since, resolved in session.exec(query.limit(_MOST))
        if since and resolved
    ]


def coverage(house: House) -> Coverage | None:
    """Leaver coverage as things stand; None before the first detect run."""
    run = runs.last_run(house)
    frame = run.table("accounts") if run else None
    if run is None or frame is None:
        return None
    with house.store.read() as session:
        key = ("coverage", house.store.url, str(run.estate), *runs.version(session))
        return runs.remembered(key, lambda: findings.coverage(session, frame, run.as_of))
