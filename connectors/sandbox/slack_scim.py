"""Slack's SCIM as the sandbox offers it, below `/scim/v2/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import credential, sent
from connectors.sandbox.discovery import provider
from connectors.sandbox.model import SandboxApplication, SandboxEntitlement
from connectors.sandbox.slack_shapes import OFF, scim_list, scim_user

READ_SCOPES: Final = ("admin", "identify", "usergroups:read", "users:read", "users:read.email")
Endpoint = Callable[[Request], Response]


def scim_routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one workspace."""
    api = _Provisioning(application)
    return [
        Route("/scim/v2/Users", api.guarded(api.users)),
        Route("/scim/v2/Users/{id}", api.guarded(api.user)),
        Route("/scim/v2/Users/{id}", api.guarded(api.switch), methods=["PATCH"]),
        Route("/scim/v2/Groups", api.guarded(api.groups)),
        Route("/scim/v2/Groups/{id}", api.guarded(api.regroup), methods=["PATCH"]),
        Route("/scim/v2/ServiceProviderConfig", api.guarded(lambda _: JSONResponse(provider(1000, patch=True)))),
    ]


class _Provisioning:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def guarded(self, call: Endpoint) -> Endpoint:
        """SCIM, where plan and scope allow it; changes need the other token."""

        def admitted(request: Request) -> Response:
            held = credential(self._application, dict(request.headers))
            if held not in ("token", "write_token"):
                return _scim_error(401, "invalid_authentication")
            scoped = "admin" in self._application.settings.get("scopes", READ_SCOPES)
            if self._application.settings.get("plan") == "free" or (
                held == "token" and not (scoped and request.method == "GET")
            ):
                return _scim_error(403, "not_allowed")
            with self._application.lock:
                return call(request)

        return admitted

    def users(self, request: Request) -> Response:
        """Members over SCIM; bots are none of its business."""
        found = [a for a in self._application.accounts.values() if a.kind != "bot" and a.status != "deleted"]
        return JSONResponse(scim_list(found, lambda a: scim_user(self._application, a), *_window(request)))

    def user(self, request: Request) -> Response:
        """One member."""
        found = self._application.accounts.get(request.path_params["id"])
        if found is None or found.kind == "bot" or found.status == "deleted":
            return _scim_error(404, "user_not_found")
        return JSONResponse(scim_user(self._application, found))

    def switch(self, request: Request) -> Response:
        """Deactivate or reactivate."""
        refused = self.user(request)
        account_id = request.path_params["id"]
        if refused.status_code != 200:
            return refused
        for operation in (sent(request) or {}).get("Operations", ()):
            if str(operation.get("path")) == "active" and isinstance(operation.get("value"), bool):
                if not operation["value"] and account_id == self._application.settings.get("primary_owner"):
                    return _scim_error(403, "cannot_deactivate_primary_owner")
                on = self._application.accounts[account_id].status not in OFF
                if on != operation["value"]:
                    self._application.set_status(account_id, "active" if operation["value"] else "deactivated", "scim")
        return self.user(request)

    def groups(self, request: Request) -> Response:
        """Groups of the identity provider."""
        groups = [e for e in self._application.entitlements.values() if e.kind == "group" and e.more.get("idp")]

        def shape(group: SandboxEntitlement) -> dict[str, Any]:
            members = [{"value": g.account_id} for g in self._application.holders(group.id)]
            schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"]
            return {"schemas": schemas, "id": group.id, "displayName": group.name, "members": members}

        return JSONResponse(scim_list(groups, shape, *_window(request)))

    def regroup(self, request: Request) -> Response:
        """Add members to a group or remove them."""
        group = self._application.entitlements.get(request.path_params["id"])
        if group is None or not group.more.get("idp"):
            return _scim_error(404, "group_not_found")
        for operation in (sent(request) or {}).get("Operations", ()):
            for told in operation.get("value", ()):
                change = self._application.revoke if operation["op"] == "remove" else self._application.grant
                change(str(told["value"]), group.id, "scim")
        return Response(status_code=204)


def _scim_error(status: int, detail: str) -> Response:
    schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"]
    return JSONResponse({"schemas": schemas, "status": str(status), "detail": detail}, status)


def _window(request: Request) -> tuple[int, int]:
    return max(1, int(request.query_params.get("startIndex", 1))), int(request.query_params.get("count", 100))
