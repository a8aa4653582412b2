"""What the application may do in Entra, compared with the least it needs."""

from __future__ import annotations

from typing import Final

from connectors.kit.contract import Checked
from connectors.kit.entra_calls import Application, EntraCalls, error_code

READ: Final = (
    "User.Read.All",
    "GroupMember.Read.All",
    "Application.Read.All",
    "RoleManagement.Read.Directory",
    "AuditLog.Read.All",
    "ProvisioningLog.Read.All",
)
CREDENTIALS: Final = ("Directory.Read.All", "UserAuthenticationMethod.Read.All")
WRITE: Final = (
    "User.EnableDisableAccount.All",
    "User.RevokeSessions.All",
    "GroupMember.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
    "DelegatedPermissionGrant.ReadWrite.All",
    "UserAuthenticationMethod.ReadWrite.All",
)
# What also opens the list, and is more than is needed unless it is needed for something else.
_INSTEAD: Final = {
    "User.Read.All": frozenset({"Directory.Read.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}),
    "GroupMember.Read.All": frozenset({"Group.Read.All", "Directory.Read.All", "GroupMember.ReadWrite.All"}),
    "Application.Read.All": frozenset({"Directory.Read.All", "Application.ReadWrite.All"}),
    "RoleManagement.Read.Directory": frozenset({"RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"}),
    "Directory.Read.All": frozenset({"Directory.ReadWrite.All"}),
    "UserAuthenticationMethod.Read.All": frozenset({"UserAuthenticationMethod.ReadWrite.All"}),
}


def examined(calls: EntraCalls, application: Application) -> Checked:
    """Prove that accounts can be read, then say what is missing and what is too much."""
    notes: list[str] = []
    answer = calls.http.get("users", {"$select": "id,signInActivity", "$top": "1"}, allow=(403,))
    if answer.status == 403:
        calls.http.get("users", {"$select": "id", "$top": "1"})
        if "nonpremium" in error_code(answer).casefold():
            notes.append("the directory has no Entra ID P1 licence: last sign-ins and the log of sign-ins are unknown")
    held = application.permissions()
    if held is None:
        return Checked((*notes, "the token does not tell its permissions; what is too much cannot be said"))
    wanted = (*READ, *CREDENTIALS)
    missing = tuple(name for name in wanted if name not in held and not held & _INSTEAD.get(name, frozenset()))
    return Checked(tuple(notes), missing, tuple(sorted(held - set(wanted))))
