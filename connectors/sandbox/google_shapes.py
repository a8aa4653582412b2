"""How Google writes down accounts, groups, roles and what happened; and its pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement, SandboxEvent

STOPPED: Final = ("suspended", "deactivated", "locked")
_REPORTED: Final = {  # kind of the sandbox -> report and name of the event
    "sign_in": ("login", "login_success"),
    "sign_in_failed": ("login", "login_failure"),
    "sso": ("saml", "login_success"),
    "token_used": ("token", "activity"),
    "created": ("admin", "CREATE_USER"),
    "provisioned": ("admin", "CREATE_USER"),
    "updated": ("admin", "CHANGE_USER_ORGANIZATION"),
    "deactivated": ("admin", "SUSPEND_USER"),
    "reactivated": ("admin", "UNSUSPEND_USER"),
    "deleted": ("admin", "DELETE_USER"),
}


def on_page(
    request: Request,
    key: str,
    items: list[Any],
    usual: int,
    most: int,
    *,
    kind: str = "",
    shape: Callable[[Any], dict[str, Any]] = lambda item: item,
) -> Response:
    """One page; the key is left out where there is nothing, as Google does."""
    query = request.query_params
    size = min(int(query.get("maxResults", usual)), most)
    start = int(query["pageToken"].removeprefix("page-")) if "pageToken" in query else 0
    page = [shape(item) for item in items[start : start + size]]
    following = {"nextPageToken": f"page-{start + size}"} if start + size < len(items) else {}
    told = {"kind": kind or f"admin#directory#{key}", "etag": '"sandbox"'}
    return JSONResponse({**told, **({key: page} if page else {}), **following})


def user_shape(application: SandboxApplication, account: SandboxAccount) -> dict[str, Any]:
    """An account of the Directory API."""
    stopped = account.status in STOPPED
    roles = {g.entitlement_id for g in application.held(account.id)}
    admin = [e for e in application.entitlements.values() if e.id in roles and e.kind == "role"]
    shape: dict[str, Any] = {
        "kind": "admin#directory#user",
        "id": account.id,
        "etag": '"sandbox"',
        "primaryEmail": account.username,
        "name": {"givenName": account.given, "familyName": account.family, "fullName": account.name},
        "isAdmin": any(e.privileged for e in admin),
        "isDelegatedAdmin": bool(admin) and not any(e.privileged for e in admin),
        "isGuestUser": account.kind == "guest",
        "lastLoginTime": instant(account.last_seen_at or datetime(1970, 1, 1, tzinfo=UTC)),
        "creationTime": instant(account.created_at),
        "agreedToTerms": account.last_seen_at is not None,
        "suspended": stopped,
        "archived": bool(account.more.get("archived", False)),
        "orgUnitPath": "/",
        "aliases": list(account.more.get("aliases", ())),
        "organizations": [{"primary": True, "department": account.department, "title": account.title}],
        "customerId": "C0sandbox",
    }
    if account.mfa is not None:
        shape |= {"isEnrolledIn2Sv": account.mfa, "isEnforcedIn2Sv": False}
    if stopped:
        shape["suspensionReason"] = "ADMIN"
    if account.employee_id:
        shape["externalIds"] = [{"value": account.employee_id, "type": "organization"}]
    if account.status == "deleted":
        shape["deletionTime"] = instant(application.now())
    return shape


def group_shape(application: SandboxApplication, group: SandboxEntitlement) -> dict[str, Any]:
    """A group."""
    return {
        "kind": "admin#directory#group",
        "id": group.id,
        "etag": '"sandbox"',
        "email": group_address(group),
        "name": group.name,
        "directMembersCount": str(len(application.holders(group.id))),
        "adminCreated": True,
    }


def group_address(group: SandboxEntitlement) -> str:
    """The e-mail of a group."""
    return str(group.more.get("email") or f"{group.name.lower().replace(' ', '-')}@nwl.example")


def member_shapes(application: SandboxApplication, group_id: str) -> list[dict[str, Any]]:
    """Accounts that are direct members, and groups inside."""
    group = application.entitlements[group_id]
    ranks = group.more.get("ranks", {})
    people = [
        {
            "kind": "admin#directory#member",
            "id": grant.account_id,
            "email": application.accounts[grant.account_id].username,
            "role": ranks.get(grant.account_id, "MEMBER"),
            "type": "USER",
            "status": "SUSPENDED" if application.accounts[grant.account_id].status in STOPPED else "ACTIVE",
        }
        for grant in application.holders(group_id)
        if application.accounts[grant.account_id].status != "deleted"
    ]
    inside = [
        {"kind": "admin#directory#member", "id": other, "role": "MEMBER", "type": "GROUP", "status": "ACTIVE"}
        for other in group.more.get("members", ())
    ]
    everybody = [{"kind": "admin#directory#member", "id": "C0sandbox", "role": "MEMBER", "type": "CUSTOMER"}]
    return [*people, *inside, *(everybody if group.more.get("everybody") else [])]


def role_shape(role: SandboxEntitlement) -> dict[str, Any]:
    """A role of administrators."""
    return {
        "kind": "admin#directory#role",
        "etag": '"sandbox"',
        "roleId": role.id,
        "roleName": role.name,
        "isSystemRole": True,
        "isSuperAdminRole": role.privileged,
        "rolePrivileges": [{"privilegeName": "USERS_RETRIEVE", "serviceId": "00haapch16h1ysv"}],
    }


def assignments(application: SandboxApplication) -> list[dict[str, Any]]:
    """Which account or group has which role."""
    found = []
    for role in application.entitlements.values():
        if role.kind != "role":
            continue
        holders = [(g.account_id, "user") for g in application.holders(role.id)]
        for holder, kind in [*holders, *((group, "group") for group in role.more.get("groups", ()))]:
            unit = role.more.get("unit")
            found.append(
                {
                    "kind": "admin#directory#roleAssignment",
                    "roleAssignmentId": _number(f"{role.id}/{holder}"),
                    "roleId": role.id,
                    "assignedTo": holder,
                    "assigneeType": kind,
                    **({"scopeType": "ORG_UNIT", "orgUnitId": unit} if unit else {"scopeType": "CUSTOMER"}),
                }
            )
    return found


def token_shapes(application: SandboxApplication, account_id: str, listed: str) -> list[dict[str, Any]]:
    """Credentials of kind oauth_grant and token as tokens, of kind app_password as app passwords."""
    held = [c for c in application.credentials if c.account_id == account_id]
    if listed == "tokens":
        return [
            {
                "kind": "admin#directory#token",
                "userKey": account_id,
                "clientId": c.id,
                "displayText": c.name,
                "scopes": [],
            }
            for c in held
            if c.kind != "app_password"
        ]
    return [
        {
            "kind": "admin#directory#asp",
            "userKey": account_id,
            "codeId": int(c.id.rpartition("-")[2]),
            "name": c.name,
            "creationTime": str(int(c.created_at.timestamp())),
            "lastTimeUsed": str(int(c.last_used_at.timestamp())) if c.last_used_at else "0",
        }
        for c in held
        if c.kind == "app_password"
    ]


def activities(application: SandboxApplication, report: str, start: datetime, name: str | None) -> list[dict[str, Any]]:
    """What happened, newest first."""
    found = []
    for event in sorted(application.events, key=lambda e: (e.at, e.id), reverse=True):
        told = _reported(application, event)
        if event.at < start or told is None or told[0] != report or (name is not None and told[1] != name):
            continue
        actor = application.accounts.get(event.actor or "")
        if report != "admin":
            actor = application.accounts.get(event.account_id or "")
        who = (
            {"callerType": "USER", "email": actor.username, "profileId": actor.id}
            if actor
            else {"callerType": "KEY", "key": event.actor}
        )
        found.append(
            {
                "kind": "admin#reports#activity",
                "id": {
                    "time": instant(event.at),
                    "uniqueQualifier": _number(event.id),
                    "applicationName": report,
                    "customerId": "C0sandbox",
                },
                "actor": {key: value for key, value in who.items() if value is not None},
                "events": [{"type": report, "name": told[1], "parameters": told[2]}],
            }
        )
    return found


def instant(at: datetime) -> str:
    """An instant with milliseconds, as Google writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _reported(application: SandboxApplication, event: SandboxEvent) -> tuple[str, str, list[dict[str, str]]] | None:
    about = application.accounts.get(event.account_id or "")
    parameters = [{"name": "USER_EMAIL", "value": about.username}] if about else []
    if event.kind in ("granted", "revoked"):
        what = application.entitlements.get(event.target or "")
        if what is None:
            return None
        if what.kind == "group":
            verb = "ADD_GROUP_MEMBER" if event.kind == "granted" else "REMOVE_GROUP_MEMBER"
            return "admin", verb, [*parameters, {"name": "GROUP_EMAIL", "value": group_address(what)}]
        verb = "ASSIGN_ROLE" if event.kind == "granted" else "UNASSIGN_ROLE"
        return "admin", verb, [*parameters, {"name": "ROLE_NAME", "value": what.name}]
    if event.kind not in _REPORTED:
        return None
    report, name = _REPORTED[event.kind]
    if report == "saml":
        return (
            report,
            name if event.success else "login_failure",
            [{"name": "application_name", "value": event.target or ""}],
        )
    if report == "login":
        return report, name, [{"name": "login_type", "value": "saml" if event.more.get("saml") else "google_password"}]
    return report, name, parameters


def _number(text: str) -> str:
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big"))
