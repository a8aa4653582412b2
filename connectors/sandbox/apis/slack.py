"""Slack as the sandbox offers it: the Web API below `/api/`, SCIM below `/scim/v2/`, the audit log at `/audit/v1/logs`.

Privileged roles are flags of members (`more["flag"]`: is_admin unless it says is_owner), groups are user groups, or
groups of the identity provider where `more["idp"]`. Whoever is deleted is in no list; a locked account is none here.
`settings`: `plan` (free, business or enterprise, the default), `scopes` of the reading token, `primary_owner`, `maker`
(whose token the writing one is), `team_id`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import credential, sent
from connectors.sandbox.model import SandboxAccount, SandboxApplication
from connectors.sandbox.slack_scim import READ_SCOPES, scim_routes
from connectors.sandbox.slack_shapes import audit_entry, logins, member, user_group

WRITE_SCOPES: Final = (*READ_SCOPES, "admin.users:write", "usergroups:write")
Endpoint = Callable[[Request], Response]


def failure(status: int, words: str) -> Response:
    """A refusal as Slack words it: mostly with 200."""
    codes = {401: "invalid_auth", 403: "missing_scope", 429: "ratelimited"}
    code = codes.get(status, "internal_error")
    needed = {"needed": "admin", "provided": "identify"} if status == 403 else {}
    return JSONResponse({"ok": False, "error": code, **needed}, 200 if status in (401, 403) else status)


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one workspace."""
    slack = _Workspace(application)
    web: list[tuple[str, Endpoint, str]] = [
        ("auth.test", slack.auth_test, ""),
        ("users.list", slack.users_list, "users:read"),
        ("users.info", slack.users_info, "users:read"),
        ("usergroups.list", slack.usergroups_list, "usergroups:read"),
        ("usergroups.users.list", slack.usergroup_members, "usergroups:read"),
        ("usergroups.users.update", slack.usergroup_update, "usergroups:write"),
        ("team.accessLogs", slack.access_logs, "admin"),
        ("admin.users.session.reset", slack.reset, "admin.users:write"),
        ("admin.users.setRegular", slack.set_regular, "admin.users:write"),
        ("admin.users.setAdmin", slack.set_admin, "admin.users:write"),
        ("admin.users.setOwner", slack.set_owner, "admin.users:write"),
    ]
    return [
        *(Route(f"/api/{name}", slack.web(call, scope), methods=["GET", "POST"]) for name, call, scope in web),
        *scim_routes(application),
        Route("/audit/v1/logs", slack.audit_logs),
    ]


class _Workspace:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def web(self, call: Endpoint, scope: str) -> Endpoint:
        """A method of the Web API, with the scopes it tells in its answer."""

        def guarded(request: Request) -> Response:
            held = credential(self._application, dict(request.headers))
            if held not in ("token", "write_token"):
                return failure(401, "")
            settings = self._application.settings
            scopes = settings.get("scopes", READ_SCOPES) if held == "token" else WRITE_SCOPES
            if scope and scope not in scopes:
                told = {"ok": False, "error": "missing_scope", "needed": scope, "provided": ",".join(scopes)}
                answer: Response = JSONResponse(told)
            elif error := settings.get("errors", {}).get(request.url.path.rpartition("/")[2]):
                answer = JSONResponse({"ok": False, "error": error})
            else:
                with self._application.lock:
                    answer = call(request)
            answer.headers["x-oauth-scopes"] = ",".join(scopes)
            return answer

        return guarded

    def auth_test(self, request: Request) -> Response:
        """Whose token it is."""
        maker = str(self._application.settings.get("maker", "U0MAKER00"))
        team = {"team": "Sandbox", "team_id": self._team, "url": "https://sandbox.slack.example/"}
        return _ok(user="leaverwatch", user_id=maker, **team)

    def users_list(self, request: Request) -> Response:
        """Members, deactivated ones too."""
        scopes = self._application.settings.get("scopes", READ_SCOPES)
        shown = self._members()
        size = int(request.query_params.get("limit", 100))
        start = int(request.query_params.get("cursor", "at-0").removeprefix("at-"))
        following = f"at-{start + size}" if start + size < len(shown) else ""
        page = [member(self._application, a, email="users:read.email" in scopes) for a in shown[start : start + size]]
        return _ok(members=page, cache_ts=1_498_777_272, response_metadata={"next_cursor": following})

    def users_info(self, request: Request) -> Response:
        """One member."""
        found = self._one(request.query_params.get("user", ""))
        return _ok(user=member(self._application, found, email=True)) if found else _error("user_not_found")

    def usergroups_list(self, request: Request) -> Response:
        """User groups with members; not on the free plan."""
        if self._plan == "free":
            return _error("paid_teams_only")
        groups = [e for e in self._application.entitlements.values() if e.kind == "group" and not e.more.get("idp")]
        return _ok(usergroups=[user_group(self._application, group) for group in groups])

    def usergroup_members(self, request: Request) -> Response:
        """The members of one."""
        group = request.query_params.get("usergroup", "")
        if group not in self._application.entitlements:
            return _error("no_such_subteam")
        return _ok(users=[g.account_id for g in self._application.holders(group)])

    def usergroup_update(self, request: Request) -> Response:
        """Replace all members."""
        form = sent(request) or {}
        group, wanted = str(form.get("usergroup", "")), set(filter(None, str(form.get("users", "")).split(",")))
        if group not in self._application.entitlements:
            return _error("no_such_subteam")
        if not wanted:
            return _error("no_users_provided")
        for grant in self._application.holders(group):
            if grant.account_id not in wanted:
                self._application.revoke(grant.account_id, group, "leaverwatch")
        for account_id in wanted:
            self._application.grant(account_id, group, "leaverwatch")
        return _ok(usergroup=user_group(self._application, self._application.entitlements[group]))

    def access_logs(self, request: Request) -> Response:
        """Sign-ins, newest first; not on the free plan."""
        if self._plan == "free":
            return _error("paid_only")
        count, page = int(request.query_params.get("count", 100)), int(request.query_params.get("page", 1))
        if page > 100:
            return _error("over_pagination_limit")
        everything = logins(self._application)
        paging = {"count": count, "total": len(everything), "page": page, "pages": -(-len(everything) // count)}
        return _ok(logins=everything[(page - 1) * count : page * count], paging=paging)

    def reset(self, request: Request) -> Response:
        """Sign out everywhere."""
        account_id = str((sent(request) or {}).get("user_id", ""))
        if self._plan != "enterprise":
            return _error("not_an_enterprise")
        if self._one(account_id) is None:
            return _error("user_not_found")
        self._application.record("updated", account_id, "leaverwatch", what="signed out")
        return _ok()

    def set_regular(self, request: Request) -> Response:
        """Take every role."""
        return self._role(request, None)

    def set_admin(self, request: Request) -> Response:
        """Make an admin."""
        return self._role(request, "is_admin")

    def set_owner(self, request: Request) -> Response:
        """Make an owner."""
        return self._role(request, "is_owner")

    def audit_logs(self, request: Request) -> Response:
        """What happened, newest first."""
        if credential(self._application, dict(request.headers)) not in ("token", "write_token"):
            return JSONResponse({"code": 401, "message": "invalid_auth"}, 401)
        if self._plan != "enterprise":
            return JSONResponse({"code": 403, "message": "feature_not_enabled"}, 403)
        query = request.query_params
        actions = set(filter(None, query.get("action", "").split(",")))
        with self._application.lock:
            newest_first = sorted(self._application.events, key=lambda e: (e.at, e.id), reverse=True)
            entries = [e for event in newest_first if (e := audit_entry(self._application, event)) is not None]
        oldest = int(query.get("oldest", 0))
        entries = [e for e in entries if e["date_create"] >= oldest and (not actions or e["action"] in actions)]
        size, start = int(query.get("limit", 1000)), int(query.get("cursor", "at-0").removeprefix("at-"))
        following = f"at-{start + size}" if start + size < len(entries) else ""
        return JSONResponse({"entries": entries[start : start + size], "response_metadata": {"next_cursor": following}})

    def _role(self, request: Request, flag: str | None) -> Response:
        account_id = str((sent(request) or {}).get("user_id", ""))
        if self._plan != "enterprise":
            return _error("not_an_enterprise")
        if self._one(account_id) is None:
            return _error("user_not_found")
        for role in [e for e in self._application.entitlements.values() if e.kind == "role" and e.privileged]:
            if flag is None:
                self._application.revoke(account_id, role.id, "leaverwatch")
            elif role.more.get("flag", "is_admin") == flag:
                self._application.grant(account_id, role.id, "leaverwatch")
        return _ok()

    @property
    def _plan(self) -> str:
        return str(self._application.settings.get("plan", "enterprise"))

    @property
    def _team(self) -> str:
        return str(self._application.settings.get("team_id", "T0SANDBOX"))

    def _members(self) -> list[SandboxAccount]:
        return [a for a in self._application.accounts.values() if a.status != "deleted"]

    def _one(self, account_id: str) -> SandboxAccount | None:
        found = self._application.accounts.get(account_id)
        return found if found is not None and found.status != "deleted" else None


def _ok(**told: Any) -> Response:
    return JSONResponse({"ok": True, **told})


def _error(code: str) -> Response:
    return JSONResponse({"ok": False, "error": code})
