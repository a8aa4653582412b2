"""Calls to Google's Admin SDK: who asks, page by page, and what its refusals mean.

Authorization: a service account signs a claim and gets a token that acts as an administrator ("domain-wide
delegation"). Google grants all scopes that were asked for or none, so what was not delegated is found out scope by
scope. Confirmed in developers.google.com/identity/protocols/oauth2/service-account: the claims, the audience, and
`unauthorized_client` for scopes that are not delegated. Confirmed in the Admin SDK's error pages: quota refusals are
403 with the reasons below as well as 429, mostly without Retry-After.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.kit.addresses import Address, check_base
from connectors.kit.answers import Answer
from connectors.kit.authorization import Granted, Token, jwt_bearer, signer, token_endpoint
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from connectors.kit.momentary import asked_again
from connectors.kit.pacing import RateLimit
from connectors.kit.pagination import Page
from governance.errors import AuthenticationFailed, ConfigurationError, UnexpectedAnswer

SCOPE: Final = "https://www.googleapis.com/auth/"
DIRECTORY: Final = "admin/directory/v1"
REPORTS: Final = "admin/reports/v1"
_QUOTA: Final = frozenset({"userRateLimitExceeded", "rateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"})


class Delegated:
    """A service account that acts as an administrator, with as many of the wanted scopes as were delegated to it."""

    def __init__(
        self,
        key: str,
        subject: str,
        scopes: tuple[str, ...],
        token_url: str,
        given: Circumstances,
        where: str,
        *,
        allow_private: object = False,
    ) -> None:
        told = _key_file(key, where)
        base, _, path = token_url.rpartition("/")
        self.address = check_base(base, where, allow_private=allow_private, key="token_url")
        self.subject = subject
        self.wanted = scopes
        self.refused: tuple[str, ...] = ()
        self.client_id = str(told.get("client_id") or "")
        self._http = Http(self.address, given, where)
        self._path = path
        self._place = where
        self._claims = {"iss": told["client_email"], "sub": subject, "aud": token_url}
        self._sign = signer(
            told["private_key"], where, lambda: self._http.deadline.now, key_id=told.get("private_key_id")
        )

    def authorization(self) -> Granted:
        """The header's source."""
        return Granted(self._grant)

    def offers(self, scope: str) -> bool:
        """Whether this one scope is delegated."""
        try:
            self._ask((scope,))
        except AuthenticationFailed:
            return False
        return True

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _grant(self) -> Token:
        scopes = tuple(s for s in self.wanted if s not in self.refused)
        try:
            return self._ask(scopes)
        except AuthenticationFailed:
            self.refused = tuple(s for s in self.wanted if not self.offers(s))
            left = tuple(s for s in self.wanted if s not in self.refused)
            if not left or left == scopes:
                raise
            return self._ask(left)

    def _ask(self, scopes: tuple[str, ...]) -> Token:
        claims = {**self._claims, "scope": " ".join(SCOPE + scope for scope in scopes)}
        return token_endpoint(self._http, self._path, jwt_bearer(self._sign, claims), self._place)()


class GoogleCalls:
    """One session with the Admin SDK."""

    def __init__(
        self, address: Address, given: Circumstances, place: str, who: Delegated, limits: tuple[RateLimit, ...]
    ) -> None:
        self.who = who
        self.digest = hashlib.sha256()
        self.http = Http(address, given, place, auth=who.authorization(), limits=limits)
        self._place = place

    def get(self, path: str, params: Mapping[str, str] | None = None, *, allow: tuple[int, ...] = ()) -> Answer:
        """Read; a refusal for the rate is waited out, any other 403 means that a right is missing."""
        return self._patiently(lambda: self.http.get(path, params, allow=(403, *allow)), path, allow)

    def send(
        self, method: str, path: str, body: Any = None, *, allow: tuple[int, ...] = (), idempotent: bool = True
    ) -> Answer:
        """Change something."""
        return self._patiently(
            lambda: self.http.send(method, path, body, allow=(403, *allow), idempotent=idempotent), path, allow
        )

    def pages(
        self, path: str, key: str, params: Mapping[str, str], *, empty: bool = True
    ) -> Callable[[str | None], Page]:
        """What fetches one page of a list. Google leaves the key of an empty list out; `empty`: whether it may be."""

        def fetch(cursor: str | None) -> Page:
            answer = self.get(path, {**params, "pageToken": cursor} if cursor else params)
            told = answer.data if isinstance(answer.data, dict) else {}
            items = told.get(key, [] if empty and "kind" in told else None)
            if not isinstance(items, list):
                raise UnexpectedAnswer(f"{answer.path}: the answer holds no list of {key}", answer.path)
            self.digest.update(answer.sha256.encode())
            following = told.get("nextPageToken")
            return Page(items, following if isinstance(following, str) and following else None)

        return fetch

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()
        self.who.close()

    def _patiently(self, ask: Callable[[], Answer], path: str, allow: tuple[int, ...]) -> Answer:
        def passes(answer: Answer) -> float | None:
            return 0.0 if answer.status == 403 and reason(answer) in _QUOTA else None

        answer = asked_again(ask, passes, self.http.deadline, f"{self._place}: {path}")
        if answer.status == 403 and 403 not in allow:
            raise AuthenticationFailed(f"{self._place}: {path}: 403: {self.who.subject} or the service account may not")
        return answer


def reason(answer: Answer) -> str:
    """Google's word for a refusal, such as rateLimitExceeded or forbidden."""
    error = answer.data.get("error") if isinstance(answer.data, dict) else None
    several = error.get("errors") if isinstance(error, dict) else None
    first = several[0] if isinstance(several, list) and several else None
    word = first.get("reason") if isinstance(first, dict) else None
    return word if isinstance(word, str) else ""


def _key_file(key: str, where: str) -> dict[str, str]:
    expected = f"{where}: expected the whole JSON file of a service account's key, with client_email and private_key"
    try:
        told = json.loads(key)
    except ValueError:
        raise ConfigurationError(expected) from None
    if not isinstance(told, dict) or not all(isinstance(told.get(k), str) for k in ("client_email", "private_key")):
        raise ConfigurationError(expected)
    return told
