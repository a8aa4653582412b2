"""How Okta shows a user, and what that means for us.

Confirmed in Okta's specification (management 2026.06): the statuses; `lastLogin` null is a user who never signed in to
Okta; status is evaluated lazily, so PASSWORD_EXPIRED is seen only after a try to sign in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from connectors.kit.resource import Resource
from governance.records import Account

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


def read_account(told: Resource, application: str, privileged: bool | None, mfa: bool | None) -> Account | None:
    """The account a user of Okta is; None for one without an id."""
    account_id = told.text("id")
    if account_id is None:
        return None
    seen_at, seen_known = _last_login(told)
    names = [told.text("profile.firstName"), told.text("profile.lastName")]
    kind = (told.text("profile.userType") or "").casefold().replace("_", " ").replace("-", " ")
    return Account(
        application=application,
        account_id=account_id,
        username=told.text("profile.login"),
        email=told.text("profile.email"),
        display_name=told.text("profile.displayName") or " ".join(n for n in names if n) or None,
        employee_id=told.text("profile.employeeNumber"),
        kind=_KINDS.get(kind),
        active=told.one_of("status", STATUSES),
        last_seen_at=seen_at,
        last_seen_known=seen_known,
        created_at=told.instant("created"),
        mfa=mfa,
        privileged=privileged,
        department=told.text("profile.department"),
        title=told.text("profile.title"),
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


def _last_login(told: Resource) -> tuple[datetime | None, bool]:
    seen_at = told.instant("lastLogin")
    never = told.tells("lastLogin") and told.get("lastLogin") is None
    return seen_at, never or seen_at is not None
