"""One HTTP session of one connector: deadlines, retries, size limits, one address only, and our errors only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import ProtocolError

from connectors.kit.addresses import Address, origin_of
from connectors.kit.answers import Answer, Reads, lenient, refused, strict
from connectors.kit.authorization import Authorization, bearer
from connectors.kit.bodies import MOST_HELD, Body, Stored
from connectors.kit.contract import Circumstances
from connectors.kit.failures import FOREIGN, translated
from connectors.kit.pacing import Pacing, RateLimit
from connectors.kit.patience import Deadline, Patience
from connectors.kit.wire import Wire
from governance.errors import (
    IncompleteFeed,
    LeaverwatchError,
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
        auth: Authorization | None = None,
        headers: Mapping[str, str] | None = None,
        limits: tuple[RateLimit, ...] = (),
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
        stored: bool = False,
    ) -> None:
        """`stored`: a large body waits in a temporary file."""
        self.address = address
        self._given = given
        self._place = place
        self._timeouts = (connect_s, read_s)
        self._most_held = MOST_HELD if stored else None
        self._wire = Wire(address, place)
        self._pacing = Pacing(limits, given.limit_share)
        self._auth = auth or bearer(token, place)
        session = self._session = requests.Session()
        session.trust_env = not address.loopback  # proxies and certificates of the environment; never for this machine
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.update({"User-Agent": "leaverwatch", "Accept-Encoding": "gzip, deflate", **(headers or {})})
        session.adapters.clear()
        session.mount(address.origin.scheme + "://", self._wire)
        session.auth = _OnlyHere(self._auth, address)  # also keeps ~/.netrc out
        self.begin()

    def begin(self) -> None:
        """Start the deadline."""
        self.deadline = Deadline(self._given.deadline_s, self._given.now)

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        allow: tuple[int, ...] = (),
        retry_500: bool = True,
        media: str | None = None,
        form: Reads | None = None,
    ) -> Answer:
        """Read; statuses in `allow` are answers, all others but success are errors. `media`: text of that type.

        `form` reads JSON that has a known form, and tells None of any other.
        """
        more = {"params": params, "headers": headers}
        return self._request("GET", path, more, allow=allow, retry_500=retry_500, media=media, form=form)

    def ask(
        self,
        path: str,
        body: Any,
        *,
        headers: Mapping[str, str] | None = None,
        allow: tuple[int, ...] = (),
        form: Reads | None = None,
    ) -> Answer:
        """Read by a POST, as searches do; asked again like a GET."""
        more = {"json": body, "headers": headers}
        return self._request("POST", path, more, allow=allow, retry_500=True, idempotent=True, form=form)

    def send(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        allow: tuple[int, ...] = (),
        idempotent: bool = False,
    ) -> Answer:
        """Change something, with a body in JSON or a form. Asked again only when it is idempotent."""
        more = {"params": params, "json": body, "data": form, "headers": headers}
        return self._request(method, path, more, allow=allow, retry_500=False, idempotent=idempotent)

    def pin(self, link: str, answer: Answer) -> str:
        """A link of an answer made absolute; UnexpectedAnswer when it leads anywhere else than the base."""
        return self.address.pin(link, answer.url, f"{self._place}: {answer.path}")

    def next_link(self, answer: Answer) -> str | None:
        """The next page as the Link header tells it (RFC 8288); None at the end."""
        header = answer.headers.get("Link", "")
        links = requests.utils.parse_header_links(header) if header else []
        found = next((link["url"] for link in links if link.get("rel", "").casefold() == "next"), None)
        return None if found is None else self.pin(found, answer)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _request(
        self,
        method: str,
        path: str,
        more: Mapping[str, Any],
        *,
        allow: tuple[int, ...] = (),
        retry_500: bool = True,
        idempotent: bool = False,
        media: str | None = None,
        form: Reads | None = None,
    ) -> Answer:
        url = path if "://" in path else self.address.join(path)
        shown = urlsplit(url).path
        place = f"{self._place}: {method} {shown}"
        more = {key: value for key, value in more.items() if value is not None}
        if media:
            more["headers"] = {"Accept": media, **more.get("headers", {})}
        renewed = False
        hops = 0
        while hops <= MAX_HOPS:
            patience = Patience.begin(self.deadline, place, method=method, idempotent=idempotent, retry_500=retry_500)
            response, content = self._exchange(patience, method, url, more, place)
            if response.status_code == 401 and not renewed and 401 not in allow and self._auth.renew():
                renewed = True
                continue
            if response.status_code not in _REDIRECTS:
                return self._answer(response, content, allow, place, shown, media, form)
            if method != "GET":
                break
            url = self.address.pin(response.headers.get("Location", ""), url, place)
            more.pop("params", None)
            hops += 1
        raise UnexpectedAnswer(f"{place}: answered {response.status_code}, a redirect that is not followed", shown)

    def _exchange(
        self, patience: Patience, method: str, url: str, more: Mapping[str, Any], place: str
    ) -> tuple[requests.Response, bytes | bytearray | Stored]:
        """One answer with its whole body. Bodies that break off are asked for again, as urllib3 does with the rest."""
        path = urlsplit(url).path
        while True:
            if self.deadline.left <= 0:
                raise self._late(place)
            self._pacing.wait(path, self.deadline, place)
            self._wire.patient(patience)
            with self._wire.until(self.deadline.left):
                try:
                    response = self._ask(method, url, more, place)
                    with response:
                        content = self._body(response, place, path)
                    self._pacing.heard(path, response.headers, self.deadline.now)
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

    def _body(self, response: requests.Response, place: str, path: str) -> bytes | bytearray | Stored:
        """The whole body after decompression, within the limit of size."""
        good = response.ok
        limit = self._given.max_answer_bytes if good else ERROR_BYTES
        content = Body(self._most_held)
        try:
            for piece in response.iter_content(CHUNK):
                content.add(piece)
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
        return content.whole()

    def _answer(
        self,
        response: requests.Response,
        content: bytes | bytearray | Stored,
        allow: tuple[int, ...],
        place: str,
        path: str,
        media: str | None,
        form: Reads | None,
    ) -> Answer:
        status = response.status_code
        if not 200 <= status < 300:
            data = lenient(content)
            if status not in allow:
                raise refused(response, data, place, path, self.deadline.now)
        else:
            data = strict(response, content, place, path, media, form) if content else None
        digest = content.sha256 if isinstance(content, Stored) else hashlib.sha256(content).hexdigest()
        return Answer(status, data, response.headers, path, digest, response.url or "")

    def _late(self, place: str) -> Unavailable:
        return Unavailable(f"{place}: not finished within the {self.deadline.seconds:g} s this may take")


class _BrokenBody(Exception):
    """The body of an answer ended too early."""

    def __init__(self, failure: LeaverwatchError) -> None:
        super().__init__()
        self.failure = failure


class _OnlyHere(AuthBase):
    """Puts the credential on requests to the one address it is for; the last line of defence before it leaves."""

    def __init__(self, auth: Authorization, address: Address) -> None:
        self._auth = auth
        self._address = address

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if origin_of(request.url or "") != self._address.origin:
            raise UnexpectedAnswer("a request was about to leave for another address than the configured one; not sent")
        header = self._auth.header()
        if header:
            request.headers["Authorization"] = header
        return request
