"""Accounts of a SCIM server, a page at a time and column by column; one alone is a page of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from connectors.kit.columns import stripped, told_of
from connectors.kit.instants import AHEAD, Calendar, clamp, column
from connectors.kit.portions import Meanings
from connectors.kit.resource import as_flag, as_text
from connectors.kit.scim_resource import ENTERPRISE, Attributes, Dialect
from governance.records import Account, Rows

_TEXTS: Final = {
    "username": "userName",
    "external_id": "externalId",
    "employee_id": f"{ENTERPRISE}:employeeNumber",
    "department": f"{ENTERPRISE}:department",
    "title": "title",
}
_KINDS: Final = {
    "service": "service", "service account": "service", "serviceaccount": "service", "system": "service",
    "integration": "service", "api": "service", "application": "service", "machine": "service",
    "bot": "bot", "robot": "bot", "app": "bot",
    "guest": "guest", "external guest": "guest",
    "shared": "shared", "shared mailbox": "shared", "sharedmailbox": "shared",
    "employee": "human", "human": "human", "person": "human", "member": "human", "user": "human", "contractor": "human",
    "intern": "human",
}  # fmt: skip


class Resources:
    """The resources of a page; what `Attributes` tells of each, for all at once. What is no object tells nothing."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items: list[dict[str, Any]] = [item if type(item) is dict else {} for item in items]
        self._names: dict[str, list[str]] = {}  # folded name -> as the resources of this page write it
        for name in sorted(set[str]().union(*self.items)):
            self._names.setdefault(name.casefold(), []).append(name)
        self._parts: dict[str, Resources] = {}

    def __len__(self) -> int:
        """How many they are."""
        return len(self.items)

    def values(self, path: str) -> list[Any]:
        """The value of each at `attribute`, `attribute.part` or `urn:…:Extension:attribute`; None: not told."""
        outer, _, inner = path.rpartition(":") if ":" in path else path.partition(".")
        whole = self._names.get(path.casefold(), [])
        holders = self._names.get(outer.casefold(), []) if inner else []
        if len(whole) + len(holders) > 1:  # written in several ways
            return [Attributes(item).get(path) for item in self.items]
        for name in whole:
            return told_of(self.items, name)
        for name in holders:
            if name not in self._parts:
                self._parts[name] = Resources(told_of(self.items, name))
            return self._parts[name].values(inner)
        return [None] * len(self)

    def texts(self, path: str) -> list[str | None]:
        """A text of each; numbers are written out, anything else is not told."""
        values = self.values(path)
        return stripped(values) or [
            value.strip() or None if type(value) is str else None if value is None else as_text(value)
            for value in values
        ]


def keys_of_resources(items: Sequence[Any]) -> list[str | None]:
    """The id of each resource as text, also where a server writes a number; None where there is none."""
    return Resources(items).texts("id")


class AccountReader:
    """Reads the accounts of one application; counts what it could not read and what it clamped."""

    def __init__(self, application: str, dialect: Dialect, now: datetime) -> None:
        self.unread: Counter[str] = Counter()
        self.clamped = 0
        self._application = application
        self._dialect = dialect
        self._now = now
        self._calendar = Calendar(None, None, application, epoch=True)
        self._kinds = Meanings(_kind)

    def account(self, resource: Any, privileged: bool | None) -> Account:
        """The account a resource describes; ValueError when it has no id."""
        for _, account in self.several([resource], privileged):
            return account
        raise ValueError("is missing or no text")

    def several(self, items: Sequence[Any], privileged: bool | None = None) -> Iterator[tuple[dict[str, Any], Account]]:
        """Each resource that has an id, and the account it describes."""
        resources = Resources(items)
        told = resources.texts("id")
        ids = [number for number in told if number is not None]
        if len(ids) < len(told):
            resources = Resources([item for item, number in zip(items, told, strict=True) if number is not None])
        accounts = self.accounts(resources, ids, [privileged] * len(ids)).records()
        for item, account in zip(resources.items, accounts, strict=True):
            if isinstance(account, Account):
                yield item, account

    def accounts(self, resources: Resources, ids: Sequence[str], privileged: Sequence[bool | None]) -> Rows:
        """The accounts of these ids that the resources of a page describe."""
        seen_at, seen_known = self._last_seen(resources.values(self._dialect.last_seen))
        created = partial(self._instant, "meta.created")
        columns: dict[str, Sequence[Any]] = {
            "application": [self._application] * len(ids),
            "account_id": ids,
            **{ours: resources.texts(theirs) for ours, theirs in _TEXTS.items()},
            "email": emails_of(resources.values("emails")),
            "display_name": _names(resources),
            "kind": list(map(self._kinds.__getitem__, resources.texts("userType"))),
            "active": self._active(resources),
            "last_seen_at": seen_at,
            "last_seen_known": seen_known,
            "created_at": column(resources.values("meta.created"), self._now + AHEAD, created),
            "mfa": [as_flag(value) for value in resources.values(self._dialect.mfa)],
            "privileged": privileged,
        }
        return Rows(Account, columns)

    def _active(self, resources: Resources) -> list[bool | None]:
        told = resources.values("active")
        return [
            value if value is True or value is False else self._odd_active(value, item)
            for value, item in zip(told, resources.items, strict=True)
        ]

    def _odd_active(self, value: Any, item: dict[str, Any]) -> bool | None:
        if value is None and not Attributes(item).tells("active"):
            return self._dialect.absent_active
        active = as_flag(value)
        if active is None:
            self.unread["active"] += 1
        return active

    def _last_seen(self, values: list[Any]) -> tuple[list[datetime | None], list[bool]]:
        never = [isinstance(value, str) and value.strip().casefold() == "never" for value in values]
        told = zip(values, never, strict=True)
        seen = [None if value is None or none else self._instant("last sign-in", value) for value, none in told]
        return seen, [none or at is not None for none, at in zip(never, seen, strict=True)]

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


def _kind(written: str | None) -> str | None:
    return _KINDS.get(written.casefold().replace("_", " ").replace("-", " ")) if written else None


def _names(resources: Resources) -> list[str | None]:
    """The whole name of each, else its parts."""
    shown = resources.texts("displayName")
    if None not in shown:
        return shown
    parts = map(resources.texts, ("name.formatted", "name.givenName", "name.familyName"))
    return [
        name or whole or " ".join(filter(None, both)) or None for name, whole, *both in zip(shown, *parts, strict=True)
    ]


def emails_of(values: list[Any]) -> list[str | None]:
    """The address of each: the only one, or the best of several."""
    single = [value[0] if type(value) is list and len(value) == 1 else None for value in values]
    told = Resources(single).texts("value")
    return [
        text
        if type(entry) is dict
        else None
        if value is None
        else _email(value if isinstance(value, list) else [value])
        for text, entry, value in zip(told, single, values, strict=True)
    ]


def _email(entries: list[Any]) -> str | None:
    """The primary e-mail, else the one for work, else the first."""
    best: tuple[int, str] | None = None
    for entry in entries:
        told = Attributes(entry if isinstance(entry, dict) else {"value": entry})
        value = told.text("value")
        if value:
            rank = 0 if as_flag(told.get("primary")) else 1 if told.text("type") == "work" else 2
            if best is None or rank < best[0]:
                best = (rank, value)
    return best[1] if best else None
