"""One HTTP session of one connector: deadlines, retries, size limits, one address only, and our errors only."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import ProtocolError

from connectors.kit.addresses import Address, origin_of
from connectors.kit.contract import Circumstances
from connectors.kit.failures import FOREIGN, translated
from connectors.kit.patience import Deadline, Patience, retry_after
from connectors.kit.redaction import guard_logs
from connectors.kit.wire import Wire
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    FeedError,
    IncompleteFeed,
    LeaverwatchError,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
)

CONNECT_S: Final = 10.0
READ_S: Final = 30.0
MAX_HOPS: Final = 3
CHUNK: Final = 64 * 1024
ERROR_BYTES: Final = 64 * 1024  # of an answer that is an error no more is read
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SCIM_TYPE: Final = re.compile(r"[A-Za-z]{2,30}")


@dataclass(frozen=True)
class Answer:
    """What came back: JSON or nothing."""

    status: int
    data: Any
    headers: Mapping[str, str]
    path: str
    sha256: str


class Http:
    """The only way a connector talks to the outside.

    Every request ends within the deadline, goes to the configured address and nowhere else, and raises nothing but
    errors of our own tree. `begin` starts the deadline anew: call it once for each pull and each change.
    """

    def __init__(
        self,
        address: Address,
        given: Circumstances,
        place: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
    ) -> None:
        self.address = address
        self._given = given
        self._place = place
        self._timeouts = (connect_s, read_s)
        self._wire = Wire(address, place)
        session = self._session = requests.Session()
        session.trust_env = not address.loopback  # proxies and certificates of the environment; never for this machine
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.update({"User-Agent": "leaverwatch", "Accept-Encoding": "gzip, deflate", **(headers or {})})
        session.adapters.clear()
        session.mount(address.origin.scheme + "://", self._wire)
        session.auth = _Bearer(_clean(token, place), address)  # also keeps ~/.netrc out
        self.begin()

    def begin(self) -> None:
        """Start the deadline."""
        self.deadline = Deadline(self._given.deadline_s, self._given.now)

    def get(
        self, path: str, params: Mapping[str, str] | None = None, *, allow: tuple[int, ...] = (), retry_500: bool = True
    ) -> Answer:
        """Read; statuses in `allow` are answers, all others but success are errors."""
        return self._request("GET", path, params=params, allow=allow, retry_500=retry_500)

    def send(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        headers: Mapping[str, str] | None = None,
        allow: tuple[int, ...] = (),
        idempotent: bool = False,
    ) -> Answer:
        """Change something. Asked again only when it is idempotent."""
        return self._request(method, path, body=body, headers=headers, allow=allow, idempotent=idempotent)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        allow: tuple[int, ...] = (),
        retry_500: bool = True,
        idempotent: bool = False,
    ) -> Answer:
        url = path if "://" in path else self.address.join(path)
        shown = urlsplit(url).path
        place = f"{self._place}: {method} {shown}"
        patience = Patience.begin(self.deadline, place, method=method, idempotent=idempotent, retry_500=retry_500)
        more = {"params": params, "json": body, "headers": headers}
        for _ in range(MAX_HOPS + 1):
            response, content = self._exchange(patience, method, url, more, place)
            if response.status_code not in _REDIRECTS:
                return self._answer(response, content, allow, place, shown)
            if method != "GET":
                break
            url = self.address.pin(response.headers.get("Location", ""), url, place)
            more["params"] = None
        raise UnexpectedAnswer(f"{place}: answered {response.status_code}, a redirect that is not followed", shown)

    def _exchange(
        self, patience: Patience, method: str, url: str, more: Mapping[str, Any], place: str
    ) -> tuple[requests.Response, bytes]:
        """One answer with its whole body. Bodies that break off are asked for again, as urllib3 does with the rest."""
        path = urlsplit(url).path
        while True:
            if self.deadline.left <= 0:
                raise self._late(place)
            self._wire.patient(patience)
            with self._wire.until(self.deadline.left):
                try:
                    response = self._ask(method, url, more, place)
                    with response:
                        content = self._body(response, place, path)
                    if self.deadline.left > 0:  # else it may have been cut off by hanging up
                        return response, content
                    raise self._late(place)
                except _BrokenBody as broken:
                    failure = broken.failure
                except Unavailable as error:
                    raise (self._late(place) if self.deadline.left <= 0 else error) from None
            if self.deadline.left <= 0:
                raise self._late(place)
            try:
                patience = patience.increment(method, path, error=ProtocolError(type(failure).__name__))
                patience.sleep()
            except (*FOREIGN, Unavailable):  # often enough, or no time left
                raise failure from None

    def _ask(self, method: str, url: str, more: Mapping[str, Any], place: str) -> requests.Response:
        left = max(self.deadline.left, 0.01)
        timeouts = (min(self._timeouts[0], left), min(self._timeouts[1], left))
        try:
            return self._session.request(method, url, timeout=timeouts, stream=True, allow_redirects=False, **more)
        except FOREIGN as error:
            raise translated(error, place, urlsplit(url).path) from None

    def _body(self, response: requests.Response, place: str, path: str) -> bytes:
        """The whole body after decompression, within the limit of size."""
        good = response.ok
        limit = self._given.max_answer_bytes if good else ERROR_BYTES
        content = bytearray()
        try:
            for piece in response.iter_content(CHUNK):
                content += piece
                if len(content) > limit:
                    break
        except FOREIGN as error:
            if not good:
                return b""
            raise _BrokenBody(translated(error, place, path)) from None
        unasked = (
            response.request.method != "GET" or response.status_code == 204 or "Content-Length" in response.headers
        )
        if good and not content and not unasked:
            # A head that breaks off looks to http.client like a whole one.
            raise _BrokenBody(IncompleteFeed(f"{place}: the answer broke off before its body"))
        if len(content) > limit and good:
            raise UnexpectedAnswer(f"{place}: the answer is larger than {limit} bytes", path)
        return bytes(content)

    def _answer(
        self, response: requests.Response, content: bytes, allow: tuple[int, ...], place: str, path: str
    ) -> Answer:
        status = response.status_code
        if not 200 <= status < 300:
            data = _lenient(content)
            if status not in allow:
                raise self._refused(response, data, place, path)
        else:
            data = _strict(response, content, place, path) if content else None
        return Answer(status, data, response.headers, path, hashlib.sha256(content).hexdigest())

    def _refused(self, response: requests.Response, data: Any, place: str, path: str) -> FeedError:
        """The error for an answer that is none."""
        status = response.status_code
        if status == 401:
            return AuthenticationFailed(f"{place}: 401: the token is missing, wrong or expired")
        if status == 403:
            return AuthenticationFailed(f"{place}: 403: the token lacks the right to do this")
        if status == 429:
            wait = retry_after(response.headers, self.deadline.now)
            until = None if wait is None else self.deadline.now + timedelta(seconds=wait)
            return RateLimited(f"{place}: 429: too many requests", until)
        if status in (408, 425) or status >= 500:
            return Unavailable(f"{place}: answered {status}")
        kind = data.get("scimType") if isinstance(data, dict) else None
        known = f" ({kind})" if isinstance(kind, str) and _SCIM_TYPE.fullmatch(kind) else ""
        return UnexpectedAnswer(f"{place}: answered {status}{known}", path)

    def _late(self, place: str) -> Unavailable:
        return Unavailable(f"{place}: not finished within the {self.deadline.seconds:g} s this may take")


class _BrokenBody(Exception):
    """The body of an answer ended too early."""

    def __init__(self, failure: LeaverwatchError) -> None:
        super().__init__()
        self.failure = failure


class _Bearer(AuthBase):
    """Puts the token on requests to the one address it is for; the last line of defence before it leaves."""

    def __init__(self, token: str | None, address: Address) -> None:
        self._token = token
        self._address = address

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if origin_of(request.url or "") != self._address.origin:
            raise UnexpectedAnswer("a request was about to leave for another address than the configured one; not sent")
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _clean(token: str | None, place: str) -> str | None:
    """A token that can be a header, known to the logs from now on."""
    token = (token or "").strip()
    if not token:
        return None
    guard_logs([token])
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigurationError(f"{place}: the token holds signs that no header may hold")
    return token


def _strict(response: requests.Response, content: bytes, place: str, path: str) -> Any:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind and not (kind in ("application/json", "text/json", "text/plain") or kind.endswith("+json")):
        shown = kind if re.fullmatch(r"[a-z0-9.+/-]{1,60}", kind) else "something else"
        raise UnexpectedAnswer(f"{place}: answered {shown} instead of JSON, perhaps a page to sign in", path)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise translated(error, place, path) from None


def _lenient(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
