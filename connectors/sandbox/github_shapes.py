"""How GitHub writes down people, teams, roles, credentials, licences and what happened."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any, Final

from connectors.sandbox.discovery import LIST
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement, SandboxEvent

SITE: Final = "https://api.github.example"
TEAMS: Final = ("group", "team")  # kinds of entitlements of the sandbox that are teams
IN: Final = ("active", "pending")  # of managed accounts: whoever SCIM has not switched off
_ACTIONS: Final = {
    "created": "org.add_member",
    "deleted": "org.remove_member",
    "provisioned": "external_identity.provision",
    "updated": "external_identity.update",
    "deactivated": "user.suspend",
    "reactivated": "user.unsuspend",
    "sign_in": "org.sso_response",
    "sign_in_failed": "user.failed_login",
    "token_used": "git.clone",
}


def scim_id(account_id: str) -> str:
    """The id of SCIM for an account of the sandbox."""
    return f"7fce0092-d52e-4f76-b727-{int(account_id):012d}"


def login(application: SandboxApplication, account: SandboxAccount) -> str:
    """The login; that of a suspended managed account is hidden."""
    managed = bool(application.settings.get("managed"))
    plain = str(account.more.get("login") or re.sub(r"[^a-z0-9]+", "-", account.username.lower().partition("@")[0]))
    if managed and account.status not in IN:
        plain = hashlib.sha256(plain.encode()).hexdigest()[:20]
    return f"{plain}_nwl" if managed and "login" not in account.more else plain


def team_slug(team: SandboxEntitlement) -> str:
    """A team's name as it stands in addresses."""
    return team.name.lower().replace(" ", "-")


def person(name: str, number: int, kind: str = "User") -> dict[str, Any]:
    """Somebody, with all the links GitHub adds."""
    me = f"{SITE}/users/{name}"
    several = ("followers", "subscriptions", "organizations", "repos", "received_events")
    return {
        "login": name,
        "id": number,
        "node_id": f"U_{number}",
        "avatar_url": f"{SITE}/{number}.png",
        "gravatar_id": "",
        "url": me,
        "html_url": f"https://github.example/{name}",
        "following_url": f"{me}/following{{/other_user}}",
        "gists_url": f"{me}/gists{{/gist_id}}",
        "starred_url": f"{me}/starred{{/owner}}{{/repo}}",
        "events_url": f"{me}/events{{/privacy}}",
        **{f"{word}_url": f"{me}/{word}" for word in several},
        "type": kind,
        "site_admin": False,
    }


def member(application: SandboxApplication, account: SandboxAccount) -> dict[str, Any]:
    """An account as a member."""
    return person(login(application, account), int(account.id), str(account.more.get("type", "User")))


def organization(name: str) -> dict[str, Any]:
    """The short form of an organisation."""
    me = f"{SITE}/orgs/{name}"
    words = ("repos", "events", "hooks", "issues", "members", "public_members")
    short = {"login": name, "id": 1, "node_id": "O_1", "url": me, "avatar_url": me, "description": None}
    return {**short, **{f"{word}_url": f"{me}/{word}" for word in words}}


def whole_organization(name: str, plan: str) -> dict[str, Any]:
    """The long form."""
    flags = ("has_organization_projects", "has_repository_projects")
    counts = ("public_repos", "public_gists", "followers", "following")
    made = "2020-01-01T00:00:00Z"
    return {
        **organization(name),
        **dict.fromkeys(flags, True),
        **dict.fromkeys(counts, 0),
        "html_url": f"https://github.example/{name}",
        "type": "Organization",
        "created_at": made,
        "updated_at": made,
        "archived_at": None,
        "plan": {"name": plan, "space": 1, "private_repos": 1, "filled_seats": 12, "seats": 20},
    }


def membership(application: SandboxApplication, account: SandboxAccount, name: str, *, owner: bool) -> dict[str, Any]:
    """How an account belongs to the organisation."""
    who = member(application, account)
    return {
        "url": f"{SITE}/orgs/{name}/memberships/{who['login']}",
        "state": "pending" if account.status == "pending" and not application.settings.get("managed") else "active",
        "role": "admin" if owner else "member",
        "organization_url": f"{SITE}/orgs/{name}",
        "organization": organization(name),
        "user": who,
    }


def invitation(application: SandboxApplication, account: SandboxAccount, name: str) -> dict[str, Any]:
    """A pending invitation."""
    return {
        "id": int(account.id),
        "node_id": f"I_{account.id}",
        "login": None,
        "email": account.email,
        "role": "admin" if application.privileged(account.id) else "direct_member",
        "created_at": iso(account.created_at),
        "inviter": person("leaverwatch-admin", 1),
        "team_count": 0,
        "invitation_teams_url": f"{SITE}/organizations/1/invitations/{account.id}/teams",
        "invitation_source": "member",
    }


def team(entitlement: SandboxEntitlement, number: int) -> dict[str, Any]:
    """A team."""
    slug = team_slug(entitlement)
    me = f"{SITE}/teams/{number}"
    return {
        "id": number,
        "node_id": f"T_{number}",
        "name": entitlement.name,
        "slug": slug,
        "description": None,
        "privacy": "closed",
        "permission": str(entitlement.more.get("permission", "pull")),
        "url": me,
        "html_url": f"https://github.example/orgs/nwl/teams/{slug}",
        "members_url": f"{me}/members{{/member}}",
        "repositories_url": f"{me}/repos",
        "type": "organization",
        "parent": None,
    }


def role(entitlement: SandboxEntitlement, number: int, name: str) -> dict[str, Any]:
    """A role of an organisation."""
    made = "2024-01-01T00:00:00Z"
    return {
        "id": number,
        "name": entitlement.name,
        "permissions": ["write_organization_runners_and_runner_groups"],
        "organization": person(name, 1, "Organization"),
        "created_at": made,
        "updated_at": made,
    }


def scim_user(application: SandboxApplication, account: SandboxAccount) -> dict[str, Any]:
    """A managed account over SCIM."""
    made = iso(account.created_at)
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": scim_id(account.id),
        "externalId": account.external_id or f"idp-{account.id}",
        "userName": account.username,
        "displayName": account.name,
        "name": {"formatted": account.name, "familyName": account.family, "givenName": account.given},
        "active": account.status in IN,
        "emails": [{"value": account.email or account.username, "type": "work", "primary": True}],
        "roles": [{"value": "guest_collaborator" if account.kind == "guest" else "user", "primary": False}],
        "meta": {"resourceType": "User", "created": made, "lastModified": made, "location": f"{SITE}/scim"},
    }


def scim_list(application: SandboxApplication, found: list[SandboxAccount], start: int, size: int) -> dict[str, Any]:
    """One page of a SCIM list."""
    page = [scim_user(application, account) for account in found[start - 1 : start - 1 + size]]
    told = {"schemas": [LIST], "totalResults": len(found), "startIndex": start, "itemsPerPage": len(page)}
    return {**told, "Resources": page}


def credentials(application: SandboxApplication) -> list[dict[str, Any]]:
    """What members authorised for the organisation."""
    words = {"ssh_key": "SSH key", "oauth_grant": "OAuth app token"}
    return [
        {
            "login": login(application, application.accounts[kept.account_id]),
            "credential_id": int(hashlib.sha256(kept.id.encode()).hexdigest()[:7], 16),
            "credential_type": words.get(kept.kind, "personal access token"),
            "token_last_eight": "12345678",
            "credential_authorized_at": iso(kept.created_at),
            "credential_accessed_at": iso(kept.last_used_at) if kept.last_used_at else None,
            "authorized_credential_id": 1,
            "authorized_credential_note": kept.name,
            "authorized_credential_expires_at": iso(kept.expires_at) if kept.expires_at else None,
            "scopes": ["repo"],
        }
        for kept in application.credentials
    ]


def licence(application: SandboxApplication, account: SandboxAccount, name: str) -> dict[str, Any]:
    """Who uses a licence."""
    return {
        "github_com_login": login(application, account),
        "github_com_name": account.name,
        "enterprise_server_user_ids": [],
        "github_com_user": True,
        "enterprise_server_user": False,
        "visual_studio_subscription_user": False,
        "license_type": "enterprise",
        "github_com_member_roles": [f"{name}:{'Owner' if application.privileged(account.id) else 'Member'}"],
        "github_com_enterprise_roles": list(account.more.get("enterprise_roles", ["member"])),
        "github_com_verified_domain_emails": [account.email] if account.email else [],
        "github_com_saml_name_id": account.username,
        "github_com_orgs_with_pending_invites": [],
        "github_com_two_factor_auth": account.mfa,
        "total_user_accounts": 1,
    }


def audit_entry(application: SandboxApplication, event: SandboxEvent, name: str) -> dict[str, Any] | None:
    """An entry of the audit log; None for what it does not tell."""
    action = _ACTIONS.get(event.kind)
    if event.kind == "sign_in" and application.settings.get("managed"):
        action = "user.login"  # what members of other organisations do with their own accounts is not told
    what = application.entitlements.get(event.target or "")
    more: dict[str, Any] = {}
    if event.kind in ("granted", "revoked") and what is not None:
        given = event.kind == "granted"
        if what.kind in TEAMS:
            action = "team.add_member" if given else "team.remove_member"
            more = {"team": f"{name}/{team_slug(what)}"}
        else:
            action, more = "org.update_member", {"permission": "admin" if given else "read"}
    if action is None:
        return None
    about = application.accounts.get(event.account_id or "")
    actor = application.accounts.get(event.actor or "")
    at = int(event.at.timestamp() * 1000)
    who = {
        "actor": login(application, actor) if actor else event.actor,
        "user": login(application, about) if about else None,
    }
    told = {"@timestamp": at, "created_at": at, "action": action, "_document_id": event.id, "org": name, **more}
    return told | {key: value for key, value in who.items() if value is not None}


def iso(at: datetime) -> str:
    """An instant to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
