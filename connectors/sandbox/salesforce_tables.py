"""An application of the sandbox as the objects of Salesforce.

What an entitlement is, its id tells as at the vendor: 00e profile, 0PS permission set, 0PG permission set group, 00E
role, 00G public group (or queue, by its kind), 0PL licence. Who holds no profile has a standard one of their kind. In
`more`: of an account `sessions` (ids), `blocks` (why it cannot be deactivated) and `made_by`; of a group `within` (ids
of groups it is in); of a permission set `rights`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from connectors.sandbox.ledger import Ledger
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEvent

Row = dict[str, Any]
POWERS: Final = (
    "PermissionsModifyAllData", "PermissionsViewAllData", "PermissionsManageUsers", "PermissionsAuthorApex",
    "PermissionsCustomizeApplication",
)  # fmt: skip
RIGHTS: Final = (
    *POWERS, "PermissionsViewAllUsers", "PermissionsViewSetup", "PermissionsTwoFactorApi",
    "PermissionsManageProfilesPermissionsets", "PermissionsAssignPermissionSets",
)  # fmt: skip
PROFILES: Final = {  # kind -> id, name, licence, its key, type of user
    "human": ("00e000000000001AAA", "Standard User", "Salesforce", "SFDC", "Standard"),
    "service": ("00e000000000002AAA", "API Only", "Salesforce Integration", "PID_Integration", "Standard"),
    "bot": ("00e000000000003AAA", "Agent", "Agentforce", "PID_DigitalAgent", "Standard"),
    "guest": ("00e000000000004AAA", "Partner", "Partner Community", "PID_Partner", "PowerPartner"),
}
_METHODS: Final = ("HasTotp", "HasU2F", "HasSecurityKey", "HasSalesforceAuthenticator", "HasBuiltInAuthenticator")
_TRAIL: Final = {
    "deactivated": ("deactivateduser", "Deactivated user {}"),
    "reactivated": ("activateduser", "Activated user {}"),
    "updated": ("changedemail", "For user {}, the email changed"),
}
COLUMNS: Final = {
    "User": (
        "Id", "Username", "Email", "Name", "FederationIdentifier", "IsActive", "UserType", "CreatedDate", "CreatedById",
        "LastLoginDate", "Department", "Title", "EmployeeNumber", "ManagerId", "ProfileId", "Profile.Name",
        "Profile.UserLicense.Name", "Profile.UserLicense.LicenseDefinitionKey", "UserRoleId", "SystemModstamp",
    ),
    "UserLogin": ("Id", "UserId", "IsFrozen", "IsPasswordLocked"),
    "Profile": ("Id", "Name", *POWERS),
    "PermissionSet": ("Id", "Name", "Label", "Type", "PermissionSetGroupId", "IsOwnedByProfile", *POWERS),
    "PermissionSetGroup": ("Id", "DeveloperName", "MasterLabel"),
    "PermissionSetAssignment": (
        "Id", "AssigneeId", "PermissionSetId", "PermissionSetGroupId", "SystemModstamp",
        "PermissionSet.IsOwnedByProfile", *(f"PermissionSet.{right}" for right in RIGHTS),
    ),
    "PermissionSetLicense": ("Id", "MasterLabel"),
    "PermissionSetLicenseAssign": ("Id", "AssigneeId", "PermissionSetLicenseId", "SystemModstamp"),
    "UserRole": ("Id", "Name"),
    "Group": ("Id", "Name", "DeveloperName", "Type"),
    "GroupMember": ("Id", "GroupId", "UserOrGroupId", "SystemModstamp"),
    "TwoFactorMethodsInfo": ("UserId", *_METHODS),
    "LoginHistory": ("Id", "UserId", "LoginTime", "LoginType", "Status"),
    "SetupAuditTrail": ("Id", "Action", "Section", "Display", "CreatedDate", "CreatedById"),
    "AuthSession": ("Id", "UsersId", "SessionType"),
    "OauthToken": ("Id", "AppName", "CreatedDate", "LastUsedDate", "UserId", "DeleteToken"),
}  # fmt: skip


class Tables:
    """The objects of one application, made from it whenever they are asked for."""

    def __init__(self, application: SandboxApplication) -> None:
        self._application = application
        self._ledger = Ledger(application, self._facts)

    @property
    def all(self) -> dict[str, Callable[[], Iterator[Row]]]:
        """Every object the client may see: `settings["unseen"]` names those it may not."""
        unseen = self._application.settings.get("unseen", ())
        named = {table: getattr(self, f"_{table.casefold()}") for table in COLUMNS}
        return {table: rows for table, rows in named.items() if table not in unseen}

    def _user(self) -> Iterator[Row]:
        self._ledger.look()
        for account in self._application.accounts.values():
            yield {**self._row(account), "SystemModstamp": self._ledger.at("accounts", account.id)}

    def _facts(self, account: SandboxAccount) -> Any:
        """What of an account counts as a change of its row; signing in does not."""
        return {name: value for name, value in self._row(account).items() if name != "LastLoginDate"}

    def _row(self, account: SandboxAccount) -> Row:
        profile_id, profile, licence, key, kind = self._profile_of(account)
        return {
            "Id": account.id,
            "Username": account.username,
            "Email": account.email,
            "Name": account.name,
            "FederationIdentifier": account.username if account.managed_by in ("jit", "scim") else None,
            "IsActive": account.status not in ("deactivated", "deleted"),
            "UserType": kind,
            "CreatedDate": account.created_at,
            "CreatedById": account.id if account.managed_by == "jit" else account.more.get("made_by"),
            "LastLoginDate": account.last_seen_at,
            "Department": account.department,
            "Title": account.title,
            "EmployeeNumber": account.employee_id,
            "ManagerId": account.manager_id,
            "ProfileId": profile_id,
            "Profile": {"Name": profile, "UserLicense": {"Name": licence, "LicenseDefinitionKey": key}},
            "UserRoleId": next(self._held(account, "00E"), None),
        }

    def _userlogin(self) -> Iterator[Row]:
        for account in self._application.accounts.values():
            frozen = account.status == "suspended" or bool(account.more.get("was_frozen"))
            locked = account.status == "locked"
            yield {"Id": login_id(account.id), "UserId": account.id, "IsFrozen": frozen, "IsPasswordLocked": locked}

    def _profile(self) -> Iterator[Row]:
        for profile_id, name, *_ in PROFILES.values():
            yield {"Id": profile_id, "Name": name, **dict.fromkeys(POWERS, False)}
        for one in self._of("00e"):
            yield {"Id": one.id, "Name": one.name, **dict.fromkeys(POWERS, one.privileged)}

    def _permissionset(self) -> Iterator[Row]:
        for prefix, kind in (("0PS", "Regular"), ("0PG", "Group")):
            for one in self._of(prefix):
                yield {
                    "Id": one.id if prefix == "0PS" else _id("0PS", one.id),
                    "Name": one.name,
                    "Label": one.name,
                    "Type": kind,
                    "PermissionSetGroupId": one.id if prefix == "0PG" else None,
                    "IsOwnedByProfile": False,
                    **dict.fromkeys(POWERS, one.privileged),
                }

    def _permissionsetgroup(self) -> Iterator[Row]:
        return ({"Id": one.id, "DeveloperName": one.name, "MasterLabel": one.name} for one in self._of("0PG"))

    def _permissionsetassignment(self) -> Iterator[Row]:
        for prefix in ("0PS", "0PG"):
            for one in self._of(prefix):
                rights = one.more.get("rights", POWERS if one.privileged else ())
                told = {"IsOwnedByProfile": False, **{right: right in rights for right in RIGHTS}}
                for grant in self._application.holders(one.id):
                    yield {
                        "Id": _id("0Pa", grant.account_id, one.id),
                        "AssigneeId": grant.account_id,
                        "PermissionSetId": one.id if prefix == "0PS" else _id("0PS", one.id),
                        "PermissionSetGroupId": one.id if prefix == "0PG" else None,
                        "SystemModstamp": grant.since,
                        "PermissionSet": told,
                    }

    def _permissionsetlicense(self) -> Iterator[Row]:
        return ({"Id": one.id, "MasterLabel": one.name} for one in self._of("0PL"))

    def _permissionsetlicenseassign(self) -> Iterator[Row]:
        for one in self._of("0PL"):
            for grant in self._application.holders(one.id):
                yield {
                    "Id": _id("2LA", grant.account_id, one.id),
                    "AssigneeId": grant.account_id,
                    "PermissionSetLicenseId": one.id,
                    "SystemModstamp": grant.since,
                }

    def _userrole(self) -> Iterator[Row]:
        return ({"Id": one.id, "Name": one.name} for one in self._of("00E"))

    def _group(self) -> Iterator[Row]:
        for one in self._of("00G"):
            kind = "Queue" if one.kind == "queue" else "Regular"
            yield {"Id": one.id, "Name": one.name, "DeveloperName": one.name, "Type": kind}

    def _groupmember(self) -> Iterator[Row]:
        for one in self._of("00G"):
            for outer in one.more.get("within", ()):
                yield self._member(one.id, outer, None)
            for grant in self._application.holders(one.id):
                yield self._member(grant.account_id, one.id, grant.since)

    def _twofactormethodsinfo(self) -> Iterator[Row]:
        for account in self._application.accounts.values():
            if account.mfa is not None:
                yield {"UserId": account.id, **dict.fromkeys(_METHODS, False), "HasTotp": account.mfa}

    def _loginhistory(self) -> Iterator[Row]:
        for event in self._application.events:
            if event.kind in ("sign_in", "sign_in_failed", "token_used"):
                status = "Invalid Password" if event.kind == "sign_in_failed" else "Success"
                kind = "Remote Access 2.0" if event.kind == "token_used" else event.more.get("type", "Application")
                yield {
                    "Id": _id("0Ya", event.id),
                    "UserId": event.account_id,
                    "LoginTime": event.at,
                    "LoginType": kind,
                    "Status": status,
                }

    def _setupaudittrail(self) -> Iterator[Row]:
        for event in self._application.events:
            if (words := self._words(event)) is not None:
                yield {
                    "Id": _id("0Ym", event.id),
                    "Action": words[0],
                    "Section": "Manage Users",
                    "Display": words[1],
                    "CreatedDate": event.at,
                    "CreatedById": event.actor,
                }

    def _authsession(self) -> Iterator[Row]:
        for account in self._application.accounts.values():
            for one in account.more.get("sessions", ()):
                yield {"Id": one, "UsersId": account.id, "SessionType": "UI"}

    def _oauthtoken(self) -> Iterator[Row]:
        for one in self._application.credentials:
            yield {
                "Id": None,  # as at the vendor
                "AppName": one.name,
                "CreatedDate": one.created_at,
                "LastUsedDate": one.last_used_at,
                "UserId": one.account_id,
                "DeleteToken": delete_token(one.id),
            }

    def _words(self, event: SandboxEvent) -> tuple[str, str] | None:
        account = self._application.accounts.get(event.account_id or "")
        if account is None:
            return None
        if event.kind == "created":
            return "createduser", f"Created new user {account.name}"
        if event.kind in ("granted", "revoked"):
            held = self._application.entitlements.get(event.target or "")
            done = "assigned to" if event.kind == "granted" else "unassigned from"
            action = "PermSetAssign" if event.kind == "granted" else "PermSetUnassign"
            name = held.name if held else event.target
            return action, f"Permission set {name}: {done} user {account.name} (UserID: [{account.id[:15]}])"
        found = _TRAIL.get(event.kind)
        return (found[0], found[1].format(account.username)) if found else None

    def _profile_of(self, account: SandboxAccount) -> tuple[str, str, str, str, str]:
        usual = PROFILES.get(account.kind, PROFILES["human"])
        held = next(self._held(account, "00e"), None)
        return (held, self._application.entitlements[held].name, *usual[2:]) if held else usual

    def _held(self, account: SandboxAccount, prefix: str) -> Iterator[str]:
        grants = self._application.held(account.id)
        return (grant.entitlement_id for grant in grants if grant.entitlement_id.startswith(prefix))

    def _of(self, prefix: str) -> Iterator[Any]:
        return (one for one in self._application.entitlements.values() if one.id.startswith(prefix))

    def _member(self, inner: str, outer: str, since: datetime | None) -> Row:
        return {"Id": _id("011", inner, outer), "GroupId": outer, "UserOrGroupId": inner, "SystemModstamp": since}


def login_id(account_id: str) -> str:
    """The id of an account's login."""
    return _id("0Yw", account_id)


def delete_token(credential_id: str) -> str:
    """What revokes a token."""
    return f"delete-{hashlib.sha256(credential_id.encode()).hexdigest()}"


def _id(prefix: str, *parts: str) -> str:
    return prefix + hashlib.sha256("|".join(parts).encode()).hexdigest()[:12] + "AAA"
