"""SCIM 2.0 as RFC 7643 and RFC 7644 say, below `/NAME/v2/`: accounts, groups and what the server can.

The standard has no last sign-in and no multi-factor authentication; they stand in the extension of
connectors.sandbox.directory. Whoever is gone (`deleted`) is a 404, as section 3.6 of RFC 7644 demands.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import credential, sent
from connectors.sandbox.directory import CORE, ENTERPRISE, EXTENSION, ScimError, carried_out, matching
from connectors.sandbox.discovery import LIST, provider, resource_types, schemas
from connectors.sandbox.model import SandboxAccount, SandboxApplication

MEDIA: Final = "application/scim+json"
MOST: Final = 200
_OF_KIND: Final = {"service": "service", "bot": "bot", "guest": "guest", "shared": "shared"}


class ScimResponse(JSONResponse):
    """JSON under the standard's own media type."""

    media_type = MEDIA


def routes(application: SandboxApplication) -> list[Route]:
    """What the standard offers of an application."""
    api = _Scim(application)
    return [
        Route("/v2/Users", api.guarded(api.users)),
        Route("/v2/Users", api.guarded(api.add), methods=["POST"]),
        Route("/v2/Users/{id}", api.guarded(api.user)),
        Route("/v2/Users/{id}", api.guarded(api.patch), methods=["PATCH"]),
        Route("/v2/Users/{id}", api.guarded(api.put), methods=["PUT"]),
        Route("/v2/Groups", api.guarded(api.groups)),
        Route("/v2/Groups/{id}", api.guarded(api.group)),
        Route("/v2/ServiceProviderConfig", api.guarded(lambda r: ScimResponse(provider(MOST, patch=True)))),
        Route("/v2/ResourceTypes", api.guarded(lambda r: ScimResponse(_listed(resource_types())))),
        Route("/v2/Schemas", api.guarded(lambda r: ScimResponse(_listed(schemas())))),
    ]


def failure(status: int, words: str) -> Response:
    """A refusal as section 3.12 of RFC 7644 writes it."""
    return _refused(ScimError(status, words))


class _Scim:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def guarded(self, endpoint: Any) -> Any:
        """The endpoint behind the token; writing needs the other one."""

        def guarded(request: Request) -> Response:
            used = credential(self._application, request.headers)
            try:
                if used not in ("token", "write_token"):
                    raise ScimError(401, "The bearer token is missing, wrong or expired")
                if request.method not in ("GET", "HEAD") and used != "write_token":
                    raise ScimError(403, "The token may only read")
                with self._application.lock:
                    answer: Response = endpoint(request)
                    return answer
            except ScimError as refused:
                return _refused(refused)

        return guarded

    def users(self, request: Request) -> Response:
        """Accounts, page by page."""
        shown = [self._shown(a, request) for a in self._application.accounts.values() if a.status != "deleted"]
        if expression := request.query_params.get("filter"):
            accepts = matching(expression)
            shown = [account for account in shown if accepts(account)]
        return self._page(shown, request)

    def user(self, request: Request) -> Response:
        """One account."""
        return self._one(self._found(request), request)

    def add(self, request: Request) -> Response:
        """A new account, as an identity provider pushes it."""
        given = _body(request)
        username = str(given.get("userName") or "")
        if not username:
            raise ScimError(400, "userName is required", "invalidValue")
        if self._application.by_username(username):
            raise ScimError(409, f"userName {username} is taken", "uniqueness")
        name = given.get("name") or {}
        account = SandboxAccount(
            id=f"{self._application.name}-{len(self._application.accounts) + 1:06d}",
            username=username,
            email=next((e.get("value") for e in given.get("emails", ()) if isinstance(e, dict)), username),
            given=str(name.get("givenName", "")),
            family=str(name.get("familyName", "")),
            status="active" if given.get("active", True) else "deactivated",
            created_at=self._application.now(),
            external_id=given.get("externalId"),
            managed_by="scim",
        )
        self._application.accounts[account.id] = account
        self._application.record("provisioned", account.id, "scim")
        return self._one(account, request, 201)

    def patch(self, request: Request) -> Response:
        """Change some attributes of an account."""
        account = self._found(request)
        return self._changed(account, carried_out(self._shown(account, request), _body(request)), request)

    def put(self, request: Request) -> Response:
        """Change all attributes of an account."""
        return self._changed(self._found(request), _body(request), request)

    def groups(self, request: Request) -> Response:
        """Groups and roles with their members; the standard has no other place for them."""
        return self._page([self._group(e, request) for e in self._application.entitlements], request)

    def group(self, request: Request) -> Response:
        """One group."""
        group_id = request.path_params["id"]
        if group_id not in self._application.entitlements:
            raise ScimError(404, f"Resource {group_id} not found")
        return ScimResponse(self._group(group_id, request))

    def _changed(self, account: SandboxAccount, wanted: dict[str, Any], request: Request) -> Response:
        active = wanted.get("active", True)
        if isinstance(active, str):
            active = active.lower() == "true"
        if active != (account.status == "active"):
            self._application.set_status(account.id, "active" if active else "deactivated", "scim")
        for key, attribute in (("title", "title"), ("externalId", "external_id"), ("userName", "username")):
            if isinstance(wanted.get(key), str):
                setattr(account, attribute, wanted[key])
        return self._one(account, request)

    def _found(self, request: Request) -> SandboxAccount:
        account = self._application.accounts.get(request.path_params["id"])
        if account is None or account.status == "deleted":
            raise ScimError(404, f"Resource {request.path_params['id']} not found")
        return account

    def _one(self, account: SandboxAccount, request: Request, status: int = 200) -> Response:
        shown = self._shown(account, request)
        return ScimResponse(shown, status, {"Location": shown["meta"]["location"], "ETag": shown["meta"]["version"]})

    def _shown(self, account: SandboxAccount, request: Request) -> dict[str, Any]:
        created = _time(account.created_at)
        extension: dict[str, Any] = {
            "lastSignInAt": _time(account.last_seen_at) if account.last_seen_at else "never",
        }
        if account.mfa is not None:
            extension["mfaEnabled"] = account.mfa
        shown: dict[str, Any] = {
            "schemas": [CORE + "User", ENTERPRISE, EXTENSION],
            "id": account.id,
            "userName": account.username,
            "displayName": account.name,
            "name": {"givenName": account.given, "familyName": account.family, "formatted": account.name},
            "active": account.status == "active",
            "meta": {
                "resourceType": "User",
                "created": created,
                "lastModified": created,
                "version": f'W/"{account.status}"',
                "location": f"{request.base_url}v2/Users/{account.id}",
            },
            ENTERPRISE: {},
            EXTENSION: extension,
        }
        if account.email:
            shown["emails"] = [{"value": account.email, "type": "work", "primary": True}]
        if account.kind in _OF_KIND:
            shown["userType"] = _OF_KIND[account.kind]
        if account.external_id:
            shown["externalId"] = account.external_id
        if account.title:
            shown["title"] = account.title
        if account.employee_id:
            shown[ENTERPRISE]["employeeNumber"] = account.employee_id
        if account.department:
            shown[ENTERPRISE]["department"] = account.department
        groups = [self._application.entitlements[g.entitlement_id] for g in self._application.held(account.id)]
        if groups:
            shown["groups"] = [{"value": g.id, "display": g.name, "type": "direct"} for g in groups]
        return shown

    def _group(self, group_id: str, request: Request) -> dict[str, Any]:
        group = self._application.entitlements[group_id]
        members = [
            {"value": a.id, "type": "User", "display": a.name}
            for a in (self._application.accounts[g.account_id] for g in self._application.holders(group_id))
            if a.status != "deleted"
        ]
        meta = {"resourceType": "Group", "location": f"{request.base_url}v2/Groups/{group_id}"}
        schema = [CORE + "Group"]
        return {"schemas": schema, "id": group_id, "displayName": group.name, "members": members, "meta": meta}

    def _page(self, everything: list[dict[str, Any]], request: Request) -> Response:
        start = max(1, _number(request, "startIndex", 1))
        size = max(0, min(_number(request, "count", MOST), int(self._application.settings.get("page_size", MOST))))
        part = everything[start - 1 : start - 1 + size]
        return ScimResponse(
            {
                "schemas": [LIST],
                "totalResults": len(everything),
                "startIndex": start,
                "itemsPerPage": len(part),
                "Resources": part,
            }
        )


def _refused(error: ScimError) -> Response:
    challenge = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return ScimResponse(error.body(), error.status, challenge)


def _listed(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schemas": [LIST], "totalResults": len(resources), "Resources": resources}


def _body(request: Request) -> dict[str, Any]:
    try:
        given = sent(request)
    except ValueError:
        raise ScimError(400, "The body must be JSON", "invalidSyntax") from None
    if not isinstance(given, dict):
        raise ScimError(400, "The body must be a JSON object", "invalidSyntax")
    return given


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise ScimError(400, f"{name} must be a number", "invalidValue") from None


def _time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
