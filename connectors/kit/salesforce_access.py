"""What accounts of Salesforce hold: profile, role, permission sets and their groups, public groups, queues, licences.

Confirmed in the object reference: a permission set of the type Group carries what a permission set group adds up to;
sets owned by a profile only mirror it and are left out. An assignment's SystemModstamp is taken as its beginning: it
can be made and deleted, and changed only in its expiry.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, compress, repeat
from typing import Any, Final

from msgspec import Struct

from connectors.kit.columns import Objects
from connectors.kit.forms import Form, Formed
from connectors.kit.numbered import Chains, Ids, Marks
from connectors.kit.portions import TOLD, Meanings
from connectors.kit.privilege import Privilege, holds_privilege
from connectors.kit.resource import Reader, Resource
from connectors.kit.salesforce_query import NotReadable, Soql, form_of, select, where, where_in
from governance.records import Entitlement, Reading

# Who has one of these can see everything, or change who may do what.
POWERS: Final = (
    "PermissionsModifyAllData",
    "PermissionsViewAllData",
    "PermissionsManageUsers",
    "PermissionsAuthorApex",
    "PermissionsCustomizeApplication",
)
PROFILE, SET, SET_GROUP, ROLE, GROUP, LICENCE = "00e", "0PS", "0PG", "00E", "00G", "0PL"
_GROUP_KINDS: Final = {"Regular": "group", "Queue": "queue"}


HOW: Final = ("direct", "group")
DIRECT, THROUGH = range(2)
NEVER: Final = float("nan")
_MEMBERSHIPS: Final = ("GroupId", "UserOrGroupId", "SystemModstamp")


class Hold(Struct, frozen=True, gc=False):
    """How and since when something is held."""

    entitlement_id: str
    how: str = "direct"
    since: datetime | None = None


_NOTHING: Final[Mapping[str, Hold]] = {}


class Held:
    """Everything that can be held, and by whom, by numbers of the register: of a million, 20 MiB for each holding."""

    def __init__(self) -> None:
        self.entitlements: dict[str, Entitlement] = {}
        self.told = True  # False: a part of it may not be seen
        self._unclear = Marks()  # accounts that hold a permission set which no list shows
        self._chains = Chains()
        # Of each holding, after a first one that is nobody's: what is held, as a place in `_ids`, how, and since when.
        self._what, self._how, self._since = array("I", [0]), array("B", [0]), array("d", [0.0])
        self._places: dict[str, int] = {}
        self._ids: list[str] = []

    def add(self, numbers: Sequence[int], held: Sequence[str], since: Sequence[float], how: bytes = b"") -> None:
        """Write down that the accounts of these numbers hold these, of what can be held.

        `since`: seconds since 1970, or NEVER; `how`: DIRECT or THROUGH of each, by default directly.
        """
        good = [one in self.entitlements for one in held]
        if not all(good):
            numbers, held, since = [*compress(numbers, good)], [*compress(held, good)], [*compress(since, good)]
            how = bytes(compress(how, good))
        for one in held:
            if one not in self._places:
                self._places[one] = len(self._ids)
                self._ids.append(one)
        self._chains.add(numbers)
        self._what.extend(map(self._places.__getitem__, held))
        self._how.frombytes(how or bytes(len(held)))
        self._since.extend(since)

    def doubt(self, numbers: Sequence[int]) -> None:
        """It is not clear what these hold."""
        self._unclear.put(numbers, repeat(1, len(numbers)))

    def unclear(self, numbers: Sequence[int]) -> list[bool]:
        """Of whom it is not."""
        return list(map(bool, self._unclear.of(numbers)))

    def of(self, numbers: Sequence[int]) -> list[Mapping[str, Hold]]:
        """What each holds, by entitlement id: once, and directly where that is so."""
        return [self._holds(last) if last else _NOTHING for last in self._chains.lasts(numbers)]

    def _holds(self, last: int) -> Mapping[str, Hold]:
        found: dict[str, Hold] = {}
        for holding in self._chains.entries(last):
            one, how, since = self._ids[self._what[holding]], HOW[self._how[holding]], self._since[holding]
            if one not in found or how == "direct":
                found[one] = Hold(one, how, None if since != since else datetime.fromtimestamp(since, UTC))
        return found


class SalesforceAccess:
    """Reads it with a handful of queries, whatever the number of accounts."""

    def __init__(
        self, soql: Soql, privilege: Privilege, application: str, reading: Reading, reader: Reader, register: Ids
    ) -> None:
        self._soql = soql
        self._register = register
        self._privilege = privilege
        self._application = application
        self._reading = reading
        self._reader = reader

    def read(self, account_id: str | None = None) -> Held:
        """What all accounts hold, or one."""
        held = Held()
        self._powerful("Profile", "Name", "profile", held)
        self._sets(held)
        self._named("UserRole", "Name", "role", False, held)
        self._groups(held, account_id)
        self._named("PermissionSetLicense", "MasterLabel", "licence", False, held)
        own = (where("AssigneeId", account_id),) if account_id else ()
        columns: tuple[str, ...] = ("AssigneeId", "PermissionSetId", "PermissionSetGroupId", "SystemModstamp")
        not_mirrored = where("PermissionSet.IsOwnedByProfile", False)
        assigned = "PermissionSetAssignment", not_mirrored, *own
        for rows in self._columns(columns, assigned, held, "permission sets"):
            groups = rows.texts("PermissionSetGroupId")
            sets = rows.only([not group for group in groups]).texts("PermissionSetId")
            what = [group or one or "" for group, one in zip(groups, sets, strict=True)]
            owners = self._numbers(rows.texts("AssigneeId"))
            held.add(owners, what, self._since(rows))
            held.doubt([owner for owner, one in zip(owners, what, strict=True) if one not in held.entitlements])
        columns = ("AssigneeId", "PermissionSetLicenseId", "SystemModstamp")
        for rows in self._columns(columns, ("PermissionSetLicenseAssign", *own), None, "permission set licences"):
            licences = [licence or "" for licence in rows.texts("PermissionSetLicenseId")]
            held.add(self._numbers(rows.texts("AssigneeId")), licences, self._since(rows))
        return held

    def _powerful(self, table: str, label: str, kind: str, held: Held) -> None:
        """A table whose rows carry permissions; without those the rows are read, and none is called harmless."""
        for powers in (POWERS, ()):
            try:
                for _, data in self._soql.rows(select(("Id", label, *powers), table), self._reading):
                    row = self._reader.of(data)
                    self._put(row.text("Id"), row.text(label), kind, _any(row, powers), held)
                return
            except NotReadable:
                held.told = False
        self._reading.notes.append(f"{table} may not be seen: it lacks the permission View Setup and Configuration")

    def _sets(self, held: Held) -> None:
        columns = ("Id", "Label", "Type", "PermissionSetGroupId", *POWERS)
        groups = {
            row.text("Id") or "": row.text("MasterLabel") or row.text("DeveloperName")
            for row in self._rows(select(("Id", "DeveloperName", "MasterLabel"), "PermissionSetGroup"), None, "")
        }
        query = select(columns, "PermissionSet", where("IsOwnedByProfile", False))
        for row in self._rows(query, held, "permission sets"):
            power = _any(row, POWERS)
            group = row.text("PermissionSetGroupId") if row.text("Type") == "Group" else None
            if group:
                self._put(group, groups.get(group) or row.text("Label"), "permission_set_group", power, held)
            else:
                self._put(row.text("Id"), row.text("Label"), "permission_set", power, held)

    def _groups(self, held: Held, account_id: str | None) -> None:
        parents: dict[str, list[str]] = {}  # group -> groups it is in
        query = select(("Id", "Name", "DeveloperName", "Type"), "Group", where_in("Type", _GROUP_KINDS))
        for row in self._rows(query, None, "groups"):
            kind = _GROUP_KINDS.get(row.text("Type") or "", "group")
            self._put(row.text("Id"), row.text("Name") or row.text("DeveloperName"), kind, False, held)
        groups: list[str] = []
        members, since = array("I"), array("d")
        for rows in self._columns(_MEMBERSHIPS, ("GroupMember",), None, "members of groups"):
            inner = [member or "" for member in rows.texts("UserOrGroupId")]
            outer = [group or "" for group in rows.texts("GroupId")]
            nested = [member.startswith(GROUP) for member in inner]
            for member, group in compress(zip(inner, outer, strict=True), nested):
                parents.setdefault(member, []).append(group)
            meant = [not group and account_id in (None, member) for member, group in zip(inner, nested, strict=True)]
            members.extend(self._numbers(list(compress(inner, meant))))
            groups += compress(outer, meant)
            since.extend(compress(self._since(rows.only(meant)), meant))
        above = Meanings[set[str]](lambda group: _above(group, parents))
        for at in range(0, len(members), TOLD):
            told = (members[at : at + TOLD], groups[at : at + TOLD], since[at : at + TOLD])
            held.add(*told) if not parents else held.add(*_through(above, *told))

    def _named(self, table: str, label: str, kind: str, privileged: bool, held: Held) -> None:
        for row in self._rows(select(("Id", label), table), None, ""):
            self._put(row.text("Id"), row.text(label), kind, privileged, held)

    def _rows(self, query: str, held: Held | None, what: str) -> Iterator[Resource]:
        """The rows of a table that need not be readable; with `held` it matters for who is privileged."""
        return map(self._reader.of, chain.from_iterable(self._lists(query, held, what)))

    def _columns(
        self, columns: Sequence[str], asked: Sequence[str], held: Held | None, what: str
    ) -> Iterator[Objects | Formed]:
        """The same of a table that has rows of every account: a page at a time, to be read column by column.

        `asked`: the table, and conditions.
        """
        columns = ("Id", *columns)
        form = form_of(columns, alike=("GroupId", "PermissionSetId", "PermissionSetGroupId", "PermissionSetLicenseId"))
        pages = self._lists(select(columns, *asked), held, what, form)
        return (form.objects(items, self._reader) for items in pages)

    def _lists(self, query: str, held: Held | None, what: str, form: Form | None = None) -> Iterator[list[Any]]:
        try:
            for _, items in self._soql.lists(query, self._reading, form=form):
                yield items
        except NotReadable:
            if held is not None:
                held.told = False
            if what:
                self._reading.notes.append(f"{what} may not be seen by the client's account")

    def _numbers(self, owners: Sequence[str | None]) -> list[int]:
        """The numbers of these accounts; those that are not told have one together, at which nobody looks."""
        return self._register.numbers([owner or "" for owner in owners])

    def _since(self, rows: Objects | Formed) -> list[float]:
        told = self._reader.instants("SystemModstamp", rows.values("SystemModstamp"))
        return [NEVER if at is None else at.timestamp() for at in told]

    def _put(self, one: str | None, name: str | None, kind: str, power: bool | None, held: Held) -> None:
        if one:
            privileged = self._privilege.of(name or one, power)
            held.entitlements[one] = Entitlement(self._application, one, name or one, kind, privileged)


def _any(row: Resource, powers: Iterable[str]) -> bool | None:
    """Whether one of the permissions is there: to say no, all must be told."""
    told = [row.flag(power) for power in powers]
    if any(told):
        return True
    return None if not told or None in told else False


def _above(group: str, parents: Mapping[str, list[str]]) -> set[str]:
    """Every group the group is in, however deep."""
    found: set[str] = set()
    ahead = list(parents.get(group, ()))
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += parents.get(one, ())
    return found


def _through(
    above: Meanings[set[str]], members: Sequence[int], groups: Sequence[str], since: Sequence[float]
) -> tuple[list[int], list[str], list[float], bytes]:
    """These members of groups, and after each one the groups that its group is in."""
    found: list[tuple[int, str, float, int]] = []
    for member, group, at in zip(members, groups, since, strict=True):
        found.append((member, group, at, DIRECT))
        found += [(member, one, NEVER, THROUGH) for one in above[group]]
    numbers, held, seconds, how = zip(*found, strict=True)
    return [*numbers], [*held], [*seconds], bytes(how)


class Own(Meanings[tuple[Mapping[str, Hold], bool]]):
    """What accounts hold by their own row: of its profile, the profile's name and its role. And whether that is told.

    A profile that cannot be held yet goes among the entitlements, and is `new`.
    """

    def __init__(self, entitlements: dict[str, Entitlement], privilege: Privilege, application: str) -> None:
        super().__init__(self._of)
        self.new: list[Entitlement] = []
        self._entitlements, self._privilege, self._application = entitlements, privilege, application

    def together(
        self, each: Iterable[tuple[Mapping[str, Hold], tuple[Mapping[str, Hold], bool], bool]]
    ) -> tuple[list[Mapping[str, Hold]], list[bool | None]]:
        """What accounts hold in all, and whether that is privileged.

        Of each: what other tables tell, what its own row tells, and whether something is unclear.
        """
        holds: list[Mapping[str, Hold]] = []
        privileged = []
        powers = Meanings(self._power)
        for held, (own, told), unclear in each:
            one = {**held, **own} if held else own
            holds.append(one)
            privileged.append(powers[(*one, told and not unclear)])
        return holds, privileged

    def _of(self, row: tuple[str | None, str | None, str | None]) -> tuple[Mapping[str, Hold], bool]:
        profile, name, role = row
        if profile is not None and profile not in self._entitlements:
            power = self._privilege.of(name or "")
            one = Entitlement(self._application, profile, name or profile, "profile", power)
            self._entitlements[profile] = one
            self.new.append(one)
            self.clear()  # a role of that id can be held from now on
        own = [one for one in (profile, role) if one is not None and one in self._entitlements]
        return {one: Hold(one) for one in own}, profile is not None

    def _power(self, held: tuple[Any, ...]) -> bool | None:
        *ids, told = held
        return holds_privilege([self._entitlements[one].privileged for one in ids], told=told)
