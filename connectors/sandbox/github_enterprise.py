"""What an enterprise of GitHub adds: SCIM, identities over GraphQL, licences, credentials, the audit log, Apps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox import github_shapes as shapes
from connectors.sandbox.apis import sent
from connectors.sandbox.github_pages import cursor_link, failure, on_page
from connectors.sandbox.model import SandboxAccount, SandboxApplication


class ScimResponse(JSONResponse):
    """JSON under the media type of SCIM."""

    media_type = "application/scim+json"


class Enterprise:
    """The endpoints of one enterprise."""

    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def scim_users(self, request: Request) -> Response:
        """Managed accounts, suspended ones too."""
        if not self._application.settings.get("managed"):
            return failure(404, "Not Found")
        query = request.query_params
        start, size = max(1, int(query.get("startIndex", 1))), int(query.get("count", 30))
        return ScimResponse(shapes.scim_list(self._application, self._known(), start, size))

    def scim_user(self, request: Request) -> Response:
        """One of them."""
        account = self._one(request.path_params["id"])
        return ScimResponse(shapes.scim_user(self._application, account)) if account else failure(404, "Not Found")

    def scim_switch(self, request: Request) -> Response:
        """Suspend, or let back in."""
        account = self._one(request.path_params["id"])
        if account is None:
            return failure(404, "Not Found")
        for operation in (sent(request) or {}).get("Operations", ()):
            value = operation.get("value")
            active = value.get("active") if isinstance(value, dict) else value
            if isinstance(active, bool) and (account.status in shapes.IN) != active:
                self._application.set_status(account.id, "active" if active else "suspended", "scim")
        return self.scim_user(request)

    def graphql(self, request: Request) -> Response:
        """Only identities of the identity provider."""
        settings = self._application.settings
        body = sent(request) or {}
        query, variables = str(body.get("query", "")), body.get("variables") or {}
        if refused := settings.get("graphql_error"):
            return JSONResponse({"data": None, "errors": [{"type": refused, "message": "no"}]})
        provider = "oidcProvider" if settings.get("oidc") else "samlIdentityProvider"
        there = settings.get("saml", True) and provider in query
        linked = [a for a in self._known() if not a.more.get("unlinked")]
        start = int(variables.get("after") or 0)
        page = [
            {
                "guid": shapes.scim_id(a.id),
                "samlIdentity": {"nameId": a.username},
                "scimIdentity": {"username": a.username},
                "user": {"login": shapes.login(self._application, a)},
            }
            for a in linked[start : start + 100]
        ]
        info = {"hasNextPage": start + 100 < len(linked), "endCursor": str(start + 100)}
        told = {"externalIdentities": {"pageInfo": info, "nodes": page}} if there else None
        inner = {provider if there else "samlIdentityProvider": told}
        whole = {"enterprise": {"ownerInfo": inner}} if "enterprise(" in query else {"organization": inner}
        return JSONResponse({"data": whole})

    def credentials(self, request: Request) -> Response:
        """Tokens and keys that were authorised."""
        if not self._application.settings.get("saml", True):
            return failure(404, "Not Found")
        found = shapes.credentials(self._application)
        wanted = request.query_params.get("login")
        return on_page(request, [c for c in found if wanted in (None, c["login"])], lambda told: told)

    def revoke_credential(self, request: Request) -> Response:
        """Withdraw one."""
        told = [str(c["credential_id"]) for c in shapes.credentials(self._application)]
        if request.path_params["id"] not in told:
            return failure(404, "Not Found")
        del self._application.credentials[told.index(request.path_params["id"])]
        return Response(status_code=204)

    def licences(self, request: Request) -> Response:
        """Who uses one."""
        if "read:enterprise" not in self._application.settings.get("scopes", ("read:enterprise",)):
            return failure(404, "Not Found")
        name = str(self._application.settings.get("organization", "nwl"))
        users = [a for a in self._known() if a.status in shapes.IN]
        around = {"total_seats_consumed": len(users), "total_seats_purchased": 500, "users": None}
        return on_page(request, users, lambda a: shapes.licence(self._application, a, name), around)

    def audit_log(self, request: Request) -> Response:
        """What happened."""
        settings, query = self._application.settings, request.query_params
        if settings.get("plan", "enterprise") != "enterprise":
            return failure(404, "Not Found")
        since = next((p for p in query.get("phrase", "").split() if p.startswith("created:>=")), "")
        start = datetime.fromisoformat(since.removeprefix("created:>=")) if since else datetime(1970, 1, 1, tzinfo=UTC)
        name = str(settings.get("organization", "nwl"))
        events = sorted(self._application.events, key=lambda e: (e.at, e.id), reverse=query.get("order") != "asc")
        found = [
            e for event in events if event.at >= start and (e := shapes.audit_entry(self._application, event, name))
        ]
        size, begin = min(int(query.get("per_page", 30)), 100), int(query.get("after", 0))
        answer = JSONResponse(found[begin : begin + size])
        if begin + size < len(found):
            answer.headers["link"] = cursor_link(request, str(begin + size))
        return answer

    def installation_token(self, request: Request) -> Response:
        """A token for an App that proves itself; it may read."""
        settings = self._application.settings
        proof = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(proof, RSAKey.import_key(settings["app_key"]), algorithms=["RS256"]).claims
        except (JoseError, KeyError, ValueError):
            return failure(401, "A JSON web token could not be decoded")
        now = self._application.now()
        if not claims["iat"] <= now.timestamp() < claims["exp"] <= claims["iat"] + 660:
            return failure(401, "'Issued at' claim is in the future or 'Expiration time' too far ahead")
        if request.path_params["id"] != str(settings.get("installation", "77")) or claims["iss"] != "4711":
            return failure(404, "Integration not found")
        permissions: dict[str, Any] = settings.get("permissions", {"members": "read", "metadata": "read"})
        until = shapes.iso(now + timedelta(hours=1))
        return JSONResponse(
            {"token": self._application.token, "expires_at": until, "permissions": permissions}, status_code=201
        )

    def _known(self) -> list[SandboxAccount]:
        return [a for a in self._application.accounts.values() if a.status != "deleted"]

    def _one(self, guid: str) -> SandboxAccount | None:
        if not self._application.settings.get("managed"):
            return None
        return next((a for a in self._known() if shapes.scim_id(a.id) == guid), None)
