"""Who is inside an organisation of GitHub, its teams and its roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox import github_shapes as shapes
from connectors.sandbox.apis import sent
from connectors.sandbox.github_pages import failure, on_page
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement


class Inside:
    """What every endpoint of one organisation needs to know."""

    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def _inside(self) -> list[SandboxAccount]:
        statuses = shapes.IN if self._application.settings.get("managed") else ("active",)
        return [a for a in self._application.accounts.values() if a.status in statuses]

    def _one(self, name: str) -> SandboxAccount | None:
        return next((a for a in self._inside() if shapes.login(self._application, a) == name), None)

    def _of_kind(self, kind: str) -> list[SandboxEntitlement]:
        every = self._application.entitlements.values()
        return [e for e in every if (e.more.get("orgrole") if kind == "orgrole" else e.kind in shapes.TEAMS)]

    @property
    def _name(self) -> str:
        return str(self._application.settings.get("organization", "nwl"))

    @property
    def _plan(self) -> str:
        return str(self._application.settings.get("plan", "enterprise"))


class Teams(Inside):
    """The endpoints of teams and roles."""

    def teams(self, request: Request) -> Response:
        """Every team."""
        return on_page(request, list(enumerate(self._of_kind("group"), 1)), lambda told: shapes.team(told[1], told[0]))

    def team_members(self, request: Request) -> Response:
        """Who is in one, with rank."""
        team = self._team(request)
        if team is None:
            return failure(404, "Not Found")
        ranks = team.more.get("ranks", {})
        inherited = set(team.more.get("inherited", ()))
        held = {g.account_id for g in self._application.holders(team.id)}

        def shape(account: SandboxAccount) -> dict[str, Any]:
            more = {"role": ranks.get(account.id, "member"), "inherited": account.id in inherited}
            return {**shapes.member(self._application, account), **more}

        return on_page(request, [a for a in self._inside() if a.id in held and a.kind != "guest"], shape)

    def join(self, request: Request) -> Response:
        """Put somebody into a team."""
        team, account = self._team(request), self._one(request.path_params["login"])
        if team is None or account is None:
            return failure(404, "Not Found")
        rank = str((sent(request) or {}).get("role", "member"))
        self._application.grant(account.id, team.id, "leaverwatch")
        team.more.setdefault("ranks", {})[account.id] = rank
        url = f"{shapes.SITE}/teams/1/memberships/{request.path_params['login']}"
        return JSONResponse({"url": url, "role": rank, "state": "active"})

    def leave(self, request: Request) -> Response:
        """Take somebody out of a team."""
        team, account = self._team(request), self._one(request.path_params["login"])
        if team is None or account is None:
            return failure(404, "Not Found")
        if team.more.get("synced"):
            return failure(403, "This team is managed by your identity provider")
        taken = self._application.revoke(account.id, team.id, "leaverwatch")
        return Response(status_code=204) if taken else failure(404, "Not Found")

    def roles(self, request: Request) -> Response:
        """Roles of the organisation."""
        if self._plan != "enterprise":
            return failure(404, "Not Found")
        found = [shapes.role(r, n, self._name) for n, r in enumerate(self._of_kind("orgrole"), 1)]
        return JSONResponse({"total_count": len(found), "roles": found})

    def role_holders(self, request: Request) -> Response:
        """Who has one."""
        role = self._role(request)
        if role is None:
            return failure(404, "Not Found")
        held = {g.account_id for g in self._application.holders(role.id)}
        people = [a for a in self._inside() if a.id in held]
        return on_page(request, people, lambda a: {**shapes.member(self._application, a), "assignment": "direct"})

    def assign(self, request: Request) -> Response:
        """Give a role."""
        return self._reassign(request, self._application.grant)

    def unassign(self, request: Request) -> Response:
        """Take a role."""
        return self._reassign(request, self._application.revoke)

    def _reassign(self, request: Request, change: Callable[..., Any]) -> Response:
        role, account = self._role(request), self._one(request.path_params["login"])
        if role is None or account is None:
            return failure(404, "Not Found")
        change(account.id, role.id, "leaverwatch")
        return Response(status_code=204)

    def _team(self, request: Request) -> SandboxEntitlement | None:
        slug = request.path_params["slug"]
        return next((t for t in self._of_kind("group") if shapes.team_slug(t) == slug), None)

    def _role(self, request: Request) -> SandboxEntitlement | None:
        number = request.path_params["role"]
        return dict(zip(map(str, range(1, 1000)), self._of_kind("orgrole"), strict=False)).get(number)
