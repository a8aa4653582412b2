"""Recorded exchanges with a real Okta, answered over real HTTP: one by one as they were, or put together to one org."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

_HOP = frozenset({"connection", "content-length", "content-encoding", "transfer-encoding", "keep-alive"})
_HOSTS = re.compile(r"https://[a-z0-9-]+\.(?:okta|oktapreview)\.com")


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as recorded."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        """The answer as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def recorded(folder: Path) -> list[Exchange]:
    """Every exchange of the recording, in its order."""
    found = []
    for line in (folder / "exchanges.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        parts = urlsplit(told["uri"])
        headers = {k: ", ".join(v) if isinstance(v, list) else str(v) for k, v in told["headers"].items()}
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        found.append(Exchange(told["method"], path, told["status"], headers, told["body"]))
    return found


class Replay:
    """Answers each request with the exchange that is `next`, whatever was asked; its own host in every link."""

    def __init__(self) -> None:
        self.next: Exchange | None = None
        self.org: Org | None = None
        self.asked: list[str] = []
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                replay.asked.append(f"{self.command} {self.path}")
                status, headers, body = replay.answer(self.path)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if status != 204 else b"")

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if self.org is not None:
            return self.org.answer(path, self.url)
        assert self.next is not None
        headers = {k: v for k, v in self.next.headers.items() if k.lower() not in _HOP}
        here = self.url.rstrip("/")
        return self.next.status, {k: _HOSTS.sub(here, v) for k, v in headers.items()}, self.next.body.encode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@dataclass
class Org:
    """Everything the recording says of users, groups, applications, roles and factors: the last word on each counts."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    apps: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    assigned: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    roles: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # of users and groups, by their id
    factors: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    page: int = 7

    @classmethod
    def of(cls, exchanges: list[Exchange]) -> Org:
        org = cls()
        for exchange in exchanges:
            if exchange.status >= 300 or exchange.json is None:
                continue
            for thing in _objects(exchange.json):
                org._keep(thing)
            steps = [unquote(step) for step in urlsplit(exchange.path).path.split("/")[3:]]
            org._relate(exchange, steps)
        return org

    def _keep(self, thing: dict[str, Any]) -> None:
        found = thing.get("id")
        profile = thing.get("profile")
        if not isinstance(found, str):
            return
        if "status" in thing and isinstance(profile, dict) and "login" in profile:
            self.users[found] = thing
        elif thing.get("type") in ("OKTA_GROUP", "BUILT_IN", "APP_GROUP") and isinstance(profile, dict):
            self.groups[found] = thing
        elif "signOnMode" in thing and "label" in thing:
            self.apps[found] = thing

    def _relate(self, exchange: Exchange, steps: list[str]) -> None:
        match steps, exchange.json:
            case ["groups", group, "users"], list(rows) if exchange.method == "GET":
                self.members.setdefault(group, set()).update(row["id"] for row in rows)
            case ["apps", app, "users", *_], rows:
                for row in rows if isinstance(rows, list) else [rows]:
                    self.assigned.setdefault(app, {})[row["id"]] = row
            case [("users" | "groups"), who, "roles"], rows:
                for row in rows if isinstance(rows, list) else [rows]:
                    self.roles.setdefault(who, {})[row["type"]] = row
            case ["users", who, "factors", *_], rows:
                for row in rows if isinstance(rows, list) else [rows]:
                    if "factorType" in row:
                        self.factors.setdefault(who, {})[row["id"]] = row

    def answer(self, path: str, here: str) -> tuple[int, dict[str, str], bytes]:
        """A page of a list, or what stands at the path."""
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        rows = self._rows([unquote(step) for step in parts.path.split("/")[3:]], query)
        if not isinstance(rows, list):
            return _json(200 if rows else 404, rows or {"errorCode": "E0000007"}, {})
        start = int(query.get("after", "0"))
        link = {}
        if start + self.page < len(rows):
            more = "&".join(f"{k}={v}" for k, v in query.items() if k != "after" and " " not in v)
            link = {"Link": f'<{here}{parts.path.lstrip("/")}?after={start + self.page}&{more}>; rel="next"'}
        return _json(200, rows[start : start + self.page], link)

    def _rows(self, steps: list[str], query: dict[str, str]) -> list[Any] | dict[str, Any] | None:
        match steps:
            case ["users"]:
                return [] if "filter" in query else list(self.users.values())
            case ["groups"]:
                return list(self.groups.values())
            case ["idps"]:
                return []
            case ["apps"]:
                return list(self.apps.values())
            case ["iam", "assignees", "users"]:
                return {"value": [{"id": who} for who in self.roles if who in self.users]}
            case ["groups", group, "users"]:
                return [self.users.get(i, {"id": i}) for i in sorted(self.members.get(group, ()))]
            case ["apps", app, "users"]:
                return list(self.assigned.get(app, {}).values())
            case [("users" | "groups"), who, "roles"]:
                return list(self.roles.get(who, {}).values())
            case ["users", who, "factors"]:
                return list(self.factors.get(who, {}).values())
        return None


def _json(status: int, data: Any, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(data).encode()


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    """Every object in the answer, however deep."""
    if isinstance(data, list):
        for entry in data:
            yield from _objects(entry)
    elif isinstance(data, dict):
        yield data
        for value in data.values():
            yield from _objects(value)
