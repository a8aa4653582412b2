"""The facts a feed can state: identities, accounts, entitlements, grants and events.

Records are frozen structs (msgspec): a pull makes millions, and a frozen dataclass takes twenty times as long for each.
They hold nothing that could hold them again, so the collector of cycles need not look at them.
`None` means *not told*, never a guess. Instants are aware datetimes in UTC.
Frames made from records hold every instant twice: `<name>` (Datetime, microseconds, UTC) and `<name>_s` (Int64, seconds
since 1970), because the Spark engine can compare numbers but not all forms of instants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import repeat
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

ACCOUNT_KINDS: Final = ("human", "service", "bot", "guest", "shared")
NON_HUMAN_KINDS: Final = ("service", "bot", "shared")
IDENTITY_KINDS: Final = ("employee", "contractor", "guest", "non_human")
IDENTITY_STATES: Final = ("current", "leave", "future", "ended", "missing", "unknown")


class Identity(Struct, frozen=True, gc=False):
    """One actor as a source of truth knows it. `ended_at` is the instant the engagement ends, past or future."""

    source: str
    employee_id: str
    kind: str = "employee"
    state: str = "unknown"
    ended_at: datetime | None = None
    ended_why: str | None = None
    contract_end: datetime | None = None
    hire_at: datetime | None = None
    display_name: str | None = None
    email: str | None = None
    aliases: tuple[str, ...] = ()
    former_emails: tuple[str, ...] = ()
    department: str | None = None
    title: str | None = None
    manager_id: str | None = None  # identity_id of the manager: `source:employee_id`

    @property
    def identity_id(self) -> str:
        """The key of this identity: `source:employee_id`."""
        return f"{self.source}:{self.employee_id}"


class Account(Struct, frozen=True, gc=False):
    """One login record in one application, active or not. `active`: True, False or None (not told)."""

    application: str
    account_id: str
    username: str | None = None
    email: str | None = None
    display_name: str | None = None
    external_id: str | None = None
    employee_id: str | None = None
    kind: str | None = None
    active: bool | None = None
    last_seen_at: datetime | None = None
    last_seen_known: bool = False  # True with last_seen_at None: known to have never signed in
    created_at: datetime | None = None
    mfa: bool | None = None
    privileged: bool | None = None  # None: the application does not tell what the account holds
    department: str | None = None
    title: str | None = None
    password: bool | None = None  # whether a password of its own opens it, beside single sign-on
    responsible: str | None = None  # who answers for it, as the application says: an e-mail or employee id
    credentials: int | None = None  # tokens, keys and consents that work now; None: not told


class Entitlement(Struct, frozen=True, gc=False):
    """Anything an application lets an account hold: role, group, permission set, licence."""

    application: str
    entitlement_id: str
    name: str
    kind: str = "role"
    privileged: bool | None = None


class Grant(Struct, frozen=True, gc=False):
    """One account holding one entitlement; `how` is direct, group or unknown."""

    application: str
    account_id: str
    entitlement_id: str
    how: str = "unknown"
    since: datetime | None = None
    last_used_at: datetime | None = None
    last_used_known: bool = False  # True with last_used_at None: known to have never been used


class Event(Struct, frozen=True, gc=False):
    """Something an application says happened: a sign-in, a provisioning step."""

    application: str
    event_id: str
    at: datetime
    kind: str
    account_id: str | None = None
    actor: str | None = None
    success: bool | None = None
    target: str | None = None
    changes: str | None = None  # of attributes, JSON: [[attribute, before or null, after or null], ...]


class Gone(Struct, frozen=True, gc=False):
    """An account that is not there any more. Only among changes: in a whole reading it simply does not come."""

    account_id: str


# What an event can be. What a vendor tells beyond these is counted in the notes of the pull, not guessed.
EVENT_KINDS: Final = (
    "sign_in",
    "sign_in_failed",
    "sso",  # a sign-in to another application through an identity provider; `target` names that application
    "token_used",
    "created",
    "updated",
    "deactivated",
    "reactivated",
    "deleted",
    "granted",
    "revoked",
    "provisioned",  # pushed by SCIM
    "deprovisioned",  # closed by such a push
    "setting",  # how the application is set up now: `target` names the setting, `success` whether it is on
)

CREDENTIAL_KINDS: Final = ("token", "oauth_grant", "api_key", "ssh_key", "app_password")


class Credential(Struct, frozen=True, gc=False):
    """Something that opens an account without its owner signing in; it may outlive the account's deactivation."""

    application: str
    account_id: str
    credential_id: str
    kind: str
    name: str | None = None
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    expires_at: datetime | None = None


Record = Identity | Account | Entitlement | Grant | Event | Credential


class Rows(Struct, frozen=True, gc=False):
    """Many records of one kind, column by column: `columns` holds a list of each field that is told, all as long.

    What a file of a million lines would pay for each record is paid once for many. A field that is left out has its
    default in all of them.
    """

    kind: type[Record]
    columns: dict[str, Sequence[Any]]

    def __len__(self) -> int:
        """How many records these are."""
        return len(next(iter(self.columns.values())))

    def constant(self, name: str) -> Any:
        """What a field that is left out is in all of them; KeyError where a record must tell it."""
        kind = self.kind
        return dict(zip(kind.__struct_fields__[::-1], kind.__struct_defaults__[::-1], strict=False))[name]

    def records(self) -> Iterator[Record]:
        """The same one by one."""
        told = self.columns
        return map(
            self.kind, *(told[n] if n in told else repeat(self.constant(n)) for n in self.kind.__struct_fields__)
        )


def rows_of(kind: type[Record], records: Sequence[Record]) -> Rows:
    """These records, all of that kind, column by column."""
    return Rows(kind, {name: list(map(attrgetter(name), records)) for name in kind.__struct_fields__})


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row of a feed that was quarantined: where it stands and why it could not be believed."""

    where: str  # file and line, or URL path
    column: str | None
    reason: str
    key: str | None = None  # whom the row is about, where that much could be read


class Offer(Struct, frozen=True, gc=False):
    """One thing a system gives: `said` to people, and the names it may have in the application, likeliest first.

    `guessed`: it is only likely to be one of the application's entitlements, so that none is no wonder.
    """

    said: str
    names: tuple[str, ...]
    guessed: bool = False


class Assigned(Struct, frozen=True, gc=False):
    """To whom a system is set up to give what: everybody one of whose values of `attribute` is one of these.

    `attribute`: as role mappings name them (governance.sign_on); empty: whoever comes.
    """

    said: str  # for people, such as `group Sales`
    attribute: str
    values: tuple[str, ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class Configured:
    """What a system is set up to give at a sign-in to one application, in its own order.

    `first`: whether only the first that fits decides. `left_out`: what it is set up to do and no line can say, and why.
    """

    assigned: tuple[Assigned, ...] = ()
    first: bool = False
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class Reading:
    """Raw-source evidence of one pull, filled while it runs: what was asked, what came, what was kept."""

    source: str = ""  # file path or URL without secrets
    filters: str = ""
    pages: int = 0
    declared_total: int | None = None
    rows_read: int = 0
    kept: int = 0
    duplicates: int = 0
    clamped: int = 0  # instants in the future that were clamped to now
    sha256: str = ""
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def is_about(self, key: str) -> None:
        """Say whom the row is about that was quarantined last."""
        self.rejected[-1] = replace(self.rejected[-1], key=key)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an application answered to a change: proof of the call, never proof of the effect."""

    at: datetime
    call: str  # e.g. "PATCH /Users/42 active=false"
    answer: str  # e.g. "204"


# Column types of snapshot frames: str, bool, int, float, instant (brings its `_s` twin). Lists are `;`-joined text.
COLUMNS: Final[dict[str, dict[str, str]]] = {
    "identities": {
        "identity_id": "str",
        "source": "str",
        "employee_id": "str",
        "kind": "str",
        "state": "str",
        "ended_at": "instant",
        "ended_why": "str",
        "contract_end": "instant",
        "hire_at": "instant",
        "display_name": "str",
        "email": "str",
        "aliases": "str",
        "former_emails": "str",
        "department": "str",
        "title": "str",
        "manager_id": "str",
        "former_department": "str",
        "former_title": "str",
        "moved_at": "instant",
        "rehired_at": "instant",  # when the source said that somebody who had left works here again
        "readdressed_at": "instant",  # when the source first said another work e-mail than before
        "present": "bool",
        "last_present_at": "instant",
        "stated_at": "instant",  # when an announced end was said, if the same file was read again since; else not told
        "absences": "int",  # complete, different snapshots in a row without this identity
    },
    "accounts": {
        "application": "str",
        "account_id": "str",
        "username": "str",
        "email": "str",
        "display_name": "str",
        "external_id": "str",
        "employee_id": "str",
        "kind": "str",
        "active": "bool",
        "last_seen_at": "instant",
        "last_seen_known": "bool",
        "created_at": "instant",
        "mfa": "bool",
        "privileged": "bool",
        "department": "str",
        "title": "str",
        "password": "bool",
        "responsible": "str",
        "credentials": "int",
        "present": "bool",
        "last_present_at": "instant",
        "closed_at": "instant",  # when it was first read inactive after it had been active, or seen to be gone
        "returned_at": "instant",  # when it was read active again after that
    },
    "entitlements": {
        "application": "str",
        "entitlement_id": "str",
        "name": "str",
        "kind": "str",
        "privileged": "bool",
    },
    "grants": {
        "application": "str",
        "account_id": "str",
        "entitlement_id": "str",
        "how": "str",
        "since": "instant",
        "last_used_at": "instant",
        "last_used_known": "bool",
    },
    "credentials": {
        "application": "str",
        "account_id": "str",
        "credential_id": "str",
        "kind": "str",
        "name": "str",
        "created_at": "instant",
        "last_used_at": "instant",
        "expires_at": "instant",
    },
    "events": {
        "application": "str",
        "event_id": "str",
        "at": "instant",
        "kind": "str",
        "account_id": "str",
        "actor": "str",
        "success": "bool",
        "target": "str",
        "changes": "str",
    },
}
# Match keys that snapshots add when they write (see governance.correlation): folded e-mail, look-alike skeletons.
KEY_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "identities": ("email_key", "alias_keys", "former_email_keys", "name_key", "email_skeleton"),
    "accounts": ("email_key", "login_key", "name_key", "email_skeleton"),
}
