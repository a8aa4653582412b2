"""GitHub as the sandbox offers it: one organisation, plain or of an enterprise with managed users.

Privileged roles make owners; roles with `more["orgrole"]` are roles of the organisation; groups are teams
(`more["ranks"]`: who maintains them, `more["synced"]`: members come from the identity provider). `settings`:
`organization`, `enterprise`, `managed`, `plan` (free, team or enterprise, the default), `scopes` of the reading token,
`maker` (whose token it is), `stranger` (its owner is no member), `not_owner`, `secondary` (so many requests are refused
with 403 and Retry-After), `saml` (False: no single sign-on), `oidc`, `app_key` (public key of a GitHub App),
`permissions` of that App.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox import github_shapes as shapes
from connectors.sandbox.apis import credential, sent
from connectors.sandbox.github_enterprise import Enterprise
from connectors.sandbox.github_pages import failure, on_page
from connectors.sandbox.github_teams import Inside, Teams
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement

SCOPES: Final = ("read:audit_log", "read:enterprise", "read:org", "scim:enterprise")
Endpoint = Callable[[Request], Response]
__all__ = ["failure", "routes"]


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one organisation."""
    org = _Organisation(application)
    teams = Teams(application)
    enterprise = Enterprise(application)
    base, one = "/orgs/{org}", "/{login}"
    reads: list[tuple[str, Endpoint]] = [
        ("/user", org.whoever_asks),
        (base, org.whole),
        (f"{base}/members", org.members),
        (f"{base}/memberships{one}", org.membership),
        (f"{base}/outside_collaborators", org.collaborators),
        (f"{base}/invitations", org.invitations),
        (f"{base}/teams", teams.teams),
        (f"{base}/teams/{{slug}}/members", teams.team_members),
        (f"{base}/organization-roles", teams.roles),
        (f"{base}/organization-roles/{{role}}/users", teams.role_holders),
        (f"{base}/audit-log", enterprise.audit_log),
        ("/enterprises/{enterprise}/audit-log", enterprise.audit_log),
        (f"{base}/credential-authorizations", enterprise.credentials),
        ("/enterprises/{enterprise}/consumed-licenses", enterprise.licences),
        ("/scim/v2/enterprises/{enterprise}/Users", enterprise.scim_users),
        ("/scim/v2/enterprises/{enterprise}/Users/{id}", enterprise.scim_user),
    ]
    writes: list[tuple[str, str, Endpoint]] = [
        ("PUT", f"{base}/memberships{one}", org.set_role),
        ("PUT", f"{base}/teams/{{slug}}/memberships{one}", teams.join),
        ("DELETE", f"{base}/teams/{{slug}}/memberships{one}", teams.leave),
        ("PUT", f"{base}/organization-roles/users{one}/{{role}}", teams.assign),
        ("DELETE", f"{base}/organization-roles/users{one}/{{role}}", teams.unassign),
        ("DELETE", f"{base}/credential-authorizations/{{id}}", enterprise.revoke_credential),
        ("PATCH", "/scim/v2/enterprises/{enterprise}/Users/{id}", enterprise.scim_switch),
    ]
    return [
        *(Route(path, org.may(call), methods=["GET"]) for path, call in reads),
        *(Route(path, org.may(call, write=True), methods=[verb]) for verb, path, call in writes),
        Route("/graphql", org.may(enterprise.graphql), methods=["POST"]),
        Route("/app/installations/{id}/access_tokens", enterprise.installation_token, methods=["POST"]),
    ]


class _Organisation(Inside):
    def __init__(self, application: SandboxApplication) -> None:
        super().__init__(application)
        self._asked = 0

    def may(self, call: Endpoint, *, write: bool = False) -> Endpoint:
        """The endpoint, for those who may; with the headers GitHub adds."""

        def guarded(request: Request) -> Response:
            held = credential(self._application, dict(request.headers))
            if held not in ("token", "write_token"):
                return failure(401, "Bad credentials")
            settings = self._application.settings
            there = request.path_params.get("org", self._name) == self._name
            there &= request.path_params.get("enterprise", self._enterprise) == self._enterprise
            if settings.get("secondary", 0) > 0:
                settings["secondary"] -= 1
                answer = failure(403, "You have exceeded a secondary rate limit.")
                answer.headers["retry-after"] = "1"
            elif not there:
                answer = failure(404, "Not Found")
            elif write and held != "write_token":
                answer = failure(403, "Resource not accessible by personal access token")
            else:
                with self._application.lock:
                    answer = call(request)
            self._asked += 1
            reset = str(int((self._application.now() + timedelta(hours=1)).timestamp()))
            remaining = 5000 - self._asked % 1000
            left = {"limit": "5000", "remaining": str(remaining), "reset": reset}
            answer.headers.update({f"x-ratelimit-{key}": value for key, value in left.items()})
            if "app_key" not in settings and settings.get("scopes", SCOPES) is not None:
                answer.headers["x-oauth-scopes"] = ", ".join(settings.get("scopes", SCOPES))
            return answer

        return guarded

    def whoever_asks(self, request: Request) -> Response:
        """Whose token it is."""
        if "app_key" in self._application.settings:
            return failure(403, "Resource not accessible by integration")
        return JSONResponse({**shapes.person(self._maker, 1), **_profile()})

    def whole(self, request: Request) -> Response:
        """The organisation."""
        return JSONResponse(shapes.whole_organization(self._name, self._plan))

    def members(self, request: Request) -> Response:
        """Who belongs to it."""
        found = [a for a in self._inside() if a.kind != "guest"]
        if request.query_params.get("role") == "admin":
            found = [a for a in found if self._owns(a)]
        return self._people(request, found)

    def collaborators(self, request: Request) -> Response:
        """Who only has repositories."""
        return self._people(request, [a for a in self._inside() if a.kind == "guest"])

    def membership(self, request: Request) -> Response:
        """How one belongs."""
        name = request.path_params["login"]
        if name == self._maker and not self._application.settings.get("stranger"):
            me = SandboxAccount("1", name, None, "Leaverwatch", "Admin", more={"login": name})
            return JSONResponse(shapes.membership(self._application, me, self._name, owner=True))
        account = self._one(name)
        if account is None or account.kind == "guest":
            return failure(404, "Not Found")
        return JSONResponse(shapes.membership(self._application, account, self._name, owner=self._owns(account)))

    def set_role(self, request: Request) -> Response:
        """Make an owner, or a plain member."""
        account = self._one(request.path_params["login"])
        if account is None:
            return failure(404, "Not Found")
        for owner in (e for e in self._application.entitlements.values() if _is_owner(e)):
            if (sent(request) or {}).get("role") == "admin":
                self._application.grant(account.id, owner.id, "leaverwatch")
            else:
                self._application.revoke(account.id, owner.id, "leaverwatch")
        return self.membership(request)

    def invitations(self, request: Request) -> Response:
        """Who may come in; not with managed users."""
        if self._application.settings.get("managed"):
            return failure(404, "Not Found")
        pending = [a for a in self._application.accounts.values() if a.status == "pending"]
        return on_page(request, pending, lambda a: shapes.invitation(self._application, a, self._name))

    def _people(self, request: Request, found: list[SandboxAccount]) -> Response:
        if request.query_params.get("filter") == "2fa_disabled":
            if self._application.settings.get("not_owner"):
                return failure(422, "Only owners can use this filter")
            found = [a for a in found if a.mfa is False]
        return on_page(request, found, lambda a: shapes.member(self._application, a))

    def _owns(self, account: SandboxAccount) -> bool:
        return any(
            _is_owner(self._application.entitlements[g.entitlement_id]) for g in self._application.held(account.id)
        )

    @property
    def _enterprise(self) -> str:
        return str(self._application.settings.get("enterprise", "nwl-enterprise"))

    @property
    def _maker(self) -> str:
        return str(self._application.settings.get("maker", "leaverwatch-admin"))


def _is_owner(entitlement: SandboxEntitlement) -> bool:
    return entitlement.kind == "role" and entitlement.privileged and not entitlement.more.get("orgrole")


def _profile() -> dict[str, Any]:
    nothing = ("name", "company", "location", "email", "hireable", "bio")
    counts = ("public_repos", "public_gists", "followers", "following")
    made = {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "blog": ""}
    return {**dict.fromkeys(nothing), **dict.fromkeys(counts, 0), **made}
