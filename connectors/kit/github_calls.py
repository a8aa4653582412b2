"""Calls to GitHub's REST and GraphQL interfaces: who asks, page by page, and what its refusals mean.

Confirmed in docs.github.com/rest: pages by the Link header; X-OAuth-Scopes for classic tokens; a primary rate limit is
403 or 429 with x-ratelimit-remaining 0 and x-ratelimit-reset, a secondary one has Retry-After; 404 where a token may
not know that something exists; a GitHub App signs a JWT (RS256, at most 10 minutes, `iat` a minute back) and gets an
installation's token for an hour, with its permissions in the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, Final

from connectors.kit.addresses import Address, check_base
from connectors.kit.answers import Answer
from connectors.kit.authorization import Authorization, Granted, Token, bearer, signer
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from connectors.kit.momentary import asked_again
from connectors.kit.pacing import RateLimit, reset_after
from connectors.kit.pagination import Page, read_lists
from governance.errors import AuthenticationFailed, ConfigurationError, UnexpectedAnswer
from governance.records import Reading

HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
REFUSED: Final = (403, 404)
_BACK_S: Final = 60  # clocks differ


class App:
    """A GitHub App's installation: its private key buys a token for an hour."""

    def __init__(
        self, address: Address, given: Circumstances, place: str, key: str, app_id: str, installation: str
    ) -> None:
        self.permissions: Mapping[str, str] = {}
        self._sign = signer(key, place, lambda: self._http.deadline.now)
        self._app_id = app_id
        self._path = f"app/installations/{installation}/access_tokens"
        self._place = place
        self._http = Http(address, given, place, auth=self, headers=HEADERS)

    def header(self) -> str | None:
        """The App's own proof, signed anew each time."""
        issued = int(self._http.deadline.now.timestamp()) - _BACK_S
        return f"Bearer {self._sign({'iss': self._app_id, 'iat': issued})}"

    def renew(self) -> bool:
        """There is no other key."""
        return False

    def token(self) -> Token:
        """A token of the installation."""
        self._http.begin()
        answer = self._http.send("POST", self._path, None, allow=(401, 403, 404), idempotent=True)
        told = answer.data if isinstance(answer.data, dict) else {}
        if answer.status >= 400:
            raise AuthenticationFailed(
                f"{self._place}: {answer.status}: no token was granted; check app_id, installation_id and the key"
            )
        value, until = told.get("token"), told.get("expires_at")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise UnexpectedAnswer(f"{self._place}: the answer of {answer.path} holds no token", answer.path)
        permissions = told.get("permissions")
        self.permissions = permissions if isinstance(permissions, dict) else {}
        return Token(value, _seconds(until, self._http.deadline.now), answer=told)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


class GitHubCalls:
    """One session with GitHub."""

    def __init__(
        self,
        address: Address,
        given: Circumstances,
        place: str,
        secret: str,
        limits: tuple[RateLimit, ...],
        *,
        app: tuple[str | None, str | None] = (None, None),
    ) -> None:
        self.app = _app(address, given, place, secret, app)
        self.auth: Authorization = Granted(self.app.token) if self.app else bearer(secret, place)
        self.http = Http(address, given, place, auth=self.auth, headers=HEADERS, limits=limits)
        self.digest = hashlib.sha256()
        self.scopes: frozenset[str] | None = None  # of a classic token, as the last answer told them
        self._place = place
        self._given = given
        self._limits = limits
        base = address.url.removesuffix("api/v3/")  # a server of one's own has it beside, not below
        self._graphql = "graphql" if base == address.url else f"{base}api/graphql"
        self._others: list[Http] = []

    def get(self, path: str, params: Mapping[str, str] | None = None, *, allow: tuple[int, ...] = ()) -> Answer:
        """Read. 404 means missing or not allowed to know: an error of the credential unless `allow` has it."""
        answer = self._patiently(lambda: self.http.get(path, params, allow=(*REFUSED, *allow)), allow)
        header = answer.headers.get("X-OAuth-Scopes")
        if header is not None:
            self.scopes = frozenset(scope.strip() for scope in header.split(",") if scope.strip())
        self.digest.update(answer.sha256.encode())
        return answer

    def send(
        self, method: str, path: str, body: Any = None, *, allow: tuple[int, ...] = (), idempotent: bool = True
    ) -> Answer:
        """Change something."""
        return self._patiently(
            lambda: self.http.send(method, path, body, allow=(*REFUSED, *allow), idempotent=idempotent), allow
        )

    def listed(
        self,
        path: str,
        reading: Reading,
        params: Mapping[str, str] | None = None,
        *,
        size: int = 100,
        inside: str | None = None,
        key: Callable[[Any], str | None] | None = None,
        allow: tuple[int, ...] = (),
    ) -> list[Any] | None:
        """Every entry of a list, all pages; None where it was refused with a status in `allow`."""
        pages = self.lists(path, reading, params, size=size, inside=inside, key=key, allow=allow)
        return None if pages is None else list(chain.from_iterable(pages))

    def lists(
        self,
        path: str,
        reading: Reading,
        params: Mapping[str, str] | None = None,
        *,
        size: int = 100,
        inside: str | None = None,
        key: Callable[[Any], str | None] | None = None,
        allow: tuple[int, ...] = (),
    ) -> Iterator[list[Any]] | None:
        """The same page by page; the first is asked for at once, the others when they are wanted."""
        refused = False

        def fetch(cursor: str | None) -> Page:
            nonlocal refused
            first = {"per_page": str(size), **(params or {})}
            answer = self.get(cursor or path, None if cursor else first, allow=() if cursor else allow)
            if answer.status in allow:
                refused = True
                return Page([])
            items = answer.data.get(inside) if inside and isinstance(answer.data, dict) else answer.data
            if not isinstance(items, list):
                raise UnexpectedAnswer(f"{answer.path}: the answer is no list", answer.path)
            return Page(items, self.http.next_link(answer))

        keys = partial(_keys, key or _login)
        pages = (items for _, items in read_lists(fetch, keys, reading, f"{self._place}: {path}", counted=False))
        first = next(pages, [])
        return None if refused else chain([first], pages)

    def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of a GraphQL query; AuthenticationFailed where GitHub says that a right is missing."""

        def passes(answer: Answer) -> float | None:
            return 0.0 if "RATE_LIMITED" in _error_types(answer.data) else None

        body = {"query": query, "variables": dict(variables)}
        place = f"{self._place}: graphql"
        answer = asked_again(lambda: self.http.ask(self._graphql, body), passes, self.http.deadline, place)
        told = answer.data if isinstance(answer.data, dict) else {}
        if types := _error_types(told):
            raise AuthenticationFailed(f"{place}: refused ({', '.join(sorted(types))})")
        data = told.get("data")
        if not isinstance(data, dict):
            raise UnexpectedAnswer(f"{place}: the answer holds no data", answer.path)
        self.digest.update(answer.sha256.encode())
        return data

    def beside(self, path: str, where: str, allow_private: object) -> Http:
        """A session with the same credential below another path of the same address, as SCIM needs."""
        address = check_base(self.http.address.join(path), where, allow_private=allow_private)
        headers = {"Accept": "application/scim+json, application/json;q=0.9", **dict([*HEADERS.items()][1:])}
        made = Http(address, self._given, self._place, auth=self.auth, headers=headers, limits=self._limits)
        self._others.append(made)
        return made

    def begin(self) -> None:
        """Start the deadline of all sessions."""
        for session in (self.http, *self._others):
            session.begin()

    def close(self) -> None:
        """Let go of the connections."""
        for session in (self.http, *self._others):
            session.close()
        if self.app:
            self.app.close()

    def _patiently(self, ask: Callable[[], Answer], allow: tuple[int, ...]) -> Answer:
        def passes(answer: Answer) -> float | None:
            spent = answer.status == 403 and answer.headers.get("X-RateLimit-Remaining") == "0"
            return (reset_after(answer.headers, self.http.deadline.now) or 0.0) + 0.1 if spent else None

        answer = asked_again(ask, passes, self.http.deadline, self._place)
        if answer.status in REFUSED and answer.status not in allow:
            raise AuthenticationFailed(
                f"{self._place}: {answer.path}: {answer.status}: it is not there, or the token may not know"
            )
        return answer


def several(items: list[Any] | None) -> Iterator[dict[str, Any]]:
    """The objects of a list."""
    return (item for item in items or () if isinstance(item, dict))


def _app(
    address: Address, given: Circumstances, place: str, secret: str, app: tuple[str | None, str | None]
) -> App | None:
    if "-----BEGIN" not in secret:
        return None
    app_id, installation = app
    if not app_id or not installation:
        raise ConfigurationError(f"{place}: a private key needs app_id and installation_id beside it")
    if not installation.isascii() or not installation.isdigit():
        raise ConfigurationError(f"{place}: installation_id: expected a number")
    return App(address, given, place, secret, app_id, installation)


def _keys(key: Callable[[Any], str | None], items: list[Any]) -> list[str | None]:
    return list(map(key, items))


def _login(item: Any) -> str | None:
    for name in ("login", "id"):
        value = item.get(name) if isinstance(item, dict) else None
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    return None


def _error_types(told: Any) -> set[str]:
    errors = told.get("errors") if isinstance(told, dict) else None
    if not isinstance(errors, list) or not errors:
        return set()
    types = {e.get("type") for e in errors if isinstance(e, dict)}
    return {t for t in types if isinstance(t, str) and t.isidentifier() and len(t) < 40} or {"unknown"}


def _seconds(until: Any, now: datetime) -> float:
    try:
        left = (datetime.fromisoformat(until) - now).total_seconds()
    except (TypeError, ValueError):
        return 3600.0
    return left if 0 < left <= 7200 else 3600.0
