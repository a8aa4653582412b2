"""How Microsoft Graph writes down users, groups, roles, applications and what happened; and its pages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse

from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement, SandboxEvent
from connectors.sandbox.shaped import Shaped

GROUPS: Final = ("group",)
APPLICATIONS: Final = ("application", "licence")
DEFAULT_ROLE: Final = "00000000-0000-0000-0000-000000000000"
_AUDITED: Final = {
    "created": "Add user",
    "updated": "Update user",
    "deactivated": "Disable account",
    "reactivated": "Enable account",
    "deleted": "Delete user",
}
_GIVEN: Final = {
    "group": ("Add member to group", "Remove member from group"),
    "app": ("Add app role assignment grant to user", "Remove app role assignment from user"),
    "role": ("Add member to role", "Remove member from role"),
}


def page(request: Request, rows: list[dict[str, Any]] | Shaped, usual: int, most: int) -> JSONResponse:
    """One page of a list, with the address of the next one."""
    query = request.query_params
    size = max(1, min(int(query.get("$top", usual)), most))
    start = int(query["$skiptoken"].removeprefix("skip")) if "$skiptoken" in query else 0
    told: dict[str, Any] = {"@odata.context": f"{request.base_url}v1.0/$metadata", "value": rows[start : start + size]}
    if start + size < len(rows):
        told["@odata.nextLink"] = link(request, None, **{"$skiptoken": f"skip{start + size}"})
    return JSONResponse(told)


def link(request: Request, only: Mapping[str, str] | None, **changed: str) -> str:
    """The address of this request with other parameters; `only`: all those that stay."""
    path = request.url.path.removeprefix(request.scope.get("app_root_path", "")).lstrip("/")
    return f"{request.base_url}{path}?{urlencode({**(request.query_params if only is None else only), **changed})}"


def instant(value: datetime | None) -> str | None:
    """An instant as Graph writes it."""
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def user(request: Request, account: SandboxAccount) -> dict[str, Any]:
    """A user with the properties that were asked for."""
    deleted = account.status == "deleted"
    more = account.more
    seen = instant(account.last_seen_at)
    whole: dict[str, Any] = {
        "id": account.id,
        "displayName": account.name,
        "userPrincipalName": (account.id.replace("-", "") if deleted else "") + account.username,
        "mail": None if account.kind == "guest" else account.email,
        "otherMails": [account.email] if account.kind == "guest" and account.email else [],
        "accountEnabled": account.status in ("active", "pending", "locked", "deleted"),
        "userType": "Guest" if account.kind == "guest" else "Member",
        "createdDateTime": instant(account.created_at),
        "employeeId": account.employee_id,
        "department": account.department,
        "jobTitle": account.title,
        "onPremisesSyncEnabled": True if more.get("on_premises") else None,
        "isResourceAccount": True if account.kind == "shared" else None,
        "externalUserState": "PendingAcceptance" if account.status == "pending" else None,
        "deletedDateTime": "2026-11-01T00:00:00Z" if deleted else None,
    }
    if "activity" in more:
        whole["signInActivity"] = more["activity"]
    elif seen or "failed_at" in more:
        failed = more.get("failed_at")
        whole["signInActivity"] = {
            "lastSignInDateTime": instant(failed) or seen,
            "lastNonInteractiveSignInDateTime": seen,
            "lastSuccessfulSignInDateTime": seen,
        }
    wanted = request.query_params.get("$select")
    names = set(wanted.split(",")) if wanted else set(whole)
    return {name: value for name, value in whole.items() if name in names or name == "id"}


def group(found: SandboxEntitlement) -> dict[str, Any]:
    """A group."""
    return {
        "id": found.id,
        "displayName": found.name,
        "groupTypes": ["DynamicMembership"] if found.more.get("dynamic") or found.more.get("rule") else [],
        "membershipRule": found.more.get("rule"),
        "membershipRuleProcessingState": "On" if found.more.get("rule") else None,
        "securityEnabled": True,
        "mailEnabled": False,
        "isAssignableToRole": bool(found.more.get("roles")) or None,
        "onPremisesSyncEnabled": True if found.more.get("on_premises") else None,
    }


def definition(found: SandboxEntitlement) -> dict[str, Any]:
    """A directory role."""
    built_in = found.more.get("built_in", found.name.endswith(("Administrator", "Reader")))
    return {
        "id": found.id,
        "displayName": found.name,
        "isBuiltIn": bool(built_in),
        "isEnabled": True,
        "templateId": found.id,
    }


def application_row(found: SandboxEntitlement) -> dict[str, Any]:
    """An application as a service principal."""
    return {
        "id": found.id,
        "appId": found.id,
        "displayName": found.name,
        "appRoles": [
            {"id": i, "displayName": name, "isEnabled": True, "allowedMemberTypes": ["User"], "value": name}
            for i, name in found.more.get("app_roles", {}).items()
        ],
    }


def assigned(found: SandboxEntitlement, principal: str, kind: str, since: datetime | None) -> dict[str, Any]:
    """Somebody assigned to an application."""
    return {
        "id": f"{found.id[:8]}{principal[-12:]}",
        "appRoleId": found.more.get("app_role_of", {}).get(principal, DEFAULT_ROLE),
        "createdDateTime": instant(since),
        "principalId": principal,
        "principalType": kind,
        "resourceId": found.id,
        "resourceDisplayName": found.name,
    }


def registered(account: SandboxAccount) -> dict[str, Any]:
    """What multi-factor methods an account has."""
    has = bool(account.mfa)
    return {
        "id": account.id,
        "userPrincipalName": account.username,
        "userDisplayName": account.name,
        "userType": "guest" if account.kind == "guest" else "member",
        "isAdmin": False,
        "isMfaRegistered": has,
        "isMfaCapable": has,
        "isPasswordlessCapable": False,
        "isSsprCapable": False,
        "isSsprEnabled": False,
        "isSsprRegistered": False,
        "methodsRegistered": ["microsoftAuthenticatorPush"] if has else [],
        "lastUpdatedDateTime": instant(account.created_at),
    }


def signed_in(application: SandboxApplication) -> Iterator[dict[str, Any]]:
    """The log of sign-ins, newest first."""
    for event in reversed(application.events):
        if event.kind in ("sign_in", "sign_in_failed", "sso"):
            who = application.accounts.get(event.account_id or "")
            yield {
                "id": event.id,
                "createdDateTime": instant(event.at),
                "userId": event.account_id or DEFAULT_ROLE,
                "userDisplayName": who.name if who else None,
                "userPrincipalName": who.username if who else None,
                "appDisplayName": event.target,
                "isInteractive": True,
                "status": {"errorCode": 50126 if event.kind == "sign_in_failed" else 0, "failureReason": None},
            }


def audited(application: SandboxApplication) -> Iterator[dict[str, Any]]:
    """The audit log, newest first."""
    for event in reversed(application.events):
        name, targets = _change(application, event)
        if name:
            actor = application.accounts.get(event.actor or "")
            by: dict[str, Any] = {"app": {"displayName": event.actor or "Microsoft"}}
            if actor is not None:
                by = {"user": {"id": actor.id, "displayName": actor.name, "userPrincipalName": actor.username}}
            yield {
                "id": event.id,
                "category": "UserManagement",
                "activityDisplayName": name,
                "activityDateTime": instant(event.at),
                "result": "failure" if event.success is False else "success",
                "loggedByService": "Core Directory",
                "additionalDetails": [],
                "initiatedBy": by,
                "targetResources": targets,
            }


def pushed(application: SandboxApplication) -> Iterator[dict[str, Any]]:
    """What was pushed to applications, newest first."""
    for event in reversed(application.events):
        if event.kind == "provisioned":
            yield {
                "id": event.id,
                "activityDateTime": instant(event.at),
                "provisioningAction": "update" if event.more.get("changes") else "create",
                "provisioningStatusInfo": {"status": "failure" if event.success is False else "success"},
                "servicePrincipal": {"id": event.target, "displayName": event.target},
                "sourceIdentity": {"id": event.account_id, "identityType": "User"},
                "initiatedBy": {"id": "", "displayName": "Azure AD Provisioning Service"},
                "modifiedProperties": _modified(event),
                "provisioningSteps": [],
            }


def _modified(event: SandboxEvent, *, listed: bool = False) -> list[dict[str, Any]]:
    """What was changed; the directory's own log puts each value into a list, as JSON in a text."""
    changes = event.more.get("changes") or ()

    def value(told: str | None) -> str | None:
        return json.dumps([] if told is None else [told]) if listed else told

    found = [{"displayName": n, "oldValue": value(old), "newValue": value(new)} for n, old, new in changes]
    if listed and found:
        names = ", ".join(name for name, _, _ in changes)
        found.append({"displayName": "Included Updated Properties", "oldValue": None, "newValue": json.dumps(names)})
    return found


def _change(application: SandboxApplication, event: SandboxEvent) -> tuple[str | None, list[dict[str, Any]]]:
    who = application.accounts.get(event.account_id or "")
    about = {"id": event.account_id, "type": "User", "userPrincipalName": who.username if who else None}
    if event.kind not in ("granted", "revoked"):
        return _AUDITED.get(event.kind), [{**about, "modifiedProperties": _modified(event, listed=True)}]
    found = application.entitlements.get(event.target or "")
    if found is None:
        return None, []
    kind = "group" if found.kind in GROUPS else "app" if found.kind in APPLICATIONS else "role"
    name = _GIVEN[kind][event.kind == "revoked"]
    value = "oldValue" if event.kind == "revoked" else "newValue"
    if kind == "app":
        return name, [{"id": found.id, "type": "ServicePrincipal", "modifiedProperties": []}, about]
    told = {"group": "Group.ObjectID", "role": "Role.TemplateId"}[kind]
    return name, [{**about, "modifiedProperties": [{"displayName": told, value: f'"{found.id}"'}]}]
