"""A small but true SCIM 2.0 server on loopback (RFC 7643, RFC 7644), with switchable bad manners for tests.

    with ScimSandbox([{"userName": "ada@nwl.example", "active": True}], token="t") as server:
        requests.get(server.url + "Users", headers={"Authorization": "Bearer t"})

The demo uses `serve`, which keeps its state in a file. Reads: accounts, groups, discovery. Writes: accounts only.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from time import time
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from connectors.sandbox.directory import ERROR, Directory, ScimError
from connectors.sandbox.discovery import LIST, provider, resource_types, schemas
from connectors.sandbox.manners import Manners, Resource
from connectors.sandbox.wire import Reply, Wire

BASE: Final = "/scim/v2"
MAX_PAGE: Final = 200
SIGN_IN_PAGE: Final = "<!doctype html><title>Sign in</title><form><input name=password type=password></form>"


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; the token is not kept."""

    method: str
    path: str  # below the base, such as /Users/42
    query: dict[str, str]
    body: Any
    if_match: str | None = None


class ScimSandbox:
    """A SCIM server in a thread: `url`, `requests` (what was asked) and `users` (what it holds, by id)."""

    def __init__(
        self,
        people: Iterable[Mapping[str, Any]] | Directory = (),
        *,
        groups: Iterable[Mapping[str, Any]] = (),
        token: str = "sandbox",  # noqa: S107 - the server listens on loopback and holds invented people
        manners: Manners | None = None,
        port: int = 0,
    ) -> None:
        self.directory = people if isinstance(people, Directory) else Directory(people, groups)
        self.token = token
        self.manners = manners or Manners()  # may be exchanged while the server runs
        self.requests: list[Seen] = []
        self.stopping = threading.Event()
        self._pages = 0
        self._refused = 0
        self._lock = threading.Lock()
        self._port = port
        self._server: Wire | None = None
        self._thread: threading.Thread | None = None

    @property
    def users(self) -> dict[str, Resource]:
        """The accounts by id, as they are now."""
        return self.directory.accounts

    @property
    def url(self) -> str:
        """The base URL, with a slash at its end."""
        return f"http://127.0.0.1:{self._port}{BASE}/"

    def start(self) -> Self:
        """Listen on 127.0.0.1; OSError when the port is taken."""
        self._server = Wire(("127.0.0.1", self._port), self)
        self._port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="scim-sandbox")
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and end every connection; doing it twice is the same as once."""
        self.stopping.set()
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.hang_up()
            self._server.server_close()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        """The answer to one request; names of headers are in lower case, the lock makes every request whole."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        path = unquote(parts.path.removeprefix(BASE)) if parts.path.startswith(BASE + "/") else ""
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode("utf-8", "replace")
        with self._lock:
            self.requests.append(Seen(method, path, query, body, headers.get("if-match")))
            try:
                self._admit(headers)
                return self._misbehave(target) or self._serve(method, path.rstrip("/"), query, headers, body)
            except ScimError as refused:
                challenge = (("WWW-Authenticate", "Bearer"),) if refused.status == 401 else ()
                return Reply(refused.status, refused.body(), challenge)

    def _admit(self, headers: Mapping[str, str]) -> None:
        given = headers.get("authorization", "").encode()
        expired = (
            self.manners.unauthorized_after_page is not None and self._pages >= self.manners.unauthorized_after_page
        )
        if expired or not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
            raise ScimError(401, "The bearer token is missing, wrong or expired")
        if self.manners.forbidden:
            raise ScimError(403, "The token lacks the scope for this")

    def _misbehave(self, target: str) -> Reply | None:
        manners = self.manners
        if manners.redirect_to is not None:
            return Reply(manners.redirect_status, None, (("Location", manners.redirect_to.rstrip("/") + target),))
        if self._refused < manners.rate_limit:
            self._refused += 1
            wait = manners.retry_after_s
            after = formatdate(time() + wait, usegmt=True) if manners.retry_after_as_date else str(wait)
            body = {"schemas": [ERROR], "status": "429", "detail": "Too many requests"}
            return Reply(429, body, (("Retry-After", after),))
        if manners.fail_status is not None:
            raise ScimError(manners.fail_status, "Broken on purpose")
        if manners.html_with_200:
            return Reply(200, SIGN_IN_PAGE)
        return None

    def _serve(self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: Any) -> Reply:
        _, _, rest = path.partition("/")
        kind, _, resource_id = rest.partition("/")
        if kind == "Users" and not resource_id and method == "GET":
            return self._page(self._found(query), query, counted=True)
        if kind == "Users" and not resource_id and method == "POST":
            return self._written(201, self.directory.add(_object(body)))
        if kind == "Users" and resource_id:
            return self._one(method, resource_id, query, headers, body)
        if method != "GET":
            raise ScimError(405 if kind in ("Users", "Groups") else 404, f"{method} is not offered here")
        if kind == "Groups":
            groups = list(self.directory.groups.values())
            if not resource_id:
                return self._page(groups, query, counted=False)
            found = self.directory.groups.get(resource_id)
            if found:
                return Reply(200, _projected(found, query))
        size = self.manners.clamp or MAX_PAGE
        if kind == "ServiceProviderConfig":
            return Reply(200, provider(size, patch=not self.manners.no_patch))
        if kind in ("ResourceTypes", "Schemas") and not resource_id:
            return self._page(resource_types() if kind == "ResourceTypes" else schemas(), {}, counted=False)
        raise ScimError(404, f"{path or '/'} does not exist")

    def _found(self, query: dict[str, str]) -> list[Resource]:
        expression = None if self.manners.ignore_filter else query.get("filter")
        found = self.directory.find(expression)
        if self.manners.hide_inactive and "active" not in (expression or ""):
            found = [account for account in found if account.get("active", True)]
        return [self.manners.dress(self.directory.shown(account)) for account in found]

    def _page(self, everything: list[Resource], query: dict[str, str], *, counted: bool) -> Reply:
        if self.manners.reject_count and "count" in query:
            raise ScimError(500, "count is not understood")
        limit = self.manners.clamp or MAX_PAGE
        start = max(1, _number(query, "startIndex", 1))
        size = min(limit, max(0, _number(query, "count", limit)))
        page = self.manners.window(everything, start, size)
        total = self.manners.total(len(everything), self._pages)
        self._pages += counted
        resources = [_projected(resource, query) for resource in page]
        body = {"schemas": [LIST], "totalResults": total, "startIndex": start, "itemsPerPage": len(page)}
        return Reply(200, {**body, "Resources": resources})

    def _one(self, method: str, account_id: str, query: dict[str, str], headers: Mapping[str, str], body: Any) -> Reply:
        directory = self.directory
        version = directory.account(account_id)["meta"]["version"]
        if method == "GET":
            if headers.get("if-none-match") == version:
                return Reply(304)
            return self._written(200, directory.account(account_id), query)
        if method == "PATCH" and self.manners.no_patch:
            raise ScimError(501, "PATCH is not supported, PUT the whole resource")
        if headers.get("if-match") not in (None, "*", version):
            raise ScimError(412, f"The resource is at version {version}")
        if method == "DELETE":
            if not self.manners.lie:
                directory.remove(account_id)
            return Reply(204)
        if method not in ("PUT", "PATCH"):
            raise ScimError(405, f"{method} is not offered here")
        change = directory.patch if method == "PATCH" else directory.replace
        changed = change(account_id, _object(body))
        if not self.manners.lie:
            changed = directory.keep(changed)
        if method == "PATCH" and self.manners.answer_204_on_patch:
            return Reply(204, None, (("ETag", changed["meta"]["version"]),))
        return self._written(200, changed)

    def _written(self, status: int, account: Resource, query: Mapping[str, str] | None = None) -> Reply:
        location = f"{self.url}Users/{account['id']}"
        shown = self.manners.dress(self.directory.shown(account))
        shown = {**shown, "meta": {**shown["meta"], "location": location}}
        return Reply(
            status, _projected(shown, query or {}), (("ETag", account["meta"]["version"]), ("Location", location))
        )


def serve(state: Path, *, token: str, port: int = 5080, manners: Manners | None = None) -> ScimSandbox:
    """Start the demo's SCIM application on 127.0.0.1:`port` over its state file; `stop()` ends it.

    Every change is in the file before it is answered, so that a restart shows the same accounts.
    """
    return ScimSandbox(Directory.load(state), token=token, port=port, manners=manners).start()


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(query.get(name, default))
    except ValueError:
        raise ScimError(400, f"{name} must be a number", "invalidValue") from None


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ScimError(400, "The body must be a JSON object", "invalidSyntax")
    return body


def _projected(resource: Resource, query: Mapping[str, str]) -> Resource:
    """The top-level attributes that were asked for; id and schemas always come."""
    wanted = set(query["attributes"].split(",")) | {"id", "schemas"} if query.get("attributes") else None
    unwanted = set(query.get("excludedAttributes", "").split(",")) - {"id", "schemas"}
    return {key: value for key, value in resource.items() if (not wanted or key in wanted) and key not in unwanted}
