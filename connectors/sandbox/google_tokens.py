"""Google's token endpoint: a service account's signed claim for a token, all scopes that are asked for or none."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox.apis import sent
from connectors.sandbox.model import SandboxApplication

SCOPE: Final = "https://www.googleapis.com/auth/"
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Tokens:
    """Grants the application's tokens."""

    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def grant(self, request: Request) -> Response:
        """Exchange an assertion for a token; all scopes or none."""
        form = sent(request) or {}
        assertion = str(form.get("assertion", ""))
        claims = self._claims(assertion) if form.get("grant_type") == JWT_BEARER else None
        if claims is None or not claims.get("sub"):
            return JSONResponse({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        scopes = {scope.removeprefix(SCOPE) for scope in str(claims.get("scope", "")).split()}
        settings = self._application.settings
        reader = all(scope.endswith(".readonly") for scope in scopes)
        if "writer" in settings:
            reader = claims["iss"] != settings["writer"]
        delegated = settings.get("delegated" if reader else "delegated_write")
        if not scopes or (delegated is not None and not scopes <= set(delegated)):
            words = "Client is unauthorized to retrieve access tokens using this method."
            return JSONResponse({"error": "unauthorized_client", "error_description": words}, 401)
        token = self._application.token if reader else self._application.write_token
        return JSONResponse({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _claims(self, assertion: str) -> dict[str, Any] | None:
        accounts = self._application.settings.get("service_accounts")
        try:
            claims = _unverified(assertion)
            if accounts is not None:
                key = RSAKey.import_key(accounts[claims["iss"]])
                claims = jwt.decode(assertion, key, algorithms=["RS256"]).claims
        except (JoseError, KeyError, ValueError):
            return None
        now = self._application.now().timestamp()
        return claims if "iss" in claims and float(claims.get("exp", 0)) > now - 300 else None


def _unverified(assertion: str) -> dict[str, Any]:
    part = assertion.split(".")[1] if assertion.count(".") == 2 else ""
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims if isinstance(claims, dict) else {}
