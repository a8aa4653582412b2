"""The Atlassian organisation API, as Jira and Confluence of the sandbox offer it below their own address.

Which key may do what is as at the vendor: a key with scopes reads, one without scopes (here the write token) may change
and is the only one that opens user management. `settings`: `org_id`, `directory_id`, `guard` (False: no audit log).
An account is claimed (managed) unless it is a guest or bot, or its `more["claim"]` says `unmanaged`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import sent
from connectors.sandbox.atlassian import ACCOUNT_STATUS, ACTIONS, Organisation, failure, iso, number
from connectors.sandbox.model import SandboxApplication

__all__ = ["failure", "routes"]


def routes(application: SandboxApplication) -> list[Route]:
    """The organisation's endpoints, relative to the application."""
    org = Organisation(application)

    def guarded(call: Callable[[Request], Response], **needs: bool) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            with application.lock:
                return org.may(request, **needs) or call(request)

        return endpoint

    def orgs(request: Request) -> Response:
        data = [{"id": org.org_id, "type": "orgs", "attributes": {"name": application.title}}]
        return JSONResponse({"data": data, "links": {"self": str(request.url), "next": None}})

    def directories(request: Request) -> Response:
        wanted = request.query_params.get("accountId")
        held = wanted is None or wanted in application.accounts
        data = [{"directoryId": org.directory_id, "name": "Local directory", "type": "local"}] if held else []
        return JSONResponse({"data": data, "links": {"self": "x", "next": None}})

    def search(request: Request) -> Response:
        body = sent(request) or {}
        if request.path_params["directory"] not in ("-", org.directory_id):
            return failure(404, "No such directory")
        accounts = list(application.accounts.values())
        if ids := body.get("accountIds"):
            accounts = [a for a in accounts if a.id in ids]
        if claim := body.get("claimStatus"):
            accounts = [a for a in accounts if org.managed(a) == (claim == "managed")]
        start, limit = number(body.get("cursor"), 0), min(number(body.get("limit"), 50), 100)
        page = accounts[start : start + limit]
        following = str(start + limit) if start + limit < len(accounts) else None
        data = [org.shown(a, tuple(body.get("expand", ()))) for a in page]
        return JSONResponse({"data": data, "links": {"self": str(start), "next": following}})

    def one(request: Request) -> Response:
        account = application.accounts.get(request.path_params["account"])
        return JSONResponse({"data": org.shown(account, ())}) if account else failure(404, "No such user")

    def last_active(request: Request) -> Response:
        account = application.accounts.get(request.path_params["account"])
        if account is None:
            return failure(404, "No such user")
        row = org.shown(account, ("productAccess",))
        access = [
            {**{k: p[k] for k in ("id", "key")}, "last_active": p["lastActiveTimestamp"][:10],
             "last_active_timestamp": p["lastActiveTimestamp"]}
            for p in row["productAccess"]
        ]  # fmt: skip
        added = row["addedToOrg"]
        data = {"product_access": access, "added_to_org": added[:10], "added_to_org_timestamp": added}
        return JSONResponse({"data": data, "links": {"next": None}})

    def suspend(request: Request) -> Response:
        return switched(request, "suspended")

    def restore(request: Request) -> Response:
        return switched(request, "active")

    def switched(request: Request, status: str) -> Response:
        account = application.accounts.get(request.path_params["account"])
        if account is None:
            return failure(404, "No such user")
        if account.status in ("active", "suspended", "locked", "pending"):
            application.set_status(account.id, status)
        account.more["suspended"] = status == "suspended"
        return Response(status_code=204)

    def disable(request: Request) -> Response:
        return lifecycle(request, "deactivated")

    def enable(request: Request) -> Response:
        return lifecycle(request, "active")

    def lifecycle(request: Request, status: str) -> Response:
        account = application.accounts.get(request.path_params["account"])
        if account is None or not org.managed(account):
            return JSONResponse({"key": "forbidden", "context": "not managed by you"}, 403 if account else 404)
        if account.status == "deleted":
            return JSONResponse({"code": 400, "message": "the account is closed"}, 400)
        application.set_status(account.id, status)
        return Response(status_code=204)

    def profile(request: Request) -> Response:
        account = application.accounts.get(request.path_params["account"])
        if account is None or not org.managed(account):
            return JSONResponse({"key": "forbidden"}, 403 if account else 404)
        status = ACCOUNT_STATUS.get(account.status, "active")
        told = {"account_id": account.id, "account_status": status, "email": account.email or "", "name": account.name}
        return JSONResponse({"account": told})

    def tokens(request: Request) -> Response:
        held = [c for c in application.credentials if c.account_id == request.path_params["account"]]
        return JSONResponse(
            [
                {
                    "id": c.id,
                    "label": c.name,
                    "createdAt": iso(c.created_at),
                    "lastAccess": iso(c.last_used_at) if c.last_used_at else None,
                    **({"expiry": iso(c.expires_at)} if c.expires_at else {}),
                }
                for c in held
            ]
        )

    def drop_token(request: Request) -> Response:
        wanted = request.path_params["account"], request.path_params["token"]
        kept = [c for c in application.credentials if (c.account_id, c.id) != wanted]
        gone = len(kept) < len(application.credentials)
        application.credentials = kept
        return Response(status_code=204) if gone else failure(404, "No such token")

    def actions(request: Request) -> Response:
        data = [{"id": id_, "attributes": {"displayName": name}} for id_, name in ACTIONS.values()]
        return JSONResponse({"data": data})

    def stream(request: Request) -> Response:
        if application.settings.get("guard") is False:
            return failure(403, "The organization has no subscription for this")
        query = request.query_params
        since = datetime.fromtimestamp(number(query.get("from"), 0) / 1000, UTC)
        cursor = query.get("cursor", "0")
        if not cursor.isdigit():
            return failure(400, "Invalid cursor")
        start, limit = int(cursor), min(number(query.get("limit"), 100), 500)
        page = application.events[start : start + limit]
        told = [org.event(e) for e in page if e.at >= since]
        data = [e for e in told if e is not None]
        after = start + len(page)
        links = {"next": f"{request.base_url}admin/v1/orgs/{org.org_id}/events-stream?cursor={after}"}
        return JSONResponse({"data": data, "links": links, "meta": {"next": str(after), "pageSize": limit}})

    def groups(request: Request) -> Response:
        body = sent(request) or {}
        ids, roles = body.get("groupIds"), set(body.get("roleIds", ()))
        found = [e for e in application.entitlements.values() if ids is None or e.id in ids]
        if roles:
            held = {e.id: e.more.get("org_roles", ["atlassian/admin"] if e.privileged else []) for e in found}
            found = [e for e in found if roles.intersection(held[e.id])]
        data = [
            {
                "id": e.id,
                "name": e.name,
                "directoryId": org.directory_id,
                "externalSynced": bool(e.more.get("synced")),
                "counts": {"users": len(application.holders(e.id))},
            }
            for e in found
        ]
        return JSONResponse({"data": data, "links": {"self": "x", "next": None}})

    def join(request: Request) -> Response:
        return member(request, str((sent(request) or {}).get("accountId")), True)

    def leave(request: Request) -> Response:
        return member(request, request.path_params["account"], False)

    def member(request: Request, account_id: str, inside: bool) -> Response:
        group = application.entitlements.get(request.path_params["group"])
        if group is None or account_id not in application.accounts:
            return failure(404, "No such group or user")
        if group.more.get("synced"):
            return failure(400, "The group is synced from an identity provider")
        if inside:
            application.grant(account_id, group.id)
        else:
            application.revoke(account_id, group.id)
        return Response(status_code=204)

    def role(request: Request) -> Response:
        account, wanted = application.accounts.get(request.path_params["account"]), (sent(request) or {}).get("role")
        if account is None:
            return failure(404, "No such user")
        held = [r for r in account.more.get("platform_roles", ()) if r != wanted]
        account.more["platform_roles"] = [*held, wanted] if request.path_params["verb"] == "assign" else held
        return Response(status_code=204)

    v1, v2 = "/admin/v1/orgs/{org}", "/admin/v2/orgs/{org}/directories"
    user, group = f"{v2}/{{directory}}/users/{{account}}", f"{v2}/{{directory}}/groups/{{group}}"
    manage = "/users/{account}/manage"
    return [
        Route("/admin/v1/orgs", guarded(orgs)),
        Route(v2, guarded(directories)),
        Route(f"{v2}/{{directory}}/users/search", guarded(search), methods=["POST"]),
        Route(f"{user}/suspend", guarded(suspend, write=True), methods=["POST"]),
        Route(f"{user}/restore", guarded(restore, write=True), methods=["POST"]),
        Route(user, guarded(one)),
        Route(f"{v1}/directory/users/{{account}}/last-active-dates", guarded(last_active)),
        Route(f"{v1}/users/{{account}}/role-assignments/{{verb}}", guarded(role, write=True), methods=["POST"]),
        Route(f"{v2}/{{directory}}/groups/search", guarded(groups), methods=["POST"]),
        Route(f"{group}/memberships", guarded(join, write=True), methods=["POST"]),
        Route(f"{group}/memberships/{{account}}", guarded(leave, write=True), methods=["DELETE"]),
        Route(f"{v1}/event-actions", guarded(actions)),
        Route(f"{v1}/events-stream", guarded(stream)),
        Route(f"{manage}/lifecycle/disable", guarded(disable, scopeless=True), methods=["POST"]),
        Route(f"{manage}/lifecycle/enable", guarded(enable, scopeless=True), methods=["POST"]),
        Route(f"{manage}/profile", guarded(profile, scopeless=True)),
        Route(f"{manage}/api-tokens", guarded(tokens, scopeless=True)),
        Route(f"{manage}/api-tokens/{{token}}", guarded(drop_token, scopeless=True), methods=["DELETE"]),
    ]
