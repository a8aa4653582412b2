"""What Google's Directory API tells: accounts, groups with their members, roles of administrators and who has them.

Facts from the discovery document of the Admin SDK (admin.directory.v1): `lastLoginTime` 1970-01-01 means never;
`archived` and `suspended` accounts cannot sign in; deleted ones are listed for 20 days with `showDeleted`; groups hold
groups; a role is assigned for the whole customer or for one organisational unit, to an account or to a group.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any, Final
from urllib.parse import quote

from connectors.kit.columns import Objects, told_of
from connectors.kit.google_addresses import Addresses
from connectors.kit.google_calls import DIRECTORY, GoogleCalls
from connectors.kit.holdings import DIRECT
from connectors.kit.holdings import Holdings as AllHeld
from connectors.kit.numbered import Ids
from connectors.kit.pagination import read_lists
from connectors.kit.portions import Meanings
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader
from governance.errors import AuthenticationFailed, NotSupported, UnexpectedAnswer
from governance.records import Account, Entitlement, Reading, Rows

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
CUSTOMER: Final = f"{DIRECTORY}/customer/my_customer"
SUPER_ADMIN: Final = "admin:super"  # used only where roles are not told
DELEGATED_ADMIN: Final = "admin:delegated"


class Holdings(AllHeld):
    """Entitlements and who holds them."""

    def __init__(self) -> None:
        super().__init__()
        self.roles_of_groups = False  # whether some role is held through a group


class Members:
    """Who is in one group: accounts by their running numbers with their ranks, groups inside it, others with an id."""

    def __init__(self) -> None:
        self.accounts = array("I")
        self.ranks = array("I")  # of each account, by its place among the spellings
        self.groups: list[str] = []
        self.others: list[str] = []
        self.customers = 0  # members that stand for all accounts

    def take(self, told: Objects, spellings: dict[str | None, int], ids: Ids) -> None:
        """Take in one page of the list of members."""
        rows = list(zip(*map(told.texts, ("id", "type", "role")), strict=True))
        named = [(one, kind, rank) for one, kind, rank in rows if one is not None]
        people = [(one, rank) for one, kind, rank in named if (kind or "USER") == "USER"]
        self.accounts.extend(ids.numbers(one for one, _ in people))
        self.ranks.extend(spellings.setdefault(rank, len(spellings)) for _, rank in people)
        if len(people) < len(rows):
            self.groups += [one for one, kind, _ in named if kind == "GROUP"]
            self.others += [one for one, kind, _ in named if kind not in ("GROUP", "USER", None)]
            self.customers += sum(kind == "CUSTOMER" for _, kind, _ in rows)


class Directory:
    """Reads the directory of one customer."""

    def __init__(self, calls: GoogleCalls, application: str, privilege: Privilege, page_size: int) -> None:
        self._calls = calls
        self._application = application
        self._privilege = privilege
        self._size = page_size

    def accounts(self, reading: Reading, *, deleted: bool) -> Iterator[tuple[Sequence[int], list[Any]]]:
        """Page by page every account that is there, or every one deleted in the last 20 days."""
        params = {
            "customer": "my_customer",
            "maxResults": str(self._size),
            "projection": "full",
            "orderBy": "email",
            "showDeleted": "true" if deleted else "false",
        }
        fetch = self._calls.pages(f"{DIRECTORY}/users", "users", params, empty=deleted)
        return read_lists(fetch, _keys("id"), reading, f"{self._application}: users")

    def one(self, account_id: str, reader: Reader) -> Objects | None:
        """One account by a read of its own; None when it is gone."""
        if account_id.strip(".") == "":
            raise NotSupported(f"an account with the id {account_id!r} cannot be addressed")
        path = f"{DIRECTORY}/users/{quote(account_id, safe='')}"
        answer = self._calls.get(path, {"projection": "full"}, allow=(404, 410))
        if answer.status != 200:
            return None
        told = Objects([answer.data], reader)
        if told.texts("id") != [account_id]:
            raise UnexpectedAnswer(
                f"{answer.path}: the answer is not about the account that was asked for", answer.path
            )
        return told

    def addresses(self) -> Addresses:
        """The account of every address, also of accounts deleted lately."""
        reader = Reader(self._application, self._calls.http.deadline.now)
        found = Addresses()
        for deleted in (True, False):
            for _, items in self.accounts(Reading(), deleted=deleted):
                found.add(Objects(items, reader))
        return found

    def holdings(self, reading: Reading, *, groups: bool) -> Holdings:
        """All roles and groups; what the token may not read is left out and said."""
        found = Holdings()
        try:
            assigned = self._roles(found, reading)
        except AuthenticationFailed:
            assigned, found.roles_told = {}, False
            reading.notes.append("roles of administrators are not told: the scope for roles is not delegated")
        if not groups:
            found.groups_told = False
            return found
        try:
            self._groups(found, assigned, reading)
        except AuthenticationFailed:
            found.groups_told = False
            reading.notes.append("groups and their members are not told: the scopes for groups are not delegated")
        return found

    def _roles(self, found: Holdings, reading: Reading) -> dict[str, list[str]]:
        """Roles and their direct holders; what groups are assigned, by group id."""
        of_group: dict[str, list[str]] = {}
        names: dict[str, str] = {}
        reader = Reader(self._application, self._calls.http.deadline.now)
        for item in self._list(f"{CUSTOMER}/roles", "items", "roleId", reading):
            role = reader.of(item)
            role_id = role.text("roleId")
            if role_id is not None:
                names[role_id] = role.text("roleName") or role_id
                self._entitle(found, f"role:{role_id}", names[role_id], "role", True)
        for item in self._list(f"{CUSTOMER}/roleassignments", "items", "roleAssignmentId", reading):
            assignment = reader.of(item)
            role_id, holder = assignment.text("roleId"), assignment.text("assignedTo")
            if role_id is None or holder is None:
                continue
            unit = assignment.text("orgUnitId") if assignment.text("scopeType") == "ORG_UNIT" else None
            entitlement_id = f"role:{role_id}" + (f"@{unit}" if unit else "")
            if entitlement_id not in found.entitlements:
                name = names.get(role_id, role_id)
                self._entitle(
                    found, entitlement_id, f"{name} (one organisational unit)" if unit else name, "role", True
                )
            if (assignment.text("assigneeType") or "user").casefold() == "group":
                of_group.setdefault(holder, []).append(entitlement_id)
                found.roles_of_groups = True
            else:
                found.add(holder, entitlement_id, DIRECT)
        return of_group

    def _groups(self, found: Holdings, assigned: dict[str, list[str]], reading: Reading) -> None:
        reader = Reader(self._application, self._calls.http.deadline.now)
        members: dict[str, Members] = {}
        spellings: dict[str | None, int] = {}  # of ranks in a group
        params = {"customer": "my_customer", "maxResults": "200"}
        for item in self._list(f"{DIRECTORY}/groups", "groups", "id", reading, params):
            group = reader.of(item)
            group_id = group.text("id")
            if group_id is None:
                continue
            name = group.text("name") or group.text("email") or group_id
            # Whoever is in a group that has a role has the role's rights.
            self._entitle(found, f"group:{group_id}", name, "group", group_id in assigned)
            path = f"{DIRECTORY}/groups/{quote(group_id, safe='')}/members"
            inside = members[group_id] = Members()
            for page in self._lists(path, "members", "id", reading):
                inside.take(Objects(page, reader), spellings, found.ids)
        ranks = list(spellings)
        for group_id, inside in members.items():
            held = Meanings(partial(self._ranked, found, group_id, ranks))
            found.give_each(inside.accounts, [(held[rank], DIRECT) for rank in inside.ranks])
            if inside.groups or group_id in assigned:
                everyone = _everyone(group_id, members)
                nested = everyone.difference(inside.accounts, found.ids.known((*inside.groups, *inside.others)))
                found.give(list(nested), f"group:{group_id}", "group")
                for role in assigned.get(group_id, ()):
                    found.give(list(everyone), role, "group")
        everybody = sum(inside.customers for inside in members.values())
        if everybody:
            reading.notes.append(f"{everybody} groups hold every account of the customer; that is not written out")

    def _ranked(self, found: Holdings, group_id: str, ranks: Sequence[str | None], place: int) -> str:
        """What a member of that rank holds; the first of each rank makes it known."""
        rank = (ranks[place] or "MEMBER").casefold()
        entitlement_id = f"group:{group_id}" + (f":{rank}" if rank != "member" else "")
        if entitlement_id not in found.entitlements:
            base = found.entitlements[f"group:{group_id}"]
            self._entitle(found, entitlement_id, f"{base.name} ({rank})", "group", bool(base.privileged))
        return entitlement_id

    def _list(
        self, path: str, key: str, id_of: str, reading: Reading, params: dict[str, str] | None = None
    ) -> Iterator[Any]:
        return chain.from_iterable(self._lists(path, key, id_of, reading, params))

    def _lists(
        self, path: str, key: str, id_of: str, reading: Reading, params: dict[str, str] | None = None
    ) -> Iterator[list[Any]]:
        """The same page by page."""
        fetch = self._calls.pages(path, key, {"maxResults": "200", **(params or {})})
        lists = read_lists(fetch, _keys(id_of), reading, f"{self._application}: {path}", counted=False)
        return (items for _, items in lists)

    def _entitle(self, found: Holdings, entitlement_id: str, name: str, kind: str, privileged: bool) -> None:
        told = self._privilege.of(name, privileged)
        found.entitlements[entitlement_id] = Entitlement(self._application, entitlement_id, name, kind, told)


def accounts_of(
    accounts: Objects,
    ids: Sequence[str],
    reader: Reader,
    application: str,
    privileged: Sequence[bool | None],
    *,
    deleted: bool = False,
) -> Rows:
    """The accounts of these ids, as a page of the directory shows them."""
    seen_at = accounts.instants("lastLoginTime")
    jobs = _chosen(accounts, "organizations", reader, partial(_is_main, reader))
    numbers = _chosen(accounts, "externalIds", reader, partial(_is_number, reader))
    columns: dict[str, Sequence[Any]] = {
        "application": [application] * len(ids),
        "account_id": ids,
        "username": accounts.texts("primaryEmail"),
        "email": accounts.texts("primaryEmail"),
        "display_name": accounts.texts("name.fullName"),
        "employee_id": numbers.texts("value"),
        "kind": ["guest" if guest else None for guest in accounts.flags("isGuestUser")],
        "active": [False] * len(ids) if deleted else _active(accounts),
        "last_seen_at": [None if at == NEVER else at for at in seen_at],
        "last_seen_known": [at is not None for at in seen_at],
        "created_at": accounts.instants("creationTime"),
        "mfa": accounts.flags("isEnrolledIn2Sv"),
        "privileged": privileged,
        "department": jobs.texts("department"),
        "title": jobs.texts("title"),
    }
    return Rows(Account, columns)


def admin_flags(accounts: Objects) -> list[list[str]]:
    """What each account says itself about its rights, for where roles are not told."""
    both = zip(accounts.flags("isAdmin"), accounts.flags("isDelegatedAdmin"), strict=True)
    return [[SUPER_ADMIN] * bool(whole) + [DELEGATED_ADMIN] * bool(part) for whole, part in both]


def _chosen(accounts: Objects, path: str, reader: Reader, meant: Callable[[dict[str, Any]], bool]) -> Objects:
    """Of the list that each has there the first object that is meant; what is no object is counted as unread."""

    def first(value: Any) -> dict[str, Any] | None:
        for entry in value if type(value) is list else [value]:
            if type(entry) is not dict:
                reader.unread[path] += 1
            elif meant(entry):
                return entry
        return None

    return Objects([None if value is None else first(value) for value in accounts.values(path)], reader)


def _is_main(reader: Reader, job: dict[str, Any]) -> bool:
    told = job.get("primary")
    return told is True or told is None or reader.of(job).flag("primary") is not False


def _is_number(reader: Reader, entry: dict[str, Any]) -> bool:
    return entry.get("type") == "organization" or reader.of(entry).text("type") == "organization"


def _active(accounts: Objects) -> list[bool | None]:
    both = zip(accounts.flags("suspended"), accounts.flags("archived"), strict=True)
    return [False if stopped or kept else None if stopped is None else True for stopped, kept in both]


def _keys(name: str) -> Callable[[list[Any]], list[str | None]]:
    def key(item: Any) -> str | None:
        value = item.get(name) if isinstance(item, dict) else None
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None

    def keys(page: list[Any]) -> list[str | None]:
        told = told_of([item if type(item) is dict else {} for item in page], name)
        return told if set(map(type, told)) == {str} and "" not in told else list(map(key, page))

    return keys


def _everyone(group_id: str, members: dict[str, Members]) -> set[int]:
    """Accounts in this group and in those below it, however deep; groups may hold each other."""
    seen, waiting, found = {group_id}, [group_id], set[int]()
    while waiting:
        inside = members.get(waiting.pop())
        if inside is not None:
            found.update(inside.accounts)
            fresh = set(inside.groups) - seen
            seen |= fresh
            waiting += fresh
    return found
