"""Pull: read feeds, stage what they said, let the guard decide, publish. A failed pull leaves no snapshot.

Everything is read, or where the connector can tell it and everything was read lately, only what changed.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlmodel import col, select
from ulid import ULID

from governance import guards, remediation
from governance.errors import FeedError, LeaverwatchError, NotSupported
from governance.house import House
from governance.records import Gone, Reading, Record, Rows
from governance.settings import ApplicationSettings
from governance.snapshots import Before, believed, stage
from governance.store.chain import clean
from governance.tables import JobRun, Pull, Snapshot
from jobs import changing, home

if TYPE_CHECKING:
    from connectors.kit.contract import Connector

REJECTS_KEPT: Final = 1_000
REJECTS_SAID: Final = 3
log = logging.getLogger("leaverwatch.pull")
Connect = Callable[..., "Connector"]


@dataclass(frozen=True)
class PullResult:
    """How one feed's pull ended: status is published, held, failed or busy (another process reads the feed now)."""

    feed: str
    status: str
    rows_read: int
    kept: int
    rejected: int
    snapshot: str | None
    sha256: str
    error: str | None = None
    error_kind: str | None = None  # class name of the error
    first_rejected: tuple[str, ...] = ()  # where the first rows that were not believed stand, and why


def pull(
    house: House,
    feeds: Sequence[str],
    now: datetime,
    at: datetime | None = None,
    by: str = "scheduler",
    connect: Connect = home.connect,
    progress: Callable[[str], None] = lambda _: None,
    *,
    incremental: bool = False,
) -> list[PullResult]:
    """Pull these feeds, or every configured one, sources of truth first; one that fails does not stop the others.

    `at` stamps a historical snapshot. `incremental`: only what changed is read where that is enough (see
    jobs.changing). ConfigurationError for a feed that is not configured.
    """
    names = list(feeds) or [feed.name for feed in (*house.settings.source, *house.settings.application)]
    from jobs.declarations import declare_again

    declare_again(house, {house.settings.feed(name).connector for name in names})
    results = []
    for name in names:
        progress(f"reading {house.settings.feed(name).label}")
        with house.store.lease(f"pull-{name}") as alone:
            if alone:
                base = changing.ground(house, name, now) if incremental and at is None else None
                results.append(_pull_one(house, name, now, at or now, by, connect, base))
            else:
                busy = "another process is reading this feed now"
                results.append(PullResult(name, "busy", 0, 0, 0, None, "", busy))
    return results


def _pull_one(
    house: House, name: str, now: datetime, at: datetime, by: str, connect: Connect, base: changing.Ground | None
) -> PullResult:
    number = str(ULID.from_datetime(now))
    run = JobRun(id=number, job="pull", feed=name, started_at=now, by=by)
    evidence = Pull(id=number, feed=name, at=at, started_at=now, status="running")
    with house.store.write() as session:
        session.add(run)
        session.add(evidence)
    reading, snapshot, failure = Reading(), None, None
    try:
        staged, refused = None, ""
        for ground in (base, None) if base else (None,):
            with contextlib.closing(connect(house, name, at)) as connector:
                reading = connector.reading
                told = Told(house, connector, at, ground, refused)
                staged = told.staged(now)
            if staged is not None:
                break
            refused = told.refused
        if staged is not None:
            snapshot = guards.believe(house, staged, now, by)
    except LeaverwatchError as error:
        failure = error
        log.warning("pull of %s failed: %s", name, type(error).__name__)
    except Exception as error:
        unexpected = LeaverwatchError(f"an unexpected {type(error).__name__}; see the log")
        _note(house, number, reading, None, unexpected)
        raise
    _note(house, number, reading, snapshot, failure)
    if snapshot is not None and snapshot.status == "published" and _is_application(house, name):
        remediation.settle_by_snapshot(house, now, name)
    return PullResult(
        feed=name,
        status="failed" if snapshot is None else snapshot.status,
        rows_read=reading.rows_read,
        kept=reading.kept,
        rejected=len(reading.rejected),
        snapshot=snapshot.id if snapshot else None,
        sha256=snapshot.sha256 if snapshot else reading.sha256,
        error=clean(str(failure)) if failure else snapshot.held_why if snapshot else None,
        error_kind=type(failure).__name__ if failure else None,
        first_rejected=tuple(
            ": ".join(filter(None, (row.where, row.column, row.reason))) for row in reading.rejected[:REJECTS_SAID]
        ),
    )


class Told:
    """What a connector yields: its records or what changed of them, then what happened since the last time.

    Events that cannot be read do not cost the accounts: it is noted, the mark stays, and the next pull reads them.
    """

    def __init__(
        self, house: House, connector: Connector, at: datetime, base: changing.Ground | None = None, refused: str = ""
    ) -> None:
        from connectors.kit.contract import TellsChanges

        with house.store.read() as session:
            last = believed(session, connector.feed.name)
        self.mark = last.event_mark if last else None
        self.refused = refused  # why what changed could not be told
        self._since = at - timedelta(days=house.settings.snapshots.event_days)
        self._house, self._connector, self._at = house, connector, at
        self._base = base if isinstance(connector, TellsChanges) else None

    def staged(self, now: datetime) -> Snapshot | None:
        """The snapshot of it, invisible still; None where what changed cannot be told, so that all must be read."""
        from connectors.kit.contract import MarkRefused

        connector, over = self._connector, self._base.snapshot if self._base else None
        if over is None and self.refused:
            connector.reading.notes.append(f"everything was read: {self.refused}")
        marks = (lambda: self.mark, self._account_mark)
        try:
            return stage(self._house, connector.feed, self, connector.reading, self._at, now, *marks, over)
        except MarkRefused as error:
            if over is None:
                raise
            self.refused = str(error)
            return None

    def _account_mark(self) -> str | None:
        from connectors.kit.contract import TellsChanges

        told = self._connector.changes_mark if isinstance(self._connector, TellsChanges) else None
        return changing.kept(self._house, self._connector.feed.name, told)

    def _records(self) -> Iterator[Record | Rows | Gone]:
        from connectors.kit.contract import TellsChanges

        connector, base = self._connector, self._base
        if base is None or not isinstance(connector, TellsChanges):
            yield from connector.portions()
            return
        yield from connector.changes(base.mark, Before(self._house, base.snapshot))
        told = connector.reading
        told.filters = "; ".join(filter(None, (base.words, told.filters)))

    def __iter__(self) -> Iterator[Record | Rows | Gone]:
        from connectors.kit.contract import TellsEvents

        connector = self._connector
        yield from self._records()
        if not isinstance(connector, TellsEvents):
            return
        try:
            yield from connector.events(self._since, self.mark)
        except (FeedError, NotSupported) as error:
            connector.reading.notes.append(f"events could not be read: {type(error).__name__}: {error}")
        else:
            self.mark = connector.mark


def _is_application(house: House, name: str) -> bool:
    return isinstance(house.settings.feed(name), ApplicationSettings)


def _note(
    house: House, number: str, reading: Reading, snapshot: Snapshot | None, failure: LeaverwatchError | None
) -> None:
    """The raw-source evidence of the pull and the end of its job run, whatever became of it."""
    finished = home.clock()
    held = snapshot is not None and snapshot.status == "held"
    with house.store.write() as session:
        evidence, run = session.get_one(Pull, number), session.get_one(JobRun, number)
        for key, value in _counted(reading).items():
            setattr(evidence, key, value)
        evidence.rejects = [
            {"where": row.where, "column": row.column, "reason": row.reason} for row in reading.rejected[:REJECTS_KEPT]
        ]
        evidence.finished_at = run.finished_at = finished
        evidence.status = "failed" if failure else "held" if held else "ok"
        run.status = "failed" if failure else "stopped" if held else "ok"
        evidence.snapshot = snapshot.id if snapshot else None
        if failure is not None:
            # What the other side said may stand in it, and no store keeps every sign of that.
            evidence.error_kind, evidence.error = type(failure).__name__, clean(str(failure))
            run.error = evidence.error
        elif held and snapshot is not None:
            run.error = snapshot.held_why
        run.counts = {"rows_read": reading.rows_read, "kept": reading.kept, "rejected": len(reading.rejected)}
        session.add(evidence)
        session.add(run)


def _counted(reading: Reading) -> dict[str, Any]:
    return {
        "source": reading.source,
        "filters": reading.filters,
        "pages": reading.pages,
        "declared_total": reading.declared_total,
        "rows_read": reading.rows_read,
        "kept": reading.kept,
        "rejected": len(reading.rejected),
        "duplicates": reading.duplicates,
        "clamped": reading.clamped,
        "notes": list(reading.notes),
        "sha256": reading.sha256,
    }


def mark_interrupted(house: House, now: datetime) -> int:
    """Close the records of pulls that were killed; called when a worker starts and holds its lease."""
    with house.store.write() as session:
        runs = session.exec(select(JobRun).where(col(JobRun.status) == "running")).all()
        for run in runs:
            run.status, run.finished_at, run.error = "failed", now, "interrupted: the process ended before the job did"
            evidence = session.get(Pull, run.id)
            if evidence is not None and evidence.status == "running":
                evidence.status, evidence.finished_at, evidence.error_kind = "failed", now, FeedError.__name__
                evidence.error = run.error
                session.add(evidence)
            session.add(run)
    return len(runs)
