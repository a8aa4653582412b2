"""One member of a Slack workspace, and the roles that its flags mean.

Confirmed in docs.slack.dev/reference/objects/user-object: the flags below; `has_2fa` only for suitable tokens;
deactivated members stay listed with `deleted`; guests are `is_restricted` (several channels) or
`is_ultra_restricted` (one); members of other organisations are `is_stranger`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any, Final, NamedTuple

from connectors.kit.columns import Objects
from connectors.kit.forms import FLAG, TEXT, Form, Formed
from connectors.kit.numbered import Chains, Ids, Marks, Values
from connectors.kit.portions import Meanings
from connectors.kit.slack_provisioned import PROVISIONED, Row
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
_FLAGS: Final = (
    *ROLES, "deleted", "is_stranger", "is_invited_user", "is_bot", "is_workflow_bot", "has_2fa",
)  # fmt: skip
_TEXTS: Final = (
    "id", "name", "real_name", "profile.email", "profile.title", "profile.real_name", "profile.display_name",
)  # fmt: skip
PAGE: Final = Form(
    dict.fromkeys(_FLAGS, FLAG) | dict.fromkeys(_TEXTS, TEXT),
    "members",
    ("ok", "error", "needed", "provided", "response_metadata"),
)
Members = Objects | Formed


class Told(NamedTuple):
    """What other lists than the members' tell about the accounts of a page."""

    provisioned: Mapping[str, Sequence[Any]]  # as SCIM tells them, by fields of an account
    last_used: Sequence[datetime | None]
    groups: Sequence[tuple[str, ...]]  # entitlement ids


class Beside:
    """The same about all accounts: a million of them take 120 MiB."""

    def __init__(self) -> None:
        self.last_used: dict[str, datetime] = {}
        self._register = Ids()
        self._members = Marks()
        self._provisioned = Values(Row, (None,) * len(PROVISIONED))
        self._memberships = Chains()
        self._groups = array("I", [0])  # of each membership, as a place in `_entitlements`
        self._entitlements: list[str] = []

    def provision(self, ids: Sequence[str], rows: Iterable[Row]) -> None:
        """Keep what SCIM tells of these accounts."""
        self._provisioned.put(self._register.numbers(ids), rows)

    def join(self, entitlement_id: str, ids: Sequence[str]) -> None:
        """These accounts are in that group."""
        self._memberships.add(self._register.numbers(ids))
        self._groups.extend(repeat(len(self._entitlements), len(ids)))
        self._entitlements.append(entitlement_id)

    def of(self, ids: Sequence[str]) -> Told:
        """What is told of these, who are members."""
        numbers = self._register.numbers(ids)
        self._members.put(numbers, repeat(1, len(ids)))
        columns: Iterable[Sequence[Any]] = zip(*self._provisioned.of(numbers), strict=True) if ids else repeat(())
        groups = [self._joined(last) if last else () for last in self._memberships.lasts(numbers)]
        return Told(dict(zip(PROVISIONED, columns, strict=False)), list(map(self.last_used.get, ids)), groups)

    def members(self) -> int:
        """How many different ones were asked for."""
        return self._members.marked()

    def _joined(self, last: int) -> tuple[str, ...]:
        places = map(self._groups.__getitem__, self._memberships.entries(last))
        return tuple(map(self._entitlements.__getitem__, places))


def roles(members: Members) -> list[tuple[str, ...]]:
    """Role ids of each. A guest of one channel carries both flags of guests; only the narrower one counts."""
    meant = Meanings(_roles)
    return list(map(meant.__getitem__, zip(*map(members.flags, ROLES), strict=True)))


def roles_told(members: Members) -> list[bool]:
    """Whether the flags are there at all; Slack leaves them out for deactivated members, who hold nothing."""
    admin = [flag is not None for flag in members.flags("is_admin")]
    deleted = members.only([not told for told in admin]).flags("deleted")
    return [told or gone is True for told, gone in zip(admin, deleted, strict=True)]


def left_out(members: Members, ids: Sequence[str | None]) -> list[str | None]:
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
    members: Members, ids: Sequence[str], application: str, privileged: Sequence[bool | None], told: Told
) -> Rows:
    """The accounts of these ids, as a page of users.list shows them."""
    deleted, invited = members.flags("deleted"), members.flags("is_invited_user")
    scim, seen_at = told.provisioned, told.last_used
    columns: dict[str, Sequence[Any]] = {
        "application": [application] * len(ids),
        "account_id": ids,
        "username": members.texts("name"),
        "email": _first(members.texts("profile.email"), scim["email"]),
        "display_name": _names(members),
        "external_id": scim["external_id"],
        "employee_id": scim["employee_id"],
        "kind": _kinds(members),
        "active": [None if gone is None else not gone for gone in deleted],
        "last_seen_at": seen_at,
        # Who has not accepted the invitation has never signed in. Who is in no log may have: it ends somewhere.
        "last_seen_known": [at is not None or new is True for at, new in zip(seen_at, invited, strict=True)],
        "created_at": scim["created_at"],
        "mfa": members.flags("has_2fa"),
        "privileged": privileged,
        "department": scim["department"],
        "title": _first(members.texts("profile.title"), scim["title"]),
    }
    return Rows(Account, columns)


def _roles(flags: tuple[bool | None, ...]) -> tuple[str, ...]:
    found = [role for flag, (role, _, _) in zip(flags, ROLES.values(), strict=True) if flag]
    if "role:single_channel_guest" in found and "role:multi_channel_guest" in found:
        found.remove("role:multi_channel_guest")
    return tuple(found) or (MEMBER[0],)


def _first(told: list[str | None], otherwise: Sequence[str | None]) -> list[str | None]:
    return [one or other for one, other in zip(told, otherwise, strict=True)]


def _names(members: Members) -> list[str | None]:
    names = members.texts("profile.real_name")
    for path in ("real_name", "profile.display_name"):
        if None in names:
            names = _first(names, members.only([name is None for name in names]).texts(path))
    return names


def _kinds(members: Members) -> list[str | None]:
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


def keys_of(members: Members) -> list[str | None]:
    """The id of each entry of users.list as it is written; None where there is none."""
    return [value if isinstance(value, str) and value else None for value in members.values("id")]
