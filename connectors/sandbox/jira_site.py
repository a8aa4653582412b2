"""A Jira site of the sandbox: what it lists, and how it shows accounts and events."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox.apis import credential
from connectors.sandbox.atlassian import account_type, iso
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement, SandboxEvent

SUMMARIES: Final = {
    "created": "User created",
    "updated": "User updated",
    "deactivated": "User deactivated",
    "reactivated": "User activated",
    "deleted": "User deleted",
    "granted": "User added to group",
    "revoked": "User removed from group",
}


class Site:
    """The site of one application."""

    def __init__(self, application: SandboxApplication) -> None:
        self.application = application

    def may(self, request: Request, *, write: bool = False) -> Response | None:
        """A refusal; None where the token may do that."""
        held = credential(self.application, dict(request.headers))
        if held not in ("token", "write_token"):
            return failure(401, "Client must be authenticated to access this resource.")
        if write and held != "write_token":
            return failure(403, "You do not have permission to do this.")
        return None

    def listed(self) -> list[SandboxAccount]:
        """The accounts that the site shows."""
        return [a for a in self.application.accounts.values() if shown(a)]

    def groups(self) -> list[SandboxEntitlement]:
        """Everything that is a group here."""
        return [e for e in self.application.entitlements.values() if e.kind != "licence"]

    def group(self, group_id: str | None) -> SandboxEntitlement | None:
        """The group of that id."""
        return next((g for g in self.groups() if g.id == group_id), None)

    def account(self, request: Request, account_id: str | None) -> SandboxAccount | None:
        """The account of that id, where the site shows it."""
        account = self.application.accounts.get(account_id or "")
        return account if account is not None and shown(account) else None

    def row(self, request: Request, account: SandboxAccount) -> dict[str, Any]:
        """The account as the site shows it; erased ones have lost their name."""
        erased = account.status == "deleted"
        hidden = self.application.settings.get("emails_hidden") or account.more.get("email_hidden") or erased
        told = {
            "self": f"{request.base_url}rest/api/3/user?accountId={account.id}",
            "accountId": account.id,
            "accountType": account_type(self.application, account),
            "displayName": "Former user" if erased else account.name,
            "active": account.status not in ("deactivated", "deleted"),
            "timeZone": "Europe/Berlin",
        }
        return told if hidden or not account.email else {**told, "emailAddress": account.email}

    def record(self, number_: int, event: SandboxEvent) -> dict[str, Any]:
        """The event as the site's audit log shows it."""
        application = self.application
        person = {"id": event.account_id or "", "name": event.account_id or "", "typeName": "USER"}
        told: dict[str, Any] = {
            "id": number_,
            "summary": SUMMARIES[event.kind],
            "created": iso(event.at).replace("Z", "+0000"),
            "category": "user management",
            "eventSource": "",
            "authorKey": event.actor or "",
            "objectItem": person,
        }
        if event.target:
            group = application.entitlements.get(event.target)
            told["objectItem"] = {"id": event.target, "name": group.name if group else "", "typeName": "GROUP"}
            told["associatedItems"] = [person]
        if changes := event.more.get("changes"):
            told["changedValues"] = [
                {"fieldName": name, "changedFrom": old or "", "changedTo": new or ""} for name, old, new in changes
            ]
        return told


def failure(status: int, words: str) -> Response:
    """How the site words a refusal."""
    return JSONResponse({"errorMessages": [words], "errors": {}}, status)


def shown(account: SandboxAccount) -> bool:
    """Whether the site's lists show the account: suspended ones they leave out."""
    return account.status != "suspended" and not account.more.get("suspended")
