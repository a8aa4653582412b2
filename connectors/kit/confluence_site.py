"""What a Confluence site tells: its groups, who is in them, who administers spaces, and its audit log.

There is no list of all accounts (CONFCLOUD-83983 asks for one): whoever is in a group is taken together.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import groupby, islice
from typing import Any, Final
from urllib.parse import quote

from connectors.kit.atlassian_declaration import Administers
from connectors.kit.atlassian_lists import SiteLists, account_ids
from connectors.kit.columns import Columns, Objects, told_of
from connectors.kit.filed import AT_ONCE
from connectors.kit.holdings import DIRECT, Holdings
from connectors.kit.packed import Packed
from connectors.kit.pagination import read_lists, read_pages
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader, Resource, as_text
from governance.records import Entitlement, Event, Reading, Rejected

SPACE: Final = "space:"
PAGE: Final = 200
AUDIT_PAGE: Final = 1000
# What is read of an account.
TOLD: Final = ("displayName", "publicName", "isExternalCollaborator", "accountType", "email", "accountStatus")
_Run = tuple[int, list[str], list[list[Any] | int]]  # how many rows, what each tells, its columns as `_once` has them
_FLAT: Final = frozenset((str, bool, type(None)))  # of these, what is equal is the same
_KINDS: Final = {
    "user created": "created",
    "user deactivated": "deactivated",
    "user reactivated": "reactivated",
    "user deleted": "deleted",
    "user added to group": "granted",
    "user removed from group": "revoked",
}


class Held(Holdings):
    """Accounts, what can be held, and by whom."""

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[str, array[int]] = {}  # group id -> numbers of accounts
        self.unlisted = array("I")  # numbers of accounts that are in no group, or only by the organisation's word
        self._appointed: dict[str, tuple[int, int]] = {}  # role of the organisation -> who has it first, and where
        self._rows = Packed[_Run](_Run)  # by running number, as a group showed it first
        self._shown = 0

    def __len__(self) -> int:
        """How many accounts were found."""
        return self._shown + len(self.unlisted)

    @property
    def appointed(self) -> list[str]:
        """Every role of the organisation that somebody has, in the order of the accounts."""
        return sorted(self._appointed, key=self._appointed.__getitem__)

    def listed(self, numbers: Sequence[int]) -> list[bool]:
        """Whether a group showed each of these accounts."""
        return [number <= self._shown for number in numbers]

    def appoint(self, number: int, roles: Sequence[str]) -> None:
        """Roles of the organisation that the account has."""
        for place, role in enumerate(roles):
            first = self._appointed.setdefault(role, (number, place))
            self._appointed[role] = min(first, (number, place))

    def take(self, group_id: str, entries: Sequence[Any], ids: Sequence[str]) -> None:
        """Members of a group as it shows them."""
        numbers = self.ids.numbers(ids)
        self.members[group_id].extend(numbers)
        self.give(numbers, group_id, DIRECT)
        fresh = []
        for number, entry in zip(numbers, entries, strict=True):
            if number == self._shown + 1:  # the next, and not met before
                fresh.append(entry)
                self._shown += 1
        for keys, run in groupby(fresh, dict.keys):
            alike, names = list(run), [name for name in TOLD if name in keys]
            self._rows.add([(len(alike), names, _once([told_of(alike, name) for name in names]))])

    def pages(self, reader: Reader) -> Iterator[tuple[list[str], Objects]]:
        """The ids of all accounts, some at a time, and what a group tells of each."""
        ids = iter(self.ids)
        for count, names, kept in self._rows:
            columns = dict(zip(names, _each(kept, count), strict=True))
            yield list(islice(ids, count)), Columns(count, columns, reader)
        others = sorted(self.unlisted)
        for begin in range(0, len(others), AT_ONCE):
            some = self.ids.of(others[begin : begin + AT_ONCE])
            yield some, Columns(len(some), {}, reader)


def _once(columns: list[list[Any]]) -> list[list[Any] | int]:
    """The same columns: a value that all of one share once, and for one that is as an earlier one the place of that."""
    kept: list[list[Any] | int] = []
    flat: dict[int, list[Any]] = {}
    for place, column in enumerate(columns):
        if not _FLAT.issuperset(map(type, column)):
            kept.append(column)
        elif column.count(column[0]) == len(column):
            kept.append(column[:1])
        else:
            kept.append(next((earlier for earlier, one in flat.items() if one == column), column))
            flat.setdefault(place, column)
    return kept


def _each(kept: list[list[Any] | int], count: int) -> list[list[Any]]:
    """The columns of so many rows again."""
    found: list[list[Any]] = []
    for column in kept:
        if isinstance(column, int):
            found.append(found[column])
        else:
            found.append(column if len(column) == count else column * count)
    return found


class ConfluenceGrants:
    """Reads them."""

    def __init__(
        self, lists: SiteLists, privilege: Privilege, administers: Administers, application: str, size: int
    ) -> None:
        self._lists = lists
        self._administers = administers
        self._privilege = privilege
        self._application = application
        self._size = size

    def read(self, reading: Reading, reader: Reader, wanted: str | None, *, spaces: bool) -> Held:
        """Groups of the wanted names (patterns with commas between), their members, and space administrators."""
        held = Held()
        patterns = [p.strip().casefold() for p in (wanted or "*").split(",") if p.strip()]
        place = f"{self._application}: groups"
        for _, entry in read_pages(
            self._lists.results("rest/api/group", {}, PAGE), _id("id"), reading, place, counted=False
        ):
            row = reader.of(entry)
            group_id, name = row.text("id"), row.text("name") or ""
            if group_id and any(fnmatchcase(name.casefold(), pattern) for pattern in patterns):
                privileged = self._administers(group_id, name)
                held.entitlements[group_id] = Entitlement(self._application, group_id, name, "group", privileged)
        for group_id in sorted(held.entitlements):
            self._members(group_id, held, reading)
        if spaces:
            self._spaces(held, reading, reader)
        return held

    def _members(self, group_id: str, held: Held, reading: Reading) -> None:
        path = f"rest/api/group/{quote(group_id, safe='')}/membersByGroupId"
        fetch = self._lists.results(path, {"expand": "isExternalCollaborator"}, self._size)
        held.members.setdefault(group_id, array("I"))
        place = f"{self._application}: members of a group"
        for numbers, entries in read_lists(fetch, account_ids, reading, place, counted=False):
            ids = account_ids(entries)
            nameless = [number for number, account_id in zip(numbers, ids, strict=True) if account_id is None]
            reading.rows_read += len(nameless)
            reading.rejected += [Rejected(f"{path}#{one}", "accountId", "is missing or no text") for one in nameless]
            good = [entry for entry, account_id in zip(entries, ids, strict=True) if account_id is not None]
            held.take(group_id, good, [account_id for account_id in ids if account_id is not None])

    def _spaces(self, held: Held, reading: Reading, reader: Reader) -> None:
        fetch = self._lists.cursored("api/v2/spaces", {}, 250)
        for _, entry in read_pages(fetch, _id("id"), reading, f"{self._application}: spaces", counted=False):
            space = reader.of(entry)
            space_id = space.text("id")
            if space_id is None:
                continue
            entitlement_id, name = f"{SPACE}{space_id}", f"Space administrator: {space.text('key') or space_id}"
            privileged = self._privilege.of(name, True)
            held.entitlements[entitlement_id] = Entitlement(self._application, entitlement_id, name, "role", privileged)
            path = f"api/v2/spaces/{quote(space_id, safe='')}/permissions"
            place = f"{self._application}: permissions of a space"
            permissions = read_pages(self._lists.cursored(path, {}, 250), _id("id"), reading, place, counted=False)
            for _, permission in permissions:
                self._appoint(reader.of(permission), entitlement_id, held)

    @staticmethod
    def _appoint(permission: Resource, entitlement_id: str, held: Held) -> None:
        if permission.text("operation.key") != "administer" or permission.text("operation.targetType") != "space":
            return
        principal = permission.text("principal.id") or ""
        if permission.text("principal.type") == "user":
            held.add(principal, entitlement_id, DIRECT)
        held.give(held.members.get(principal, ()), entitlement_id, "group")


def confluence_events(
    lists: SiteLists, since: datetime, reader: Reader, reading: Reading, application: str
) -> Iterator[Event]:
    """What the site's audit log tells since then. It names accounts by their display names only: no id is told."""
    params = {"startDate": str(int(since.timestamp() * 1000))}
    fetch = lists.results("rest/api/audit", params, AUDIT_PAGE)
    for _, entry in read_pages(fetch, _digest, reading, f"{application}: audit log", counted=False):
        row = reader.of(entry)
        summary, at = row.text("summary") or "", row.instant("creationDate")
        kind = _KINDS.get(summary.casefold())
        if kind is None:
            reader.skipped[f"events of the kind {summary[:60] or 'unknown'}"] += 1
        elif at is None:
            reader.unread["event"] += 1
        else:
            things = [row.part("affectedObject"), *row.parts("associatedObjects")]
            group = next((t.text("name") for t in things if (t.text("objectType") or "").casefold() == "group"), None)
            yield Event(
                application, f"audit-{_digest(entry)}", at, kind, None, row.text("author.accountId"), True, group
            )


def _digest(entry: Any) -> str:
    """Entries of the log have no id of their own."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _id(key: str) -> Any:
    return lambda entry: as_text(entry.get(key)) if isinstance(entry, Mapping) else None
