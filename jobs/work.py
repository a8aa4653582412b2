"""The jobs that worker and command line both do: each under its lease, each recorded as a job run.

Leases, so that one process or twenty do the same: `worker` (who schedules), `pull-<feed>` (one pull of a feed at a
time), `detect` (one detect run at a time), `acting` (remediations and verification one after another),
`notices` (nobody is told twice), `reviews` (none begins twice).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlmodel import and_, col, delete, or_, select
from ulid import ULID

from governance.errors import AlreadyDecided, GuardStopped, LeaverwatchError
from governance.house import House
from governance.store.chain import clean
from governance.tables import DetectRun, JobRun, Remediation, Request
from jobs.home import actor_named, clock, connect

if TYPE_CHECKING:
    from connectors.kit.contract import Connector
    from governance.access import Actor
    from jobs.detect import Detection
    from jobs.pull import PullResult
    from jobs.remediate import Outcome

log = logging.getLogger("leaverwatch")

SCHEDULER: Final = "scheduler"
KEEP_JOB_RUNS: Final = timedelta(days=90)
KEEP_SESSIONS: Final = timedelta(days=90)  # after their end; when it was stays in the audit
LEASE_WAIT_S: Final = 60.0
SIDE_BY_SIDE: Final = 8  # feeds read at once: they mostly wait for the other side


@dataclass
class Running:
    """What a job notes while it runs: its run's id, counts, and how it ended if not by an error."""

    id: str
    counts: dict[str, Any] = field(default_factory=dict)
    status: str = "ok"
    error: str | None = None


@contextmanager
def recorded(house: House, job: str, by: str, feed: str | None = None) -> Iterator[Running]:
    """One row in the job runs, from start to end, with duration, counts and error."""
    started = clock()
    running = Running(str(ULID.from_datetime(started)))
    with house.store.write() as session:
        session.add(JobRun(id=running.id, job=job, feed=feed, started_at=started, status="running", by=by, counts={}))
    try:
        yield running
    except GuardStopped as error:
        running.status, running.error = "stopped", str(error)
        raise
    except BaseException as error:
        running.status = "failed"
        running.error = str(error) if isinstance(error, LeaverwatchError) else f"{type(error).__name__}: {error}"
        raise
    finally:
        end_run(house, running.id, running.status, running.counts, running.error)


def end_run(house: House, id: str, status: str, counts: Mapping[str, Any] | None, error: str | None) -> None:
    """Close a job run unless somebody closed it before."""
    with house.store.write() as session:
        row = session.get(JobRun, id)
        if row is not None and row.status == "running":
            row.finished_at, row.status, row.counts = clock(), status, dict(counts or {})
            row.error = error and clean(error)  # what the other side said may stand in it
            session.add(row)


@contextmanager
def holding(house: House, name: str, wait_s: float = LEASE_WAIT_S) -> Iterator[None]:
    """Hold a lease; LeaverwatchError when another process keeps it longer than `wait_s`."""
    until = time.monotonic() + wait_s
    while True:
        with house.store.lease(name) as held:
            if held:
                yield
                return
        if time.monotonic() >= until:
            raise LeaverwatchError(f"another process is doing this ({name}); it did not end within {wait_s:.0f} s")
        time.sleep(0.1)


def feed_names(house: House) -> list[str]:
    """Every configured feed, sources of truth first."""
    return [feed.name for feed in (*house.settings.source, *house.settings.application)]


def pull(
    house: House,
    feeds: Sequence[str],
    by: str = SCHEDULER,
    at: datetime | None = None,
    environ: Mapping[str, str] = os.environ,
    progress: Callable[[str], None] = lambda _: None,
    *,
    incremental: bool = False,
) -> list[PullResult]:
    """Pull these feeds side by side; one that is slow, fails or is held does not keep the others from being read.

    `incremental`: only what changed is read where that is enough. A feed that another process is reading is waited for,
    then read again. Results come in the order of the names.
    ConfigurationError for an unknown name.
    """
    from jobs import pull as pulling

    def reach(house: House, name: str, now: datetime) -> Connector:
        return connect(house, name, now, environ=environ)

    def pull_one(name: str) -> PullResult:
        until = time.monotonic() + LEASE_WAIT_S
        while True:
            [result] = pulling.pull(
                house, [name], clock(), at=at, by=by, connect=reach, progress=progress, incremental=incremental
            )
            if result.status != "busy" or time.monotonic() > until:
                return result
            time.sleep(0.2)

    for name in feeds:
        house.settings.feed(name)  # a misspelled name is found before anything is read
    if not feeds:
        return []
    with ThreadPoolExecutor(min(len(feeds), SIDE_BY_SIDE), thread_name_prefix="pull") as threads:
        return list(threads.map(pull_one, dict.fromkeys(feeds)))


def note_gap(house: House, feed: str, missed: timedelta) -> None:
    """Write into the feed's newest job run how long no pull ran although it was due."""
    newest = select(JobRun).where(JobRun.job == "pull", JobRun.feed == feed).order_by(col(JobRun.started_at).desc())
    with house.store.write() as session:
        row = session.exec(newest.limit(1)).first()
        if row is not None:
            row.counts = {**(row.counts or {}), "gap_seconds": int(missed.total_seconds())}
            session.add(row)


def connector_of(house: House, environ: Mapping[str, str] = os.environ) -> Callable[[str, bool], Any]:
    """How jobs get a connector: by the feed's name, and whether it shall be able to write."""
    return lambda name, write: connect(house, name, clock(), write, environ)


def detect(
    house: House,
    by: str = SCHEDULER,
    as_of: datetime | None = None,
    dry_run: bool = False,
    known_at: datetime | None = None,
) -> Detection:
    """Correlate, run the rulebook and update findings; another process that is detecting is waited for."""
    from jobs import detect as detecting

    until = time.monotonic() + LEASE_WAIT_S
    while True:
        try:
            found = detecting.detect(house, clock(), as_of=as_of, dry_run=dry_run, by=by, known_at=known_at)
            if found.stored:
                reviews(house, by)
            return found
        except AlreadyDecided:
            with house.store.lease("detect") as free:
                if free or time.monotonic() > until:
                    raise
            time.sleep(0.2)


def reviews(house: House, by: str = SCHEDULER) -> dict[str, int]:
    """Bring running campaigns up to the newest detect run, and begin those that are due."""
    from jobs import reviews as reviewing

    if not reviewing.anything_to_do(house):
        return {}
    with recorded(house, "reviews", by) as running:
        running.counts |= reviewing.keep_up(house)
        return dict(running.counts)


def evidence(house: House, by: str = SCHEDULER) -> list[str]:
    """Build every evidence pack that was asked for; says which."""
    from jobs import evidence as building

    with holding(house, "evidence"), recorded(house, "evidence", by) as running:
        built = building.build_waiting(house)
        running.counts["packs"] = len(built)
        return built


def remediate(
    house: House,
    ids: Sequence[str] | None = None,
    by: str = SCHEDULER,
    dry_run: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> list[Outcome]:
    """Carry out approved remediations, all or those named, and read each account back at once."""
    from jobs import remediate as remediating

    reach = connector_of(house, environ)
    if dry_run:
        return remediating.run(house, reach, clock(), ids, dry_run=True, actor=by)
    with holding(house, "acting"), recorded(house, "remediate", by) as running:
        outcomes = remediating.run(house, reach, clock(), ids, dry_run=False, actor=by)
        _conclude(running, outcomes)
        return outcomes


def undo(house: House, actor: Actor, id: str, environ: Mapping[str, str] = os.environ) -> Outcome:
    """Let an account sign in again that was switched off from here."""
    from jobs import remediate as remediating

    with holding(house, "acting"), recorded(house, "remediate", actor.email) as running:
        outcome = remediating.undo(house, connector_of(house, environ), clock(), actor, id)
        _conclude(running, [outcome])
        return outcome


def verify(house: House, by: str = SCHEDULER, environ: Mapping[str, str] = os.environ) -> list[Outcome]:
    """Read every account again whose remediation is executed and not yet proved."""
    from jobs import verify as verifying

    with holding(house, "acting"), recorded(house, "verify", by) as running:
        outcomes = verifying.run(house, connector_of(house, environ), clock())
        _conclude(running, outcomes)
        return outcomes


def _conclude(running: Running, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        running.counts[outcome.status] = running.counts.get(outcome.status, 0) + 1
    failed = [f"{one.id}: {one.message or one.status}" for one in outcomes if one.status == "failed"]
    if failed:
        running.status, running.error = "failed", "; ".join(failed[:10])


def retention(house: House, by: str = SCHEDULER) -> dict[str, int]:
    """Remove snapshots past their keeping time, what killed pulls left behind, old job runs, and sessions long over."""
    from governance import notices, sessions
    from governance.snapshots import sweep

    with recorded(house, "retention", by) as running:
        now = clock()
        running.counts["snapshots"] = sweep(house, now)
        with house.store.write() as session:
            old = now - KEEP_JOB_RUNS
            runs = session.exec(delete(JobRun).where(col(JobRun.started_at) < old))
            done = col(Request.status).in_(("done", "failed"))
            asked = session.exec(delete(Request).where(col(Request.at) < old, done))
            told = notices.forget(session, now - timedelta(days=house.settings.snapshots.keep_days))
            over = sessions.forget(session, now - KEEP_SESSIONS, house.settings.sign_in.longest)
        running.counts |= {"job_runs": runs.rowcount, "requests": asked.rowcount, "notices": told, "sessions": over}
        return dict(running.counts)


JOBS: Final[dict[str, str]] = {
    "pull": "reads every feed by its own `every`",
    "detect": "correlates and runs the rulebook after pulls, at least every hour",
    "remediate": "carries out approved remediations within 5 seconds",
    "verify": "reads executed remediations back, every 5 minutes",
    "reviews": "keeps running access reviews up to date and begins those that are due, after each detect run",
    "evidence": "builds the evidence of closed access reviews when one is asked for",
    "remind": "tells people what waits for them, every 30 seconds when there is something to tell",
    "retention": "removes what is past its keeping time, daily at 03:10 UTC",
}


def run(
    house: House,
    job: str,
    arguments: Mapping[str, Any],
    by: str = SCHEDULER,
    environ: Mapping[str, str] = os.environ,
) -> Any:
    """Do one job by name: what a request or `jobs run` asks for. Raises what the job raises, and when a pull failed."""
    if job == "pull":
        results = pull(house, _feeds(house, arguments), by, environ=environ)
        if held := [r for r in results if r.status == "held"]:
            raise GuardStopped("; ".join(f"{r.feed}: {r.error or 'held by the guard'}" for r in held))
        if failed := [r for r in results if r.status != "published"]:
            raise LeaverwatchError("; ".join(f"{r.feed}: {r.error or r.status}" for r in failed))
        return results
    if job == "detect":
        return detect(house, by)
    if job == "remediate" and arguments.get("undo"):
        return undo(house, actor_named(house, by), str(arguments["undo"]), environ)
    if job == "remediate":
        return remediate(house, arguments.get("ids"), by, environ=environ)
    if job == "verify":
        return verify(house, by, environ)
    if job == "reviews":
        return reviews(house, by)
    if job == "evidence":
        return evidence(house, by)
    if job == "remind":
        from jobs import remind

        return remind.run(house, by, environ, clock()).checked()
    if job == "retention":
        return retention(house, by)
    if job == "import":
        from jobs import importing

        return importing.answer(house, arguments, by, environ)
    if job in ("check", "configure"):
        from jobs import configuring

        return getattr(configuring, job)(house, arguments, by, environ)
    raise LeaverwatchError(f"no job is named {job!r}; there are: {', '.join(JOBS)}")


def _feeds(house: House, arguments: Mapping[str, Any]) -> list[str]:
    given = arguments.get("feeds") or arguments.get("feed") or ()
    return [given] if isinstance(given, str) else [str(name) for name in given] or feed_names(house)


def next_end(house: House) -> datetime | None:
    """When the next announced engagement ends, as the last detect run knew it; None when none is announced."""
    with house.store.read() as session:
        summary = session.exec(select(DetectRun.summary).order_by(col(DetectRun.id).desc()).limit(1)).first()
    end = (summary or {}).get("next_end")
    return datetime.fromisoformat(end) if end else None


def approved(house: House) -> tuple[str, ...]:
    """The ids of remediations that wait to be carried out, those a killed run had begun included.

    While acting is switched off these are only the tasks for owners that an access review decided.
    """
    return _in_hand(house, "approved", "scheduled", "executing", calls=house.settings.act.enabled)


def unproved(house: House) -> tuple[str, ...]:
    """The ids of remediations that wait for their proof, or whose approval may lapse."""
    return _in_hand(house, "approved", "scheduled", "executing", "executed")


def _in_hand(house: House, *statuses: str, calls: bool = True) -> tuple[str, ...]:
    given = and_(
        col(Remediation.action) == "manual",
        col(Remediation.campaign).is_not(None),
        col(Remediation.status).in_(("approved", "scheduled")),
    )
    called = or_(col(Remediation.action) != "manual", given) if calls else given
    wanted = select(Remediation.id).where(col(Remediation.status).in_(statuses), called)
    with house.store.read() as session:
        return tuple(session.exec(wanted.order_by(Remediation.id)).all())
