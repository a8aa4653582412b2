"""Calls to Okta's management API: who asks, page by page, and what its refusals mean.

Confirmed in Okta's own material: pages are linked by the Link header and cursors are opaque (design principles of the
API); a service app signs its request for a token and gets scopes that are granted to it, `okta.*` scopes only with a
private key (guide "Implement OAuth for Okta with a service app"). Seen in recorded exchanges: a feature one may not use
is answered 401 E0000015 as well as 403 E0000006, an unknown id 404 E0000007, and links of `/iam/…` name the host
`ORG-admin.okta.com`, so they are followed by their path and query only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from connectors.kit.addresses import Address
from connectors.kit.answers import Answer
from connectors.kit.authorization import (
    Authorization,
    Granted,
    Token,
    client_assertion,
    scheme,
    signer,
    token_endpoint,
)
from connectors.kit.columns import keys_of
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from connectors.kit.pacing import RateLimit
from connectors.kit.pagination import Numbered, Page, entries_of, read_lists, read_pages
from connectors.kit.resource import as_text
from governance.errors import AuthenticationFailed, UnexpectedAnswer
from governance.records import Reading

API: Final = "api/v1"
_GRANTING: Final = "oauth2/v1/token"
_NOT_ALLOWED: Final = "E0000015"
_REFUSED: Final = (401, 403)


class ServiceApp:
    """An API services app: it signs its requests for tokens with its private key (RFC 7523, 2.2)."""

    def __init__(
        self,
        address: Address,
        given: Circumstances,
        place: str,
        client_id: str,
        private_key: str,
        scopes: tuple[str, ...],
        key_id: str | None = None,
    ) -> None:
        self._http = Http(address, given, place)
        self._sign = signer(private_key, place, lambda: self._http.deadline.now, key_id=key_id)
        self._client_id = client_id
        self._audience = address.join(_GRANTING)
        self._place = place
        self._scopes = scopes
        self.granted = Granted(self._grant)

    def offers(self, scope: str) -> bool:
        """Whether this one scope is granted to the app."""
        try:
            token = self._ask((scope,))
        except AuthenticationFailed:
            return False
        return scope in token.scopes

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _grant(self) -> Token:
        """A token with what is granted of the wanted scopes; at least the first of them."""
        try:
            return self._ask(self._scopes)
        except AuthenticationFailed:
            granted = tuple(scope for scope in self._scopes if self.offers(scope))
            if not granted:
                raise
            return self._ask(granted)

    def _ask(self, scopes: tuple[str, ...]) -> Token:
        form = client_assertion(self._client_id, self._sign, self._audience, " ".join(scopes))
        return token_endpoint(self._http, _GRANTING, form, self._place)()


def api_token(token: str, place: str) -> Authorization:
    """The authorization of an API token, which has the rights of the administrator who made it."""
    return scheme("SSWS", token, place)


class OktaCalls:
    """One session with one org. `digest` sums up the bytes of all lists."""

    def __init__(
        self,
        address: Address,
        given: Circumstances,
        place: str,
        who: Authorization | ServiceApp,
        limits: tuple[RateLimit, ...],
    ) -> None:
        self._app = who if isinstance(who, ServiceApp) else None
        auth = who.granted if isinstance(who, ServiceApp) else who
        self.http = Http(address, given, place, auth=auth, headers={"Accept": "application/json"}, limits=limits)
        self.place = place
        self.digest = hashlib.sha256()

    def pages(self, path: str, params: Mapping[str, str], reading: Reading) -> Iterator[tuple[int, Any]]:
        """Every entry of a list once, with its number."""
        return entries_of(self.lists(path, params, reading))

    def lists(
        self, path: str, params: Mapping[str, str], reading: Reading, *, counted: bool = False
    ) -> Iterator[Numbered]:
        """The same page by page."""

        def fetch(cursor: str | None) -> Page:
            answer = self.http.get(f"{API}/{path}", params) if cursor is None else self.http.get(cursor)
            self.digest.update(answer.sha256.encode())
            return Page(_entries(answer), self._next(answer))

        return read_lists(fetch, entry_ids, reading, f"{self.place}: {path}", counted=counted)

    def may_list(
        self, path: str, params: Mapping[str, str], reading: Reading, *, gone: bool = False, ends_empty: bool = False
    ) -> list[Any] | None:
        """A whole list that the credential may not be allowed to see; None: it is not.

        Whether it may is found out by the first page alone: a right that goes missing in the middle is an error.
        `ends_empty`: a list that names a next page even on the last one, and ends with an empty one.
        """
        first = self.allowed(path, params, gone=gone)
        if first is None:
            return None
        self.digest.update(first.sha256.encode())
        waiting: list[Answer] = [first]

        def fetch(cursor: str | None) -> Page:
            if waiting:
                answer = waiting.pop()
            else:
                answer = self.http.get(cursor or f"{API}/{path}")
                self.digest.update(answer.sha256.encode())
            rows = _entries(answer)
            return Page(rows, None if ends_empty and not rows else self._next(answer))

        pages = read_pages(fetch, event_id if ends_empty else entry_id, reading, f"{self.place}: {path}", counted=False)
        return [entry for _, entry in pages]

    def allowed(self, path: str, params: Mapping[str, str] | None = None, *, gone: bool = False) -> Answer | None:
        """One answer; None where the credential lacks the right, and with `gone` also where there is no such thing."""
        more = (404,) if gone else ()
        answer = self.http.get(f"{API}/{path}", params, allow=(*_REFUSED, *more))
        if answer.status == 401 and error_code(answer) != _NOT_ALLOWED:
            answer = self.http.get(
                f"{API}/{path}", params, allow=(403, *more)
            )  # with another token, where there is one
        return None if answer.status in (*_REFUSED, 404) else answer

    def close(self) -> None:
        """Let go of connections."""
        self.http.close()
        if self._app:
            self._app.close()

    def _next(self, answer: Answer) -> str | None:
        links = answer.data.get("_links") if isinstance(answer.data, Mapping) else None
        if links is None:
            return self.http.next_link(answer)
        following = links.get("next") if isinstance(links, Mapping) else None
        href = as_text(following.get("href")) if isinstance(following, Mapping) else None
        if href is None:
            return None
        parts = urlsplit(href)
        host = parts.hostname or ""
        own = self.http.address.origin
        if host and host.replace("-admin.", ".", 1) == own.host and parts.scheme == own.scheme and "@" not in href:
            href = f"{parts.path}?{parts.query}"
        return self.http.pin(href, answer)


def entry_id(entry: Any) -> str | None:
    """The id of an entry; None when it has none."""
    return as_text(entry.get("id")) if isinstance(entry, dict) else None


def entry_ids(rows: Iterable[Any]) -> list[str | None]:
    """The id of each entry."""
    return keys_of(rows, "id")


def event_id(entry: Any) -> str | None:
    """The id of an event of the System Log."""
    return as_text(entry.get("uuid")) if isinstance(entry, Mapping) else None


def step(value: str) -> str:
    """An id as one step of a path."""
    return quote(value, safe="")


def error_code(answer: Answer) -> str | None:
    """Okta's code of an error."""
    return as_text(answer.data.get("errorCode")) if isinstance(answer.data, Mapping) else None


def _entries(answer: Answer) -> list[Any]:
    """The entries of a page: the answer itself, or below `value` as in /iam."""
    data = answer.data
    if isinstance(data, Mapping) and isinstance(data.get("value"), list):
        data = data["value"]
    if not isinstance(data, list):
        raise UnexpectedAnswer(f"{answer.path}: expected a list", answer.path)
    return data
