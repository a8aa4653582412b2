"""Microsoft Entra ID as the sandbox offers it: tokens below `/TENANT/oauth2`, Graph below `/v1.0`.

Entitlements of kind group are groups (`more`: `groups` ids of groups inside, `roles` ids of roles its members hold,
`dynamic`, `rule` that fills it, `on_premises`), of kind application or licence applications (`more`: `groups` ids of
groups assigned to it, `app_roles` id -> name, `app_role_of` account id -> id of its role), all others directory roles
(`more`: `built_in`, `eligible` ids of accounts that may take it up, `scope_of` account id -> the part of the directory
it is over). An account's `more`: `on_premises`, `failed_at` (a later try to sign in), `activity` (signInActivity as it
is). Credentials of kind oauth_grant are consents, others temporary access passes. `settings`: `premium` (False: no P1),
`p2` (False: no privileged identity management), `permissions` and `write_permissions` (claims of the tokens),
`forbidden` (a regular expression of paths the read token may not ask), `administrators_locked` (True: only an
application with a privileged role may disable administrators, which this one has not), `links_expired` (True: no link
to changes is taken).
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox import entra_shapes as shapes
from connectors.sandbox.apis import credential, sent
from connectors.sandbox.entra_access import EntraAccess
from connectors.sandbox.entra_delta import EntraDelta
from connectors.sandbox.model import SandboxAccount, SandboxApplication
from connectors.sandbox.shaped import Shaped

Endpoint = Callable[[Request], Response]
_CODES = {400: "Request_BadRequest", 401: "InvalidAuthenticationToken", 404: "Request_ResourceNotFound"}
_MOST_IN = 15  # values behind `in`
_PREMIUM = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"


def failure(status: int, words: str, code: str = "") -> Response:
    """A refusal as Graph words it."""
    usual = "TooManyRequests" if status == 429 else "UnknownError" if status >= 500 else "Authorization_RequestDenied"
    inner = {"request-id": "0", "client-request-id": "0"}
    error = {"code": code or _CODES.get(status, usual), "message": words, "innerError": inner}
    return JSONResponse({"error": error}, status)


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one directory."""
    graph, access, changed = _Directory(application), EntraAccess(application), EntraDelta(application)
    user, group, roles = "/users/{user}", "/groups/{group}", "/roleManagement/directory"
    reads: list[tuple[str, Endpoint]] = [
        ("/users", graph.users),
        ("/users/delta()", changed.users),
        ("/groups/delta()", changed.groups),
        (user, graph.user),
        (f"{user}/transitiveMemberOf", access.member_of),
        (f"{user}/appRoleAssignments", access.assignments),
        (f"{user}/oauth2PermissionGrants", access.consents),
        (f"{user}/authentication/temporaryAccessPassMethods", access.passes),
        ("/groups", access.groups),
        (f"{group}/members", access.members),
        ("/servicePrincipals", access.applications),
        ("/servicePrincipals/{app}/appRoleAssignedTo", access.assigned),
        (f"{roles}/roleDefinitions", access.definitions),
        (f"{roles}/roleAssignments", access.role_assignments),
        (f"{roles}/roleEligibilitySchedules", graph.licensed("p2", access.eligible)),
        ("/reports/authenticationMethods/userRegistrationDetails", graph.licensed("premium", graph.registered)),
        ("/directory/deletedItems/microsoft.graph.user", graph.deleted),
        ("/auditLogs/directoryAudits", graph.log(shapes.audited, "activityDateTime")),
        ("/auditLogs/provisioning", graph.licensed("premium", graph.log(shapes.pushed, "activityDateTime"))),
        ("/auditLogs/signIns", graph.licensed("premium", graph.log(shapes.signed_in, "createdDateTime"))),
    ]
    writes: list[tuple[str, str, Endpoint]] = [
        ("PATCH", user, graph.change),
        ("POST", f"{user}/revokeSignInSessions", graph.sign_out),
        ("POST", f"{user}/appRoleAssignments", access.assign),
        ("DELETE", f"{user}/appRoleAssignments/{{assignment}}", access.unassign),
        ("DELETE", f"{user}/authentication/temporaryAccessPassMethods/{{credential}}", access.revoke),
        ("DELETE", "/oauth2PermissionGrants/{credential}", access.revoke),
        ("POST", f"{group}/members/$ref", access.join),
        ("DELETE", f"{group}/members/{{user}}/$ref", access.leave),
        ("POST", f"{roles}/roleAssignments", access.give_role),
        ("DELETE", f"{roles}/roleAssignments/{{assignment}}", access.take_role),
    ]
    return [
        Route("/{tenant}/oauth2/v2.0/token", graph.grant, methods=["POST"]),
        *(Route(f"/v1.0{path}", graph.may(call), methods=["GET"]) for path, call in reads),
        *(Route(f"/v1.0{path}", graph.may(call, write=True), methods=[verb]) for verb, path, call in writes),
    ]


class _Directory:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def may(self, call: Endpoint, *, write: bool = False) -> Endpoint:
        """The endpoint, for those who may."""

        def guarded(request: Request) -> Response:
            held = credential(self._application, dict(request.headers))
            if held not in ("token", "write_token"):
                return failure(401, "Access token is missing, wrong or expired.")
            path = request.url.path.removeprefix(request.scope.get("app_root_path", ""))
            forbidden = self._application.settings.get("forbidden")
            if held == "token" and (write or (forbidden and re.search(forbidden, path))):
                return failure(403, "Insufficient privileges to complete the operation.")
            with self._application.lock:
                try:
                    return call(request)
                except KeyError as missing:
                    return failure(404, f"Resource '{missing.args[0]}' does not exist.")

        return guarded

    def licensed(self, name: str, call: Endpoint) -> Endpoint:
        """The endpoint, where the directory has the licence."""

        def guarded(request: Request) -> Response:
            if self._application.settings.get(name) is not False:
                return call(request)
            if name == "p2":
                return failure(400, "The tenant needs Entra ID P2.", "AadPremiumLicenseRequired")
            return failure(403, "Tenant doesn't have premium license", _PREMIUM)

        return guarded

    def users(self, request: Request) -> Response:
        """The list; with sign-ins only where there is a licence, and fewer on a page."""
        activity = "signInActivity" in request.query_params.get("$select", "")
        if activity and self._application.settings.get("premium") is False:
            return failure(403, "Neither tenant is B2C or tenant doesn't have premium license", _PREMIUM)
        if activity and re.search("signInActivity", str(self._application.settings.get("forbidden", ""))):
            return failure(403, "Insufficient privileges to complete the operation.")
        wanted = re.findall(r"'([^']*)'", request.query_params.get("$filter", ""))
        if len(wanted) > _MOST_IN:
            return failure(400, "Too many child clauses specified in search filter expression.")
        found = [a for a in self._application.accounts.values() if a.status != "deleted"]
        rows = Shaped([a for a in found if not wanted or a.id in wanted], lambda a: shapes.user(request, a))
        return shapes.page(request, rows, 100, 120 if activity else 999)

    def deleted(self, request: Request) -> Response:
        """Users that were deleted within 30 days."""
        rows = [shapes.user(request, a) for a in self._application.accounts.values() if a.status == "deleted"]
        return shapes.page(request, rows, 100, 999)

    def user(self, request: Request) -> Response:
        """One user."""
        return JSONResponse(shapes.user(request, self._found(request)))

    def registered(self, request: Request) -> Response:
        """Multi-factor methods, of enabled accounts only."""
        shown = [a for a in self._application.accounts.values() if a.mfa is not None and a.status == "active"]
        return shapes.page(request, Shaped(shown, shapes.registered), 100, 999)

    def log(self, rows: Callable[[SandboxApplication], Iterator[dict[str, Any]]], field: str) -> Endpoint:
        """One of the logs, between two instants."""

        def listed(request: Request) -> Response:
            said = dict(re.findall(r"DateTime (ge|le) (\S+)", request.query_params.get("$filter", "")))
            low, high = said.get("ge", ""), said.get("le", "9999")
            found = [row for row in rows(self._application) if low <= row[field] <= high]
            return shapes.page(request, found, 1000, 1000)

        return listed

    def change(self, request: Request) -> Response:
        """Enable or disable."""
        account, body = self._found(request), sent(request) or {}
        if account.more.get("on_premises"):
            return failure(400, "Unable to update on-premises mastered Directory Sync objects.")
        if self._application.settings.get("administrators_locked") and self._application.privileged(account.id):
            return failure(403, "Insufficient privileges to complete the operation.")
        if isinstance(body.get("accountEnabled"), bool):
            self._application.set_status(account.id, "active" if body["accountEnabled"] else "deactivated", "graph")
        return Response(status_code=204)

    def sign_out(self, request: Request) -> Response:
        """End every session."""
        self._found(request).more["signed_out_at"] = shapes.instant(self._application.now())
        return JSONResponse({"@odata.context": "x", "value": True})

    def grant(self, request: Request) -> Response:
        """A token for an application that shows its secret; its claims say what it may do."""
        form, application = sent(request) or {}, self._application
        secret = str(form.get("client_secret", ""))
        for token, name in ((application.write_token, "write_permissions"), (application.token, "permissions")):
            if hmac.compare_digest(secret.encode(), token.encode()) and str(form.get("scope")).endswith("/.default"):
                claims = {"aud": form["scope"], "roles": list(application.settings.get(name, ()))}
                head, body = (_part(part) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
                told = {"token_type": "Bearer", "expires_in": 3599, "access_token": f"{head}.{body}.{token}"}
                return JSONResponse(told)
        error = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
        return JSONResponse(error, 401)

    def _found(self, request: Request) -> SandboxAccount:
        wanted = request.path_params["user"]
        account = self._application.accounts.get(wanted) or self._application.by_username(wanted)
        if account is None or account.status == "deleted":
            raise KeyError(wanted)
        return account


def _part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
