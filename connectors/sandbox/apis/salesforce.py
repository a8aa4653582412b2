"""Salesforce as the sandbox shows it: tokens, SOQL, and changes of single records.

Clients: a secret is one of the application's two tokens; a signed assertion is checked with
`settings["public_keys"]` (consumer key -> PEM), where `settings["writers"]` names those that may write. `settings` also
has `unseen` (objects the client may not see), `scope`, `client_account` (whom it acts as), `api_limit` and `page`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import sent
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.salesforce_tables import COLUMNS, Tables, delete_token, login_id
from connectors.sandbox.soql import SoqlError, parsed, run

API: Final = "/services/data/v64.0"
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MOST: Final = 2000
_COLUMN: Final = {"GroupMember": "GroupId", "PermissionSetLicenseAssign": "PermissionSetLicenseId"}


def routes(application: SandboxApplication) -> list[Route]:
    """What one organisation answers."""
    tables = Tables(application)
    sessions: dict[str, bool] = {}  # access token -> whether it may write
    locators: dict[str, list[Any]] = {}
    asked = [0]

    def guarded(call: Callable[[Request], Response], *, write: bool = False) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            token = request.headers.get("authorization", "").rpartition(" ")[2]
            if token not in sessions:
                return failure(401, "Session expired or invalid")
            if write and not sessions[token]:
                return failure(403, "insufficient access rights on cross-reference id")
            if asked[0] + application.settings.get("api_used", 0) >= application.settings.get("api_limit", 15000):
                return _refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            with application.lock:
                asked[0] += 1
                answer = call(request)
            used, limit = (
                asked[0] + application.settings.get("api_used", 0),
                application.settings.get("api_limit", 15000),
            )
            answer.headers["Sforce-Limit-Info"] = f"api-usage={used}/{limit}"
            return answer

        return endpoint

    def tokens(request: Request) -> Response:
        form = sent(request) or {}
        may_write = (
            _assertion(application, form) if form.get("grant_type") == JWT_BEARER else _secret(application, form)
        )
        if may_write is None:
            return JSONResponse({"error": "invalid_client", "error_description": "invalid client credentials"}, 400)
        token = f"00D!{secrets.token_urlsafe(24)}"
        sessions[token] = may_write
        account = application.settings.get("client_account", "005000000000000AAA")
        here = str(request.base_url).rstrip("/")
        told = {
            "access_token": token,
            "instance_url": application.settings.get("instance_url", here),
            "id": f"{here}/id/00D000000000001AAA/{account}",
            "token_type": "Bearer",
            "issued_at": str(int(application.now().timestamp() * 1000)),
            "signature": "x",
        }
        return JSONResponse({**told, "scope": application.settings.get("scope", "api")})

    def query(request: Request) -> Response:
        try:
            rows = run(parsed(request.query_params.get("q", "")), tables.all, COLUMNS.__getitem__)
        except SoqlError as refused:
            return _refused(400, refused.code, refused.words)
        return page(request, rows, 0)

    def more(request: Request) -> Response:
        locator, _, start = request.path_params["locator"].rpartition("-")
        if locator not in locators or not start.isdigit():
            return _refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return page(request, locators[locator], int(start), locator)

    def page(request: Request, rows: list[Any], start: int, locator: str = "") -> Response:
        wanted = request.headers.get("sforce-query-options", "").rpartition("=")[2]
        size = min(int(wanted), MOST) if wanted.isdigit() and int(wanted) else MOST
        found = rows[start : start + size]
        told: dict[str, Any] = {"totalSize": len(rows), "done": start + size >= len(rows), "records": found}
        if not told["done"]:
            locator = locator or f"01g{secrets.token_hex(6)}AAA"
            locators[locator] = rows
            told["nextRecordsUrl"] = f"{request.scope.get('root_path', '')}{API}/query/{locator}-{start + size}"
        return JSONResponse(told)

    def user(request: Request) -> Response:
        account, body = application.accounts.get(request.path_params["id"]), sent(request) or {}
        if account is None:
            return _refused(404, "NOT_FOUND", "The requested resource does not exist")
        if "UserRoleId" in body:
            for grant in application.held(account.id):
                if grant.entitlement_id.startswith("00E"):
                    application.revoke(account.id, grant.entitlement_id)
            if body["UserRoleId"]:
                application.grant(account.id, body["UserRoleId"])
        if body.get("IsActive") is False:
            if account.more.get("blocks"):
                return _refused(400, "FIELD_INTEGRITY_EXCEPTION", account.more["blocks"])
            if account.status not in ("deactivated", "deleted"):
                account.more["was_frozen"] = account.status == "suspended"
                application.set_status(account.id, "deactivated")
        elif body.get("IsActive") is True and account.status in ("deactivated", "deleted"):
            if application.settings.get("licences_left") == 0:
                return _refused(400, "LICENSE_LIMIT_EXCEEDED", "The number of active users exceeds the licences")
            application.set_status(account.id, "suspended" if account.more.pop("was_frozen", False) else "active")
        return Response(status_code=204)

    def login(request: Request) -> Response:
        account = next((a for a in application.accounts.values() if login_id(a.id) == request.path_params["id"]), None)
        frozen = (sent(request) or {}).get("IsFrozen")
        if account is None:
            return _refused(404, "NOT_FOUND", "The requested resource does not exist")
        if account.status in ("deactivated", "deleted"):
            account.more["was_frozen"] = bool(frozen)
        elif frozen is not None:
            application.set_status(account.id, "suspended" if frozen else "active")
        return Response(status_code=204)

    def assign(request: Request) -> Response:
        body = sent(request) or {}
        account = body.get("AssigneeId") or body.get("UserOrGroupId")
        held = next((v for k, v in body.items() if k not in ("AssigneeId", "UserOrGroupId")), None)
        if account not in application.accounts or held not in application.entitlements:
            return _refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        application.grant(account, held)
        return JSONResponse({"id": "0Pa000000000001AAA", "success": True, "errors": []}, 201)

    def drop(request: Request) -> Response:
        table, record = request.path_params["table"], request.path_params["id"]
        if table == "AuthSession":
            for account in application.accounts.values():
                held = account.more.get("sessions", [])
                if record in held:
                    held.remove(record)
                    return Response(status_code=204)
            return _refused(404, "ENTITY_IS_DELETED", "entity is deleted")
        rows = tables.all.get(table, lambda: iter(()))()
        row = next((r for r in rows if r["Id"] == record), None)
        if row is None:
            return _refused(404, "ENTITY_IS_DELETED", "entity is deleted")
        held_column = _COLUMN.get(table) or (
            "PermissionSetGroupId" if row["PermissionSetGroupId"] else "PermissionSetId"
        )
        application.revoke(row.get("AssigneeId") or row["UserOrGroupId"], row[held_column])
        return Response(status_code=204)

    def revoke(request: Request) -> Response:
        wanted = (sent(request) or {}).get("token")
        kept = [c for c in application.credentials if delete_token(c.id) != wanted]
        gone = len(kept) < len(application.credentials)
        application.credentials = kept
        return Response(status_code=200) if gone else JSONResponse({"error": "invalid_token"}, 400)

    record = f"{API}/sobjects/{{table}}/{{id}}"
    return [
        Route("/services/oauth2/token", tokens, methods=["POST"]),
        Route("/services/oauth2/revoke", guarded(revoke, write=True), methods=["POST"]),
        Route(f"{API}/query", guarded(query)),
        Route(f"{API}/query/{{locator}}", guarded(more)),
        Route(f"{API}/sobjects/User/{{id}}", guarded(user, write=True), methods=["PATCH"]),
        Route(f"{API}/sobjects/UserLogin/{{id}}", guarded(login, write=True), methods=["PATCH"]),
        Route(f"{API}/sobjects/{{table}}", guarded(assign, write=True), methods=["POST"]),
        Route(record, guarded(drop, write=True), methods=["DELETE"]),
    ]


def failure(status: int, words: str) -> Response:
    """How Salesforce words a refusal."""
    codes = {401: "INVALID_SESSION_ID", 403: "INSUFFICIENT_ACCESS_OR_READONLY", 503: "SERVER_UNAVAILABLE"}
    return _refused(status, codes.get(status, "UNKNOWN_EXCEPTION"), words)


def _refused(status: int, code: str, words: str) -> Response:
    return JSONResponse([{"message": words, "errorCode": code, "fields": []}], status)


def _secret(application: SandboxApplication, form: dict[str, str]) -> bool | None:
    """Whether the client may write; None: it is none of ours."""
    if form.get("grant_type") != "client_credentials" or not form.get("client_id"):
        return None
    known = {application.token: False, application.write_token: True}
    return known.get(form.get("client_secret", ""))


def _assertion(application: SandboxApplication, form: dict[str, str]) -> bool | None:
    keys = application.settings.get("public_keys", {})
    for client_id, pem in keys.items():
        try:
            claims = jwt.decode(form.get("assertion", ""), RSAKey.import_key(pem), algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            continue
        now = application.now().timestamp()
        timely = now - 300 < claims.get("exp", 0) - 180 and claims.get("exp", 0) <= now + 300
        told = claims.get("iss"), claims.get("aud"), application.by_username(str(claims.get("sub")))
        if told[0] == client_id and told[1] == "https://login.salesforce.com" and told[2] and timely:
            return client_id in application.settings.get("writers", ())
    return None
