"""Google Workspace as the sandbox offers it: the token endpoint, the Directory API and the Reports API.

Entitlements of kind role are roles of administrators, of kind group groups (`more["members"]`: ids of groups inside);
others are not shown. A deactivated or locked account is a suspended one. `settings`:
`service_accounts`: {client_email: public key in PEM}; without it every well-formed assertion is believed.
`delegated` and `delegated_write`: the scopes of reader and writer; without them all. `writer`: the client_email that
may write (default: whose scopes are asked for without `.readonly`). `dynamic_groups`: ids whose members a rule decides.
`quota`: so many requests are refused with a 403 for the rate. `super_admins_protected`: nobody here may suspend them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import credential, sent
from connectors.sandbox.google_shapes import (
    activities,
    assignments,
    group_shape,
    member_shapes,
    on_page,
    role_shape,
    token_shapes,
    user_shape,
)
from connectors.sandbox.google_tokens import Tokens
from connectors.sandbox.model import SandboxApplication

Endpoint = Callable[[Request], Response]


def failure(status: int, words: str) -> Response:
    """A refusal as Google words it."""
    known = {401: "authError", 403: "forbidden", 404: "notFound", 409: "duplicate", 412: "conditionNotMet"}
    reason = known.get(status, "rateLimitExceeded" if status == 429 else "backendError" if status >= 500 else "invalid")
    error = {"code": status, "message": words, "errors": [{"domain": "global", "reason": reason, "message": words}]}
    return JSONResponse({"error": error}, status)


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one customer."""
    customer = _Customer(application)
    directory = "/admin/directory/v1"
    one = f"{directory}/users/{{user}}"
    group = f"{directory}/groups/{{group}}/members"
    roles = f"{directory}/customer/{{customer}}"
    user, security = "admin.directory.user", "admin.directory.user.security"
    member, management = "admin.directory.group.member", "admin.directory.rolemanagement"
    reads: list[tuple[str, Endpoint, str]] = [
        (f"{directory}/users", customer.users, f"{user}.readonly"),
        (one, customer.user, f"{user}.readonly"),
        (f"{directory}/groups", customer.groups, "admin.directory.group.readonly"),
        (group, customer.members, f"{member}.readonly"),
        (f"{roles}/roles", customer.roles, f"{management}.readonly"),
        (f"{roles}/roleassignments", customer.assignments, f"{management}.readonly"),
        (
            "/admin/reports/v1/activity/users/{user}/applications/{report}",
            customer.report,
            "admin.reports.audit.readonly",
        ),
    ]
    writes: list[tuple[str, str, Endpoint, str]] = [
        ("PATCH", one, customer.change, user),
        ("POST", f"{one}/signOut", customer.sign_out, security),
        ("GET", f"{one}/{{listed:str}}", customer.credentials, security),
        ("DELETE", f"{one}/{{listed}}/{{key:path}}", customer.revoke, security),
        ("POST", group, customer.join, member),
        ("DELETE", f"{group}/{{user}}", customer.leave, member),
        ("POST", f"{roles}/roleassignments", customer.assign, management),
        ("DELETE", f"{roles}/roleassignments/{{assignment}}", customer.unassign, management),
    ]
    return [
        Route("/token", Tokens(application).grant, methods=["POST"]),
        *(Route(path, customer.may(call, scope), methods=["GET"]) for path, call, scope in reads),
        *(Route(path, customer.may(call, scope, write=True), methods=[verb]) for verb, path, call, scope in writes),
    ]


def _over_quota() -> Response:
    error = {"domain": "usageLimits", "reason": "userRateLimitExceeded", "message": "User Rate Limit Exceeded"}
    return JSONResponse({"error": {"code": 403, "message": "User Rate Limit Exceeded", "errors": [error]}}, 403)


class _Customer:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def may(self, call: Endpoint, scope: str, *, write: bool = False) -> Endpoint:
        """The endpoint, for those who may."""

        def guarded(request: Request) -> Response:
            held = credential(self._application, dict(request.headers))
            if held not in ("token", "write_token"):
                return failure(401, "Request had invalid authentication credentials.")
            delegated = self._application.settings.get("delegated")
            if held == "token" and (write or (delegated is not None and scope not in delegated)):
                return failure(403, "Request had insufficient authentication scopes.")
            with self._application.lock:
                if self._application.settings.get("quota", 0) > 0:
                    self._application.settings["quota"] -= 1
                    return _over_quota()
                return call(request)

        return guarded

    def users(self, request: Request) -> Response:
        """The list of accounts, or of deleted ones."""
        deleted = request.query_params.get("showDeleted") == "true"
        found = [a for a in self._application.accounts.values() if (a.status == "deleted") == deleted]
        if "isAdmin=true" in request.query_params.get("query", ""):
            found = [a for a in found if self._application.privileged(a.id) and a.status == "active"]
        found.sort(key=lambda account: (account.email or "", account.id))
        return on_page(request, "users", found, 100, 500, shape=lambda a: user_shape(self._application, a))

    def user(self, request: Request) -> Response:
        """One account."""
        account = self._application.accounts.get(request.path_params["user"])
        if account is None or account.status == "deleted":
            return failure(404, "Resource Not Found: userKey")
        return JSONResponse(user_shape(self._application, account))

    def change(self, request: Request) -> Response:
        """Suspend or restore."""
        refused = self.user(request)
        if refused.status_code != 200:
            return refused
        body = sent(request) or {}
        account = self._application.accounts[request.path_params["user"]]
        protected = self._application.settings.get("super_admins_protected", False)
        if protected and self._application.privileged(account.id):
            return failure(403, "Not Authorized to access this resource/api")
        if isinstance(body.get("suspended"), bool):
            if body["suspended"] and account.status in ("active", "pending"):
                self._application.set_status(account.id, "suspended", "leaverwatch")
            elif not body["suspended"] and account.status in ("suspended", "deactivated", "locked"):
                self._application.set_status(account.id, "active", "leaverwatch")
        return self.user(request)

    def sign_out(self, request: Request) -> Response:
        """End sessions; refused for suspended accounts."""
        account = self._application.accounts.get(request.path_params["user"])
        if account is None:
            return failure(404, "Resource Not Found: userKey")
        if account.status not in ("active", "pending"):
            return failure(412, "User is suspended")
        self._application.record("updated", account.id, "leaverwatch", what="signed out")
        return Response(status_code=204)

    def groups(self, request: Request) -> Response:
        """Every group."""
        found = [e for e in self._application.entitlements.values() if e.kind == "group"]
        return on_page(request, "groups", [group_shape(self._application, g) for g in found], 200, 200)

    def members(self, request: Request) -> Response:
        """The direct members of a group."""
        group = self._group(request)
        if group is None:
            return failure(404, "Resource Not Found: groupKey")
        return on_page(request, "members", member_shapes(self._application, group), 200, 200)

    def join(self, request: Request) -> Response:
        """Put an account into a group."""
        group, body = self._group(request), sent(request) or {}
        account_id = str(body.get("id", ""))
        if group is None or account_id not in self._application.accounts:
            return failure(404, "Resource Not Found: groupKey or memberKey")
        if any(g.account_id == account_id for g in self._application.holders(group)):
            return failure(409, "Member already exists.")
        self._application.grant(account_id, group, "leaverwatch")
        self._ranks(group)[account_id] = str(body.get("role", "MEMBER"))
        return JSONResponse(
            {"kind": "admin#directory#member", "id": account_id, "role": self._ranks(group)[account_id]}
        )

    def leave(self, request: Request) -> Response:
        """Take an account out of a group."""
        group = self._group(request)
        if group is None:
            return failure(404, "Resource Not Found: groupKey")
        if group in self._application.settings.get("dynamic_groups", ()):
            return failure(403, "Dynamic groups cannot be changed")
        if not self._application.revoke(request.path_params["user"], group, "leaverwatch"):
            return failure(404, "Resource Not Found: memberKey")
        return Response(status_code=204)

    def roles(self, request: Request) -> Response:
        """Every role of administrators."""
        found = [e for e in self._application.entitlements.values() if e.kind == "role"]
        return on_page(request, "items", [role_shape(r) for r in found], 100, 100, kind="admin#directory#roles")

    def assignments(self, request: Request) -> Response:
        """Who has which role."""
        account, role = request.query_params.get("userKey"), request.query_params.get("roleId")
        found = [a for a in assignments(self._application) if account is None or a["assignedTo"] == account]
        found = [a for a in found if role is None or a["roleId"] == role]
        return on_page(request, "items", found, 200, 200, kind="admin#directory#roleAssignments")

    def assign(self, request: Request) -> Response:
        """Give a role."""
        body = sent(request) or {}
        role, account_id = str(body.get("roleId")), str(body.get("assignedTo"))
        if role not in self._application.entitlements or account_id not in self._application.accounts:
            return failure(404, "Resource Not Found: roleId or assignedTo")
        self._application.grant(account_id, role, "leaverwatch")
        return JSONResponse(
            next(a for a in assignments(self._application) if (a["roleId"], a["assignedTo"]) == (role, account_id))
        )

    def unassign(self, request: Request) -> Response:
        """Take a role."""
        for told in assignments(self._application):
            if told["roleAssignmentId"] == request.path_params["assignment"]:
                self._application.revoke(told["assignedTo"], told["roleId"], "leaverwatch")
                return Response(status_code=204)
        return failure(404, "Resource Not Found: roleAssignmentId")

    def credentials(self, request: Request) -> Response:
        """Access given to programs, or app passwords."""
        listed = request.path_params["listed"]
        if listed not in ("tokens", "asps"):
            return failure(404, "Not Found")
        found = token_shapes(self._application, request.path_params["user"], listed)
        return JSONResponse({"kind": f"admin#directory#{listed[:-1]}List", **({"items": found} if found else {})})

    def revoke(self, request: Request) -> Response:
        """Withdraw one of them."""
        key, account_id = request.path_params["key"], request.path_params["user"]
        for kept in self._application.credentials:
            if kept.account_id == account_id and kept.id == key:
                self._application.credentials.remove(kept)
                return Response(status_code=204)
        return failure(404, "Resource Not Found")

    def report(self, request: Request) -> Response:
        """What happened, newest first."""
        query = request.query_params
        start = datetime.fromisoformat(query["startTime"]) if "startTime" in query else datetime(1970, 1, 1, tzinfo=UTC)
        found = activities(self._application, request.path_params["report"], start, query.get("eventName"))
        return on_page(request, "items", found, 1000, 1000, kind="admin#reports#activities")

    def _group(self, request: Request) -> str | None:
        found = self._application.entitlements.get(request.path_params["group"])
        return found.id if found is not None and found.kind == "group" else None

    def _ranks(self, group: str) -> dict[str, str]:
        ranks: dict[str, str] = self._application.entitlements[group].more.setdefault("ranks", {})
        return ranks
