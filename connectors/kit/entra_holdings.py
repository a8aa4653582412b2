"""What the users of an Entra directory hold: groups, directory roles, roles of applications, roles they may take up.

Confirmed in Microsoft's documentation: `isPrivileged` of a role is told by the beta version of Graph only, so names
stand for it here (five of those below were seen labelled; the others are general knowledge), and of custom roles it is
unknown. General knowledge: `members` leaves out those of groups inside, so nesting is added up here; an application
opens to direct members of an assigned group only.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.kit.entra_calls import EntraCalls, Refused, entry_id, entry_ids, step
from connectors.kit.entra_delta import Kept, Members
from connectors.kit.holdings import DIRECT, Holdings
from connectors.kit.numbered import Ids
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader, Resource
from governance.records import Entitlement, Reading

DEFAULT_ROLE: Final = "00000000-0000-0000-0000-000000000000"  # assigned to the application as such
# Labelled privileged by Microsoft, and five that can read all mail, files or change who is in which group.
_PRIVILEGED: Final = frozenset(
    """
    Application Administrator;Application Developer;Attribute Provisioning Administrator;Authentication Administrator;
    Authentication Extensibility Administrator;B2C IEF Keyset Administrator;Cloud Application Administrator;
    Cloud Device Administrator;Conditional Access Administrator;Directory Synchronization Accounts;Directory Writers;
    Domain Name Administrator;External Identity Provider Administrator;Global Administrator;Global Reader;
    Helpdesk Administrator;Hybrid Identity Administrator;Intune Administrator;Lifecycle Workflows Administrator;
    Partner Tier1 Support;Partner Tier2 Support;Password Administrator;Privileged Authentication Administrator;
    Privileged Role Administrator;Security Administrator;Security Operator;Security Reader;User Administrator;
    Compliance Administrator;Exchange Administrator;Groups Administrator;Identity Governance Administrator;
    SharePoint Administrator
    """.replace("\n", "")
    .replace("    ", "")
    .casefold()
    .split(";")
)
_APPS: Final = {
    "$filter": "tags/any(t:t eq 'WindowsAzureActiveDirectoryIntegratedApp')",
    "$select": "id,appId,displayName,appRoles",
    "$top": "999",
}
_GROUPS: Final = {"$select": "id,displayName,groupTypes,isAssignableToRole,onPremisesSyncEnabled", "$top": "999"}
_MEMBERS: Final = {"$select": "id", "$top": "999"}
_DEFINITIONS: Final = {"$select": "id,displayName,isBuiltIn,templateId"}


class EntraHoldings:
    """Reads them."""

    def __init__(self, calls: EntraCalls, place: str, privilege: Privilege, reader: Reader) -> None:
        self._calls = calls
        self._place = place
        self._privilege = privilege
        self._reader = reader
        self._members: dict[str, Members] = {}  # group -> accounts and groups directly in it

    @property
    def nested(self) -> dict[str, list[str]]:
        """The groups with groups directly in them."""
        return {group_id: inner for group_id, (_, inner) in self._members.items() if inner}

    def all(self, reading: Reading, *, applications: bool, kept: Kept | None = None) -> Holdings:
        """Everything the credential and the licence open; what they do not is said in the notes.

        `kept` knows the members of groups that did not change: they are not read again.
        """
        found = Holdings(kept.ids if kept else None)
        self._members = {}  # their numbers are those of this reading
        self._groups(found, reading, kept)
        self._roles(found, reading)
        if applications:
            self._applications(found, reading)
        return found

    def definitions(self, reading: Reading) -> dict[str, Resource] | Refused:
        """The directory roles there are, by id."""
        rows = self._calls.may_list("roleManagement/directory/roleDefinitions", _DEFINITIONS, reading)
        if isinstance(rows, Refused):
            return rows
        return {role_id: self._reader.of(row) for _, row in rows if (role_id := entry_id(row))}

    def roles_of(self, account_id: str) -> list[Entitlement] | None:
        """The directory roles of one account, through groups too; None when the credential may not see them."""
        path = f"users/{step(account_id)}/transitiveMemberOf"
        params = {"$select": "id,displayName,roleTemplateId", "$top": "999"}
        rows = self._calls.may_list(path, params, Reading(), gone=True)
        if isinstance(rows, Refused):
            return None
        told = [self._reader.of(row) for _, row in rows if str(row.get("@odata.type")).endswith(".directoryRole")]
        known = {
            role_id: self._reader.of({"displayName": r.text("displayName"), "isBuiltIn": True})
            for r in told
            if (role_id := r.text("roleTemplateId") or r.text("id"))
        }
        return [self.role(role_id, known, "/", eligible=False) for role_id in known]

    def role(self, role_id: str, definitions: Mapping[str, Resource], scope: str, *, eligible: bool) -> Entitlement:
        """A directory role as an entitlement; over a part of the directory it is another one than over all of it."""
        told = definitions.get(role_id) or self._reader.of(None)
        name = told.text("displayName") or role_id
        built_in = told.flag("isBuiltIn")
        known = name.casefold() in _PRIVILEGED if built_in else None
        shown = name + (" (part of the directory)" if scope != "/" else "") + (" (eligible)" if eligible else "")
        found = role_key(role_id, scope, eligible=eligible)
        return Entitlement(self._place, found, shown, "role", self._privilege.of(name, known))

    def inside(self, group_id: str) -> Iterator[tuple[array[int], str]]:
        """The accounts of a group by their numbers, and how they are in it: direct, or through a group inside it."""
        seen, waiting = {group_id}, [(group_id, "direct")]
        while waiting:
            current, how = waiting.pop()
            accounts, groups = self._members.get(current, (array("I"), []))
            yield accounts, how
            fresh = [g for g in groups if g not in seen]
            seen.update(fresh)
            waiting += [(g, "group") for g in fresh]

    def _groups(self, found: Holdings, reading: Reading, kept: Kept | None) -> None:
        rows = self._calls.may_list("groups", _GROUPS, reading)
        if isinstance(rows, Refused):
            found.groups_told = False
            reading.notes.append(f"groups are unknown: {rows.words('GroupMember.Read.All', 'Entra ID')}")
            return
        for _, row in rows:
            told = self._reader.of(row)
            group_id = told.text("id")
            if group_id is None:
                continue
            name = told.text("displayName") or group_id
            privileged = self._privilege.of(name, False)
            found.entitlements[f"group:{group_id}"] = Entitlement(
                self._place, f"group:{group_id}", name, "group", privileged
            )
            known = kept.members(group_id) if kept else None
            accounts, groups = self._members[group_id] = known or (array("I"), [])
            if known is None:
                self._read_members(group_id, accounts, groups, found.ids, reading)
        for group_id in self._members:
            for accounts, how in self.inside(group_id):
                found.give(accounts, f"group:{group_id}", how)

    def _read_members(self, group_id: str, accounts: array[int], groups: list[str], ids: Ids, reading: Reading) -> None:
        for _, members in self._calls.lists(f"groups/{step(group_id)}/members", _MEMBERS, reading):
            direct: list[str] = []  # devices and the like have no account and are left out with their grants
            for member, member_id in zip(members, entry_ids(members), strict=True):
                if member_id:
                    inner = str(member.get("@odata.type", "")).endswith(".group")
                    (groups if inner else direct).append(member_id)
            accounts.extend(ids.numbers(direct))

    def _roles(self, found: Holdings, reading: Reading) -> None:
        definitions = self.definitions(reading)
        assigned = (
            definitions
            if isinstance(definitions, Refused)
            else self._calls.may_list("roleManagement/directory/roleAssignments", {}, reading)
        )
        if isinstance(definitions, Refused) or isinstance(assigned, Refused):
            found.roles_told = False
            reading.notes.append("directory roles are unknown: RoleManagement.Read.Directory is missing")
            return
        self._assignments(found, definitions, assigned, eligible=False)
        waiting = self._calls.may_list("roleManagement/directory/roleEligibilitySchedules", {}, reading)
        if isinstance(waiting, Refused):
            why = waiting.words("RoleManagement.Read.Directory", "Entra ID P2")
            found.roles_told = waiting.licence  # without the licence nobody can have one
            reading.notes.append(f"roles that can be taken up are unknown: {why}")
            return
        self._assignments(found, definitions, waiting, eligible=True)

    def _assignments(
        self, found: Holdings, definitions: Mapping[str, Resource], rows: Iterator[tuple[int, Any]], *, eligible: bool
    ) -> None:
        for _, row in rows:
            told = self._reader.of(row)
            role_id, principal = told.text("roleDefinitionId"), told.text("principalId")
            if role_id is None or principal is None:
                continue
            role = self.role(role_id, definitions, told.text("directoryScopeId") or "/", eligible=eligible)
            found.entitlements[role.entitlement_id] = role
            since = told.instant("createdDateTime")
            self._give(found, principal, role.entitlement_id, since)

    def _give(self, found: Holdings, principal: str, entitlement_id: str, since: Any) -> None:
        """To an account, or to everybody in a group."""
        if principal in self._members:
            for accounts, _ in self.inside(principal):
                found.give(accounts, entitlement_id, "group", since)
        else:
            found.add(principal, entitlement_id, DIRECT, since)

    def _applications(self, found: Holdings, reading: Reading) -> None:
        rows = self._calls.may_list("servicePrincipals", _APPS, reading)
        if isinstance(rows, Refused):
            why = rows.words("Application.Read.All", "Entra ID")
            reading.notes.append(f"assigned applications are unknown: {why}")
            return
        for _, row in rows:
            told = self._reader.of(row)
            app_id = told.text("id")
            if app_id is None:
                continue
            name = told.text("displayName") or app_id
            roles = {r.text("id"): r.text("displayName") for r in told.parts("appRoles")}
            path = f"servicePrincipals/{step(app_id)}/appRoleAssignedTo"
            for _, entry in self._calls.pages(path, {"$top": "999"}, reading):
                assigned = self._reader.of(entry)
                role_id, principal = assigned.text("appRoleId") or DEFAULT_ROLE, assigned.text("principalId")
                kind = assigned.text("principalType")
                if principal is None or kind == "ServicePrincipal":
                    continue
                key = app_key(app_id, role_id)
                shown = name if role_id == DEFAULT_ROLE else f"{name}: {roles.get(role_id) or role_id}"
                found.entitlements[key] = Entitlement(
                    self._place, key, shown, "application", self._privilege.of(shown, False)
                )
                since = assigned.instant("createdDateTime")
                if kind != "Group":
                    found.add(principal, key, DIRECT, since)
                elif principal in self._members:
                    found.give(self._members[principal][0], key, "group", since)


def role_key(role_id: str, scope: str = "/", *, eligible: bool = False) -> str:
    """What we call a directory role: with its scope, and apart from being able to take it up."""
    return f"{'eligible' if eligible else 'role'}:{role_id}{'' if scope == '/' else '@' + scope}"


def app_key(app_id: str, role_id: str = DEFAULT_ROLE) -> str:
    """What we call a role of an application."""
    return f"app:{app_id}" if role_id == DEFAULT_ROLE else f"app:{app_id}:{role_id}"
