"""What accounts of Salesforce hold: profile, role, permission sets and their groups, public groups, queues, licences.

Confirmed in the object reference: a permission set of the type Group carries what a permission set group adds up to;
sets owned by a profile only mirror it and are left out. An assignment's SystemModstamp is taken as its beginning: it
can be made and deleted, and changed only in its expiry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, compress
from typing import Any, Final

from msgspec import Struct

from connectors.kit.columns import Objects
from connectors.kit.portions import Meanings
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader, Resource
from connectors.kit.salesforce_query import NotReadable, Soql, select, where, where_in
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


class Hold(Struct, frozen=True, gc=False):
    """How and since when something is held."""

    entitlement_id: str
    how: str = "direct"
    since: datetime | None = None


@dataclass
class Held:
    """Everything that can be held, and by whom."""

    entitlements: dict[str, Entitlement] = field(default_factory=dict)
    of_account: dict[str, dict[str, Hold]] = field(default_factory=dict)
    told: bool = True  # False: a part of it may not be seen
    unclear: set[str] = field(default_factory=set)  # accounts that hold a permission set which no list shows

    def add(self, account_id: str | None, hold: Hold) -> None:
        """Write down that the account holds it, once; directly wins."""
        if account_id and hold.entitlement_id in self.entitlements:
            held = self.of_account.setdefault(account_id, {})
            if hold.entitlement_id not in held or hold.how == "direct":
                held[hold.entitlement_id] = hold


class SalesforceAccess:
    """Reads it with a handful of queries, whatever the number of accounts."""

    def __init__(self, soql: Soql, privilege: Privilege, application: str, reading: Reading, reader: Reader) -> None:
        self._soql = soql
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
        columns: tuple[str, ...] = ("Id", "AssigneeId", "PermissionSetId", "PermissionSetGroupId", "SystemModstamp")
        not_mirrored = where("PermissionSet.IsOwnedByProfile", False)
        assignments = select(columns, "PermissionSetAssignment", not_mirrored, *own)
        for rows in self._columns(assignments, held, "permission sets"):
            groups = rows.texts("PermissionSetGroupId")
            sets = rows.only([not group for group in groups]).texts("PermissionSetId")
            owners, since = rows.texts("AssigneeId"), rows.instants("SystemModstamp")
            for owner, group, one, at in zip(owners, groups, sets, since, strict=True):
                held.add(owner, Hold(group or one or "", "direct", at))
                if (group or one or "") not in held.entitlements:
                    held.unclear.add(owner or "")
        columns = ("Id", "AssigneeId", "PermissionSetLicenseId", "SystemModstamp")
        licences = select(columns, "PermissionSetLicenseAssign", *own)
        for rows in self._columns(licences, None, "permission set licences"):
            owners, since = rows.texts("AssigneeId"), rows.instants("SystemModstamp")
            for owner, licence, at in zip(owners, rows.texts("PermissionSetLicenseId"), since, strict=True):
                held.add(owner, Hold(licence or "", "direct", at))
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
        direct: list[tuple[str, str, datetime | None]] = []
        query = select(("Id", "GroupId", "UserOrGroupId", "SystemModstamp"), "GroupMember")
        for rows in self._columns(query, None, "members of groups"):
            inner = [member or "" for member in rows.texts("UserOrGroupId")]
            outer = [group or "" for group in rows.texts("GroupId")]
            nested = [member.startswith(GROUP) for member in inner]
            for member, group in compress(zip(inner, outer, strict=True), nested):
                parents.setdefault(member, []).append(group)
            meant = [not group and account_id in (None, member) for member, group in zip(inner, nested, strict=True)]
            since = rows.only(meant).instants("SystemModstamp")
            direct += compress(zip(inner, outer, since, strict=True), meant)
        above = Meanings[set[str]](lambda group: _above(group, parents))
        for member, group, at in direct:
            held.add(member, Hold(group, "direct", at))
            for one in above[group]:
                held.add(member, Hold(one, "group"))

    def _named(self, table: str, label: str, kind: str, privileged: bool, held: Held) -> None:
        for row in self._rows(select(("Id", label), table), None, ""):
            self._put(row.text("Id"), row.text(label), kind, privileged, held)

    def _rows(self, query: str, held: Held | None, what: str) -> Iterator[Resource]:
        """The rows of a table that need not be readable; with `held` it matters for who is privileged."""
        return map(self._reader.of, chain.from_iterable(self._lists(query, held, what)))

    def _columns(self, query: str, held: Held | None, what: str) -> Iterator[Objects]:
        """The same of a table that has rows of every account: a page at a time, to be read column by column."""
        return (Objects(items, self._reader) for items in self._lists(query, held, what))

    def _lists(self, query: str, held: Held | None, what: str) -> Iterator[list[Any]]:
        try:
            for _, items in self._soql.lists(query, self._reading):
                yield items
        except NotReadable:
            if held is not None:
                held.told = False
            if what:
                self._reading.notes.append(f"{what} may not be seen by the client's account")

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
