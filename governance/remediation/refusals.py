"""What is never done: the checks that a proposal, an approval, a plan and the last moment before a call share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from governance.correlation import fold
from governance.declaration import Remedy
from governance.errors import (
    FourEyesRequired,
    LastPrivilegedAccount,
    NotSupported,
    PlanChanged,
    ProtectedAccount,
)
from governance.records import NON_HUMAN_KINDS, Account
from governance.settings import Settings
from governance.store.chain import clean
from governance.subjects import AccountFacts
from governance.tables import Finding, Remediation

# Rules whose remedy is another one, but where a reviewer may decide that the account goes.
BY_DECISION: Final = frozenset({"missing_from_source", "ambiguous_owner", "orphaned"})


def plan_digest(application: str, account_id: str, action: str, rule: str, finding_digest: str) -> str:
    """What an approval is bound to: SHA-256 over target, action, rule and the version of the evidence."""
    plan = {
        "application": application,
        "account_id": account_id,
        "action": action,
        "rule": rule,
        "finding_digest": finding_digest,
    }
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def check_remedy(finding: Finding, remedies: Mapping[str, Remedy]) -> None:
    """NotSupported unless closing the account is what this finding asks for, or a person may decide so."""
    if finding.application is None or finding.account_id is None:
        raise NotSupported(f"finding {finding.fingerprint} is about no account: there is nothing to deactivate")
    if remedies.get(finding.rule) is not Remedy.DEACTIVATE and finding.rule not in BY_DECISION:
        raise NotSupported(f"a finding of the rule {finding.rule} is not closed by deactivating an account")


def check_account(settings: Settings, account: AccountFacts, live: Account | None = None) -> None:
    """ProtectedAccount when the account is registered as protected, the connector's own, or no human's."""
    names = {fold(text) for text in (account.account_id, account.username, account.email)} - {None}
    kinds = {account.kind}
    if live is not None:
        names |= {fold(text) for text in (live.account_id, live.username, live.email)} - {None}
        kinds.add(live.kind)
    for entry in settings.protected:
        if entry.application == account.application and fold(entry.account) in names:
            raise ProtectedAccount(f"{account.label} is protected ({entry.why}); {entry.owner} answers for it")
    own = {a.name: a.own_account for a in settings.application}.get(account.application)
    if account.protected or (own is not None and fold(own) in names):
        raise ProtectedAccount(f"{account.label} is the account Leaverwatch itself works with, or protected")
    if kind := next((kind for kind in NON_HUMAN_KINDS if kind in kinds), None):
        raise ProtectedAccount(f"{account.label} is a {kind} account: its owner decides about it, nothing is automatic")


def check_plan(remediation: Remediation, finding: Finding | None) -> None:
    """PlanChanged unless the finding still says exactly what was proposed."""
    if finding is None or finding.status != "in_remediation":
        why = "is gone" if finding is None else f"is {finding.status} ({finding.resolved_why or 'by now'})"
        raise PlanChanged(f"remediation {remediation.id}: the finding {why}; propose again if it still holds")
    r, f = remediation, finding
    proposed = plan_digest(r.application, r.account_id, r.action, r.rule, f.digest)
    found = plan_digest(f.application or "", f.account_id or "", r.action, f.rule, f.digest)
    if not proposed == found == r.plan_digest:
        raise PlanChanged(f"remediation {r.id}: the facts changed since it was proposed; look again and propose anew")


def check_expiry(remediation: Remediation, now: datetime) -> None:
    """PlanChanged when the approval is too old to act on."""
    if remediation.expires_at is not None and remediation.expires_at <= now:
        raise PlanChanged(
            f"remediation {remediation.id}: the approval ended at {remediation.expires_at:%Y-%m-%d %H:%M}Z; do it anew"
        )


def check_same(account: AccountFacts, live: Account) -> None:
    """PlanChanged when the account read just now bears another name than the one decided about."""
    for what, known, read in (
        ("username", account.username, live.username),
        ("e-mail", account.email, live.email),
    ):
        if known is not None and read is not None and fold(known) != fold(clean(read)):
            raise PlanChanged(f"{account.label}: its {what} is another one by now; pull and detect, then decide again")


def check_subject(account: AccountFacts, emails: Iterable[str | None]) -> None:
    """FourEyesRequired when somebody who decided is the one the account belongs to."""
    for email in emails:
        if email and account.belongs_to(email):
            raise FourEyesRequired(f"{account.label} may belong to {email}, who decided about it; somebody else must")


def check_privileged(account: AccountFacts, holders: Mapping[str, int], closed: Iterable[str], approvers: int) -> None:
    """Refuse to leave no active privileged account; two approvers are needed to leave one.

    `holders` are the application's active privileged accounts of the last estate, `closed` those closed since or about
    to be.
    """
    if account.account_id not in holders:
        return
    left = len(set(holders) - set(closed) - {account.account_id})
    if left == 0:
        raise LastPrivilegedAccount(
            f"{account.label} is the last active privileged account of {account.application}: nobody would be left"
        )
    if left == 1 and approvers < 2:
        raise FourEyesRequired(
            f"{account.label}: one privileged account would be left in {account.application}; that needs two approvers"
        )
