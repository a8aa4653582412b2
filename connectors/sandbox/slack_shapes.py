"""How Slack writes down members, user groups, sign-ins and entries of the audit log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from connectors.sandbox.discovery import LIST
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement, SandboxEvent

OFF: Final = ("suspended", "deactivated")
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_ACTIONS: Final = {
    "sign_in": "user_login",
    "sign_in_failed": "user_login_failed",
    "created": "user_created",
    "provisioned": "user_created",
    "deactivated": "user_deactivated",
    "deleted": "user_deactivated",
    "reactivated": "user_reactivated",
    "updated": "user_channel_join",
}


def flags(application: SandboxApplication, account: SandboxAccount) -> set[str]:
    """What the roles of an account are as flags of a member."""
    held = (application.entitlements[g.entitlement_id] for g in application.held(account.id))
    found = {str(role.more.get("flag", "is_admin")) for role in held if role.kind == "role" and role.privileged}
    if application.settings.get("primary_owner") == account.id:
        found |= {"is_primary_owner", "is_owner"}
    return found | ({"is_admin"} if found & {"is_owner", "is_primary_owner"} else set())


def member(application: SandboxApplication, account: SandboxAccount, *, email: bool) -> dict[str, Any]:
    """A member of users.list."""
    team = str(application.settings.get("team_id", "T0SANDBOX"))
    off = account.status in OFF
    shape: dict[str, Any] = {
        "id": account.id,
        "team_id": team,
        "name": account.username.partition("@")[0],
        "deleted": off,
        "is_bot": account.kind == "bot",
        "is_app_user": False,
        "updated": int(account.created_at.timestamp()),
        "real_name": account.name,
        "profile": {
            "avatar_hash": "ge3b51ca72de",
            "display_name": account.given,
            "display_name_normalized": account.given,
            "fields": {},
            "phone": "",
            "real_name": account.name,
            "real_name_normalized": account.name,
            "skype": "",
            "status_emoji": "",
            "status_text": "",
            "title": account.title or "",
            "team": team,
            **({"email": account.email} if email and account.email else {}),
        },
    }
    if not off:
        held = flags(application, account)
        several = ("is_admin", "is_owner", "is_primary_owner")
        shape |= {flag: flag in held for flag in several}
        shape |= {
            "is_restricted": account.kind == "guest",
            "is_ultra_restricted": bool(account.more.get("one_channel")),
        }
        if account.status == "pending":
            shape["is_invited_user"] = True
        if account.more.get("stranger"):
            shape["is_stranger"] = True
        if account.mfa is not None:
            shape["has_2fa"] = account.mfa
    return shape


def user_group(application: SandboxApplication, group: SandboxEntitlement) -> dict[str, Any]:
    """A user group with its members."""
    made = 1_700_000_000
    return {
        "id": group.id,
        "team_id": str(application.settings.get("team_id", "T0SANDBOX")),
        "is_usergroup": True,
        "is_subteam": True,
        "is_external": False,
        "name": group.name,
        "description": "",
        "handle": group.name.lower().replace(" ", "-"),
        "date_create": made,
        "date_update": made,
        "date_delete": int(group.more.get("date_delete", 0)),
        "auto_type": None,
        "auto_provision": False,
        "enterprise_subteam_id": "",
        "created_by": next(iter(application.accounts)),
        "updated_by": next(iter(application.accounts)),
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
        "users": [g.account_id for g in application.holders(group.id)],
        "user_count": len(application.holders(group.id)),
    }


def logins(application: SandboxApplication) -> list[dict[str, Any]]:
    """The access log, newest first."""
    seen = [a for a in application.accounts.values() if a.last_seen_at is not None]
    seen.sort(key=lambda a: a.last_seen_at or datetime.min.replace(tzinfo=UTC), reverse=True)
    return [
        {
            "user_id": account.id,
            "username": account.username.partition("@")[0],
            "date_first": int(account.created_at.timestamp()),
            "date_last": int(account.last_seen_at.timestamp()) if account.last_seen_at else 0,
            "count": 7,
            "ip": "192.0.2.7",
            "user_agent": "Slack desktop",
            "isp": "Example",
            "country": "DE",
            "region": "BE",
        }
        for account in seen
    ]


def scim_user(application: SandboxApplication, account: SandboxAccount) -> dict[str, Any]:
    """A member over SCIM."""
    made = account.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    extension = {"employeeNumber": account.employee_id, "department": account.department}
    groups = [application.entitlements[g.entitlement_id] for g in application.held(account.id)]
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "id": account.id,
        "userName": account.username.partition("@")[0],
        "displayName": account.name,
        "name": {"givenName": account.given, "familyName": account.family},
        "active": account.status not in OFF,
        "emails": [{"value": account.email or "", "primary": True}],
        "groups": [{"value": g.id, "display": g.name} for g in groups if g.more.get("idp")],
        **({"externalId": account.external_id} if account.external_id else {}),
        ENTERPRISE: {key: value for key, value in extension.items() if value},
        "meta": {"resourceType": "User", "created": made, "lastModified": made},
    }


def scim_list(found: list[Any], shape: Callable[[Any], dict[str, Any]], start: int, size: int) -> dict[str, Any]:
    """One page of a SCIM list, shaped only now."""
    page = [shape(one) for one in found[start - 1 : start - 1 + size]]
    told = {"schemas": [LIST], "totalResults": len(found), "startIndex": start, "itemsPerPage": len(page)}
    return {**told, "Resources": page}


def audit_entry(application: SandboxApplication, event: SandboxEvent) -> dict[str, Any] | None:
    """An entry of the audit log; None for what it does not tell."""
    action = _ACTIONS.get(event.kind)
    if event.kind == "granted":
        role = application.entitlements.get(event.target or "")
        flag = str(role.more.get("flag", "is_admin")) if role and role.kind == "role" else ""
        action = {"is_admin": "role_change_to_admin", "is_owner": "role_change_to_owner"}.get(flag)
    if action is None:
        return None
    about = application.accounts.get(event.account_id or "")
    if action == "user_created" and about and about.kind == "guest":
        action = "guest_created"
    actor = application.accounts.get(event.actor or "")
    return {
        "id": event.id,
        "date_create": int(event.at.timestamp()),
        "action": action,
        "actor": {"type": "user", "user": _who(actor) if actor else {"id": "USLACKUSER", "name": event.actor or ""}},
        "entity": {"type": "user", "user": _who(about)} if about else {"type": "workspace"},
        "context": {"location": {"type": "workspace", "id": "T0SANDBOX"}, "ua": "", "ip_address": "192.0.2.7"},
    }


def _who(account: SandboxAccount) -> dict[str, str]:
    return {"id": account.id, "name": account.name, "email": account.email or "", "team": "T0SANDBOX"}
