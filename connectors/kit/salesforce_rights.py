"""What the account behind a client of Salesforce may do: what is missing, and what is more than reading needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connectors.kit.contract import Checked
from connectors.kit.resource import as_flag
from connectors.kit.salesforce_query import NotReadable, Soql, checked, select, where

_NEEDED: Final = {
    "PermissionsViewAllUsers": "pull: View All Users",
    "PermissionsViewSetup": "pull: View Setup and Configuration",
    "PermissionsManageUsers": "pull: Manage Users, without which frozen accounts are not told apart (frozen = false)",
    "PermissionsTwoFactorApi": "pull: Manage MFA in API, without which MFA is unknown",
}
_TOO_MUCH: Final = {
    "PermissionsModifyAllData": "Modify All Data",
    "PermissionsAuthorApex": "Author Apex",
    "PermissionsManageProfilesPermissionsets": "Manage Profiles and Permission Sets",
    "PermissionsAssignPermissionSets": "Assign Permission Sets",
}
_SCOPES: Final = frozenset({"api", "id", "openid", "profile", "email"})


def rights(soql: Soql, account_id: str | None, scopes: Iterable[str]) -> Checked:
    """What the account holds through its profile and all its permission sets together."""
    excess = [f"scope {scope}" for scope in scopes if scope not in _SCOPES]
    if account_id is None:
        soql.all(select(("Id",), "Profile"))
        return Checked(("the token does not tell which account it acts as",), (), tuple(excess))
    own = soql.first(select(("Id", "Username"), "User", where("Id", checked(account_id))))
    notes = [f"the client acts as {own.get('Username')} ({account_id})"] if own else []
    columns = [f"PermissionSet.{name}" for name in (*_NEEDED, *_TOO_MUCH)]
    query = select(("Id", *columns), "PermissionSetAssignment", where("AssigneeId", account_id))
    try:
        rows = soql.all(query)
    except NotReadable:
        missing = ("pull: View Setup and Configuration",)
        return Checked((*notes, "its permissions may not be seen"), missing, tuple(excess))
    held: set[str] = set()
    for row in rows:
        told = row.get("PermissionSet")
        held |= {name for name, value in told.items() if as_flag(value)} if isinstance(told, dict) else set()
    lacking = [words for name, words in _NEEDED.items() if name not in held]
    excess += [f"permission {words}" for name, words in _TOO_MUCH.items() if name in held]
    return Checked(tuple(notes), tuple(lacking), tuple(excess))
