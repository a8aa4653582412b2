"""Confluence Cloud as the sandbox shows it, below /NAME/wiki/, and the organisation API beside it.

Its lists tell no state and leave suspended accounts out. `settings`: `spaces` (key -> {"users": [...], "groups": [...]}
of administrators), `audit` (False: the plan has none).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import atlassian_admin, credential, sent
from connectors.sandbox.atlassian import account_type, number
from connectors.sandbox.model import SandboxAccount, SandboxApplication

SUMMARIES: Final = {
    "created": "User created",
    "deactivated": "User deactivated",
    "reactivated": "User reactivated",
    "deleted": "User deleted",
    "granted": "User added to group",
    "revoked": "User removed from group",
}
_STATUS: Final = {"deactivated": "inactive", "deleted": "closed"}


def routes(application: SandboxApplication) -> list[Route]:
    """The site's endpoints and the organisation's."""

    def guarded(call: Callable[[Request], Response], *, write: bool = False) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            held = credential(application, request.headers)
            if held not in ("token", "write_token"):
                return failure(401, "Unauthorized")
            if write and held != "write_token":
                return failure(403, "You do not have permission to do this")
            with application.lock:
                return call(request)

        return endpoint

    def row(account: SandboxAccount) -> dict[str, Any]:
        hidden = application.settings.get("emails_hidden") or account.more.get("email_hidden")
        return {
            "type": "known",
            "accountId": account.id,
            "accountType": account_type(application, account),
            "email": "" if hidden else account.email or "",
            "publicName": account.name,
            "displayName": account.name,
            "isExternalCollaborator": account.kind == "guest",
        }

    def shown(account_id: str | None) -> SandboxAccount | None:
        account = application.accounts.get(account_id or "")
        gone = account is None or account.status in ("suspended", "deleted") or account.more.get("suspended")
        return None if gone else account

    def groups(request: Request) -> Response:
        return page(request, [{"type": "group", "id": e.id, "name": e.name} for e in application.entitlements.values()])

    def members(request: Request) -> Response:
        group = request.path_params["group"]
        if group not in application.entitlements:
            return failure(404, "No group found")
        inside = (shown(g.account_id) for g in application.holders(group))
        return page(request, [row(account) for account in inside if account is not None])

    def one(request: Request) -> Response:
        account = shown(request.query_params.get("accountId"))
        if account is None:
            return failure(404, "No user found")
        return JSONResponse({**row(account), "accountStatus": _STATUS.get(account.status, "active")})

    def current(request: Request) -> Response:
        return JSONResponse(row(next(iter(application.accounts.values()))))

    def groups_of(request: Request) -> Response:
        held = (application.entitlements[g.entitlement_id] for g in application.held(request.query_params["accountId"]))
        return page(request, [{"type": "group", "id": e.id, "name": e.name} for e in held])

    def leave(request: Request) -> Response:
        return changed(request, request.query_params.get("accountId"), False)

    def join(request: Request) -> Response:
        return changed(request, (sent(request) or {}).get("accountId"), True)

    def changed(request: Request, account_id: str | None, inside: bool) -> Response:
        group, account = application.entitlements.get(request.query_params.get("groupId", "")), shown(account_id)
        if group is None or account is None:
            return failure(404, "No group or user found")
        if group.more.get("synced"):
            return failure(403, "The group is managed externally")
        if inside:
            application.grant(account.id, group.id)
            return Response(status_code=201)
        return Response(status_code=204) if application.revoke(account.id, group.id) else failure(404, "Not a member")

    def audit(request: Request) -> Response:
        if application.settings.get("audit") is False:
            return failure(403, "The plan has no audit log")
        since = number(request.query_params.get("startDate"), 0)
        rows = []
        for event in application.events:
            at = int(event.at.timestamp() * 1000)
            if event.kind in SUMMARIES and at >= since:
                about = application.accounts.get(event.account_id or "")
                actor = application.accounts.get(event.actor or "")
                group = application.entitlements.get(event.target or "")
                told: dict[str, Any] = {
                    "author": {"type": "user", "displayName": actor.name if actor else "", "accountId": event.actor},
                    "remoteAddress": "198.51.100.7",
                    "creationDate": at,
                    "summary": SUMMARIES[event.kind],
                    "description": "",
                    "category": "Users and groups",
                    "sysAdmin": False,
                    "affectedObject": {"name": about.name if about else "", "objectType": "User"},
                    "associatedObjects": [{"name": group.name, "objectType": "Group"}] if group else [],
                }  # fmt: skip
                rows.append(told)
        return page(request, rows[::-1], 1000)

    def spaces(request: Request) -> Response:
        rows = [
            {"id": str(n), "key": key, "name": key.title(), "type": "global", "status": "current"}
            for n, key in enumerate(application.settings.get("spaces", {}), 65537)
        ]
        return cursored(request, rows)

    def permissions(request: Request) -> Response:
        held = dict(enumerate(application.settings.get("spaces", {}).values(), 65537))
        admins = held.get(int(request.path_params["space"]))
        if admins is None:
            return failure(404, "No space found")
        principals = [("user", u) for u in admins.get("users", ())] + [("group", g) for g in admins.get("groups", ())]
        rows = [
            {
                "id": f"{n}-{operation}",
                "principal": {"type": kind, "id": id_},
                "operation": {"key": operation, "targetType": "space"},
            }
            for n, (kind, id_) in enumerate(principals)
            for operation in ("read", "administer")
        ]
        return cursored(request, rows)

    def page(request: Request, rows: list[dict[str, Any]], most: int = 200) -> Response:
        start, limit = (
            number(request.query_params.get("start"), 0),
            min(number(request.query_params.get("limit"), 200), most),
        )
        found = rows[start : start + limit]
        links = {"base": str(request.base_url).rstrip("/") + "/wiki"}
        if start + limit < len(rows):
            links["next"] = f"{request.url.path.partition('/wiki')[2]}?start={start + limit}&limit={limit}"
        return JSONResponse({"results": found, "start": start, "limit": limit, "size": len(found), "_links": links})

    def cursored(request: Request, rows: list[dict[str, Any]]) -> Response:
        start, limit = (
            number(request.query_params.get("cursor"), 0),
            min(number(request.query_params.get("limit"), 25), 250),
        )
        more = start + limit < len(rows)
        links = {"next": f"{request.url.path}?limit={limit}&cursor={start + limit}"} if more else {}
        return JSONResponse({"results": rows[start : start + limit], "_links": links})

    v1, v2 = "/wiki/rest/api", "/wiki/api/v2"
    return [
        Route(f"{v1}/group", guarded(groups)),
        Route(f"{v1}/group/userByGroupId", guarded(leave, write=True), methods=["DELETE"]),
        Route(f"{v1}/group/userByGroupId", guarded(join, write=True), methods=["POST"]),
        Route(f"{v1}/group/{{group}}/membersByGroupId", guarded(members)),
        Route(f"{v1}/user", guarded(one)),
        Route(f"{v1}/user/current", guarded(current)),
        Route(f"{v1}/user/memberof", guarded(groups_of)),
        Route(f"{v1}/audit", guarded(audit)),
        Route(f"{v2}/spaces", guarded(spaces)),
        Route(f"{v2}/spaces/{{space:int}}/permissions", guarded(permissions)),
        *atlassian_admin.routes(application),
    ]


def failure(status: int, words: str) -> Response:
    """How the site words a refusal."""
    return JSONResponse({"statusCode": status, "code": status, "message": words}, status)
