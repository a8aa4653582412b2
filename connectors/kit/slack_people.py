"""One member of a Slack workspace, and the roles that its flags mean.

Confirmed in docs.slack.dev/reference/objects/user-object: the flags below; `has_2fa` only for suitable tokens;
deactivated members stay listed with `deleted`; guests are `is_restricted` (several channels) or
`is_ultra_restricted` (one); members of other organisations are `is_stranger`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connectors.kit.resource import Resource
from governance.records import Account

SLACKBOT: Final = "USLACKBOT"  # is in every workspace; nobody can sign in with it
# flag -> id, name, privileged. The first two of a workspace's stand above the third.
ROLES: Final[Mapping[str, tuple[str, str, bool]]] = {
    "enterprise_user.is_owner": ("role:org_owner", "Organisation owner", True),
    "enterprise_user.is_admin": ("role:org_admin", "Organisation admin", True),
    "is_primary_owner": ("role:primary_owner", "Workspace primary owner", True),
    "is_owner": ("role:owner", "Workspace owner", True),
    "is_admin": ("role:admin", "Workspace admin", True),
    "is_ultra_restricted": ("role:single_channel_guest", "Single-channel guest", False),
    "is_restricted": ("role:multi_channel_guest", "Multi-channel guest", False),
}
MEMBER: Final = ("role:member", "Member", False)


@dataclass
class Beside:
    """What other lists than the members' tell about accounts, by account id."""

    provisioned: dict[str, Account] = field(default_factory=dict)  # as SCIM tells them
    last_used: dict[str, datetime] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)  # account id -> entitlement ids


def roles(told: Resource) -> list[str]:
    """Role ids of a member. A guest of one channel carries both flags of guests; only the narrower one counts."""
    found = [role for flag, (role, _, _) in ROLES.items() if told.flag(flag)]
    if "role:single_channel_guest" in found and "role:multi_channel_guest" in found:
        found.remove("role:multi_channel_guest")
    return found or [MEMBER[0]]


def roles_told(told: Resource) -> bool:
    """Whether the flags are there at all; Slack leaves them out for deactivated members, who hold nothing."""
    return told.flag("is_admin") is not None or told.flag("deleted") is True


def left_out(told: Resource) -> str | None:
    """Why a member of the list is no account of this workspace; None for one that is."""
    if told.text("id") == SLACKBOT:
        return "Slackbot, which is built in"
    return "members of other organisations (Slack Connect)" if told.flag("is_stranger") else None


def read_member(told: Resource, application: str, privileged: bool | None, beside: Beside) -> Account:
    """One member as users.list shows it; ValueError when it has no id."""
    account_id = told.text("id")
    if account_id is None:
        raise ValueError("is missing or no text")
    deleted = told.flag("deleted")
    invited = told.flag("is_invited_user") is True
    scim = beside.provisioned.get(account_id)
    seen_at = beside.last_used.get(account_id)
    return Account(
        application=application,
        account_id=account_id,
        username=told.text("name"),
        email=told.text("profile.email") or (scim.email if scim else None),
        display_name=told.text("profile.real_name") or told.text("real_name") or told.text("profile.display_name"),
        external_id=scim.external_id if scim else None,
        employee_id=scim.employee_id if scim else None,
        kind=_kind(told),
        active=None if deleted is None else not deleted,
        last_seen_at=seen_at,
        # Who has not accepted the invitation has never signed in. Who is in no log may have: it ends somewhere.
        last_seen_known=seen_at is not None or invited,
        created_at=scim.created_at if scim else None,
        mfa=told.flag("has_2fa"),
        privileged=privileged,
        department=scim.department if scim else None,
        title=told.text("profile.title") or (scim.title if scim else None),
    )


def _kind(told: Resource) -> str | None:
    if told.flag("is_bot") or told.flag("is_workflow_bot"):
        return "bot"
    if told.flag("is_restricted") or told.flag("is_ultra_restricted"):
        return "guest"
    return "human" if told.flag("is_bot") is False else None


def member_id(item: Any) -> str | None:
    """The id of an entry of users.list."""
    value = item.get("id") if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None
