"""Execution: the intent is committed before the call, the result after it, and only a separate read proves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, update

from governance import audit
from governance.errors import (
    AlreadyDecided,
    LeaverwatchError,
    NotAllowed,
    PlanChanged,
    RateLimited,
    Unavailable,
)
from governance.house import House
from governance.records import Account, Credential, Receipt
from governance.remediation import refusals as refuse
from governance.remediation.ledger import (
    RUNNABLE,
    chunks,
    closed_privileged,
    load,
    load_findings,
    move,
    reopen,
    resolve,
)
from governance.remediation.reviewed import check_item, load_items, takes_privilege
from governance.store.chain import clean
from governance.subjects import AccountFacts, Facts, read_facts
from governance.tables import Remediation

MOST_TRIES: Final = 7
WORKER: Final = "worker"


@dataclass(frozen=True)
class Begun:
    """A remediation at the last moment before its call; `call` is False when the account is closed already."""

    remediation: Remediation
    call: bool


def begin(
    house: House, now: datetime, id: str, live: Account | None, facts: Facts | None = None, *, resume: bool = False
) -> Begun:
    """Check everything again with the account as it was read just now, and commit the intent to call.

    The intent and its audit line are on the disk when this returns with `call` True; the call comes after. An account
    that is inactive or gone is verified without a call. What is refused is noted, its finding is open again, and the
    refusal is raised. Of many that begin at once one goes on, the others get AlreadyDecided; `resume` is for one that
    a run left `executing` when it was cut short.
    """
    if not house.settings.act.enabled:
        raise NotAllowed("acting is switched off: [act] enabled = true in leaverwatch.toml switches it on")
    if facts is None:
        with house.store.read() as session:
            r = load(session, [id])[0]
            facts = read_facts(house, session, [(r.application, r.account_id)])
    with house.store.write(durable=True) as session:
        r = load(session, [id])[0]
        if r.action == "manual" or r.status not in (("executing",) if resume else RUNNABLE):
            raise AlreadyDecided(f"remediation {id} is {r.status} ({r.action}); only approved calls are run")
        if _is_closed(live):
            prove(session, r, now, WORKER, _read_back(now, live))
            return Begun(r, call=False)
        refusal = _refusal(house, session, r, live, facts, now)
        if refusal is None:
            r.status, r.executing_at, r.attempts, r.error = "executing", now, r.attempts + 1, None
            session.add(r)
            intent = {"application": r.application, "account_id": r.account_id, "attempt": r.attempts}
            if r.entitlement_id is not None:
                intent["entitlement_id"] = r.entitlement_id
            _note(session, r, now, r.action, intent)
        else:
            give_up(session, r, now, refusal)
    if refusal is not None:
        raise refusal
    return Begun(r, call=True)


def _refusal(
    house: House, session: Session, r: Remediation, live: Account | None, facts: Facts, now: datetime
) -> LeaverwatchError | None:
    try:
        account = last_look(house, now, r, live, facts)
        item = load_items(session, [r]).get(r.id)
        if r.campaign is None:
            refuse.check_plan(r, load_findings(session, [r.finding]).get(r.finding))
        else:
            check_item(r, item)
        holders = facts.privileged.get(r.application, {})
        if r.account_id in holders and takes_privilege(r, item):
            closed = closed_privileged(session, holders, r.application)
            refuse.check_privileged(account, holders, closed, approvers=1 if r.second_approver is None else 2)
    except LeaverwatchError as refusal:
        return refusal
    return None


def last_look(house: House, now: datetime, r: Remediation, live: Account | None, facts: Facts) -> AccountFacts:
    """Every refusal that can be known from the account as it was read just now; the account when there is none."""
    account = facts.accounts.get((r.application, r.account_id))
    if account is None or live is None:
        raise PlanChanged(f"remediation {r.id}: the last detect run does not hold its account any more")
    refuse.check_expiry(r, now)
    refuse.check_account(house.settings, account, live)
    refuse.check_same(account, live)
    refuse.check_subject(account, (r.proposed_by, r.approved_by, r.second_approver))
    return account


def hand_over(house: House, now: datetime, ids: Sequence[str]) -> list[Remediation]:
    """Give approved tasks to the owners of their applications: from now on the next file of accounts proves them."""
    with house.store.write() as session:
        move(session, ids, RUNNABLE, status="executing", executing_at=now, expires_at=None)
        given = load(session, ids)
        audit.append_many(
            session, [audit.Line(now, WORKER, "hand_over", f"remediation/{r.id}", r.reason) for r in given]
        )
        for r in given:
            session.expunge(r)
    return given


def finish(house: House, now: datetime, id: str, receipt: Receipt) -> Remediation:
    """Note that the application took the call: proof of the call, not of its effect."""
    with house.store.write() as session:
        r = _executing(session, id)
        r.status, r.executed_at = "executed", now
        r.evidence = {
            **(r.evidence or {}),
            "receipt": {"at": receipt.at.isoformat(), "call": receipt.call, "answer": receipt.answer},
        }
        session.add(r)
        _note(session, r, now, "executed", {"call": receipt.call, "answer": receipt.answer})
    return r


def failed(house: House, now: datetime, id: str, error: LeaverwatchError, *, happened: bool | None) -> Remediation:
    """Note that a read or the call failed; `happened` says whether the account may have been changed (None: unknown).

    Unknown stays `executing` and is read again. What certainly did not happen is tried again later when the
    application was only busy, else it has failed and the finding is open. Seven tries are enough.
    """
    with house.store.write() as session:
        r = load(session, [id])[0]
        if r.status not in (*RUNNABLE, "executing"):
            raise AlreadyDecided(f"remediation {id} is {r.status}")
        tries = int((r.evidence or {}).get("tries", 0)) + 1
        r.evidence = {**(r.evidence or {}), "tries": tries}
        r.error = _words(error)
        passing = happened is None or isinstance(error, RateLimited | Unavailable)
        if not passing or tries >= MOST_TRIES:
            give_up(session, r, now, error)
            return r
        pause = timedelta(minutes=2 ** (tries - 1))
        asked = error.until if isinstance(error, RateLimited) else None
        r.evidence = {**r.evidence, "retry_at": max(asked or now, now + pause).isoformat()}
        if happened is False and r.status == "executing":
            r.status = "approved"
        session.add(r)
        _note(session, r, now, "postpone", {"error": type(error).__name__, "tries": tries}, str(error))
    return r


def take_back(house: House, now: datetime, id: str) -> Remediation:
    """A run was cut short between intent and call, and the account is still active: approved as before, to be run."""
    with house.store.write() as session:
        r = _executing(session, id)
        r.status, r.error = "approved", "the run was cut short before the application had taken the call"
        session.add(r)
        _note(session, r, now, "take_back", {"attempt": r.attempts}, r.error)
    return r


def intend(house: House, now: datetime, id: str, verb: str, facts: Mapping[str, Any]) -> None:
    """Commit the intent of a further call that belongs to a deactivation, such as ending sessions."""
    with house.store.write(durable=True) as session:
        _note(session, load(session, [id])[0], now, verb, facts)


def noted(house: House, now: datetime, id: str, verb: str, result: Receipt | LeaverwatchError) -> None:
    """Note what became of that call, in the audit and with the remediation."""
    done = isinstance(result, Receipt)
    told = f"{result.call}: {result.answer}" if isinstance(result, Receipt) else f"{type(result).__name__}: {result}"
    with house.store.write() as session:
        r = load(session, [id])[0]
        r.evidence = {**(r.evidence or {}), "further": [*(r.evidence or {}).get("further", []), f"{verb}: {told}"]}
        session.add(r)
        _note(session, r, now, f"{verb}_{'done' if done else 'failed'}", {"answer": told})


def verified(
    house: House,
    now: datetime,
    id: str,
    live: Account | None,
    by: str = WORKER,
    credentials: Sequence[Credential] | None = None,
) -> Remediation:
    """Note what a separate read of the account showed: inactive or gone is `verified`, else it stays as it is.

    `credentials` are those that still open the account (None: nobody can tell); with one left it is not verified.
    """
    with house.store.write() as session:
        r = load(session, [id])[0]
        if r.status == "verified":
            return r
        if r.status not in ("executing", "executed"):
            raise AlreadyDecided(f"remediation {id} is {r.status}; there is nothing to prove")
        found = _read_back(now, live)
        left = list(credentials or ()) if live is not None else []
        if credentials is not None:
            found["credentials_left"] = [_credential(one) for one in left]
        if _is_closed(live) and not left:
            prove(session, r, now, by, found)
            return r
        if _is_closed(live):
            error = f"read back: inactive, but {len(left)} of its credentials still work; revoke in the application: "
            error += ", ".join(_credential(one) for one in left[:5]) + (" …" if len(left) > 5 else "")
            return _unproved(session, r, now, found, error)
        told = "the application does not tell whether it is active" if found["active"] is None else "it is still active"
        return _unproved(session, r, now, found, f"read back: {told}")


def _unproved(session: Session, r: Remediation, now: datetime, found: Mapping[str, Any], error: str) -> Remediation:
    r.evidence = {**(r.evidence or {}), "read_back": dict(found)}
    if r.error != error:  # once, not at every look
        _note(session, r, now, "not_verified", found, error)
    r.error = error
    session.add(r)
    return r


def _credential(one: Credential) -> str:
    """A credential as a sentence names it; whoever made it gave it that name."""
    return clean(f"{one.kind.replace('_', ' ')} {one.name or one.credential_id}")


def _words(error: LeaverwatchError) -> str:
    """An error as it is kept; what the other side said may stand in it."""
    return clean(f"{type(error).__name__}: {error}")


def prove(session: Session, r: Remediation, now: datetime, by: str, found: Mapping[str, Any]) -> None:
    """The account is closed, and this is what says so: verified, the finding is resolved."""
    evidence = {key: value for key, value in (r.evidence or {}).items() if key != "retry_at"}
    r.status, r.verified_at, r.error = "verified", now, None
    r.evidence = {**evidence, "read_back": dict(found)}
    session.add(r)
    resolve(session, [r.finding], now)
    _note(session, r, now, "verified", found, by=by)


def give_up(session: Session, r: Remediation, now: datetime, error: LeaverwatchError) -> None:
    """It is not carried out: the reason is kept and the finding is open again."""
    expired = r.expires_at is not None and r.expires_at <= now and r.status in RUNNABLE
    r.status, r.error = "expired" if expired else "failed", _words(error)
    session.add(r)
    reopen(session, [r.finding])
    _note(session, r, now, "expire" if expired else "fail", {"error": type(error).__name__}, str(error))


def refused(house: House, now: datetime, refusals: Mapping[str, LeaverwatchError]) -> None:
    """Note what a plan refused: those remediations have failed and their findings are open again."""
    if not refusals:
        return
    with house.store.write() as session:
        for r in load(session, refusals):
            if r.status in RUNNABLE:
                give_up(session, r, now, refusals[r.id])


def postponed(house: House, ids: Sequence[str], error: LeaverwatchError) -> None:
    """Note why nothing could be done about these now; they stay what they are."""
    with house.store.write() as session:
        for chunk in chunks(ids):
            stay = update(Remediation).where(col(Remediation.id).in_(chunk))
            session.exec(stay.values(error=f"{type(error).__name__}: {error}"))


def _executing(session: Session, id: str) -> Remediation:
    r = load(session, [id])[0]
    if r.status != "executing":
        raise AlreadyDecided(f"remediation {id} is {r.status}, not executing")
    return r


def _is_closed(live: Account | None) -> bool:
    return live is None or live.active is False


def _read_back(now: datetime, live: Account | None) -> dict[str, Any]:
    return {"at": now.isoformat(), "active": None if live is None else live.active, "gone": live is None}


def _note(
    session: Session,
    r: Remediation,
    now: datetime,
    verb: str,
    facts: Mapping[str, Any],
    reason: str = "",
    by: str = WORKER,
) -> None:
    line = audit.Line(now, by, verb, f"remediation/{r.id}", reason or r.reason, facts)
    audit.append_many(session, [line])
