"""What an Entra directory is set up to give in one application: groups with roles of it, and rules that fill groups.

Confirmed in Microsoft's metadata of Graph v1.0: `appRoleAssignedTo` names who holds which role of an application
(`principalType`, `appRoleId`), `appRoles` what each role is called and which `value` a token carries, `membershipRule`
what a dynamic group asks. General knowledge: a person has the roles of all their groups; the role of zeros is access
as such; the operator -eq does not mind case.
"""

from __future__ import annotations

import re
from typing import Final

from connectors.kit.asked import asked_of, assigned_alone, not_asked
from connectors.kit.entra_calls import EntraCalls, Refused, step
from connectors.kit.entra_holdings import DEFAULT_ROLE
from connectors.kit.known_as import is_called, unknown_there
from connectors.kit.resource import Reader, Resource
from governance.errors import AuthenticationFailed
from governance.records import Assigned, Configured, Offer, Reading
from governance.settings import ApplicationSettings

# Attributes of Entra's users that role mappings know, and what they call them.
ATTRIBUTES: Final = {
    "department": "department",
    "jobtitle": "title",
    "mail": "email",
    "userprincipalname": "username",
    "employeeid": "employee_number",
}
_APPS: Final = {
    "$filter": "tags/any(t:t eq 'WindowsAzureActiveDirectoryIntegratedApp')",
    "$select": "id,appId,displayName,appRoles",
    "$top": "999",
}
_GROUPS: Final = {"$select": "id,displayName,groupTypes,membershipRule,membershipRuleProcessingState", "$top": "999"}
_EQUALITY: Final = re.compile(r'\(*\s*user\.(\w+)\s+-eq\s+"([^"`]+)"\s*\)*', re.IGNORECASE)
_OR: Final = re.compile(r"\s+-or\s+", re.IGNORECASE)


def assignments(calls: EntraCalls, reader: Reader, application: ApplicationSettings) -> Configured:
    """What the directory gives in that application; AuthenticationFailed where the credential may not see it."""
    rows = calls.may_list("groups", _GROUPS, Reading())
    if isinstance(rows, Refused):
        raise AuthenticationFailed(f"{calls.place}: groups cannot be seen: GroupMember.Read.All is missing")
    groups = {told.text("id"): told for told in (reader.of(row) for _, row in rows)}
    assigned: list[Assigned] = []
    left_out: list[str] = []
    for app in _apps(calls, reader, application):
        roles = {role.text("id"): role for role in app.parts("appRoles")}
        path = f"servicePrincipals/{step(app.text('id') or '')}/appRoleAssignedTo"
        alone: set[str] = set()
        for _, row in calls.pages(path, {"$top": "999"}, Reading()):
            told = reader.of(row)
            principal, kind = told.text("principalId") or "", told.text("principalType")
            if kind == "User":
                alone.add(principal)
            if kind != "Group":
                continue
            group = groups.get(principal) or told
            name = group.text("displayName") or told.text("principalDisplayName") or principal
            role_id = told.text("appRoleId") or DEFAULT_ROLE
            offers = (*_offers(roles.get(role_id), role_id), Offer(f"a group {name} of its own", (name,), guessed=True))
            assigned.append(Assigned(f"group {name}", "groups", (name,), offers))
            said = f"rule of group {name}"
            rule, paused = group.text("membershipRule"), group.text("membershipRuleProcessingState") == "Paused"
            if "DynamicMembership" not in group.several("groupTypes") or paused:
                continue
            if rule is None:
                left_out.append(f"{said}: it cannot be seen")
            elif (asked := equality(rule)) is None:
                left_out.append(not_asked(said, rule))
            else:
                assigned.append(Assigned(said, *asked, offers))
        if alone:
            left_out.append(f"{assigned_alone(len(alone))}: no line is about one person")
    return Configured(tuple(assigned), left_out=tuple(left_out))


def equality(rule: str) -> tuple[str, tuple[str, ...]] | None:
    """The attribute and the values a rule asks for; None unless it is `user.department -eq "Sales"`, or more by -or."""
    return asked_of(rule, _EQUALITY, _OR, ATTRIBUTES)


def _offers(role: Resource | None, role_id: str) -> tuple[Offer, ...]:
    """The role, by what a token carries and by what people call it; access as such is none."""
    if role_id == DEFAULT_ROLE:
        return ()
    value, shown = (role.text("value"), role.text("displayName")) if role else (None, None)
    names = tuple(dict.fromkeys(name for name in (value, shown) if name))
    return (Offer(f"role {shown or value or role_id}", names),)


def _apps(calls: EntraCalls, reader: Reader, application: ApplicationSettings) -> list[Resource]:
    """What the directory calls by the application's name, its title or what it is known as."""
    rows = calls.may_list("servicePrincipals", _APPS, Reading())
    if isinstance(rows, Refused):
        raise AuthenticationFailed(f"{calls.place}: applications cannot be seen: Application.Read.All is missing")
    found = [told for told in (reader.of(row) for _, row in rows) if is_called(told.text("displayName"), application)]
    if not found:
        raise unknown_there(calls.place, application)
    return found
