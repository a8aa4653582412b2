"""One account of a SCIM server (RFC 7643), read tolerantly: what is not told, or told in no known way, is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from connectors.kit.instants import Calendar, clamp
from connectors.kit.resource import as_flag, as_text
from governance.records import Account

ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
EXTENSION: Final = "urn:ietf:params:scim:schemas:extension:leaverwatch:2.0:User"
_EMPLOYEE_NUMBER: Final = f"{ENTERPRISE}:employeeNumber"
_DEPARTMENT: Final = f"{ENTERPRISE}:department"
_KINDS: Final = {
    "service": "service", "service account": "service", "serviceaccount": "service", "system": "service",
    "integration": "service", "api": "service", "application": "service", "machine": "service",
    "bot": "bot", "robot": "bot", "app": "bot",
    "guest": "guest", "external guest": "guest",
    "shared": "shared", "shared mailbox": "shared", "sharedmailbox": "shared",
    "employee": "human", "human": "human", "person": "human", "member": "human", "user": "human", "contractor": "human",
    "intern": "human",
}  # fmt: skip


class Attributes:
    """The attributes of one resource; their names are case-insensitive (RFC 7643, 2.1)."""

    __slots__ = ("_resource", "_shape")

    def __init__(self, resource: Mapping[str, Any]) -> None:
        self._resource = resource
        self._shape = _shape(tuple(resource))

    def get(self, path: str) -> Any:
        """The value at `attribute`, `attribute.part` or `urn:…:Extension:attribute`; None when it is not told."""
        names, inner = self._shape[path]
        if not names:
            return None
        value = self._resource[names[0]]
        if len(names) > 1 and any(self._resource[name] != value for name in names[1:]):
            return None  # told twice and differently is not told
        if inner is None:
            return value
        return Attributes(value).get(inner) if isinstance(value, dict) else None

    def tells(self, name: str) -> bool:
        """Whether the attribute is there at all, be its value null."""
        return name.casefold() in self._shape.folded

    def text(self, path: str) -> str | None:
        """A text; numbers are written out, anything else is not told."""
        value = self.get(path)
        if type(value) is str:  # nearly always, and asked millions of times
            return value.strip() or None
        return None if value is None else as_text(value)

    def several(self, path: str) -> list[Any]:
        """The entries of a list; a single one may stand without its list."""
        value = self.get(path)
        if isinstance(value, list):
            return value
        return [] if value is None else [value]


Told = Attributes | Mapping[str, Any]


def attributes_of(resource: Told) -> Attributes:
    """The attributes of a resource, made once for each."""
    return resource if isinstance(resource, Attributes) else Attributes(resource)


class _Shape(dict[str, tuple[tuple[str, ...], str | None]]):
    """Where each path is found in resources of these names: under which of them, and what to ask of that value.

    The resources of one list are nearly all written alike, so that each path is looked up once for all of them.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.folded: dict[str, tuple[str, ...]] = {}  # folded name -> the names as written
        for name in names:
            key = name.casefold()
            self.folded[key] = (*self.folded.get(key, ()), name)

    def __missing__(self, path: str) -> tuple[tuple[str, ...], str | None]:
        """Look up one that was not asked for before; connectors ask for few."""
        names = self.folded.get(path.casefold())
        if names is not None:
            found: tuple[tuple[str, ...], str | None] = names, None
        else:
            outer, _, inner = path.rpartition(":") if ":" in path else path.partition(".")
            found = (self.folded.get(outer.casefold(), ()), inner) if inner else ((), None)
        self[path] = found
        return found


_shape = lru_cache(4096)(_Shape)


@dataclass(frozen=True)
class Held:
    """One entitlement an account holds."""

    entitlement_id: str
    name: str
    kind: str
    how: str = "direct"


@dataclass(frozen=True)
class Dialect:
    """What one server calls things, and what it means by leaving `active` out."""

    last_seen: str = f"{EXTENSION}:lastSignInAt"
    mfa: str = f"{EXTENSION}:mfaEnabled"
    absent_active: bool | None = None


class AccountReader:
    """Reads the accounts of one application; counts what it could not read and what it clamped."""

    def __init__(self, application: str, dialect: Dialect, now: datetime) -> None:
        self.unread: Counter[str] = Counter()
        self.clamped = 0
        self._application = application
        self._dialect = dialect
        self._now = now
        self._calendar = Calendar(None, None, application, epoch=True)

    def account(self, resource: Told, privileged: bool | None) -> Account:
        """The account a resource describes; ValueError when it has no id."""
        attributes = attributes_of(resource)
        account_id = attributes.text("id")
        if account_id is None:
            raise ValueError("is missing or no text")
        seen_at, seen_known = self._last_seen(attributes.get(self._dialect.last_seen))
        return Account(
            application=self._application,
            account_id=account_id,
            username=attributes.text("userName"),
            email=_email(attributes.several("emails")),
            display_name=_name(attributes),
            external_id=attributes.text("externalId"),
            employee_id=attributes.text(_EMPLOYEE_NUMBER),
            kind=_kind(attributes.text("userType")),
            active=self._active(attributes),
            last_seen_at=seen_at,
            last_seen_known=seen_known,
            created_at=self._instant("meta.created", attributes.get("meta.created")),
            mfa=as_flag(attributes.get(self._dialect.mfa)),
            privileged=privileged,
            department=attributes.text(_DEPARTMENT),
            title=attributes.text("title"),
        )

    def _active(self, attributes: Attributes) -> bool | None:
        value = attributes.get("active")
        if value is None and not attributes.tells("active"):
            return self._dialect.absent_active
        active = as_flag(value)
        if active is None:
            self.unread["active"] += 1
        return active

    def _last_seen(self, value: Any) -> tuple[datetime | None, bool]:
        if isinstance(value, str) and value.strip().casefold() == "never":
            return None, True
        seen_at = self._instant("last sign-in", value)
        return seen_at, seen_at is not None

    def _instant(self, what: str, value: Any) -> datetime | None:
        text = as_text(value)
        if text is None:
            return None
        try:
            instant = self._calendar.instant(text, self._calendar.zone)
        except ValueError:
            self.unread[what] += 1
            return None
        if instant is None:
            return None
        instant, clamped = clamp(instant, self._now)
        self.clamped += clamped
        return instant


def resource_id(resource: Any) -> str | None:
    """The id of a resource as text, also where a server writes a number; None when there is none."""
    return attributes_of(resource).text("id") if isinstance(resource, dict | Attributes) else None


def held_groups(resource: Told) -> list[Held] | None:
    """The groups an account says it is in; None when it does not say."""
    attributes = attributes_of(resource)
    if attributes.get("groups") is None:
        return None
    found = []
    for entry in attributes.several("groups"):
        told = Attributes(entry if isinstance(entry, dict) else {"value": entry})
        if group_id := told.text("value"):
            how = "group" if told.text("type") == "indirect" else "direct"
            found.append(Held(group_id, told.text("display") or group_id, "group", how))
    return found


def held_roles(resource: Told) -> list[Held]:
    """The roles and entitlements an account carries itself. Their ids begin with which of the two."""
    attributes = attributes_of(resource)
    found = []
    for attribute, kind in (("roles", "role"), ("entitlements", "entitlement")):
        if attributes.get(attribute) is None:
            continue
        for entry in attributes.several(attribute):
            told = Attributes(entry if isinstance(entry, dict) else {"value": entry})
            value = told.text("value") or told.text("display")
            if value:
                found.append(Held(f"{kind}:{value}", told.text("display") or value, kind))
    return found


def _name(attributes: Attributes) -> str | None:
    whole = attributes.text("displayName") or attributes.text("name.formatted")
    if whole is not None:
        return whole
    parts = (attributes.text("name.givenName"), attributes.text("name.familyName"))
    return " ".join(part for part in parts if part) or None


def _kind(written: str | None) -> str | None:
    return _KINDS.get(written.casefold().replace("_", " ").replace("-", " ")) if written else None


def _email(entries: list[Any]) -> str | None:
    """The primary e-mail, else the one for work, else the first."""
    best: tuple[int, str] | None = None
    for entry in entries:
        told = Attributes(entry if isinstance(entry, dict) else {"value": entry})
        value = told.text("value")
        if value and len(entries) == 1:
            return value
        if value:
            rank = 0 if as_flag(told.get("primary")) else 1 if told.text("type") == "work" else 2
            if best is None or rank < best[0]:
                best = (rank, value)
    return best[1] if best else None
