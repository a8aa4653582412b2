"""Closing a campaign: nothing stays undecided by silence, removals become proposals, and evidence is asked for."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select, update
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand
from governance.campaigns.launching import load
from governance.campaigns.scope import ReviewPlan, plan_of
from governance.errors import CampaignClosed, DecisionError
from governance.house import House
from governance.remediation import propose_removals
from governance.remediation.ledger import affected
from governance.store.rows import table_of
from governance.tables import Campaign, EvidencePack, Request, ReviewDecision, ReviewItem

EVIDENCE: Final = "evidence"  # the job that builds the pack
ESCALATED: Final = "escalated: not decided in time"


def close(house: House, actor: Actor, now: datetime, id: str) -> Campaign:
    """End a campaign: undecided items get the outcome its plan says, removals are proposed, evidence is asked for.

    With `escalate`, and for anything privileged with `remove`, what nobody decided goes to the fallback and the
    campaign goes on: DecisionError says how many. Removing and changing need an approval by somebody else, as every
    remediation does.
    """
    demand(actor, Verb.CAMPAIGN)
    with house.store.write() as session:
        row = _running(session, id)
        plan = plan_of(row.plan)
        waiting = _escalate(session, actor, now, row, plan)
        if not waiting:
            _silent(session, actor, now, row, plan)
            _conclude(house, session, actor, now, row)
    if waiting:
        what = "1 item is not decided: it is" if waiting == 1 else f"{waiting:,} items are not decided: they are"
        raise DecisionError(f"{what} with {plan.fallback} now; close the campaign once that is done")
    return load(house, id)


def _running(session: Session, id: str) -> Campaign:
    row = session.get(Campaign, id)
    if row is None or row.status != "running":
        raise CampaignClosed(f"campaign {id} is {row.status if row else 'not there'}")
    return row


def _open(id: str) -> tuple[Any, ...]:
    return (
        col(ReviewItem.campaign) == id,
        col(ReviewItem.decision).is_(None),
        col(ReviewItem.control).is_(False),
    )


def _escalate(session: Session, actor: Actor, now: datetime, row: Campaign, plan: ReviewPlan) -> int:
    """Hand what must be decided by a person to the fallback; says how many items wait."""
    if plan.undecided == "keep":
        return 0
    must = _open(row.id) if plan.undecided == "escalate" else (*_open(row.id), col(ReviewItem.critical).is_(True))
    waiting = int(session.exec(select(sa.func.count()).select_from(ReviewItem).where(*must)).one())
    if not waiting:
        return 0
    elsewhere = update(ReviewItem).where(*must, sa.func.lower(col(ReviewItem.reviewer)) != plan.fallback.lower())
    handed = affected(session, elsewhere.values(reviewer=plan.fallback, via=ESCALATED))
    if handed:
        facts = {"to": plan.fallback, "items": handed}
        audit.append(
            session, now=now, actor=actor.email, verb="campaign.escalate", object=f"campaign/{row.id}", facts=facts
        )
    return waiting


def _silent(session: Session, actor: Actor, now: datetime, row: Campaign, plan: ReviewPlan) -> None:
    """What the plan decides where nobody did, noted as decisions of whoever closes the campaign."""
    if plan.undecided == "escalate":
        return
    word = plan.undecided
    reason = f"Nobody decided in time; the plan of this campaign says: {word}"
    open_ones = session.exec(select(ReviewItem.number, ReviewItem.recommendation).where(*_open(row.id))).all()
    if not open_ones:
        return
    values = {"decision": word, "reason": reason, "decided_by": actor.email, "decided_at": now, "bulk": True}
    session.exec(update(ReviewItem).where(*_open(row.id)).values(**values))
    session.connection().execute(
        sa.insert(table_of(ReviewDecision)),
        [
            {
                "id": str(ULID.from_datetime(now)),
                "campaign": row.id,
                "number": number,
                "at": now,
                "by": actor.email,
                "decision": word,
                "reason": reason,
                "recommendation": recommendation,
                "level": 0,
                "bulk": True,
            }
            for number, recommendation in open_ones
        ],
    )


def _conclude(house: House, session: Session, actor: Actor, now: datetime, row: Campaign) -> None:
    of = (col(ReviewItem.campaign) == row.id, col(ReviewItem.control).is_(False))
    chosen = select(ReviewItem).where(*of, col(ReviewItem.decision).in_(("remove", "change")))
    removals = propose_removals(house, session, now, session.exec(chosen.order_by(col(ReviewItem.number))).all())
    session.exec(update(ReviewItem).where(*of, col(ReviewItem.decision) == "keep").values(outcome="kept"))
    seen = update(ReviewItem).where(col(ReviewItem.campaign) == row.id, col(ReviewItem.control).is_(True))
    session.exec(seen.values(outcome="control row: never carried out"))
    own = table_of(ReviewItem)
    if removals:
        statement = (
            sa.update(own)
            .where(own.c.campaign == row.id, own.c.number == sa.bindparam("key_number"))
            .values(outcome=sa.bindparam("told"), remediation=sa.bindparam("by"))
        )
        told = [{"key_number": r.number, "told": r.outcome, "by": r.remediation} for r in removals]
        session.connection().execute(statement, told)
    decided = session.exec(select(ReviewItem.decision, sa.func.count()).where(*of).group_by(ReviewItem.decision)).all()
    counts = {str(word): int(n) for word, n in decided}
    outcomes = Counter("refused" if r.remediation is None else "proposed" for r in removals)
    row.status, row.closed_by, row.closed_at = "closed", actor.email, now
    row.outcome = {"decisions": counts, "removals": dict(outcomes)}
    session.add(row)
    pack = EvidencePack(id=str(ULID.from_datetime(now)), campaign=row.id, asked_by=actor.email, asked_at=now)
    session.add(pack)
    session.add(
        Request(
            id=str(ULID.from_datetime(now)),
            at=now,
            actor=actor.email,
            verb=EVIDENCE,
            arguments={"pack": pack.id},
            status="waiting",
        )
    )
    audit.append(
        session,
        now=now,
        actor=actor.email,
        verb="campaign.close",
        object=f"campaign/{row.id}",
        reason=row.title,
        facts=row.outcome,
    )


def overdue(house: House, now: datetime) -> list[Campaign]:
    """Running campaigns past their day, the longest first."""
    chosen = select(Campaign).where(Campaign.status == "running", col(Campaign.due_at) <= now)
    with house.store.read() as session:
        return list(session.exec(chosen.order_by(col(Campaign.due_at))))
