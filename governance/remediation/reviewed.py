"""Remediations a reviewer's decision asks for: proposed when a campaign is closed, bound to the item as decided."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select
from ulid import ULID

from governance import audit
from governance.errors import LeaverwatchError, PlanChanged
from governance.house import House
from governance.remediation import refusals as refuse
from governance.remediation.ledger import chunks, closed_privileged
from governance.remediation.ways import possible
from governance.store import put_rows
from governance.subjects import AccountFacts, Facts, read_facts
from governance.tables import UNDER_WAY, Connector, Remediation, ReviewItem

RULE: Final = "access_review"
DECIDED: Final = ("remove", "change")
PROPOSED: Final = "removal proposed"


@dataclass(frozen=True)
class Removal:
    """What became of one item decided to be removed: a proposed remediation, one under way already, or a refusal."""

    number: int
    remediation: str | None
    outcome: str


def propose_removals(
    house: House, session: Session, now: datetime, items: Sequence[ReviewItem], said: str = "An access review decided"
) -> list[Removal]:
    """Propose what these items' reviewers decided to remove or change, inside the caller's write transaction.

    Each access once, however many reviews remove it. The reviewer is the proposer: somebody else must approve. What may
    not be touched (protected, nobody's, the last privileged account) is refused and said, never dropped silently.
    `said` begins the sentence that is approved: who decided to remove or change it.
    """
    facts = read_facts(house, session, ((item.application, item.account_id) for item in items))
    ways = _ways(house, session)
    under_way = _under_way(session, items)
    closed = {a: closed_privileged(session, holders, a) for a, holders in facts.privileged.items()}
    rows: list[dict[str, Any]] = []
    removals: list[Removal] = []
    for item in items:
        key = (item.application, item.account_id, item.entitlement_id)
        if key in under_way:
            removals.append(Removal(item.number, under_way[key], "removal was under way already"))
            continue
        try:
            account = _removable(house, item, facts, closed)
        except LeaverwatchError as refusal:
            removals.append(Removal(item.number, None, f"not carried out: {refusal}"))
            continue
        row = _row(now, item, account, ways.get(item.application, {}), said)
        rows.append(row)
        under_way[key] = row["id"]
        removals.append(Removal(item.number, row["id"], PROPOSED))
    put_rows(session, Remediation, rows)
    audit.append_many(session, [_line(now, row) for row in rows])
    return removals


def review_digest(item: ReviewItem, action: str) -> str:
    """What an approval is bound to: SHA-256 over target, action, campaign, item, decision, reason and reviewer."""
    names = ("campaign", "number", "application", "account_id", "entitlement_id", "decision", "decided_by", "reason")
    plan = {name: getattr(item, name) for name in names} | {"action": action}
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def load_items(session: Session, remediations: Iterable[Remediation]) -> dict[str, ReviewItem]:
    """The review item behind each of these remediations that has one, by the remediation's id."""
    reviewed = {r.id: r for r in remediations if r.campaign is not None}
    found: dict[tuple[str, int], ReviewItem] = {}
    for campaign in sorted({r.campaign or "" for r in reviewed.values()}):
        numbers = [r.number for r in reviewed.values() if r.campaign == campaign and r.number is not None]
        for start in range(0, len(numbers), 500):
            part = numbers[start : start + 500]
            chosen = select(ReviewItem).where(col(ReviewItem.campaign) == campaign, col(ReviewItem.number).in_(part))
            found |= {(campaign, item.number): item for item in session.exec(chosen)}
    keys = {id: (r.campaign or "", r.number or 0) for id, r in reviewed.items()}
    return {id: found[key] for id, key in keys.items() if key in found}


def check_item(remediation: Remediation, item: ReviewItem | None) -> None:
    """PlanChanged unless the review item still says exactly what was proposed."""
    if item is None or item.decision not in DECIDED:
        why = "is gone" if item is None else f"says {item.decision or 'nothing'} by now"
        raise PlanChanged(f"remediation {remediation.id}: the review item {why}")
    same = (item.application, item.account_id, item.entitlement_id) == (
        remediation.application,
        remediation.account_id,
        remediation.entitlement_id,
    )
    if not same or review_digest(item, remediation.action) != remediation.plan_digest:
        raise PlanChanged(f"remediation {remediation.id}: it differs from what the reviewer decided; review it again")


def takes_privilege(remediation: Remediation, item: ReviewItem | None) -> bool:
    """Whether carrying it out may leave an application with fewer privileged accounts."""
    return remediation.entitlement_id is None or item is None or item.privileged


def _removable(house: House, item: ReviewItem, facts: Facts, closed: dict[str, set[str]]) -> AccountFacts:
    account = facts.accounts.get((item.application, item.account_id))
    if account is None:
        raise PlanChanged("the account is gone")
    if account.active is False:
        raise PlanChanged("the account is inactive already")
    refuse.check_account(house.settings, account)
    refuse.check_subject(account, (item.decided_by,))
    if item.privileged or item.entitlement_id is None:
        holders, gone = facts.privileged.get(item.application, {}), closed.setdefault(item.application, set())
        refuse.check_privileged(account, holders, gone, approvers=2)
        gone.add(item.account_id)
    return account


def _ways(house: House, session: Session) -> dict[str, dict[str, str]]:
    """Application -> what is done to an account and to a grant there: by a call, or by its owner."""
    known = {row.name: row for row in session.exec(select(Connector))}
    found = {}
    for application in house.settings.application:
        can = possible(house.settings.act, known.get(application.connector), application)
        found[application.name] = {
            "account": "deactivate" if "deactivate" in can else "manual",
            "grant": "revoke" if {"revoke_grant", "read_one"} <= can else "manual",
        }
    return found


def _under_way(session: Session, items: Sequence[ReviewItem]) -> dict[tuple[str, str, str | None], str]:
    found: dict[tuple[str, str, str | None], str] = {}
    for part in chunks({item.account_id for item in items}):
        chosen = select(Remediation).where(
            col(Remediation.account_id).in_(part), col(Remediation.status).in_(UNDER_WAY)
        )
        found |= {(r.application, r.account_id, r.entitlement_id): r.id for r in session.exec(chosen)}
    return found


def _row(now: datetime, item: ReviewItem, account: AccountFacts, ways: Mapping[str, str], said: str) -> dict[str, Any]:
    action = ways.get("account" if item.entitlement_id is None else "grant", "manual")
    if item.decision == "change":  # what it should be instead is in words: a person does it
        action = "manual"
    held = item.entitlement or "the account"
    why = item.reason or item.because
    verb = "remove" if item.decision == "remove" else "change"
    return {
        "id": str(ULID.from_datetime(now)),
        "status": "proposed",
        "application": item.application,
        "account_id": item.account_id,
        "username": account.username or item.username,
        "identity_id": item.identity_id,
        "identity_name": item.identity_name,
        "finding": "",
        "rule": RULE,
        "campaign": item.campaign,
        "number": item.number,
        "entitlement_id": item.entitlement_id,
        "action": action,
        "plan_digest": review_digest(item, action),
        "evidence": {
            "finding": {
                "reason": f"{said} to {verb} {held} of {item.identity_name or item.username}: {why}.",
                "severity": "critical" if item.critical else "high" if item.privileged else "medium",
                "facts": {},
            },
            "entitlement": item.entitlement,
            "review": {"campaign": item.campaign, "number": item.number, "decided_by": item.decided_by}
            | {"decision": item.decision},
        },
        "reason": why,
        "proposed_by": item.decided_by or "",
        "proposed_at": now,
        "attempts": 0,
    }


def _line(now: datetime, row: Mapping[str, Any]) -> audit.Line:
    names = ("application", "account_id", "entitlement_id", "action", "campaign", "number", "plan_digest")
    facts = {name: row[name] for name in names}
    return audit.Line(now, row["proposed_by"], "propose", f"remediation/{row['id']}", row["reason"], facts)
