"""Jira Cloud as the sandbox shows it: the site's REST API, and the organisation API beside it.

Suspended accounts are in no list of the site, as at the vendor. Entitlements of the kind `licence` are application
roles, held through the groups that `more["groups"]` names; all others are groups. `settings`: `emails_hidden`,
`projects` (key -> {role name: {"users": [...], "groups": [...], "admin": bool}}).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import atlassian_admin, sent
from connectors.sandbox.atlassian import number
from connectors.sandbox.jira_site import SUMMARIES, Site, failure
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement

__all__ = ["failure", "routes"]

_MEMBERS_MOST: Final = 50  # whatever is asked for


def routes(application: SandboxApplication) -> list[Route]:
    """The site's endpoints and the organisation's."""
    site = Site(application)

    def guarded(call: Callable[[Request], Response], *, write: bool = False) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            with application.lock:
                return site.may(request, write=write) or call(request)

        return endpoint

    def everybody(request: Request) -> Response:
        start, most = _window(request, 50, 1000)
        rows = [site.row(request, a) for a in site.listed()[start : start + most]]
        return JSONResponse(rows)

    def one(request: Request) -> Response:
        account = site.account(request, request.query_params.get("accountId"))
        return JSONResponse(site.row(request, account)) if account else failure(404, "The user does not exist.")

    def myself(request: Request) -> Response:
        account = next(iter(site.listed()), None)
        if account is None:
            return failure(401, "Client must be authenticated to access this resource.")
        held = [{"name": e.name, "groupId": e.id} for e in _held(application, account)]
        return JSONResponse({**site.row(request, account), "groups": {"size": len(held), "items": held}})

    def groups(request: Request) -> Response:
        return _page(request, [{"name": g.name, "groupId": g.id} for g in site.groups()], 50)

    def members(request: Request) -> Response:
        group = site.group(request.query_params.get("groupId"))
        if group is None:
            return failure(404, "The group does not exist.")
        held = {g.account_id for g in application.holders(group.id)}
        inactive = request.query_params.get("includeInactiveUsers") == "true"
        rows = [site.row(request, a) for a in site.listed() if a.id in held]
        return _page(request, [r for r in rows if inactive or r["active"]], _MEMBERS_MOST)

    def groups_of(request: Request) -> Response:
        account = site.account(request, request.query_params.get("accountId"))
        if account is None:
            return failure(404, "The user does not exist.")
        return JSONResponse([{"name": g.name, "groupId": g.id} for g in _held(application, account)])

    def roles(request: Request) -> Response:
        licences = [e for e in application.entitlements.values() if e.kind == "licence"]
        told = []
        for licence in licences:
            inside = [g for g in site.groups() if g.id in licence.more.get("groups", ())]
            details = [{"name": g.name, "groupId": g.id} for g in inside]
            usual = [one for one in details if one["groupId"] in licence.more.get("default_groups", ())]
            told.append(
                {
                    "key": licence.id,
                    "name": licence.name,
                    "groups": [g.name for g in inside],
                    "groupDetails": details,
                    "defaultGroups": [one["name"] for one in usual],
                    "defaultGroupsDetails": usual,
                    "selectedByDefault": bool(licence.more.get("by_default")),
                }
            )
        return JSONResponse(told)

    def leave(request: Request) -> Response:
        return changed(request, request.query_params.get("accountId"), False)

    def join(request: Request) -> Response:
        return changed(request, (sent(request) or {}).get("accountId"), True)

    def changed(request: Request, account_id: str | None, inside: bool) -> Response:
        group, account = site.group(request.query_params.get("groupId")), site.account(request, account_id)
        if group is None or account is None:
            return failure(404, "The group or user does not exist.")
        if group.more.get("synced"):
            return failure(400, "The group is managed by an external directory.")
        if inside:
            application.grant(account.id, group.id)
            return JSONResponse({"name": group.name, "groupId": group.id}, 201)
        if not application.revoke(account.id, group.id):
            return failure(400, "The user is not a member of the group.")
        return Response(status_code=200)

    def audit(request: Request) -> Response:
        query = request.query_params
        known = [e for e in application.events if e.kind in SUMMARIES]
        rows = [site.record(n, e) for n, e in enumerate(known, 1)]
        since = query.get("from")
        rows = [r for r in rows if since is None or r["created"][:19] >= since[:19]][::-1]
        start, most = number(query.get("offset"), 0), min(number(query.get("limit"), 1000), 1000)
        told = {"offset": start, "limit": most, "total": len(rows), "records": rows[start : start + most]}
        return JSONResponse(told)

    def projects(request: Request) -> Response:
        keys = enumerate(application.settings.get("projects", {}), 10000)
        return _page(request, [{"id": str(n), "key": key, "name": key.title()} for n, key in keys], 50)

    def project_roles(request: Request) -> Response:
        key = request.path_params["project"]
        names = application.settings.get("projects", {}).get(key)
        if names is None:
            return failure(404, "The project does not exist.")
        return JSONResponse(
            {name: f"{request.base_url}rest/api/3/project/{key}/role/{n}" for n, name in enumerate(names, 10100)}
        )

    def project_role(request: Request) -> Response:
        role = _role(request)
        if role is None:
            return failure(404, "The role does not exist.")
        name, number_, holders = role
        users = [
            {"id": n, "type": "atlassian-user-role-actor", "displayName": a, "actorUser": {"accountId": a}}
            for n, a in enumerate(holders["users"], 1)
        ]
        inside = [
            {"id": n, "type": "atlassian-group-role-actor", "displayName": g, "actorGroup": {"groupId": g, "name": g}}
            for n, g in enumerate(holders.get("groups", ()), 1000)
        ]
        told = {"name": name, "id": number_, "admin": bool(holders.get("admin")), "actors": users + inside}
        return JSONResponse(told)

    def appoint(request: Request) -> Response:
        role = _role(request)
        if role is None:
            return failure(404, "The role does not exist.")
        wanted = (sent(request) or {}).get("user", ())
        role[2]["users"] += [account_id for account_id in wanted if account_id not in role[2]["users"]]
        return project_role(request)

    def dismiss(request: Request) -> Response:
        role, wanted = _role(request), request.query_params.get("user")
        if role is None or wanted not in role[2]["users"]:
            return failure(404, "The role or its actor does not exist.")
        role[2]["users"].remove(wanted)
        return Response(status_code=204)

    def _role(request: Request) -> tuple[str, int, dict[str, Any]] | None:
        names = application.settings.get("projects", {}).get(request.path_params["project"], {})
        known = {str(n): (name, n, holders) for n, (name, holders) in enumerate(names.items(), 10100)}
        return known.get(request.path_params["role"])

    api, role = "/rest/api/3", "/rest/api/3/project/{project}/role/{role}"
    return [
        Route(f"{api}/users/search", guarded(everybody)),
        Route(f"{api}/user", guarded(one)),
        Route(f"{api}/user/groups", guarded(groups_of)),
        Route(f"{api}/myself", guarded(myself)),
        Route(f"{api}/group/bulk", guarded(groups)),
        Route(f"{api}/group/member", guarded(members)),
        Route(f"{api}/group/user", guarded(leave, write=True), methods=["DELETE"]),
        Route(f"{api}/group/user", guarded(join, write=True), methods=["POST"]),
        Route(f"{api}/applicationrole", guarded(roles)),
        Route(f"{api}/auditing/record", guarded(audit)),
        Route(f"{api}/project/search", guarded(projects)),
        Route(f"{api}/project/{{project}}/role", guarded(project_roles)),
        Route(role, guarded(project_role)),
        Route(role, guarded(appoint, write=True), methods=["POST"]),
        Route(role, guarded(dismiss, write=True), methods=["DELETE"]),
        *atlassian_admin.routes(application),
    ]


def _held(application: SandboxApplication, account: SandboxAccount) -> list[SandboxEntitlement]:
    held = (application.entitlements[g.entitlement_id] for g in application.held(account.id))
    return [e for e in held if e.kind != "licence"]


def _window(request: Request, usual: int, most: int) -> tuple[int, int]:
    query = request.query_params
    return number(query.get("startAt"), 0), min(max(number(query.get("maxResults"), usual), 1), most)


def _page(request: Request, rows: list[dict[str, Any]], most: int) -> Response:
    start, size = _window(request, 50, most)
    last = start + size >= len(rows)
    told = {"startAt": start, "maxResults": size, "total": len(rows), "isLast": last}
    return JSONResponse({**told, "values": rows[start : start + size]})
