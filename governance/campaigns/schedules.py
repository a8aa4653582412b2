"""Campaigns that begin by themselves: on a schedule once the data are fresh, and small ones that an event raises."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand
from governance.campaigns.launching import cancel, create, launch
from governance.campaigns.preparing import newest_run
from governance.campaigns.scope import plan_of, scope_of
from governance.errors import AlreadyDecided, DecisionError
from governance.house import House
from governance.tables import Campaign, ReviewSchedule, Snapshot

# The job that begins what a person with the right has scheduled, or the operator has switched on in the settings.
WORKER: Final = Actor(email="worker", name="Leaverwatch", roles=frozenset({"security"}))


def schedule(
    house: House,
    actor: Actor,
    now: datetime,
    title: str,
    scope: Mapping[str, Any],
    plan: Mapping[str, Any],
    every_months: int,
    *,
    template: str | None = None,
    first: datetime | None = None,
) -> ReviewSchedule:
    """Begin such a campaign at `first` (now) and every so many months after it, on the same day of the month.

    A `first` that is so many months from now keeps the day of now, where its own month is too short for it.
    """
    demand(actor, Verb.CAMPAIGN)
    if not 1 <= every_months <= 24:
        raise DecisionError(f"a campaign begins every 1 to 24 months, not every {every_months}")
    row = ReviewSchedule(
        id=str(ULID.from_datetime(now)),
        title=title.strip() or "Review",
        template=template,
        scope=scope_of(dict(scope)).model_dump(mode="json", exclude_defaults=True),
        plan=plan_of(dict(plan)).model_dump(mode="json"),
        every_months=every_months,
        next_at=first or now,
        day=now.day if first is None or first == months_after(now, every_months) else first.day,
        created_by=actor.email,
        created_at=now,
    )
    with house.store.write() as session:
        session.add(row)
        facts = {"scope": row.scope, "plan": row.plan, "every_months": every_months}
        audit.append(
            session,
            now=now,
            actor=actor.email,
            verb="campaign.schedule",
            object=f"schedule/{row.id}",
            reason=row.title,
            facts=facts,
        )
        session.flush()
        session.expunge(row)
    return row


def end_schedule(house: House, actor: Actor, now: datetime, id: str) -> None:
    """Begin no further campaign of this schedule; those that run go on."""
    demand(actor, Verb.CAMPAIGN)
    with house.store.write() as session:
        row = session.get(ReviewSchedule, id)
        if row is None or row.ended_at is not None:
            raise AlreadyDecided(f"there is no schedule {id} that goes on")
        row.ended_at = now
        session.add(row)
        audit.append(session, now=now, actor=actor.email, verb="campaign.schedule.end", object=f"schedule/{id}")


def begin_due(house: House, now: datetime) -> list[str]:
    """Begin every scheduled campaign that is due and whose data are fresh; says which. The others say why they wait.

    One that was due several times meanwhile begins once.
    """
    chosen = select(ReviewSchedule).where(col(ReviewSchedule.ended_at).is_(None), col(ReviewSchedule.next_at) <= now)
    with house.store.read() as session:
        due = list(session.exec(chosen.order_by(col(ReviewSchedule.next_at))))
    begun = []
    for row in due:
        title = f"{row.title}, {row.next_at:%B %Y}"
        before = _begun(house, row.id, title)
        why = None if before else _not_fresh(house, row, now)
        if why is None and not before:
            try:
                made = begin(house, now, title, row.scope, row.plan, template=row.template, schedule=row.id)
            except DecisionError as refusal:
                why = str(refusal)
            else:
                begun.append(made.id)
        with house.store.write() as session:
            own = session.get_one(ReviewSchedule, row.id)
            own.waiting = why
            if why is None:
                own.day = own.day or own.next_at.day
                while own.next_at <= now:
                    own.next_at = months_after(own.next_at, own.every_months, own.day)
            session.add(own)
    return begun


def begin(
    house: House,
    now: datetime,
    title: str,
    scope: Mapping[str, Any],
    plan: Mapping[str, Any],
    *,
    template: str | None,
    schedule: str,
) -> Campaign:
    """Draft a campaign of a schedule or an event and launch it.

    DecisionError as in `launch`. The draft then stays, so that somebody sees what stands in the way; the next try takes
    it up, or drafts anew where another scope or plan is wanted by then.
    """
    wanted = (scope_of(dict(scope)), plan_of(dict(plan)))
    same = None
    for draft in _drafts(house, schedule):
        if draft.title == title.strip() and (scope_of(draft.scope), plan_of(draft.plan)) == wanted:
            same = draft
        else:
            cancel(house, WORKER, now, draft.id, "it was refused, and another scope or plan is wanted now")
    made = same or create(house, WORKER, now, title, scope, plan, template=template, schedule=schedule)
    return launch(house, WORKER, now, made.id)


def _begun(house: House, schedule: str, title: str) -> bool:
    """Whether the campaign of this date has begun, though whoever began it died before it was noted."""
    chosen = select(Campaign.id).where(
        Campaign.schedule == schedule, Campaign.title == title, col(Campaign.launched_at).is_not(None)
    )
    with house.store.read() as session:
        return session.exec(chosen.limit(1)).first() is not None


def _drafts(house: House, schedule: str) -> list[Campaign]:
    chosen = select(Campaign).where(Campaign.schedule == schedule, Campaign.status == "draft")
    with house.store.read() as session:
        rows = list(session.exec(chosen))
        session.expunge_all()
    return rows


def _not_fresh(house: House, row: ReviewSchedule, now: datetime) -> str | None:
    """Why the data are not good enough to begin with; None when every feed the campaign looks at is recent."""
    scope = scope_of(row.scope)
    wanted = {*(scope.applications or (a.name for a in house.settings.application))}
    wanted |= {source.name for source in house.settings.source}
    with house.store.read() as session:
        try:
            run = newest_run(session)
        except DecisionError as refusal:
            return str(refusal)
        for name in sorted(wanted):
            kept = session.get(Snapshot, (run.snapshots or {}).get(name) or "")
            feed = house.settings.feed(name)
            if kept is None:
                return f"{feed.label} was never read"
            if now - kept.at > feed.outdated_after:
                return f"what {feed.label} said is of {kept.at:%Y-%m-%d %H:%M}Z: outdated"
            if _held(session, name):
                return f"a guard holds back what {feed.label} said"
    return None


def _held(session: Session, feed: str) -> bool:
    held = select(Snapshot.id).where(Snapshot.feed == feed, Snapshot.status == "held")
    return session.exec(held.limit(1)).first() is not None


def months_after(at: datetime, months: int, day: int | None = None) -> datetime:
    """The same day so many months later, or that `day`; the last day of a shorter month."""
    year, month = at.year + (at.month - 1 + months) // 12, (at.month - 1 + months) % 12 + 1
    return at.replace(year=year, month=month, day=min(day or at.day, monthrange(year, month)[1]))
