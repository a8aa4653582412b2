"""Okta's token endpoint: a service app's signed request for a token, with those scopes that are granted to it."""

from __future__ import annotations

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox.apis import sent
from connectors.sandbox.model import SandboxApplication


class Tokens:
    """Grants the application's tokens to the clients of its settings."""

    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def grant(self, request: Request) -> Response:
        """A token for a service app that signs its request."""
        form = sent(request) or {}
        client = self._signed_by(str(form.get("client_assertion", "")))
        if client is None or form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "invalid_client", "error_description": "The client_assertion is wrong"}, 401)
        asked = str(form.get("scope", "")).split()
        granted = [scope for scope in asked if "scopes" not in client or scope in client["scopes"]]
        if not granted:
            words = "You are not allowed any of the requested scopes."
            return JSONResponse({"error": "consent_required", "error_description": words}, 400)
        token = self._application.write_token if client.get("write") else self._application.token
        told = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": " ".join(granted)}
        return JSONResponse(told)

    def _signed_by(self, assertion: str) -> dict[str, Any] | None:
        for name, client in self._application.settings.get("clients", {}).items():
            try:
                claims = jwt.decode(assertion, RSAKey.import_key(client["key"]), algorithms=["RS256"]).claims
            except (JoseError, ValueError):
                continue
            if claims.get("sub") == claims.get("iss") == name and str(claims.get("aud", "")).endswith(
                "oauth2/v1/token"
            ):
                return dict(client)
        return None
