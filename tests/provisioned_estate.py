"""Rows and settings that give the rules of JIT and SCIM something to say, for estates that are compared on engines."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

from estates import NOW, account, leaver, unowned

BORN = NOW - timedelta(days=5)
APPLICATIONS = [
    {
        "name": "crm", "title": "Customer CRM", "connector": "app_csv", "provisioning": ["jit", "scim"],
        "writes": {"jit": ["title", "email"], "scim": ["title"]}, "default_role": ["Newsletter", "Reader"],
    },
    {"name": "wiki", "title": "Wiki", "connector": "scim", "criticality": "high", "provisioning": ["jit"]},
    {"name": "sso", "title": "Sign-on", "connector": "app_csv", "identity_provider": True},
]  # fmt: skip


def provisioned() -> list[dict[str, Any]]:
    """Drifted, unassigned, unmapped, reborn, with passwords, and made by a sign-in beside a push."""
    rows = [
        account(department=department, title=title, owner_title=owner)
        for department, title, owner in product(["Sales", " FINANCE ", None], ["analyst", "Lead"], ["Analyst", None])
    ]
    rows += [
        account(password=password, sign_on_accounts=there, sign_on_assigned=assigned, application=application)
        for password, there, assigned, application in product(
            [True, False, None], [0, 1, None], [True, False, None], ["crm", "wiki"]
        )
    ]
    rows += [
        account(owner_department="Legal", owner_title=f"Counsel {n % 7}", owner_id=f"hr:legal{n}") for n in range(20)
    ]
    closed = {"closed_at": NOW - timedelta(days=9), "returned_at": NOW - timedelta(days=2)}
    rows += [make(**closed) for make in (leaver, account, unowned)]
    rows += [account(**closed, sign_on_assigned=False), account(**closed, owner_state="missing")]
    again = {"owner_id": "hr:again", "closed_at": NOW - timedelta(days=9)}
    rows += [
        leaver(owner_id="hr:again", created_at=NOW - timedelta(days=1)),
        leaver(**again, present=False, last_present_at=NOW - timedelta(days=10)),
        leaver(**again, active=False),
    ]
    rows += [
        account(username=f"{application}-{person}", application=application, owner_id=f"hr:{person}", created_at=BORN)
        for application, person in product(["wiki", "sso"], ["born", "pushed"])
    ]
    return rows


def happened(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One was pushed into the wiki, the other signed in when the account was made; rows as they are numbered."""
    ids = {row["username"]: row["account_id"] for row in rows}
    told = {"at": BORN, "target": "wiki", "success": True}
    return [
        {**told, "application": "sso", "event_id": "1", "account_id": ids["sso-born"], "kind": "sso"},
        {**told, "application": "sso", "event_id": "2", "account_id": ids["sso-pushed"], "kind": "provisioned"},
    ]
