"""An application of no known vendor: plain JSON below `/NAME/api/v1/`, such as every company has a dozen of.

    GET  users?page=1&per_page=50   {"users": [...], "page": 1, "pages": 3, "total": 120}
    GET  users/{id}                 one of them
    POST users/{id}/disable         and users/{id}/enable
    GET  roles                      {"roles": [{"id": ..., "label": ...}]}
    GET  audit?after=...            {"entries": [...], "next": "..."}

`settings["paging"]` is page (as above), offset (offset, limit), cursor (cursor, limit; `next_cursor`) or link (a Link
header). A key goes into `X-Api-Key` or a bearer token; changes need the other one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import credential
from connectors.sandbox.model import SandboxAccount, SandboxApplication

MOST: Final = 100
STATES: Final = {
    "active": "enabled",
    "suspended": "disabled",
    "deactivated": "disabled",
    "pending": "invited",
    "locked": "locked",
}


def routes(application: SandboxApplication) -> list[Route]:
    """The whole API."""
    api = _Api(application)
    return [
        Route("/api/v1/users", api.guarded(api.users)),
        Route("/api/v1/users/{id}", api.guarded(api.user)),
        Route("/api/v1/users/{id}/disable", api.guarded(api.switch("deactivated")), methods=["POST"]),
        Route("/api/v1/users/{id}/enable", api.guarded(api.switch("active")), methods=["POST"]),
        Route("/api/v1/roles", api.guarded(api.roles)),
        Route("/api/v1/audit", api.guarded(api.audit)),
    ]


def failure(status: int, words: str) -> Response:
    """A refusal in this application's words."""
    return JSONResponse({"message": words, "code": status}, status)


class _Api:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def guarded(self, endpoint: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """The endpoint behind the key."""

        def guarded(request: Request) -> Response:
            used = credential(self._application, request.headers)
            if used not in ("token", "write_token"):
                return failure(401, "unknown key")
            if request.method == "POST" and used != "write_token":
                return failure(403, "this key may only read")
            with self._application.lock:
                return endpoint(request)

        return guarded

    def users(self, request: Request) -> Response:
        """Accounts, page by page."""
        accounts = [self._shown(a) for a in self._application.accounts.values() if a.status in STATES]
        return self._page("users", accounts, request)

    def user(self, request: Request) -> Response:
        """One account."""
        account = self._application.accounts.get(request.path_params["id"])
        if account is None or account.status not in STATES:
            return failure(404, "no such user")
        return JSONResponse(self._shown(account))

    def switch(self, status: str) -> Callable[[Request], Response]:
        """Makes accounts able or unable to sign in."""

        def switch(request: Request) -> Response:
            account = self._application.accounts.get(request.path_params["id"])
            if account is None or account.status not in STATES:
                return failure(404, "no such user")
            self._application.set_status(account.id, status, "api")
            return JSONResponse(self._shown(account))

        return switch

    def roles(self, request: Request) -> Response:
        """What an account can hold."""
        roles = [{"id": e.id, "label": e.name} for e in self._application.entitlements.values()]
        return self._page("roles", roles, request)

    def audit(self, request: Request) -> Response:
        """What happened, oldest first; `after` is the id of the last entry that is known."""
        events = sorted(self._application.events, key=lambda e: (e.at, e.id))
        if after := request.query_params.get("after"):
            known = next((n for n, e in enumerate(events) if e.id == after), -1)
            events = events[known + 1 :]
        part = events[: _number(request, "limit", MOST)]
        entries = [
            {
                "id": e.id,
                "time": int(e.at.timestamp()),
                "action": e.kind,
                "user": e.account_id,
                "by": e.actor,
                "ok": e.success,
            }
            for e in part
        ]
        return JSONResponse({"entries": entries, "next": part[-1].id if len(part) < len(events) else None})

    def _shown(self, account: SandboxAccount) -> dict[str, Any]:
        return {
            "id": account.id,
            "login": account.username,
            "email": account.email,
            "name": {"first": account.given, "last": account.family},
            "type": account.kind,
            "state": STATES[account.status],
            "created": account.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastLogin": _milliseconds(account.last_seen_at),  # 0: never
            "twoFactor": {True: "on", False: "off", None: None}[account.mfa],
            "staffNumber": account.employee_id,
            "department": account.department,
            "position": account.title,
            "roles": [g.entitlement_id for g in self._application.held(account.id)],
        }

    def _page(self, name: str, everything: list[dict[str, Any]], request: Request) -> Response:
        style = str(self._application.settings.get("paging", "page"))
        size = max(1, min(_number(request, "per_page" if style == "page" else "limit", 50), MOST))
        total = len(everything)
        if style == "page":
            page = max(1, _number(request, "page", 1))
            part = everything[(page - 1) * size : page * size]
            told = {name: part, "page": page, "pages": -(-total // size), "total": total}
            return JSONResponse(told)
        if style == "offset":
            offset = max(0, _number(request, "offset", 0))
            return JSONResponse({name: everything[offset : offset + size], "offset": offset, "total": total})
        start = _unsealed(request.query_params.get("cursor"))
        if start is None:
            return failure(400, "the cursor is not one of ours")
        part, rest = everything[start : start + size], start + size < total
        following = _sealed(start + size)
        if style == "cursor":
            return JSONResponse({name: part, "next_cursor": following if rest else None})
        link = f'<{request.url.include_query_params(cursor=following)}>; rel="next"'
        return JSONResponse({name: part}, headers={"Link": link} if rest else None)


def _sealed(start: int) -> str:
    return base64.urlsafe_b64encode(f"from:{start}".encode()).decode()


def _unsealed(cursor: str | None) -> int | None:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("from:"))
    except (binascii.Error, ValueError):
        return None


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() else default


def _milliseconds(instant: datetime | None) -> int:
    return int(instant.timestamp() * 1000) if instant else 0
