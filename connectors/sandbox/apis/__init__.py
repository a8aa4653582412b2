"""One module for each vendor whose API the sandbox speaks.

A module has `routes(application) -> list[starlette.routing.Route]`, mounted at `/NAME` of the application. Endpoints
are plain functions, which read the body with `sent`; absolute links are made from `request.base_url`, which ends in
`/NAME/`. A module may have `failure(status, words) -> Response`: how this vendor words a refusal, used when the sandbox
misbehaves on request.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.model import SandboxApplication

Credential = Literal["token", "write_token", "other"]
BODY: Final = "leaverwatch.body"  # where the front leaves the body, because plain functions cannot wait for it


def vendors() -> list[str]:
    """Every vendor the sandbox speaks, by walking the folder."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__))


def routes(application: SandboxApplication) -> list[Route]:
    """How the application's vendor shows it."""
    found: list[Route] = _module(application.vendor).routes(application)
    return found


def failure(vendor: str) -> Callable[[int, str], Response]:
    """How the vendor words a refusal."""
    return getattr(_module(vendor), "failure", _plain)


def sent(request: Request) -> Any:
    """The body of a request: JSON, or a form's fields; None without one, ValueError when it is neither."""
    raw: bytes = request.scope.get(BODY, b"")
    if not raw:
        return None
    if "form-urlencoded" in request.headers.get("content-type", ""):
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    return json.loads(raw)


def credential(application: SandboxApplication, headers: Mapping[str, str]) -> Credential | None:
    """Which of the application's tokens a request carries, in whatever scheme; None without any."""
    sent = headers.get("authorization", "") or headers.get("x-api-key", "")
    if not sent:
        return None
    scheme, _, value = sent.rpartition(" ")
    values = {value, value.rpartition(".")[2]}  # a JWT made here ends in the token it stands for
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "other"
        values = {name, password}
    for token, word in ((application.write_token, "write_token"), (application.token, "token")):
        if any(hmac.compare_digest(token.encode(), v.encode()) for v in values):
            return "write_token" if word == "write_token" else "token"
    return "other"


def _plain(status: int, words: str) -> Response:
    return JSONResponse({"error": words}, status)


def _module(vendor: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{vendor}")
