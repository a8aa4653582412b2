"""Groups, directory roles, applications and consents of Entra, and how they change."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox import entra_shapes as shapes
from connectors.sandbox.apis import failure as refused
from connectors.sandbox.apis import sent
from connectors.sandbox.model import SandboxApplication, SandboxEntitlement

_USER, _GROUP, _ROLE = ("#microsoft.graph.user", "#microsoft.graph.group", "#microsoft.graph.directoryRole")


class EntraAccess:
    """What the accounts of one directory hold."""

    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def groups(self, request: Request) -> Response:
        """The groups, or the one that is asked for."""
        wanted = re.fullmatch(r"id eq '([\w-]+)'", request.query_params.get("$filter", ""))
        found = [g for g in self._kind(shapes.GROUPS) if wanted is None or g.id == wanted[1]]
        return shapes.page(request, [shapes.group(g) for g in found], 100, 999)

    def members(self, request: Request) -> Response:
        """Who and which groups are directly in a group."""
        found = self._one(request, "group", shapes.GROUPS)
        rows = [{"@odata.type": _USER, "id": i} for i in self._accounts_in(found)]
        rows += [{"@odata.type": _GROUP, "id": i} for i in found.more.get("groups", ())]
        return shapes.page(request, rows, 100, 999)

    def member_of(self, request: Request) -> Response:
        """Every group somebody is in, through others too, and every directory role they hold."""
        account_id = request.path_params["user"]
        inside = [g for g in self._kind(shapes.GROUPS) if account_id in self._all_in(g, set())]
        rows = [{"@odata.type": _GROUP, "id": g.id, "displayName": g.name} for g in inside]
        for role in self._roles():
            holders = {p for p, _ in self._principals(role)}
            if account_id in holders or holders & {g.id for g in inside}:
                rows.append({"@odata.type": _ROLE, "id": role.id, "displayName": role.name, "roleTemplateId": role.id})
        return shapes.page(request, rows, 100, 999)

    def definitions(self, request: Request) -> Response:
        """The directory roles."""
        return shapes.page(request, [shapes.definition(r) for r in self._roles()], 100, 999)

    def role_assignments(self, request: Request) -> Response:
        """Who holds a directory role, groups among them."""
        wanted = re.fullmatch(r"roleDefinitionId eq '([\w-]+)'", request.query_params.get("$filter", ""))
        rows = [
            self._assignment(role, principal, scope)
            for role in self._roles()
            if wanted is None or role.id == wanted[1]
            for principal, scope in self._principals(role)
        ]
        return shapes.page(request, rows, 100, 999)

    def eligible(self, request: Request) -> Response:
        """Who may take up a directory role."""
        since = shapes.instant(self._application.now())
        rows = [
            {**self._assignment(role, account_id, "/"), "createdDateTime": since, "status": "Provisioned"}
            for role in self._roles()
            for account_id in role.more.get("eligible", ())
        ]
        return shapes.page(request, rows, 100, 999)

    def applications(self, request: Request) -> Response:
        """The enterprise applications."""
        rows = [shapes.application_row(a) for a in self._kind(shapes.APPLICATIONS)]
        return shapes.page(request, rows, 100, 999)

    def assigned(self, request: Request) -> Response:
        """Who is assigned to an application, groups among them."""
        found = self._one(request, "app", shapes.APPLICATIONS)
        rows = [
            shapes.assigned(found, g.account_id, "User", g.since)
            for g in self._application.holders(found.id)
            if self._application.accounts[g.account_id].status != "deleted"
        ]
        rows += [shapes.assigned(found, g, "Group", self._application.now()) for g in found.more.get("groups", ())]
        return shapes.page(request, rows, 100, 999)

    def assignments(self, request: Request) -> Response:
        """What somebody is assigned to, also by a group they are directly in."""
        account_id = request.path_params["user"]
        rows: list[dict[str, Any]] = []
        for found in self._kind(shapes.APPLICATIONS):
            held = [g for g in self._application.held(account_id) if g.entitlement_id == found.id]
            rows += [shapes.assigned(found, account_id, "User", g.since) for g in held]
            groups = [self._application.entitlements[g] for g in found.more.get("groups", ())]
            mine = [g for g in groups if account_id in self._accounts_in(g)]
            rows += [shapes.assigned(found, g.id, "Group", self._application.now()) for g in mine]
        return shapes.page(request, rows, 100, 999)

    def consents(self, request: Request) -> Response:
        """What somebody consented to."""
        rows = [
            {
                "id": c.id,
                "clientId": c.name,
                "consentType": "Principal",
                "principalId": c.account_id,
                "scope": "User.Read",
            }
            for c in self._application.credentials
            if c.account_id == request.path_params["user"] and c.kind == "oauth_grant"
        ]
        return shapes.page(request, rows, 100, 999)

    def passes(self, request: Request) -> Response:
        """Temporary access passes."""
        rows = [
            {"id": c.id, "isUsable": True, "createdDateTime": shapes.instant(c.created_at), "lifetimeInMinutes": 60}
            for c in self._application.credentials
            if c.account_id == request.path_params["user"] and c.kind != "oauth_grant"
        ]
        return shapes.page(request, rows, 100, 999)

    def revoke(self, request: Request) -> Response:
        """Withdraw a consent or a pass."""
        wanted = request.path_params["credential"]
        if all(c.id != wanted for c in self._application.credentials):
            raise KeyError(wanted)
        self._application.credentials = [c for c in self._application.credentials if c.id != wanted]
        return Response(status_code=204)

    def join(self, request: Request) -> Response:
        """Put somebody into a group."""
        found = self._one(request, "group", shapes.GROUPS)
        account_id = str((sent(request) or {}).get("@odata.id", "")).rpartition("/")[2]
        if account_id in self._accounts_in(found):
            return refused("entra")(400, "One or more added object references already exist.")
        self._application.grant(self._application.accounts[account_id].id, found.id, "graph")
        return Response(status_code=204)

    def leave(self, request: Request) -> Response:
        """Take somebody out of a group they are directly in."""
        found, account_id = self._one(request, "group", shapes.GROUPS), request.path_params["user"]
        if found.more.get("dynamic") or found.more.get("on_premises"):
            return refused("entra")(400, "Unable to update the specified properties.")
        if not self._application.revoke(account_id, found.id, "graph"):
            raise KeyError(account_id)
        return Response(status_code=204)

    def give_role(self, request: Request) -> Response:
        """Assign a directory role."""
        body = sent(request) or {}
        role = self._application.entitlements[str(body.get("roleDefinitionId"))]
        principal, scope = str(body.get("principalId")), str(body.get("directoryScopeId"))
        if scope != "/":
            role.more.setdefault("scope_of", {})[principal] = scope
        self._application.grant(self._application.accounts[principal].id, role.id, "graph")
        return JSONResponse(self._assignment(role, principal, scope), 201)

    def take_role(self, request: Request) -> Response:
        """Take a directory role."""
        for role in self._roles():
            for principal, scope in self._principals(role):
                if self._assignment(role, principal, scope)["id"] == request.path_params["assignment"]:
                    self._application.revoke(principal, role.id, "graph")
                    return Response(status_code=204)
        raise KeyError(request.path_params["assignment"])

    def assign(self, request: Request) -> Response:
        """Assign an application."""
        body = sent(request) or {}
        found = self._application.entitlements[str(body.get("resourceId"))]
        account = self._application.accounts[str(body.get("principalId"))]
        if body.get("appRoleId") != shapes.DEFAULT_ROLE:
            found.more.setdefault("app_role_of", {})[account.id] = body.get("appRoleId")
        self._application.grant(account.id, found.id, "graph")
        return JSONResponse(shapes.assigned(found, account.id, "User", self._application.now()), 201)

    def unassign(self, request: Request) -> Response:
        """Take an application away."""
        account_id, wanted = request.path_params["user"], request.path_params["assignment"]
        for found in self._kind(shapes.APPLICATIONS):
            if shapes.assigned(found, account_id, "User", None)["id"] == wanted:
                self._application.revoke(account_id, found.id, "graph")
                return Response(status_code=204)
        raise KeyError(wanted)

    def _kind(self, kinds: tuple[str, ...]) -> list[SandboxEntitlement]:
        return [e for e in self._application.entitlements.values() if e.kind in kinds]

    def _roles(self) -> list[SandboxEntitlement]:
        others = (*shapes.GROUPS, *shapes.APPLICATIONS)
        return [e for e in self._application.entitlements.values() if e.kind not in others]

    def _one(self, request: Request, name: str, kinds: tuple[str, ...]) -> SandboxEntitlement:
        found = self._application.entitlements[request.path_params[name]]
        if found.kind not in kinds:
            raise KeyError(found.id)
        return found

    def _accounts_in(self, group: SandboxEntitlement) -> list[str]:
        held = (g.account_id for g in self._application.holders(group.id))
        return [i for i in held if self._application.accounts[i].status != "deleted"]

    def _all_in(self, group: SandboxEntitlement, seen: set[str]) -> set[str]:
        if group.id in seen:
            return set()
        seen.add(group.id)
        inner = (self._application.entitlements[g] for g in group.more.get("groups", ()))
        return set(self._accounts_in(group)).union(*(self._all_in(g, seen) for g in inner))

    def _principals(self, role: SandboxEntitlement) -> list[tuple[str, str]]:
        """Accounts and groups that hold a role, with the part of the directory it is over."""
        scopes = role.more.get("scope_of", {})
        direct = [(g.account_id, scopes.get(g.account_id, "/")) for g in self._application.holders(role.id)]
        groups = [(g.id, "/") for g in self._kind(shapes.GROUPS) if role.id in g.more.get("roles", ())]
        return [(p, s) for p, s in direct if self._application.accounts[p].status != "deleted"] + groups

    def _assignment(self, role: SandboxEntitlement, principal: str, scope: str) -> dict[str, Any]:
        return {
            "id": f"{role.id[:8]}-{principal[-12:]}-1",
            "principalId": principal,
            "roleDefinitionId": role.id,
            "directoryScopeId": scope,
        }
