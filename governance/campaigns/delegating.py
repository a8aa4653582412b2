"""Deciding in somebody's place: deputies for a time, and handing single items to another reviewer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import col, select, update
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand, may
from governance.campaigns.addressed import Addressed
from governance.campaigns.preparing import active_deputies, newest_run, people_of
from governance.errors import AlreadyDecided, CampaignClosed, DecisionError, FourEyesRequired, NotAllowed
from governance.house import House
from governance.remediation.ledger import affected
from governance.tables import Campaign, Delegation, ReviewItem

LONGEST_DAYS: Final = 90


def delegate(
    house: House,
    actor: Actor,
    now: datetime,
    deputy: str,
    until: datetime,
    reason: str,
    *,
    since: datetime | None = None,
    of: str | None = None,
) -> Delegation:
    """Let somebody decide one's reviews from `since` (now) until then; security may arrange it for others (`of`).

    A deputy decides nothing about their own access, is nobody who has left, and has no deputy at that time: no chains.
    """
    addressed = _addressed(house)
    who, deputy = addressed.acts_as(of or actor.email), addressed.acts_as(deputy)
    if not actor.is_named(who):
        demand(actor, Verb.CAMPAIGN)
    demand(actor, Verb.READ)
    start = since or now
    if not reason.strip():
        raise DecisionError("a delegation needs a reason")
    if addressed.same(deputy, who) or "@" not in deputy:
        raise DecisionError("a deputy is somebody else: expected another person's e-mail")
    if until <= start or (until - start).days > LONGEST_DAYS:
        raise DecisionError(f"a delegation ends after it begins, and within {LONGEST_DAYS} days")
    _demand_present(addressed, deputy)
    row = Delegation(
        id=str(ULID.from_datetime(now)),
        actor=who,
        deputy=deputy,
        since=start,
        until=until,
        reason=reason.strip(),
        by=actor.email,
        at=now,
    )
    with house.store.write() as session:
        others = select(Delegation).where(
            col(Delegation.ended_at).is_(None), Delegation.until > start, Delegation.since < until
        )
        for other in session.exec(others):
            if addressed.same(other.actor, deputy) or addressed.same(other.actor, who):
                raise DecisionError(f"{other.actor} has a deputy at that time already ({other.deputy}): no chains")
            if addressed.same(other.deputy, who):
                raise DecisionError(f"{who} is the deputy of {other.actor} at that time: no chains")
        session.add(row)
        facts = {"deputy": row.deputy, "since": start.isoformat(), "until": until.isoformat()}
        audit.append(
            session, now=now, actor=actor.email, verb="delegate", object=f"actor/{who}", reason=reason, facts=facts
        )
        session.flush()
        session.expunge(row)
    return row


def end_delegation(house: House, actor: Actor, now: datetime, id: str) -> None:
    """End a delegation early: by whose it is, or by security."""
    demand(actor, Verb.READ)
    with house.store.write() as session:
        row = session.get(Delegation, id)
        if row is None or row.ended_at is not None:
            raise AlreadyDecided(f"there is no delegation {id} that goes on")
        if not actor.is_named(row.actor) and not may(actor, Verb.CAMPAIGN):
            raise NotAllowed(f"this delegation is {row.actor}'s")
        row.ended_at = now
        session.add(row)
        audit.append(session, now=now, actor=actor.email, verb="delegate.end", object=f"actor/{row.actor}")


def delegations(house: House, now: datetime) -> list[Delegation]:
    """Those that hold now or later, the next to end first."""
    chosen = select(Delegation).where(col(Delegation.ended_at).is_(None), Delegation.until > now)
    with house.store.read() as session:
        return list(session.exec(chosen.order_by(col(Delegation.until))))


def reassign(
    house: House, actor: Actor, now: datetime, campaign: str, numbers: Sequence[int], to: str, reason: str
) -> int:
    """Give these undecided items to another reviewer; says how many. Nobody is given their own access."""
    demand(actor, Verb.CAMPAIGN)
    if not reason.strip():
        raise DecisionError("giving items to somebody else needs a reason")
    if "@" not in to:
        raise DecisionError(f"{to!r}: expected the e-mail of whoever reviews these from now on")
    addressed = _addressed(house)
    to = addressed.acts_as(to)
    _demand_present(addressed, to)
    own = addressed.person(to)
    wanted = sorted(set(numbers))
    with house.store.write() as session:
        row = session.get(Campaign, campaign)
        if row is None or row.status != "running":
            raise CampaignClosed(f"campaign {campaign} is {row.status if row else 'not there'}")
        changed = 0
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            there = (col(ReviewItem.campaign) == campaign, col(ReviewItem.number).in_(part))
            if own and session.exec(select(ReviewItem.number).where(*there, ReviewItem.identity_id == own)).first():
                raise FourEyesRequired(f"some of these are {to}'s own access: somebody else must review them")
            hand = update(ReviewItem).where(*there, col(ReviewItem.decision).is_(None))
            changed += affected(session, hand.values(reviewer=to, via=f"given by {actor.email}: {reason.strip()}"))
        facts = {"to": to, "numbers": wanted}
        audit.append(
            session,
            now=now,
            actor=actor.email,
            verb="campaign.reassign",
            object=f"campaign/{campaign}",
            reason=reason,
            facts=facts,
        )
    return changed


def decides_for(house: House, actor: Actor, now: datetime) -> set[str]:
    """Whose reviews this actor decides now: their own, and those they are the deputy of."""
    with house.store.read() as session:
        deputies = active_deputies(session, now)
    return {who for who, deputy in deputies.items() if actor.is_named(deputy)} | actor.written


def _addressed(house: House) -> Addressed:
    with house.store.read() as session:
        run = newest_run(session)
    return Addressed(people_of(house, run), house.settings)


def _demand_present(addressed: Addressed, email: str) -> None:
    if addressed.left(email):
        raise NotAllowed(f"{email} has left: nothing can be given to them")
