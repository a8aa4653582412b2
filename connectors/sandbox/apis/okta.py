"""Okta as the sandbox offers it: users, groups, applications, roles, factors, the System Log and the token endpoint.

Entitlements of kind group are groups (`more["roles"]`: ids of roles their members hold, `more["type"]`: OKTA_GROUP,
APP_GROUP or BUILT_IN; see okta_setup), of kind application or licence applications, all others roles of administrators
(`more["type"]`: a standard one such as SUPER_ADMIN; else custom, with rights in `more["permissions"]`). Whoever is
`deleted` is not shown. Credentials of kind token are API tokens, others consents. An event's `more["okta"]` names its
type in the log. `settings`: `clients` (client id -> {"key": public key in PEM, "write": bool, "scopes": [...]}),
`owner` (who made the API tokens that are used here), `idps` (name -> {"suspended": action, "deprovisioned": action}),
`forbidden` (a regular expression of paths the read token may not ask), `rate_limit` (requests of a kind in a minute).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox import okta_shapes as shapes
from connectors.sandbox.apis import credential, sent
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxGrant
from connectors.sandbox.okta_setup import OktaSetup
from connectors.sandbox.okta_tokens import Tokens
from connectors.sandbox.shaped import Shaped

Endpoint = Callable[[Request], Response]
_CODES: Final = {
    400: "E0000001",
    401: "E0000011",
    403: "E0000006",
    404: "E0000007",
    405: "E0000022",
    429: "E0000047",
}


def failure(status: int, words: str) -> Response:
    """A refusal as Okta words it."""
    code = _CODES.get(status, "E0000009")
    error = {"errorCode": code, "errorSummary": words, "errorLink": code, "errorId": "oae0", "errorCauses": []}
    return JSONResponse(error, status)


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one org."""
    org, setup = _Org(application), OktaSetup(application)
    user, group, app = "/users/{user}", "/groups/{group}", "/apps/{app}"
    reads: list[tuple[str, Endpoint]] = [
        ("/users", org.users),
        ("/users/me", org.me),
        (user, org.user),
        (f"{user}/factors", org.factors),
        (f"{user}/roles", org.roles),
        (f"{user}/grants", org.consents),
        ("/iam/assignees/users", org.assignees),
        ("/iam/roles/{role}/permissions", org.permissions),
        ("/groups", org.groups),
        ("/groups/rules", setup.rules),
        (f"{group}/users", org.members),
        (f"{group}/roles", org.group_roles),
        ("/apps", org.apps),
        (f"{app}/users", org.assigned),
        (f"{app}/groups", setup.groups),
        (f"{app}/users/{{user}}", org.assignment),
        ("/api-tokens", org.tokens),
        ("/idps", setup.providers),
        ("/logs", org.logs),
    ]
    writes: list[tuple[str, str, Endpoint]] = [
        ("POST", f"{user}/lifecycle/{{verb}}", org.lifecycle),
        ("DELETE", f"{user}/sessions", org.sign_out),
        ("POST", f"{user}/roles", org.assign_role),
        ("DELETE", f"{user}/roles/{{assignment}}", org.unassign_role),
        ("DELETE", f"{user}/grants/{{credential}}", org.revoke),
        ("DELETE", "/api-tokens/{credential}", org.revoke),
        ("PUT", f"{group}/users/{{user}}", org.join),
        ("DELETE", f"{group}/users/{{user}}", org.leave),
        ("POST", f"{app}/users", org.assign),
        ("DELETE", f"{app}/users/{{user}}", org.unassign),
    ]
    return [
        Route("/oauth2/v1/token", Tokens(application).grant, methods=["POST"]),
        *(Route(f"/api/v1{path}", org.may(call), methods=["GET"]) for path, call in reads),
        *(Route(f"/api/v1{path}", org.may(call, write=True), methods=[verb]) for verb, path, call in writes),
    ]


class _Org:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application
        self._ledger = Ledger(
            application, shapes.facts, lambda g: sorted(shapes.members(application, g.id)), shapes.GROUPS
        )
        self._counters = shapes.Counters(int(application.settings.get("rate_limit", 60_000)))

    def may(self, call: Endpoint, *, write: bool = False) -> Endpoint:
        """The endpoint, for those who may."""

        def guarded(request: Request) -> Response:
            held = credential(self._application, dict(request.headers))
            path = request.url.path.removeprefix(request.scope.get("app_root_path", ""))
            forbidden = self._application.settings.get("forbidden")
            if held not in ("token", "write_token"):
                answer = failure(401, "Invalid token provided")
            elif held == "token" and (write or (forbidden and re.search(forbidden, path))):
                answer = failure(403, "You do not have permission to perform the requested action")
            else:
                with self._application.lock:
                    try:
                        answer = call(request)
                    except KeyError as missing:
                        answer = failure(404, f"Not found: Resource not found: {missing.args[0]}")
            answer.headers.update(self._counters.headers(path))
            return answer

        return guarded

    def users(self, request: Request) -> Response:
        """The list, which leaves deactivated users out unless a filter asks for them."""
        if "after" not in request.query_params:
            self._ledger.look()
        there = [a for a in self._application.accounts.values() if a.status != "deleted"]
        shown = shapes.asked_for(request.query_params.get("filter", ""), there, self._ledger)
        if shown is None:
            return failure(400, "Invalid search criteria")
        return shapes.page(request, Shaped(shown, lambda a: self._shown(request, a)), 200, 200)

    def _shown(self, request: Request, account: SandboxAccount) -> dict[str, Any]:
        return shapes.user(request, account, self._ledger.at("accounts", account.id))

    def me(self, request: Request) -> Response:
        """Who made the API token."""
        owner = self._application.settings.get("owner")
        if owner is None:
            raise KeyError("me (User)")
        return JSONResponse(self._shown(request, self._application.accounts[owner]))

    def user(self, request: Request) -> Response:
        """One user."""
        return JSONResponse(self._shown(request, self._found(request)))

    def factors(self, request: Request) -> Response:
        """The factors of a user."""
        return JSONResponse(shapes.factors(self._found(request)))

    def roles(self, request: Request) -> Response:
        """The roles of a user, through groups too."""
        account = self._found(request)
        return JSONResponse([self._role(g, account.id) for g in self._roles_of(account.id)])

    def consents(self, request: Request) -> Response:
        """What a user consented to."""
        mine = [c for c in self._application.credentials if c.account_id == self._found(request).id]
        return shapes.page(request, [shapes.consent(c) for c in mine if c.kind != "token"], 20, 200)

    def assignees(self, request: Request) -> Response:
        """Everybody with a role."""
        shown = [a.id for a in self._application.accounts.values() if a.status != "deleted" and self._roles_of(a.id)]
        start, size = int(request.query_params.get("after", "0")), int(request.query_params.get("limit", "100"))
        more = start + size < len(shown)
        link = {"next": {"href": shapes.following(request, str(start + size))}} if more else {}
        return JSONResponse({"value": [{"id": i} for i in shown[start : start + size]], "_links": link})

    def permissions(self, request: Request) -> Response:
        """The rights of a custom role."""
        found = self._application.entitlements[request.path_params["role"]]
        usual = ("okta.users.manage",) if found.privileged else ("okta.users.read",)
        return JSONResponse({"permissions": [{"label": label} for label in found.more.get("permissions", usual)]})

    def groups(self, request: Request) -> Response:
        """The groups, or the one that is asked for."""
        query = request.query_params
        wanted = re.fullmatch(r'id eq "(\w+)"', query.get("filter", ""))
        ids = [e.id for e in self._application.entitlements.values() if e.kind in shapes.GROUPS]
        ids = [i for i in ids if wanted is None or i == wanted[1]]
        if "after" not in query:
            self._ledger.look()
        stats = query.get("expand") == "stats"
        rows = [shapes.group(self._application, i, stats=stats, changed_at=self._ledger.at("groups", i)) for i in ids]
        return shapes.page(request, rows, 200, 10_000)

    def members(self, request: Request) -> Response:
        """Who is in a group."""
        found = self._of_kind(request, "group", shapes.GROUPS)
        held = [account for account, _ in self._holders(found)]
        return shapes.page(request, Shaped(held, lambda a: self._shown(request, a)), 1000, 1000)

    def group_roles(self, request: Request) -> Response:
        """The roles that the members of a group hold."""
        found = self._of_kind(request, "group", shapes.GROUPS)
        since = self._application.now()
        roles = self._application.entitlements[found].more.get("roles", ())
        return JSONResponse([shapes.role(self._application, r, since, "group", found) for r in roles])

    def apps(self, request: Request) -> Response:
        """The applications behind Okta."""
        ids = [e.id for e in self._application.entitlements.values() if e.kind in shapes.APPLICATIONS]
        return shapes.page(request, [shapes.app(self._application, i) for i in ids], 20, 200)

    def assigned(self, request: Request) -> Response:
        """Who is assigned to an application."""
        found = self._of_kind(request, "app", shapes.APPLICATIONS)
        rows = [shapes.assigned(a, g.since, g.how) for a, g in self._holders(found)]
        return shapes.page(request, rows, 50, 500)

    def assignment(self, request: Request) -> Response:
        """One of them."""
        found = self._of_kind(request, "app", shapes.APPLICATIONS)
        mine = [(a, g) for a, g in self._holders(found) if a.id == request.path_params["user"]]
        if not mine:
            raise KeyError(f"{request.path_params['user']} (AppUser)")
        return JSONResponse(shapes.assigned(mine[0][0], mine[0][1].since, mine[0][1].how))

    def tokens(self, request: Request) -> Response:
        """Every API token of the org."""
        return JSONResponse([shapes.token(c) for c in self._application.credentials if c.kind == "token"])

    def logs(self, request: Request) -> Response:
        """The System Log; without `until` it has no end."""
        query = request.query_params
        wanted = set(re.findall(r'eventType eq "([a-z._]+)"', query.get("filter", "")))
        start, size = int(query.get("after", "0")), min(int(query.get("limit", "100")), 1000)
        rows: list[dict[str, Any]] = []
        at = start
        for at, event in enumerate(self._application.events[start:], start + 1):  # noqa: B007 - the last is used
            told = shapes.happened(self._application, event)
            late = told is not None and query.get("since", "") <= told["published"] <= query.get("until", "9999")
            if told is not None and late and (not wanted or told["eventType"] in wanted):
                rows.append(told)
            if len(rows) == size:
                break
        link = f'<{shapes.following(request, str(at))}>; rel="next"'
        return JSONResponse(rows, headers={"Link": f'<{request.url}>; rel="self", {link}'})

    def lifecycle(self, request: Request) -> Response:
        """Suspend, unsuspend, activate, deactivate: each only from the status it is for."""
        account, verb = self._found(request), request.path_params["verb"]
        now = shapes.status(account)
        allowed = {
            "suspend": now == "ACTIVE",
            "unsuspend": now == "SUSPENDED",
            "activate": now in ("STAGED", "DEPROVISIONED"),
            "deactivate": now != "DEPROVISIONED",
        }
        if not allowed.get(verb):
            return failure(400, f"Cannot {verb} a user who is {now}")
        account.more.pop("status", None)
        self._application.set_status(
            account.id, {"suspend": "suspended", "deactivate": "deactivated"}.get(verb, "active"), "api"
        )
        if verb == "deactivate":
            for held in self._application.held(account.id):
                if self._application.entitlements[held.entitlement_id].kind in shapes.APPLICATIONS:
                    self._application.revoke(account.id, held.entitlement_id, "api")
        link = {"activationUrl": "https://example.okta.com/tokens/x/verify", "activationToken": "x"}
        return JSONResponse(link if verb == "activate" else {})

    def sign_out(self, request: Request) -> Response:
        """End every session."""
        account = self._found(request)
        account.more["signed_out_at"] = shapes.instant(self._application.now())
        return Response(status_code=204)

    def assign_role(self, request: Request) -> Response:
        """Give a standard role."""
        account, kind = self._found(request), (sent(request) or {}).get("type")
        found = [e for e in self._application.entitlements.values() if e.more.get("type") == kind and e.kind == "role"]
        if not found:
            return failure(400, "Api validation failed: type")
        self._application.grant(account.id, found[0].id, "api")
        held = next(g for g in self._application.held(account.id) if g.entitlement_id == found[0].id)
        return JSONResponse(self._role(held, account.id), 201)

    def unassign_role(self, request: Request) -> Response:
        """Take a role that is held directly."""
        account = self._found(request)
        for held in self._roles_of(account.id):
            if self._role(held, account.id)["id"] == request.path_params["assignment"] and held.how == "direct":
                self._application.revoke(account.id, held.entitlement_id, "api")
                return Response(status_code=204)
        raise KeyError(f"{request.path_params['assignment']} (RoleAssignment)")

    def revoke(self, request: Request) -> Response:
        """Withdraw a consent or an API token."""
        wanted = request.path_params["credential"]
        if all(c.id != wanted for c in self._application.credentials):
            raise KeyError(wanted)
        self._application.credentials = [c for c in self._application.credentials if c.id != wanted]
        return Response(status_code=204)

    def join(self, request: Request) -> Response:
        """Put somebody into a group."""
        return self._member(request, self._application.grant)

    def leave(self, request: Request) -> Response:
        """Take somebody out of a group."""
        return self._member(request, self._application.revoke)

    def assign(self, request: Request) -> Response:
        """Assign an application."""
        found = self._of_kind(request, "app", shapes.APPLICATIONS)
        account = self._application.accounts[str((sent(request) or {}).get("id"))]
        self._application.grant(account.id, found, "api")
        return JSONResponse(shapes.assigned(account, self._application.now(), "direct"))

    def unassign(self, request: Request) -> Response:
        """Take an application away; not where a group brings it."""
        found = self._of_kind(request, "app", shapes.APPLICATIONS)
        for held in self._application.held(request.path_params["user"]):
            if held.entitlement_id == found and held.how == "direct":
                self._application.revoke(held.account_id, found, "api")
                return Response(status_code=204)
            if held.entitlement_id == found:
                return failure(403, "The user is assigned through a group")
        raise KeyError(f"{request.path_params['user']} (AppUser)")

    def _member(self, request: Request, change: Callable[[str, str, str], Any]) -> Response:
        found = self._of_kind(request, "group", shapes.GROUPS)
        if shapes.group(self._application, found, stats=False)["type"] != "OKTA_GROUP":
            return failure(403, "The group's members are managed elsewhere")
        change(self._found(request).id, found, "api")
        return Response(status_code=204)

    def _found(self, request: Request) -> SandboxAccount:
        wanted = request.path_params["user"]
        account = self._application.accounts.get(wanted) or self._application.by_username(wanted)
        if account is None or account.status == "deleted":
            raise KeyError(f"{wanted} (User)")
        return account

    def _of_kind(self, request: Request, name: str, kinds: tuple[str, ...]) -> str:
        found = self._application.entitlements[request.path_params[name]]
        if found.kind not in kinds:
            raise KeyError(found.id)
        return found.id

    def _holders(self, entitlement_id: str) -> list[tuple[SandboxAccount, SandboxGrant]]:
        held = ((self._application.accounts[g.account_id], g) for g in self._application.holders(entitlement_id))
        return [(account, g) for account, g in held if account.status != "deleted"]

    def _roles_of(self, account_id: str) -> list[SandboxGrant]:
        """What the account holds that is neither group nor application, and what its groups bring."""
        held = self._application.held(account_id)
        kinds = {g.entitlement_id: self._application.entitlements[g.entitlement_id] for g in held}
        roles = [g for g in held if kinds[g.entitlement_id].kind not in (*shapes.GROUPS, *shapes.APPLICATIONS)]
        return roles + [
            SandboxGrant(account_id, role, g.since, "group")
            for g in held
            for role in kinds[g.entitlement_id].more.get("roles", ())
        ]

    def _role(self, held: SandboxGrant, account_id: str) -> dict[str, Any]:
        return shapes.role(self._application, held.entitlement_id, held.since, held.how, account_id)
