"""Pull: read feeds, stage what they said, let the guard decide, publish. A failed pull leaves no snapshot."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlmodel import col, select
from ulid import ULID

from governance import guards, remediation
from governance.errors import FeedError, LeaverwatchError, NotSupported
from governance.house import House
from governance.records import Reading, Record
from governance.settings import ApplicationSettings
from governance.snapshots import believed, stage
from governance.tables import JobRun, Pull, Snapshot
from jobs import home

if TYPE_CHECKING:
    from connectors.kit.contract import Connector

REJECTS_KEPT: Final = 1_000
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


def pull(
    house: House,
    feeds: Sequence[str],
    now: datetime,
    at: datetime | None = None,
    by: str = "scheduler",
    connect: Connect = home.connect,
    progress: Callable[[str], None] = lambda _: None,
) -> list[PullResult]:
    """Pull these feeds, or every configured one, sources of truth first; one that fails does not stop the others.

    `at` stamps a historical snapshot. ConfigurationError for a feed that is not configured.
    """
    names = list(feeds) or [feed.name for feed in (*house.settings.source, *house.settings.application)]
    for name in names:
        house.settings.feed(name)
    results = []
    for name in names:
        progress(f"reading {house.settings.feed(name).label}")
        results.append(_pull_alone(house, name, now, at or now, by, connect))
    return results


def _pull_alone(house: House, name: str, now: datetime, at: datetime, by: str, connect: Connect) -> PullResult:
    with house.store.lease(f"pull-{name}") as alone:
        if not alone:
            return PullResult(name, "busy", 0, 0, 0, None, "", "another process is reading this feed now")
        return _pull_one(house, name, now, at, by, connect)


def _pull_one(house: House, name: str, now: datetime, at: datetime, by: str, connect: Connect) -> PullResult:
    number = str(ULID.from_datetime(now))
    run = JobRun(id=number, job="pull", feed=name, started_at=now, by=by)
    evidence = Pull(id=number, feed=name, at=at, started_at=now, status="running")
    with house.store.write() as session:
        session.add(run)
        session.add(evidence)
    reading, snapshot, failure = Reading(), None, None
    try:
        with contextlib.closing(connect(house, name, at)) as connector:
            reading = connector.reading
            told = Told(house, connector, at)
            staged = stage(house, house.settings.feed(name), told, reading, at, now, lambda: told.mark)
            reading = connector.reading
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
        error=str(failure) if failure else snapshot.held_why if snapshot else None,
        error_kind=type(failure).__name__ if failure else None,
    )


class Told:
    """Everything a connector yields: its records, then what happened since the last believed snapshot.

    Events that cannot be read do not cost the accounts: it is noted, the mark stays, and the next pull reads them.
    """

    def __init__(self, house: House, connector: Connector, at: datetime) -> None:
        with house.store.read() as session:
            last = believed(session, connector.feed.name)
        self.mark = last.event_mark if last else None
        self._since = at - timedelta(days=house.settings.snapshots.event_days)
        self._connector = connector

    def __iter__(self) -> Iterator[Record]:
        from connectors.kit.contract import TellsEvents

        connector = self._connector
        yield from connector.records()
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
        evidence.rejects = [asdict(row) for row in reading.rejected[:REJECTS_KEPT]]
        evidence.finished_at = run.finished_at = finished
        evidence.status = "failed" if failure else "held" if held else "ok"
        run.status = "failed" if failure else "stopped" if held else "ok"
        evidence.snapshot = snapshot.id if snapshot else None
        if failure is not None:
            evidence.error_kind, evidence.error = type(failure).__name__, str(failure)
            run.error = str(failure)
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
