"""One member of a Slack workspace, and the roles that its flags mean.

Confirmed in docs.slack.dev/reference/objects/user-object: the flags below; `has_2fa` only for suitable tokens;
deactivated members stay listed with `deleted`; guests are `is_restricted` (several channels) or
`is_ultra_restricted` (one); members of other organisations are `is_stranger`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connectors.kit.columns import Objects
from connectors.kit.portions import Meanings
from governance.records import Account, Rows

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
_NOT_PROVISIONED: Final = Account("", "")


@dataclass
class Beside:
    """What other lists than the members' tell about accounts, by account id."""

    provisioned: dict[str, Account] = field(default_factory=dict)  # as SCIM tells them
    last_used: dict[str, datetime] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)  # account id -> entitlement ids


def roles(members: Objects) -> list[list[str]]:
    """Role ids of each. A guest of one channel carries both flags of guests; only the narrower one counts."""
    meant = Meanings(_roles)
    return list(map(meant.__getitem__, zip(*map(members.flags, ROLES), strict=True)))


def roles_told(members: Objects) -> list[bool]:
    """Whether the flags are there at all; Slack leaves them out for deactivated members, who hold nothing."""
    admin = [flag is not None for flag in members.flags("is_admin")]
    deleted = members.only([not told for told in admin]).flags("deleted")
    return [told or gone is True for told, gone in zip(admin, deleted, strict=True)]


def left_out(members: Objects, ids: Sequence[str | None]) -> list[str | None]:
    """Why each is no account of this workspace; None for one that is, and for one without an id."""
    strange = members.only([one is not None and one != SLACKBOT for one in ids]).flags("is_stranger")
    return [
        "Slackbot, which is built in"
        if one == SLACKBOT
        else "members of other organisations (Slack Connect)"
        if stranger
        else None
        for one, stranger in zip(ids, strange, strict=True)
    ]


def accounts_of(
    members: Objects, ids: Sequence[str], application: str, privileged: Sequence[bool | None], beside: Beside
) -> Rows:
    """The accounts of these ids, as a page of users.list shows them."""
    deleted, invited = members.flags("deleted"), members.flags("is_invited_user")
    scim = [beside.provisioned.get(one, _NOT_PROVISIONED) for one in ids]
    seen_at = list(map(beside.last_used.get, ids))
    columns: dict[str, Sequence[Any]] = {
        "application": [application] * len(ids),
        "account_id": ids,
        "username": members.texts("name"),
        "email": _first(members.texts("profile.email"), [one.email for one in scim]),
        "display_name": _names(members),
        "external_id": [one.external_id for one in scim],
        "employee_id": [one.employee_id for one in scim],
        "kind": _kinds(members),
        "active": [None if gone is None else not gone for gone in deleted],
        "last_seen_at": seen_at,
        # Who has not accepted the invitation has never signed in. Who is in no log may have: it ends somewhere.
        "last_seen_known": [at is not None or new is True for at, new in zip(seen_at, invited, strict=True)],
        "created_at": [one.created_at for one in scim],
        "mfa": members.flags("has_2fa"),
        "privileged": privileged,
        "department": [one.department for one in scim],
        "title": _first(members.texts("profile.title"), [one.title for one in scim]),
    }
    return Rows(Account, columns)


def _roles(flags: tuple[bool | None, ...]) -> list[str]:
    found = [role for flag, (role, _, _) in zip(flags, ROLES.values(), strict=True) if flag]
    if "role:single_channel_guest" in found and "role:multi_channel_guest" in found:
        found.remove("role:multi_channel_guest")
    return found or [MEMBER[0]]


def _first(told: list[str | None], otherwise: list[str | None]) -> list[str | None]:
    return [one or other for one, other in zip(told, otherwise, strict=True)]


def _names(members: Objects) -> list[str | None]:
    names = members.texts("profile.real_name")
    for path in ("real_name", "profile.display_name"):
        if None in names:
            names = _first(names, members.only([name is None for name in names]).texts(path))
    return names


def _kinds(members: Objects) -> list[str | None]:
    """Bots first, then guests; whoever is said to be no bot is a person."""
    bots = members.flags("is_bot")
    members = members.only([not bot for bot in bots])
    flows = members.flags("is_workflow_bot")
    members = members.only([not flow for flow in flows])
    guests = members.flags("is_restricted")
    members = members.only([not guest for guest in guests])
    narrow = members.flags("is_ultra_restricted")
    people = members.only([not guest for guest in narrow]).flags("is_bot")
    return [
        "bot" if bot or flow else "guest" if guest or one else "human" if person is False else None
        for bot, flow, guest, one, person in zip(bots, flows, guests, narrow, people, strict=True)
    ]


def member_id(item: Any) -> str | None:
    """The id of an entry of users.list."""
    value = item.get("id") if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None
