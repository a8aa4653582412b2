"""One request to the sandbox and its answer, as they are remembered: without secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl

from starlette.types import Scope

from connectors.sandbox import apis
from connectors.sandbox.faults import Answered
from connectors.sandbox.model import SandboxApplication

_SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "x-api-key"})
_SECRET_FIELDS: Final = frozenset(
    {"client_secret", "password", "assertion", "client_assertion", "token", "refresh_token", "access_token"}
)


@dataclass(frozen=True)
class Seen:
    """One request as it came and what was answered. Secrets are not kept, only which one was used."""

    application: str
    method: str
    path: str  # below /NAME
    query: dict[str, str]
    body: Any  # JSON, a form's fields, or None
    headers: dict[str, str]
    credential: str | None  # token, write_token, other, or None
    several: dict[str, list[str]] = field(default_factory=dict)  # the query, for parameters that come more than once
    status: int = 0
    answer: Any = None  # JSON
    answer_headers: dict[str, str] = field(default_factory=dict)
    spoiled: bool = False  # a fault had its hand in it


def told(application: SandboxApplication, scope: Scope, body: bytes, answer: Answered, *, spoiled: bool) -> Seen:
    """What is remembered of one exchange."""
    query = scope["query_string"].decode("latin-1")
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
    return Seen(
        application=application.name,
        method=scope["method"],
        path=scope["path"].removeprefix(scope.get("root_path", "")),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        body=_read(body, headers.get("content-type", "")),
        headers={k: v for k, v in headers.items() if k not in _SECRET_HEADERS},
        credential=apis.credential(application, headers),
        several=parse_qs(query, keep_blank_values=True),
        status=answer.status,
        answer=answer.json,
        answer_headers={k.decode("latin-1").lower(): v.decode("latin-1") for k, v in answer.headers},
        spoiled=spoiled,
    )


def list_key(path: str, query: str, body: bytes) -> str:
    """What makes two requests pages of the same list: the path, and for GraphQL and SOQL the query's text."""
    if soql := parse_qs(query).get("q"):
        return f"{path} {soql[0]}"
    if b'"query"' in body:
        try:
            return f"{path} {json.loads(body).get('query')}"
        except (ValueError, AttributeError):
            return path
    return path


def _read(body: bytes, kind: str) -> Any:
    if not body:
        return None
    try:
        if "form-urlencoded" in kind:
            return _without_secrets(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        return _without_secrets(json.loads(body))
    except (ValueError, UnicodeDecodeError):
        return None


def _without_secrets(data: Any) -> Any:
    if isinstance(data, dict):
        return {k: "***" if k in _SECRET_FIELDS else _without_secrets(v) for k, v in data.items()}
    return [_without_secrets(v) for v in data] if isinstance(data, list) else data
