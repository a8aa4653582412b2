"""How Okta writes down users, groups, applications, roles, factors and what happened; and its pages."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse

from connectors.sandbox.ledger import Ledger
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxCredential, SandboxEvent
from connectors.sandbox.shaped import Shaped

STATUS: Final = {
    "active": "ACTIVE",
    "suspended": "SUSPENDED",
    "deactivated": "DEPROVISIONED",
    "pending": "PROVISIONED",
    "locked": "LOCKED_OUT",
}
GROUPS: Final = ("group",)
APPLICATIONS: Final = ("application", "licence")
_EVENT: Final = {
    "sign_in": "user.session.start",
    "sign_in_failed": "user.session.start",
    "sso": "user.authentication.sso",
    "created": "user.lifecycle.create",
    "updated": "user.account.update_profile",
    "deactivated": "user.lifecycle.suspend",
    "reactivated": "user.lifecycle.unsuspend",
    "deleted": "user.lifecycle.delete.completed",
    "provisioned": "application.provision.user.push",
    "deprovisioned": "application.provision.user.deactivate",
}
_MEMBERSHIP: Final = {"granted": "add", "revoked": "remove"}
_PRIVILEGE: Final = {"granted": "grant", "revoked": "revoke"}


class Counters:
    """Requests by kind and minute, told in the headers of every answer. Nobody is refused: that is a fault's task."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._asked: Counter[tuple[str, int]] = Counter()

    def headers(self, path: str) -> dict[str, str]:
        """What Okta tells beside an answer."""
        told_at = parsedate_to_datetime(formatdate(usegmt=True))  # what the Date header of the answer will say
        minute = int(told_at.timestamp() // 60)
        kind = "/".join(path.split("/")[:5])
        self._asked[kind, minute] += 1
        left = max(self._limit - self._asked[kind, minute], 1)
        told = {"Limit": self._limit, "Remaining": left, "Reset": (minute + 1) * 60}
        return {f"X-Rate-Limit-{name}": str(value) for name, value in told.items()}


def page(request: Request, rows: list[dict[str, Any]] | Shaped, usual: int, most: int) -> JSONResponse:
    """One page of a list; the next one is in the Link header."""
    query = request.query_params
    size = max(1, min(int(query.get("limit", usual)), most))
    start = int(query["after"].removeprefix("cursor")) if "after" in query else 0
    links = [f'<{request.url}>; rel="self"']
    if start + size < len(rows):
        links.append(f'<{following(request, f"cursor{start + size}")}>; rel="next"')
    return JSONResponse(rows[start : start + size], headers={"Link": ", ".join(links)})


def following(request: Request, after: str) -> str:
    """The address of the next page."""
    path = request.url.path.removeprefix(request.scope.get("app_root_path", "")).lstrip("/")
    return f"{request.base_url}{path}?{urlencode({**request.query_params, 'after': after})}"


def instant(value: datetime | None) -> str | None:
    """An instant as Okta writes it."""
    return None if value is None else value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def status(account: SandboxAccount) -> str:
    """The status Okta tells."""
    return str(account.more.get("status") or STATUS[account.status])


def facts(account: SandboxAccount) -> Any:
    """What of a user counts as a change of it; signing in does not."""
    if account.status == "deleted":
        return account.status
    told = user(None, account, None)
    return status(account), sorted(told["profile"].items()), told["credentials"]


def user(request: Request | None, account: SandboxAccount, changed_at: datetime | None) -> dict[str, Any]:
    """A user; `changed_at`: when it changed last."""
    created = instant(account.created_at)
    profile: dict[str, Any] = {
        "login": account.username,
        "email": account.email,
        "firstName": account.given,
        "lastName": account.family,
    }
    more = {
        "department": account.department,
        "title": account.title,
        "employeeNumber": account.employee_id,
        "managerId": account.manager_id,
        "userType": None if account.kind == "human" else account.kind,
    }
    profile |= {name: value for name, value in more.items() if value is not None}
    provider = "FEDERATION" if account.managed_by == "jit" else "OKTA"
    return {
        "id": account.id,
        "status": status(account),
        "created": created,
        "activated": None if account.status == "pending" else created,
        "statusChanged": created,
        "lastLogin": instant(account.last_seen_at),
        "lastUpdated": instant(changed_at) or created,
        "passwordChanged": None,
        "type": {"id": "otyfnjfba4ye7pgjB0g4"},
        "profile": profile,
        "credentials": {"provider": {"type": provider, "name": provider}},
        "_links": {"self": {"href": f"{request.base_url if request else '/'}api/v1/users/{account.id}"}},
    }


def members(application: SandboxApplication, group_id: str) -> list[str]:
    """Who is in a group."""
    held = (g.account_id for g in application.holders(group_id))
    return [i for i in held if i in application.accounts and application.accounts[i].status != "deleted"]


def asked_for(expression: str, accounts: list[SandboxAccount], ledger: Ledger) -> list[SandboxAccount] | None:
    """Who passes a filter of users; None for a filter that is not understood. Without one deactivated users do not."""
    if not expression:
        return [a for a in accounts if a.status != "deactivated"]
    if wanted := re.fullmatch(r'status eq "([A-Z_]+)"', expression):
        return [a for a in accounts if status(a) == wanted[1]]
    if wanted := re.fullmatch(r'lastUpdated ge "([0-9T:.-]+Z)"', expression):
        since = datetime.fromisoformat(wanted[1])
        return [a for a in accounts if ledger.at("accounts", a.id) >= since]
    if re.fullmatch(r'id eq "\w+"( or id eq "\w+")*', expression):
        ids = set(re.findall(r'"(\w+)"', expression))
        return [a for a in accounts if a.id in ids]
    return None


def group(
    application: SandboxApplication, group_id: str, *, stats: bool, changed_at: datetime | None = None
) -> dict[str, Any]:
    """A group; `stats` with how many are in it, `changed_at`: when somebody came or went last."""
    found = application.entitlements[group_id]
    kind = found.more.get("type") or ("BUILT_IN" if found.name == "Everyone" else "OKTA_GROUP")
    long_ago = "2024-01-15T09:00:00.000Z"
    shape: dict[str, Any] = {
        "id": found.id,
        "created": long_ago,
        "lastUpdated": long_ago,
        "lastMembershipUpdated": instant(changed_at) or long_ago,
        "objectClass": ["okta:user_group"],
        "type": kind,
        "profile": {"name": found.name, "description": ""},
    }
    if stats:
        told = {"usersCount": len(members(application, group_id)), "appsCount": 0, "groupPushMappingsCount": 0}
        shape["_embedded"] = {"stats": {**told, "hasAdminPrivlege": bool(found.more.get("roles"))}}
    return shape


def role(application: SandboxApplication, role_id: str, since: datetime, how: str, assignee: str) -> dict[str, Any]:
    """The assignment of a role; one whose `more` names a standard type is of that type, others are custom."""
    found = application.entitlements[role_id]
    kind = str(found.more.get("type") or "CUSTOM")
    shape: dict[str, Any] = {
        "id": f"{'g' if how == 'group' else ''}ra1{role_id[-8:]}{assignee[-8:]}",
        "label": found.name,
        "type": kind,
        "status": "ACTIVE",
        "created": instant(since),
        "lastUpdated": instant(since),
        "assignmentType": "GROUP" if how == "group" else "USER",
    }
    return {**shape, "role": role_id, "resource-set": "iamoJDFKaJxGIr0oamd9g"} if kind == "CUSTOM" else shape


def app(application: SandboxApplication, app_id: str) -> dict[str, Any]:
    """An application behind Okta."""
    found = application.entitlements[app_id]
    return {
        "id": app_id,
        "name": re.sub(r"[^a-z0-9]+", "_", found.name.lower()),
        "label": found.name,
        "status": "ACTIVE",
        "created": "2024-01-15T09:00:00.000Z",
        "lastUpdated": "2024-01-15T09:00:00.000Z",
        "signOnMode": found.more.get("sign_on", "SAML_2_0"),
        "features": list(found.more.get("features", ())),
    }


def assigned(account: SandboxAccount, since: datetime, how: str) -> dict[str, Any]:
    """A user assigned to an application."""
    return {
        "id": account.id,
        "scope": "GROUP" if how == "group" else "USER",
        "status": "PROVISIONED" if account.managed_by == "scim" else "ACTIVE",
        "syncState": "DISABLED",
        "created": instant(since),
        "lastUpdated": instant(since),
        "credentials": {"userName": account.username},
        "profile": {"email": account.email or ""},
    }


def factors(account: SandboxAccount) -> list[dict[str, Any]]:
    """The enrolled factors: an e-mail always, and a second one where there is one."""
    enrolled = ["email", *(["push"] if account.mfa else [])]
    return [
        {
            "id": f"{kind[:3]}{account.id[3:]}",
            "factorType": kind,
            "provider": "OKTA",
            "vendorName": "OKTA",
            "status": "ACTIVE",
            "created": instant(account.created_at),
            "lastUpdated": instant(account.created_at),
        }
        for kind in enrolled
    ]


def consent(held: SandboxCredential) -> dict[str, Any]:
    """A consent a user gave to a program."""
    return {
        "id": held.id,
        "status": "ACTIVE",
        "created": instant(held.created_at),
        "lastUpdated": instant(held.created_at),
        "clientId": held.name,
        "userId": held.account_id,
        "scopeId": "offline_access",
        "source": "END_USER",
    }


def token(held: SandboxCredential) -> dict[str, Any]:
    """An API token."""
    return {
        "id": held.id,
        "name": held.name,
        "userId": held.account_id,
        "clientName": "Okta API",
        "tokenWindow": "P30D",
        "network": {"connection": "ANYWHERE"},
        "created": instant(held.created_at),
        "lastUpdated": instant(held.last_used_at or held.created_at),
        "expiresAt": instant(held.expires_at),
    }


def provider(name: str, actions: dict[str, str]) -> dict[str, Any]:
    """An identity provider before Okta, with what it does to closed accounts that come by."""
    conditions = {status: {"action": actions.get(status, "NONE")} for status in ("suspended", "deprovisioned")}
    policy = {"provisioning": {"action": "AUTO", "groups": {"action": "NONE"}, "conditions": conditions}}
    return {"id": f"0oa{name}", "type": "SAML2", "name": name, "status": "ACTIVE", "policy": policy}


def happened(application: SandboxApplication, event: SandboxEvent) -> dict[str, Any] | None:
    """An event of the System Log; None for what it does not hold."""
    name, targets = _named(application, event)
    if name is None:
        return None
    actor = application.accounts.get(event.actor or "")
    about = application.accounts.get(event.account_id or "")
    if about is not None and name not in ("user.session.start", "user.authentication.sso"):
        targets.append(_told(about.id, "User", about.username, about.name) | _changed(event))
    elif about is not None:
        actor = about
    return {
        "uuid": event.id,
        "published": instant(event.at),
        "eventType": name,
        "version": "0",
        "severity": "INFO" if event.success is not False else "WARN",
        "displayMessage": name,
        "actor": _told(actor.id, "User", actor.username, actor.name)
        if actor
        else _told("unknown" if name == "user.session.start" else "1", "SystemPrincipal", "system", "Okta System"),
        "target": targets,
        "outcome": {"result": "FAILURE" if event.success is False else "SUCCESS"},
        "transaction": {"type": "WEB", "id": event.id},
    }


def _changed(event: SandboxEvent) -> dict[str, Any]:
    changes = event.more.get("changes") or ()
    sides = {"from": {name: old for name, old, _ in changes}, "to": {name: new for name, _, new in changes}}
    return {"changeDetails": sides} if changes else {}


def _named(application: SandboxApplication, event: SandboxEvent) -> tuple[str | None, list[dict[str, Any]]]:
    """What Okta calls it, and what it was done with."""
    if event.kind in _MEMBERSHIP:
        found = application.entitlements.get(event.target or "")
        if found is None:
            return None, []
        if found.kind in GROUPS:
            return f"group.user_membership.{_MEMBERSHIP[event.kind]}", [_told(found.id, "UserGroup", "x", found.name)]
        if found.kind in APPLICATIONS:
            told = [_told(found.id, "AppInstance", found.name, found.name)]
            return f"application.user_membership.{_MEMBERSHIP[event.kind]}", told
        return f"user.account.privilege.{_PRIVILEGE[event.kind]}", [_told("role", "ROLE", "role", found.name)]
    name = str(event.more["okta"]) if "okta" in event.more else _EVENT.get(event.kind)
    if event.kind in ("sso", "provisioned", "deprovisioned"):
        return name, [_told("0oa" + (event.target or "")[:17], "AppInstance", event.target or "", event.target or "")]
    return name, []


def _told(id_: str, kind: str, alternate: str, name: str) -> dict[str, Any]:
    return {"id": id_, "type": kind, "alternateId": alternate, "displayName": name}
