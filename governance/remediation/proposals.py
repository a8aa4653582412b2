"""Proposals: a finding becomes a remediation that somebody else must approve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand
from governance.declaration import Remedy
from governance.errors import (
    AlreadyDecided,
    DecisionError,
    FourEyesRequired,
    LeaverwatchError,
    NotSupported,
    PlanChanged,
)
from governance.house import House
from governance.remediation import refusals as refuse
from governance.remediation.ledger import chunks, closed_privileged, load_findings, needed, take
from governance.remediation.ways import possible
from governance.store import put_rows
from governance.subjects import AccountFacts, Facts, read_facts
from governance.tables import Connector, Finding, Remediation


def propose(house: House, actor: Actor, now: datetime, fingerprints: Sequence[str], reason: str) -> list[Remediation]:
    """Propose to close the accounts of these open findings: all of them, or none and the first refusal is raised."""
    reason = needed(reason, "a proposal")
    rows, refused = _judge(house, actor, now, fingerprints, reason)
    if refused:
        raise next(iter(refused.values()))
    lines = [
        audit.Line(
            now,
            actor.email,
            "propose",
            f"remediation/{row['id']}",
            reason,
            {key: row[key] for key in ("application", "account_id", "action", "rule", "finding", "plan_digest")},
        )
        for row in rows
    ]
    with house.store.write() as session:
        take(session, [row["finding"] for row in rows])
        put_rows(session, Remediation, rows)
        audit.append_many(session, lines)
    return [Remediation(**row) for row in rows]


def refusals(house: House, actor: Actor, now: datetime, fingerprints: Sequence[str]) -> dict[str, LeaverwatchError]:
    """Which of these findings this actor could not propose, and why. Changes nothing."""
    looking = replace(actor, fresh=True)  # a sign-in that is too old is asked for when something is proposed
    return _judge(house, looking, now, fingerprints, "")[1]


def _judge(
    house: House, actor: Actor, now: datetime, fingerprints: Iterable[str], reason: str
) -> tuple[list[dict[str, Any]], dict[str, LeaverwatchError]]:
    """The rows a proposal of these findings would write, and the findings it may not touch."""
    wanted = list(dict.fromkeys(fingerprints))
    remedies = {name: rule.remedy for name, rule in house.rules.items()}
    rows: list[dict[str, Any]] = []
    refused: dict[str, LeaverwatchError] = {}
    with house.store.read() as session:
        findings = load_findings(session, wanted)
        facts = read_facts(house, session, _keys(findings.values()))
        actions = _actions(house, session)
        told = unable(session, _keys(findings.values()))
        closed = {
            application: closed_privileged(session, holders, application)
            for application, holders in facts.privileged.items()
        }
    for fingerprint in wanted:
        try:
            finding = findings.get(fingerprint)
            if finding is None:
                raise DecisionError(f"there is no finding {fingerprint}")
            account = _proposable(house, actor, finding, facts, remedies, closed)
        except LeaverwatchError as refusal:
            refused[fingerprint] = refusal
        else:
            action = actions.get(account.application, "manual")
            if (account.application, account.account_id) in told:
                action = "manual"
            rows.append(_row(actor, now, finding, account, action, reason))
    return rows, refused


def _proposable(
    house: House,
    actor: Actor,
    finding: Finding,
    facts: Facts,
    remedies: dict[str, Remedy],
    closed: dict[str, set[str]],
) -> AccountFacts:
    """The account a finding is about, when this actor may propose to close it."""
    demand(actor, Verb.PROPOSE, application=finding.application, identity_id=finding.identity_id)
    if finding.status != "open":
        state = {"in_remediation": "in remediation already"}.get(finding.status, finding.status)
        raise AlreadyDecided(f"finding {finding.fingerprint} is {state}")
    refuse.check_remedy(finding, remedies)
    account = facts.accounts.get((finding.application or "", finding.account_id or ""))
    if account is None:
        raise PlanChanged(f"finding {finding.fingerprint}: the last detect run does not hold its account any more")
    if account.is_of(actor):
        raise FourEyesRequired(f"{account.label} may belong to {actor.email}; somebody else must propose this")
    refuse.check_account(house.settings, account)
    holders = facts.privileged.get(account.application, {})
    # Whether two approvers are needed is a question of the approval; here only the last one is refused.
    refuse.check_privileged(account, holders, closed.get(account.application, ()), approvers=2)
    return account


def _row(
    actor: Actor, now: datetime, finding: Finding, account: AccountFacts, action: str, reason: str
) -> dict[str, Any]:
    return {
        "id": str(ULID()),
        "status": "proposed",
        "application": account.application,
        "account_id": account.account_id,
        "username": account.username or finding.username,
        "identity_id": finding.identity_id,
        "identity_name": finding.identity_name,
        "finding": finding.fingerprint,
        "rule": finding.rule,
        "action": action,
        "plan_digest": refuse.plan_digest(
            account.application, account.account_id, action, finding.rule, finding.digest
        ),
        "evidence": {
            "finding": {"reason": finding.reason, "severity": finding.severity, "facts": finding.evidence},
            "account": {
                "email": account.email,
                "kind": account.kind,
                "active": account.active,
                "privileged": account.privileged,
                "owner_id": account.owner_id,
            },
        },
        "reason": reason,
        "proposed_by": actor.email,
        "proposed_at": now,
        "attempts": 0,
    }


def _keys(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(f.application, f.account_id) for f in findings if f.application is not None and f.account_id is not None]


def unable(session: Session, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Accounts of which the application said before that only a person can close them."""
    said = select(Remediation.application, Remediation.account_id).where(
        Remediation.status == "failed", col(Remediation.error).startswith(f"{NotSupported.__name__}:")
    )
    found: set[tuple[str, str]] = set()
    for chunk in chunks([account_id for _, account_id in keys]):
        found |= {(a, b) for a, b in session.exec(said.where(col(Remediation.account_id).in_(chunk)))}
    return found & set(keys)


def _actions(house: House, session: Session) -> dict[str, str]:
    """Application -> deactivate where Leaverwatch can do that itself, else a manual task for the owner."""
    known = {row.name: row for row in session.exec(select(Connector))}
    act = house.settings.act
    return {
        a.name: "deactivate" if "deactivate" in possible(act, known.get(a.connector), a) else "manual"
        for a in house.settings.application
    }
