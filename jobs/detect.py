"""Detect: correlate, run the rulebook, update findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from ulid import ULID

from governance import mappings, policies, remediation
from governance.errors import AlreadyDecided, LeaverwatchError
from governance.findings import evaluated, headline, record
from governance.findings.headline import NO_SOURCE, count
from governance.house import House
from governance.tables import DetectRun, JobRun
from jobs import home
from jobs.declarations import declare_missing


@dataclass(frozen=True)
class Detection:
    """What a detect run concluded, and whether it was stored."""

    as_of: datetime
    sentence: str
    counts: dict[str, int]
    not_evaluable: dict[str, Any]
    stored: bool
    note: str | None = None  # why nothing was stored
    changed: dict[str, int] | None = None


def detect(
    house: House,
    now: datetime,
    as_of: datetime | None = None,
    dry_run: bool = False,
    by: str = "scheduler",
    known_at: datetime | None = None,
) -> Detection:
    """Judge what the feeds said up to `as_of` (now when not given) and remember the findings.

    An `as_of` before the last run or later than `now` is time travel, and so is a `known_at` (see `snapshots.facts`):
    it is judged, nothing is stored, and the note says so.
    """
    as_of = as_of or now
    # In a new store the connectors have not said yet which of them are identity providers.
    if declare_missing(house, {feed.connector for feed in house.settings.feeds}):
        home.audit_act(house, now)
    with house.store.lease("detect") as alone:
        if not alone:
            raise AlreadyDecided("another process is detecting now; nothing was changed, try again in a moment")
        with house.store.read() as session:
            last = session.exec(select(DetectRun).order_by(col(DetectRun.id).desc()).limit(1)).first()
        note = None
        if dry_run:
            note = "dry run: nothing was stored"
        elif known_at is not None:
            note = "a look back: nothing was stored"
        elif as_of > now:  # what is stored must not be newer than what comes next: no later run would count
            note = f"as of a time that has not come yet ({as_of:%Y-%m-%d %H:%M}Z): nothing was stored"
        elif last is not None and as_of < last.as_of:
            note = f"as of before the last run ({last.as_of:%Y-%m-%d %H:%M}Z): nothing was stored"
        if note is not None:
            return _look(house, as_of, note, known_at)
        return _run(house, now, as_of, by)


def _look(house: House, as_of: datetime, note: str, known_at: datetime | None) -> Detection:
    with evaluated(house, as_of, known_at=known_at) as evaluation:
        found = evaluation.verdict.bare
        counts = {str(name): int(n) for name, n in found.group_by("rule").len().sort("rule").iter_rows()}
        ghosts = found.filter(found["rule"] == "ghost")
        holders = ghosts["identity_id"].n_unique() if ghosts.height else 0
        left = evaluation.summary["leavers_30d"]
        sentence = (
            f"{count(left, 'person', 'people')} left in the last 30 days;"
            f" {count(holders, 'leaver holds', 'leavers hold')}"
            f" {count(ghosts.height, 'active account', 'active accounts')}."
            if evaluation.facts.sources
            else NO_SOURCE
        )
        return Detection(as_of, sentence, counts, evaluation.not_evaluable, stored=False, note=note)


def _run(house: House, now: datetime, as_of: datetime, by: str) -> Detection:
    policies.note(house, now)  # what judges is kept before it judges
    mappings.note(house, now)
    job = JobRun(id=str(ULID.from_datetime(now)), job="detect", started_at=now, by=by)
    with house.store.write() as session:
        session.add(job)
    try:
        for application in house.settings.application:  # a snapshot released since its pull settles tasks, too
            remediation.settle_by_snapshot(house, now, application.name)
        with evaluated(house, as_of) as evaluation:
            run = record(house, evaluation, now, home.clock())
        remediation.withdraw_untrue(house, now)
    except Exception as error:
        known = isinstance(error, LeaverwatchError)
        _end(house, job.id, "failed", str(error) if known else f"an unexpected {type(error).__name__}; see the log")
        raise
    _end(house, job.id, "ok", counts={**(run.counts or {}), **{f"findings_{k}": v for k, v in run.changed.items()}})
    return Detection(as_of, run.sentence, run.counts, run.not_evaluable, stored=True, changed=run.changed)


def _end(
    house: House, number: str, status: str, error: str | None = None, counts: dict[str, int] | None = None
) -> None:
    with house.store.write() as session:
        run = session.get_one(JobRun, number)
        run.status, run.finished_at, run.error, run.counts = status, home.clock(), error, counts or {}
        session.add(run)


__all__ = ["Detection", "detect", "headline"]
