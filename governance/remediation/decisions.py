"""Decisions about proposals: approve with four eyes, reject, withdraw, let an old approval lapse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import and_, col, or_, select

from governance import audit
from governance.access import Actor, Verb, demand, demand_fresh
from governance.errors import AlreadyDecided, FourEyesRequired, NotAllowed, PlanChanged
from governance.house import House
from governance.remediation import refusals as refuse
from governance.remediation.ledger import (
    RUNNABLE,
    closed_privileged,
    load,
    load_findings,
    move,
    needed,
    reopen,
)
from governance.remediation.reviewed import check_item, load_items, takes_privilege
from governance.subjects import Facts, read_facts
from governance.tables import Finding, Remediation, ReviewItem

APPROVAL_HOLDS: Final = timedelta(hours=72)


def approve(house: House, actor: Actor, now: datetime, ids: Sequence[str], reason: str) -> list[Remediation]:
    """Approve these proposals, all or none: not by the proposer, not by the subject, bound to the exact plan.

    What would leave one active privileged account stays `proposed` until a second approver agrees within 72 hours. A
    manual task is `executing` from its approval on; what an access review decided goes through the limits of a run
    first, manual or not. Raises the first refusal.
    """
    reason = needed(reason, "an approval")
    with house.store.read() as session:
        remediations = load(session, ids)
        findings = load_findings(session, (r.finding for r in remediations))
        items = load_items(session, remediations)
        facts = read_facts(house, session, ((r.application, r.account_id) for r in remediations))
        # Approved ones count as closed: two approvals together must not do what one of them may not.
        closed = {
            application: closed_privileged(session, holders, application, *RUNNABLE)
            for application, holders in facts.privileged.items()
        }
    steps = [
        _consent(house, actor, now, r, findings.get(r.finding), items.get(r.id), facts, closed) for r in remediations
    ]
    at_once = [r.action == "manual" and r.campaign is None for r in remediations]
    approved = {"approved_at": now, "expires_at": now + APPROVAL_HOLDS}
    first = {"approved_by": actor.email, "approval_reason": reason, "approved_at": now}
    values: dict[str, dict[str, Any]] = {
        "half": first,
        "whole": {**first, **approved},
        "second": {"second_approver": actor.email, **approved},
    }
    signed = and_(col(Remediation.approved_by).is_not(None), col(Remediation.approved_at) > now - APPROVAL_HOLDS)
    unsigned = or_(col(Remediation.approved_by).is_(None), col(Remediation.approved_at) <= now - APPROVAL_HOLDS)
    with house.store.write() as session:
        for step, manual in sorted(set(zip(steps, at_once, strict=True))):
            chosen = [
                r.id
                for r, own, own_manual in zip(remediations, steps, at_once, strict=True)
                if own == step and own_manual is manual
            ]
            to = dict(values[step])
            if step != "half":
                to |= {"status": "executing", "executing_at": now} if manual else {"status": "approved"}
            signature = signed if step == "second" else unsigned
            move(session, chosen, ("proposed",), (signature,), **to)
        audit.append_many(
            session,
            [
                audit.Line(
                    now,
                    actor.email,
                    "approve",
                    f"remediation/{r.id}",
                    reason,
                    {"plan_digest": r.plan_digest, "approval": "first of two" if step == "half" else step},
                )
                for r, step in zip(remediations, steps, strict=True)
            ],
        )
    return reread(house, ids)


def _consent(
    house: House,
    actor: Actor,
    now: datetime,
    r: Remediation,
    finding: Finding | None,
    item: ReviewItem | None,
    facts: Facts,
    closed: dict[str, set[str]],
) -> str:
    """What this actor's approval amounts to: half of two, the whole, or the second of two. Raises every refusal."""
    demand(actor, Verb.APPROVE, application=r.application, identity_id=r.identity_id)
    if r.status != "proposed":
        raise AlreadyDecided(f"remediation {r.id} is {r.status}")
    lapsed = r.approved_at is not None and r.approved_at <= now - APPROVAL_HOLDS
    first = None if lapsed else r.approved_by
    if actor.is_same(r.proposed_by) or actor.is_same(first):
        did = "proposed" if actor.is_same(r.proposed_by) else "approved"
        raise FourEyesRequired(f"{actor.email} {did} remediation {r.id}; somebody else must approve it")
    if r.campaign is None:
        refuse.check_plan(r, finding)
    else:
        check_item(r, item)
    account = facts.accounts.get((r.application, r.account_id))
    if account is None:
        raise PlanChanged(f"remediation {r.id}: the last detect run does not hold its account any more")
    if account.is_of(actor) or (actor.identity_id is not None and actor.identity_id == r.identity_id):
        raise FourEyesRequired(f"{account.label} may belong to {actor.email}; somebody else must approve this")
    refuse.check_subject(account, (r.proposed_by, first))
    refuse.check_account(house.settings, account)
    if not takes_privilege(r, item):
        return "whole" if first is None else "second"
    holders = facts.privileged.get(r.application, {})
    gone = closed.setdefault(r.application, set())
    try:
        refuse.check_privileged(account, holders, gone, approvers=1 if first is None else 2)
    except FourEyesRequired:
        return "half"
    gone.add(r.account_id)
    return "whole" if first is None else "second"


def reject(house: House, actor: Actor, now: datetime, ids: Sequence[str], reason: str) -> list[Remediation]:
    """Decide that these proposals are not carried out: the findings are open again."""
    reason = needed(reason, "a rejection")
    with house.store.write() as session:
        remediations = load(session, ids)
        for r in remediations:
            demand(actor, Verb.APPROVE, application=r.application, identity_id=r.identity_id)
            if r.status != "proposed":
                raise AlreadyDecided(f"remediation {r.id} is {r.status}")
        move(session, [r.id for r in remediations], ("proposed",), status="rejected", error=reason)
        reopen(session, [r.finding for r in remediations])
        audit.append_many(session, _lines(now, actor.email, "reject", remediations, reason))
    return reread(house, ids)


def cancel(house: House, actor: Actor, now: datetime, ids: Sequence[str], reason: str = "") -> list[Remediation]:
    """The proposer withdraws what has not been carried out yet, a manual task included: the findings are open again."""
    demand_fresh(actor)
    with house.store.write() as session:
        remediations = load(session, ids)
        for r in remediations:
            if not actor.is_same(r.proposed_by) or actor.left or not actor.roles:
                raise NotAllowed(f"remediation {r.id} was proposed by {r.proposed_by}, who alone may withdraw it")
            if r.status not in ("proposed", *RUNNABLE) and not (r.status == "executing" and r.action == "manual"):
                raise AlreadyDecided(f"remediation {r.id} is {r.status}")
        statuses = sorted({r.status for r in remediations})
        move(session, [r.id for r in remediations], statuses, status="cancelled", error=reason or "withdrawn")
        reopen(session, [r.finding for r in remediations])
        audit.append_many(session, _lines(now, actor.email, "cancel", remediations, reason))
    return reread(house, ids)


def done(house: House, actor: Actor, now: datetime, id: str) -> Remediation:
    """The owner claims that a manual task is done. The claim is noted; only the next file of accounts proves it."""
    with house.store.write() as session:
        r = load(session, [id])[0]
        demand(actor, Verb.DONE, application=r.application, identity_id=r.identity_id)
        if r.action != "manual" or r.status != "executing":
            raise AlreadyDecided(f"remediation {id} is no open manual task: it is {r.status} ({r.action})")
        claim = {"by": actor.email, "at": now.isoformat()}
        move(session, [id], ("executing",), evidence={**(r.evidence or {}), "claimed": claim})
        audit.append_many(session, _lines(now, actor.email, "claim_done", [r]))
    return reread(house, [id])[0]


def expire(house: House, now: datetime) -> list[str]:
    """Approvals older than 72 hours are void: the findings are open again. Says which remediations."""
    too_old = select(Remediation).where(col(Remediation.status).in_(RUNNABLE), col(Remediation.expires_at) <= now)
    with house.store.read() as session:
        if session.exec(too_old.limit(1)).first() is None:
            return []
    with house.store.write() as session:
        remediations = session.exec(too_old).all()
        ids = [r.id for r in remediations]
        move(session, ids, RUNNABLE, status="expired", error="the approval was not acted on within 72 hours")
        reopen(session, [r.finding for r in remediations])
        audit.append_many(session, _lines(now, "worker", "expire", remediations))
    return ids


def reread(house: House, ids: Sequence[str]) -> list[Remediation]:
    """These remediations as they are now."""
    with house.store.read() as session:
        return load(session, ids)


def _lines(
    now: datetime, actor: str, verb: str, remediations: Iterable[Remediation], reason: str = ""
) -> list[audit.Line]:
    return [audit.Line(now, actor, verb, f"remediation/{r.id}", reason) for r in remediations]
