"""What people decide about findings: exclude, pin an account to its owner, ask the worker for work."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Literal

import polars as pl
from sqlmodel import Session, col, select
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand
from governance.correlation import fold
from governance.errors import AlreadyDecided, DecisionError, FourEyesRequired
from governance.house import House
from governance.snapshots import newest_estate
from governance.subjects import addresses_of, read_facts
from governance.tables import Exclusion, Finding, Pin, Remediation, Request

ONE_ALONE: Final = timedelta(days=90)  # a longer exclusion takes two
Work = Literal["pull", "detect", "remediate", "verify", "check"]


def exclude(house: House, actor: Actor, now: datetime, fingerprint: str, until: datetime, reason: str) -> Exclusion:
    """A reasoned exception from one finding until a day, at most `policy.max_exclusion_days` away.

    One for longer than ninety days, or of a privileged account, takes two: it `waits`, the finding stays open, until
    another actor excludes the same finding, which agrees to it until the earlier of the two days. FourEyesRequired when
    it is the same actor again, and when the finding is, or may be, about the actor.
    """
    longest = timedelta(days=house.settings.policy.max_exclusion_days)
    if not reason.strip():
        raise DecisionError("an exclusion needs a reason")
    if not now < until <= now + longest:
        raise DecisionError(
            f"an exclusion ends between tomorrow and {longest.days} days from now, not on {until:%Y-%m-%d}"
        )
    with house.store.read() as session:  # first, so that nobody waits for the estate to be looked through
        seen = _excludable(session, actor, fingerprint)
        own = _is_about(house, session, seen, actor)
    with house.store.write() as session:
        finding = _excludable(session, actor, fingerprint)
        if finding.digest != seen.digest:  # a detect run ended in between
            own = _is_about(house, session, finding, actor)
        if own:
            raise FourEyesRequired(f"the finding may be about {actor.email}; somebody else must except it")
        before = select(Exclusion).where(Exclusion.fingerprint == fingerprint, col(Exclusion.ended_at).is_(None))
        exclusion = None
        for earlier in session.exec(before.order_by(col(Exclusion.id))).all():
            if earlier.waits and earlier.until > now:
                exclusion = earlier
            else:  # the finding is open: this one lapsed, or ended when the finding was resolved in its time
                earlier.ended_at = now
                session.add(earlier)
        if exclusion is None:
            exclusion = Exclusion(
                id=str(ULID.from_datetime(now)),
                fingerprint=fingerprint,
                reason=reason,
                actor=actor.email,
                at=now,
                until=until,
                waits=_takes_two(finding, now, until) or None,
            )
        elif actor.is_same(exclusion.actor):
            raise FourEyesRequired(f"{actor.email} asked for this exclusion; somebody else must agree to it")
        else:
            exclusion.second, exclusion.waits, exclusion.until = actor.email, None, min(exclusion.until, until)
        session.add(exclusion)
        if not exclusion.waits:
            finding.status = "excluded"
            session.add(finding)
        audit.append(
            session,
            now=now,
            actor=actor.email,
            verb="exclude.ask" if exclusion.waits else "exclude",
            object=f"finding/{fingerprint}",
            reason=reason,
            facts={"until": exclusion.until.isoformat(), "rule": finding.rule, "account": finding.account_id},
        )
    return exclusion


def _excludable(session: Session, actor: Actor, fingerprint: str) -> Finding:
    """The finding, which is open and which the actor may exclude; an error that says why not."""
    finding = session.get(Finding, fingerprint)
    if finding is None:
        raise DecisionError(f"no finding has the fingerprint {fingerprint}")
    demand(actor, Verb.EXCLUDE, application=finding.application, identity_id=finding.identity_id)
    if finding.status != "open":
        raise AlreadyDecided(f"the finding is {finding.status.replace('_', ' ')}, not open")
    return finding


def end_exclusion(house: House, actor: Actor, now: datetime, fingerprint: str, reason: str) -> Exclusion:
    """End an exclusion before its day, or one that still waits for a second actor: the finding is open again at once.

    One actor is enough: nothing gets less strict by it. AlreadyDecided when there is none to end.
    """
    if not reason.strip():
        raise DecisionError("ending an exclusion needs a reason")
    with house.store.write() as session:
        finding = session.get(Finding, fingerprint)
        if finding is None:
            raise DecisionError(f"no finding has the fingerprint {fingerprint}")
        demand(actor, Verb.EXCLUDE, application=finding.application, identity_id=finding.identity_id)
        open_ones = select(Exclusion).where(Exclusion.fingerprint == fingerprint, col(Exclusion.ended_at).is_(None))
        exclusion = session.exec(open_ones.order_by(col(Exclusion.id).desc()).limit(1)).first()
        if exclusion is None or not (exclusion.waits or finding.status == "excluded"):
            raise AlreadyDecided(f"finding {fingerprint} has no exclusion that could be ended")
        exclusion.ended_at = now
        session.add(exclusion)
        if finding.status == "excluded":
            finding.status = "open"
            session.add(finding)
        facts = {"until": exclusion.until.isoformat(), "rule": finding.rule, "account": finding.account_id}
        object = f"finding/{fingerprint}"
        audit.append(
            session, now=now, actor=actor.email, verb="exclude.end", object=object, reason=reason.strip(), facts=facts
        )
    return exclusion


def _is_about(house: House, session: Session, finding: Finding, actor: Actor) -> bool:
    """Whether a finding is, or may be, about the actor: about their account, or about themselves."""
    if finding.application is not None and finding.account_id is not None:
        key = finding.application, finding.account_id
        account = read_facts(house, session, [key]).accounts.get(key)
        if account is not None and account.is_of(actor):
            return True
    values = (finding.evidence or {}).get("values", {})
    # Of an account without any owner the candidates are only people of that name.
    candidates = (values.get("candidates") or "").split(";") if values.get("match") == "ambiguous" else ()
    persons = {person for person in (finding.identity_id, *candidates) if person}
    if actor.identity_id in persons:
        return True
    keys = {fold(finding.username), fold(values.get("email"))} | addresses_of(house, session, persons)
    return any(map(actor.is_same, keys))


def _takes_two(finding: Finding, now: datetime, until: datetime) -> bool:
    # Every finding on a privileged account says so in its score, whatever its rule keeps as evidence.
    scored = (finding.evidence or {}).get("score", ())
    return until - now > ONE_ALONE or any(part["part"] == "privilege" and part["points"] for part in scored)


def pin(
    house: House, actor: Actor, now: datetime, application: str, account_id: str, identity_id: str, reason: str
) -> Pin:
    """Decide whose an account is; holds from the next detect run on, until it is pinned to somebody else."""
    demand(actor, Verb.PIN, application=application, identity_id=identity_id)
    if not reason.strip():
        raise DecisionError("a pin needs a reason")
    _exists(house, application, account_id, identity_id)
    with house.store.write() as session:
        row = session.get(Pin, (application, account_id)) or Pin(
            application=application, account_id=account_id, identity_id=identity_id, at=now
        )
        row.identity_id, row.reason, row.actor, row.at = identity_id, reason, actor.email, now
        session.add(row)
        audit.append(
            session,
            now=now,
            actor=actor.email,
            verb="pin",
            object=f"account/{application}/{account_id}",
            reason=reason,
            facts={"identity_id": identity_id},
        )
    return row


def _exists(house: House, application: str, account_id: str, identity_id: str) -> None:
    with house.store.read() as session:
        folder = newest_estate(house, session)
    if folder is None:
        raise DecisionError("nothing has been detected yet: run leaverwatch pull and leaverwatch detect first")
    known = pl.scan_parquet(folder / "identities.parquet").filter(pl.col("identity_id") == identity_id)
    if known.select("identity_id").collect().is_empty():
        raise DecisionError(f"no identity is named {identity_id!r}; expected source:employee_id")
    held = pl.scan_parquet(folder / "accounts.parquet").filter(
        (pl.col("application") == application) & (pl.col("account_id") == account_id)
    )
    if held.select("account_id").collect().is_empty():
        raise DecisionError(f"{application} holds no account {account_id!r}")


def ask(house: House, actor: Actor, now: datetime, verb: Work, arguments: dict[str, Any] | None = None) -> Request:
    """Ask the worker to do work; it looks every two seconds. An undo may ask for who may propose, the rest who may run.

    `arguments`: {"feeds": [name…]} of a pull, {"undo": remediation id} of an undo.
    """
    arguments = arguments or {}
    with house.store.read() as session:
        undone = session.get(Remediation, arguments["undo"]) if "undo" in arguments else None
    if undone is not None:
        demand(actor, Verb.PROPOSE, application=undone.application, identity_id=undone.identity_id)
    else:
        demand(actor, Verb.RUN)
    request = Request(id=str(ULID.from_datetime(now)), at=now, actor=actor.email, verb=verb, arguments=arguments)
    with house.store.write() as session:
        session.add(request)
        audit.append(session, now=now, actor=actor.email, verb="ask", object=f"job/{verb}", facts=arguments)
    return request
