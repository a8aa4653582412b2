"""How Okta shows a user, and what that means for us.

Confirmed in Okta's specification (management 2026.06): the statuses; `lastLogin` null is a user who never signed in to
Okta; status is evaluated lazily, so PASSWORD_EXPIRED is seen only after a try to sign in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from connectors.kit.columns import Objects
from connectors.kit.resource import Resource
from governance.records import Account, Rows

# Whether the account can sign in. LOCKED_OUT, PASSWORD_EXPIRED and RECOVERY end by themselves or by the owner's own
# doing, so they count as open, and so does PROVISIONED ("pending user action"): its owner has the link that activates
# it. STAGED waits for an administrator.
STATUSES: Final[dict[str, bool]] = {
    "active": True,
    "locked_out": True,
    "password_expired": True,
    "recovery": True,
    "provisioned": True,
    "staged": False,
    "suspended": False,
    "deprovisioned": False,
}
# `userType` is free text; these spellings say that nobody's own account is meant.
_KINDS: Final = {
    "service": "service",
    "service account": "service",
    "bot": "bot",
    "robot": "bot",
    "guest": "guest",
    "partner": "guest",
    "external": "guest",
    "shared": "shared",
}
_FEDERATED: Final = frozenset({"FEDERATION", "SOCIAL"})
# Not a second factor: a question is something one knows, and an e-mail is what a password is reset with.
_WEAK: Final = frozenset({"question", "email"})
_ENROLLED: Final = frozenset({"ACTIVE", "ENROLLED"})


def read_accounts(told: Objects, ids: Sequence[str], application: str, privileged: Sequence[bool | None]) -> Rows:
    """The accounts of these ids that users of Okta are."""
    seen_at = told.instants("lastLogin")
    never = zip(told.tells("lastLogin"), told.values("lastLogin"), strict=True)
    seen_known = [at is not None or (has and value is None) for at, (has, value) in zip(seen_at, never, strict=True)]
    parts = ("profile.displayName", "profile.firstName", "profile.lastName")
    names = zip(*map(told.texts, parts), strict=True)
    return Rows(
        Account,
        {
            "application": [application] * len(ids),
            "account_id": ids,
            "username": told.texts("profile.login"),
            "email": told.texts("profile.email"),
            "display_name": [shown or " ".join(filter(None, both)) or None for shown, *both in names],
            "employee_id": told.texts("profile.employeeNumber"),
            "kind": [None if kind is None else _KINDS.get(_folded(kind)) for kind in told.texts("profile.userType")],
            "active": told.one_of("status", STATUSES),
            "last_seen_at": seen_at,
            "last_seen_known": seen_known,
            "created_at": told.instants("created"),
            "privileged": privileged,
            "department": told.texts("profile.department"),
            "title": told.texts("profile.title"),
        },
    )


def federated(told: Resource) -> bool:
    """Whether another identity provider signs the user in, which then asks for the second factor."""
    return told.text("credentials.provider.type") in _FEDERATED


def has_second_factor(factors: list[Any], told: Resource) -> bool | None:
    """Whether one of the factors is a second one; None where another identity provider may ask for it."""
    for factor in factors:
        if isinstance(factor, dict) and factor.get("status") in _ENROLLED and factor.get("factorType") not in _WEAK:
            return True
    return None if federated(told) else False


def _folded(kind: str) -> str:
    return kind.casefold().replace("_", " ").replace("-", " ")
