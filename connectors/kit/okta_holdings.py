"""What the users of an Okta org hold: groups, roles of administrators, and applications they are assigned to.

Confirmed in Okta's specification and recordings: `expand=stats` tells how many members a group has and whether it makes
its members administrators (`hasAdminPrivlege`, so spelt); the roles of a user name those held through a group too
(`assignmentType` GROUP); a custom role is told by the id in `role`, its rights by `/iam/roles/{id}/permissions`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from connectors.kit.columns import Objects
from connectors.kit.holdings import DIRECT, Holdings
from connectors.kit.okta_calls import OktaCalls, entry_id, entry_ids, step
from connectors.kit.okta_updated import Kept
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader, Resource
from governance.records import Entitlement, Reading

# All roles of administrators can change somebody's access or read everything, but for this one: it reads reports.
_HARMLESS: Final = frozenset({"REPORT_ADMIN"})
# Assignments of an application that open it for nobody (any more).
_CLOSED: Final = frozenset({"DEPROVISIONED", "IMPORTED", "MATCHED", "REVOKED", "SUSPENDED", "UNASSIGNED"})
_GROUPS: Final = {"limit": "200", "expand": "stats"}


class OktaHoldings:
    """Reads them."""

    def __init__(self, calls: OktaCalls, place: str, privilege: Privilege, reader: Reader) -> None:
        self._calls = calls
        self._place = place
        self._privilege = privilege
        self._reader = reader
        self._custom: dict[str, bool | None] = {}

    def all(self, reading: Reading, *, applications: bool, kept: Kept | None = None) -> Holdings:
        """Everything the credential may see; what it may not is said in the notes.

        `kept` knows who holds the groups and applications that did not change: that is not read again.
        """
        found = Holdings(kept.ids if kept else None)
        admins = self._groups(found, reading, kept)
        self._roles(found, admins, reading)
        if applications:
            self._applications(found, reading, kept)
        return found

    def roles_of(self, account_id: str) -> list[Entitlement] | None:
        """The roles of one account, through groups too; None when the credential may not see them."""
        answer = self._calls.allowed(f"users/{step(account_id)}/roles", gone=True)
        return None if answer is None else [role for role, _, _ in self._read_roles(answer.data)]

    def _groups(self, found: Holdings, reading: Reading, kept: Kept | None) -> dict[str, array[int]]:
        """Reads groups and their members; the members of those that may make administrators are returned."""
        rows = self._calls.may_list("groups", _GROUPS, reading)
        if rows is None:
            found.groups_told = False
            reading.notes.append("groups are unknown: the credential lacks okta.groups.read")
            return {}
        admins: dict[str, array[int]] = {}
        for row in rows:
            told = self._reader.of(row)
            group_id = told.text("id")
            if group_id is None:
                continue
            name = told.text("profile.name") or group_id
            privileged = self._privilege.of(name, False)
            found.entitlements[group_id] = Entitlement(self._place, group_id, name, "group", privileged)
            known = kept.members(told) if kept else None
            members = array("I") if known is None else known.numbers
            if known is None and told.number("_embedded.stats.usersCount") != 0:
                path = f"groups/{step(group_id)}/users"
                for _, page in self._calls.lists(path, {"limit": "200"}, reading):
                    members.extend(found.ids.numbers(filter(None, entry_ids(page))))
            found.give(members, group_id, DIRECT)
            if members and told.flag("_embedded.stats.hasAdminPrivlege") is not False:
                admins[group_id] = members
        return admins

    def _roles(self, found: Holdings, admins: Mapping[str, array[int]], reading: Reading) -> None:
        holders = self._calls.may_list("iam/assignees/users", {"limit": "100"}, reading)
        if holders is None:
            found.roles_told = False
            reading.notes.append("roles of administrators are unknown: the credential lacks okta.roles.read")
            return
        for account_id in filter(None, map(entry_id, holders)):
            answer = self._calls.allowed(f"users/{step(account_id)}/roles", gone=True)
            if answer is None:
                found.unclear.update(found.ids.numbers((account_id,)))
            for role, how, since in self._read_roles(answer.data if answer else ()):
                found.entitlements[role.entitlement_id] = role
                found.add(account_id, role.entitlement_id, how, since)
        for group_id, members in admins.items():
            answer = self._calls.allowed(f"groups/{step(group_id)}/roles", gone=True)
            if answer is None:
                found.unclear.update(members)
            for role, _, since in self._read_roles(answer.data if answer else ()):
                found.entitlements[role.entitlement_id] = role
                found.give(members, role.entitlement_id, "group", since)
        if found.unclear:
            reading.notes.append(f"roles of {len(found.unclear)} accounts could not be read and are unknown")

    def _read_roles(self, rows: Any) -> Iterator[tuple[Entitlement, str, datetime | None]]:
        """Each role, how it is held and since when."""
        for row in rows if isinstance(rows, list | tuple) else ():
            told = self._reader.of(row)
            role_id = role_key(told)
            if role_id is None or told.text("status") == "INACTIVE":
                continue
            name = told.text("label") or role_id
            known = self._is_privileged(told, role_id)
            role = Entitlement(self._place, role_id, name, "role", self._privilege.of(name, known))
            how = "group" if told.text("assignmentType") == "GROUP" else DIRECT
            yield role, how, told.instant("created")

    def _is_privileged(self, told: Resource, role_id: str) -> bool | None:
        if told.text("type") != "CUSTOM":
            return role_id not in _HARMLESS
        if role_id not in self._custom:
            answer = self._calls.allowed(f"iam/roles/{step(role_id)}/permissions", gone=True)
            rows = self._reader.of(answer.data if answer else None).parts("permissions")
            labels = [label for row in rows if (label := row.text("label"))]
            self._custom[role_id] = any(not label.endswith(".read") for label in labels) if labels else None
        return self._custom[role_id]

    def _applications(self, found: Holdings, reading: Reading, kept: Kept | None) -> None:
        rows = self._calls.may_list("apps", {"limit": "200"}, reading)
        if rows is None:
            reading.notes.append("assigned applications are unknown: the credential lacks okta.apps.read")
            return
        for row in rows:
            told = self._reader.of(row)
            app_id = told.text("id")
            if app_id is None:
                continue
            name = told.text("label") or told.text("name") or app_id
            privileged = self._privilege.of(name, False)
            found.entitlements[app_id] = Entitlement(self._place, app_id, name, "application", privileged)
            known = kept.assigned(app_id) if kept else None
            if known is not None:
                found.give_each(known.numbers, [(app_id, how) for how in known.how], known.since)
                continue
            for _, entries in self._calls.lists(f"apps/{step(app_id)}/users", {"limit": "500"}, reading):
                self._assigned(found, app_id, Objects(entries, self._reader))

    @staticmethod
    def _assigned(found: Holdings, app_id: str, told: Objects) -> None:
        """Those to whom an application is open."""
        ids = told.texts("id")
        states = zip(ids, told.only([account_id is not None for account_id in ids]).texts("status"), strict=True)
        opened = told.only([account_id is not None and status not in _CLOSED for account_id, status in states])
        given = zip(opened.texts("id"), opened.texts("scope"), opened.instants("created"), strict=True)
        good = [one for one in given if one[0] is not None]
        ways = [(app_id, "group" if scope == "GROUP" else DIRECT) for _, scope, _ in good]
        numbers = found.ids.numbers(account_id for account_id, _, _ in good if account_id)
        found.give_each(numbers, ways, [since for *_, since in good])


def role_key(told: Resource) -> str | None:
    """What we call a role: its type, and a custom one by its id."""
    kind = told.text("type")
    return told.text("role") if kind == "CUSTOM" else kind
