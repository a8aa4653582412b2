"""What an Atlassian organisation knows of one application of the sandbox: its directory, claims, keys and audit log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox.apis import credential
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEvent

ORG_ID: Final = "org-6f1c"
DIRECTORY_ID: Final = "dir-1"
ACTIONS: Final = {  # kind of the sandbox -> id and name of the vendor's action
    "sign_in": ("user_login", "Logged in to account"),
    "created": ("user_added_to_org", "Added user to organization"),
    "deactivated": ("managed_account_deactivated", "Deactivated account"),
    "reactivated": ("managed_account_reactivated", "Reactivated account"),
    "deleted": ("managed_account_deleted", "Deleted account permanently"),
    "granted": ("user_added_to_group", "Added user to group"),
    "revoked": ("user_removed_from_group", "Removed user from group"),
    "updated": ("managed_account_email_changed", "Changed email address"),
}
ACCOUNT_STATUS: Final = {"deactivated": "inactive", "deleted": "closed"}


class Organisation:
    """The organisation of one application."""

    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def may(self, request: Request, *, write: bool = False, scopeless: bool = False) -> Response | None:
        """A refusal; None where the key may do that."""
        held = credential(self._application, dict(request.headers))
        if held not in ("token", "write_token"):
            return failure(401, "Unauthorized")
        if (write or scopeless) and held != "write_token":
            return failure(403, "The API key lacks the scope for this")
        if request.path_params.get("org") not in (None, self.org_id):
            return failure(404, "No such organization")
        return None

    @property
    def org_id(self) -> str:
        """The id of the organisation."""
        return str(self._application.settings.get("org_id", ORG_ID))

    @property
    def directory_id(self) -> str:
        """The id of its one directory."""
        return str(self._application.settings.get("directory_id", DIRECTORY_ID))

    def managed(self, account: SandboxAccount) -> bool:
        """Whether the account's domain is claimed."""
        claim = account.more.get("claim", "unmanaged" if account.kind in ("guest", "bot") else "managed")
        return bool(claim == "managed")

    def shown(self, account: SandboxAccount, expand: tuple[str, ...]) -> dict[str, Any]:
        """The account as the directory shows it."""
        application, managed = self._application, self.managed(account)
        account_status = ACCOUNT_STATUS.get(account.status, "active")
        membership = "suspended" if account.status == "suspended" or account.more.get("suspended") else "active"
        status = "deactivated" if account_status != "active" else membership
        row: dict[str, Any] = {
            "accountId": account.id,
            "accountType": account_type(application, account),
            "status": status,
            "accountStatus": account_status,
            "membershipStatus": membership,
            "addedToOrg": iso(account.created_at),
            "name": account.name,
            "email": account.email or "",
            "emailVerified": account.status != "pending",
            "claimStatus": "managed" if managed else "unmanaged",
            "managementSource": "synced" if account.managed_by == "scim" else "invited",
        }
        if managed and account.mfa is not None:
            row["mfaEnabled"] = account.mfa
        if account.department:
            row["department"] = account.department
        if account.title:
            row["jobTitle"] = account.title
        if "platformRoles" in expand:
            row["platformRoles"] = list(account.more.get("platform_roles", ()))
        if "productAccess" in expand:
            product = "confluence" if application.vendor == "confluence" else "jira-software"
            seen = account.last_seen_at
            ari = f"ari:cloud:{product}::site/{application.name}"
            row["productAccess"] = (
                [{"key": product, "id": ari, "lastActiveTimestamp": iso(seen)}] if seen is not None else []
            )
        if "groups" in expand:
            held = [application.entitlements[g.entitlement_id] for g in application.held(account.id)]
            row["groups"] = [{"id": e.id, "name": e.name} for e in held]
        return row

    def event(self, event: SandboxEvent) -> dict[str, Any] | None:
        """The event as the audit log shows it; None for kinds it does not know."""
        if event.kind not in ACTIONS:
            return None
        accounts = self._application.accounts
        actor = accounts.get(event.actor or "")
        told: dict[str, Any] = {
            "time": iso(event.at),
            "processedAt": iso(event.at),
            "action": ACTIONS[event.kind][0],
            "actor": {"id": event.actor or "", "name": actor.name if actor else ""},
            "context": [{"id": event.account_id, "type": "users"}] if event.account_id else [],
            "container": [{"id": event.target, "type": "groups"}] if event.target else [],
            "location": {"ip": "198.51.100.7"},
        }
        return {"id": event.id, "type": "events", "attributes": told}


def failure(status: int, words: str) -> Response:
    """How the organisation API words a refusal."""
    return JSONResponse({"errors": [{"status": str(status), "title": words}], "code": status, "message": words}, status)


def account_type(application: SandboxApplication, account: SandboxAccount) -> str:
    """What sort of account it is at Atlassian: portal-only customers exist in Jira alone."""
    if account.kind == "bot":
        return "app"
    return "customer" if account.kind == "guest" and application.vendor == "jira" else "atlassian"


def iso(at: datetime) -> str:
    """An instant as Atlassian writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number(value: object, default: int) -> int:
    """A number from a query or body."""
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdigit()) else default
