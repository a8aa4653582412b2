"""Undoing: within 30 days an account that was switched off, or an entitlement taken away, from here is given back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from governance import audit
from governance.access import Actor, Verb, demand
from governance.errors import AlreadyDecided, FourEyesRequired, LeaverwatchError, NotAllowed, NotSupported, NotVerified
from governance.house import House
from governance.records import Account, Receipt
from governance.remediation.ledger import load, reopen, unresolve
from governance.remediation.ways import WRITE_CREDENTIAL, gives_back
from governance.subjects import read_facts
from governance.tables import Remediation

CAN_BE_UNDONE: Final = timedelta(days=30)


def undo(house: House, actor: Actor, now: datetime, id: str) -> Remediation:
    """Check that this may be undone and commit the intent; the call comes after (jobs.remediate.undo)."""
    with house.store.read() as session:
        r = load(session, [id])[0]
        account = read_facts(house, session, [(r.application, r.account_id)]).accounts.get(
            (r.application, r.account_id)
        )
    demand(actor, Verb.PROPOSE, application=r.application, identity_id=r.identity_id)
    if (account is not None and account.is_of(actor)) or (
        actor.identity_id is not None and actor.identity_id == r.identity_id
    ):
        raise FourEyesRequired(f"{r.application}/{r.username or r.account_id} may belong to {actor.email}")
    if r.status not in ("executed", "verified"):
        raise AlreadyDecided(f"remediation {id} is {r.status}; only what was carried out can be undone")
    if r.action == "manual" or r.attempts == 0 or r.executing_at is None:
        raise NotSupported(f"remediation {id} was not carried out from here: there is nothing to undo")
    if now - r.executing_at > CAN_BE_UNDONE:
        raise NotSupported(f"remediation {id} is older than {CAN_BE_UNDONE.days} days and cannot be undone from here")
    settings = house.settings
    if not settings.act.enabled:
        raise NotAllowed("acting is switched off: [act] enabled = true in leaverwatch.toml switches it on")
    if not settings.application_named(r.application).options.get(WRITE_CREDENTIAL):
        raise NotSupported(f"{r.application} has no {WRITE_CREDENTIAL}: it is read-only from here")
    if not gives_back(house, r):
        raise NotSupported(f"{r.application} offers no way to give this back")
    with house.store.write(durable=True) as session:
        r = load(session, [id])[0]
        if r.status not in ("executed", "verified"):
            raise AlreadyDecided(f"remediation {id} is {r.status} by now")
        r.evidence = {**(r.evidence or {}), "undo": {"by": actor.email, "at": now.isoformat()}}
        session.add(r)
        facts = {"application": r.application, "account_id": r.account_id, "entitlement_id": r.entitlement_id}
        verb = "reactivate" if r.action == "deactivate" else "restore_grant"
        audit.append_many(session, [audit.Line(now, actor.email, verb, f"remediation/{id}", "undo", facts)])
    return r


def undone(
    house: House, now: datetime, id: str, live: Account | None, result: Receipt | LeaverwatchError
) -> Remediation:
    """Note what became of an undo: an account read active again is `undone`, else NotVerified and nothing changes.

    An entitlement that was given back cannot be read by itself: the application's word counts, and the next pull shows
    it. The finding is open again: its account is, and the next detect run says whether the rule still holds.
    """
    answer = f"{result.call}: {result.answer}" if isinstance(result, Receipt) else f"{type(result).__name__}: {result}"
    active = live is not None and live.active is True
    with house.store.write() as session:
        r = load(session, [id])[0]
        if r.action == "revoke":
            active = isinstance(result, Receipt)
        undo = {**(r.evidence or {}).get("undo", {}), "answer": answer, "active": active, "read_at": now.isoformat()}
        r.evidence = {**(r.evidence or {}), "undo": undo}
        if active:
            r.status, r.error = "undone", None
            reopen(session, [r.finding])  # of one that had not been proved yet
            unresolve(session, [r.finding], now)
        session.add(r)
        verb = "undone" if active else "not_undone"
        audit.append_many(session, [audit.Line(now, str(undo.get("by", "worker")), verb, f"remediation/{id}", answer)])
    if not active:
        raise NotVerified(f"remediation {id}: it was not given back ({answer})")
    return r
