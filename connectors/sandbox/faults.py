"""How one application misbehaves on request: the same for every vendor, between the wire and the vendor's module."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic, time
from typing import Any, Final, Literal

SIGN_IN_PAGE: Final = "<!doctype html><title>Sign in</title><form><input name=password type=password></form>"
_NEXT_KEY: Final = re.compile(r"next(?!.*token)", re.IGNORECASE)
_LINK: Final = re.compile(r'<([^>]*)>(\s*;[^,]*rel="?next"?)')


@dataclass
class Faults:
    """What is wrong with one application. Without arguments nothing is. Counters start at the first request."""

    paths: str = ""  # a regular expression: only requests whose path it finds something in are hit
    after: int = 0  # so many requests are answered well at first
    times: int | None = None  # and so many are hit; None: all that follow
    # Refusals.
    rate_limit: int = 0  # so many requests are answered 429, then it works
    retry_after_s: float = 1
    retry_style: Literal["seconds", "date", "epoch", "none"] = "seconds"
    window: tuple[int, float] | None = None  # a true limit: so many requests in so many seconds
    fail_status: int | None = None
    unauthorized: bool = False  # 401
    forbidden: bool = False  # 403
    redirect_to: str | Callable[[str], str] | None = None  # a base address, or made from the path and query
    redirect_status: int = 307
    # Answers that look right and are not.
    html_with_200: bool = False
    half_body: bool = False  # the connection ends in the middle of the body
    half_json: bool = False  # the body ends in the middle, and says that this is all
    slow_body_s: float = 0.0  # the body trickles for so long
    delay_s: float = 0.0  # before the answer
    repeat_page: bool = False  # the first answer of each list, for ever
    lose_page: bool = False  # the second page of each list comes empty
    lie: bool = False  # a change is answered as done and is not done
    evil_next: Callable[[str], str] | None = None  # makes the next link of a page out of the true one
    mutate: Callable[[str, Any], Any] | None = None  # path and JSON -> JSON
    # What was seen.
    requests: int = 0
    violations: list[float] = field(default_factory=list)  # instants of requests beyond `window`
    accepted: list[float] = field(default_factory=list)
    _limited: int = 0
    _hit: int = 0
    _first: dict[str, Answered] = field(default_factory=dict)
    _pages: dict[str, int] = field(default_factory=dict)

    def hits(self, path: str) -> bool:
        """Whether this request is one of those that go wrong."""
        if self.paths and not re.search(self.paths, path):
            return False
        self.requests += 1
        if self.requests <= self.after or (self.times is not None and self._hit >= self.times):
            return False
        self._hit += 1
        return True

    def refusal(self, path: str, query: str) -> tuple[int, str, dict[str, str]] | None:
        """Status, words and headers where the request is refused before the vendor's module sees it."""
        if self.redirect_to is not None:
            target = f"{path}?{query}" if query else path
            made = self.redirect_to(target) if callable(self.redirect_to) else self.redirect_to + target
            return self.redirect_status, "moved", {"Location": made}
        if self._limited < self.rate_limit:
            self._limited += 1
            return 429, "too many requests", self._wait(self.retry_after_s)
        if self.window is not None and (left := self._beyond_window()) is not None:
            return 429, "too many requests", self._wait(left)
        if self.unauthorized:
            return 401, "the token has expired", {}
        if self.forbidden:
            return 403, "not allowed", {}
        if self.fail_status is not None:
            return self.fail_status, "something went wrong", {}
        return None

    def spoil(self, path: str, key: str, answer: Answered) -> Answered:
        """The answer as it leaves."""
        if self.repeat_page and answer.status == 200:
            answer = self._first.setdefault(key, answer)
        page = self._pages[key] = self._pages.get(key, 0) + 1
        if self.lose_page and page == 2 and answer.json is not None:
            answer = answer.with_json(_emptied(answer.json))
        if self.mutate is not None and answer.json is not None:
            answer = answer.with_json(self.mutate(path, answer.json))
        if self.evil_next is not None:
            answer = _misled(answer, self.evil_next)
        if self.html_with_200:
            answer = Answered(200, [(b"content-type", b"text/html; charset=utf-8")], SIGN_IN_PAGE.encode())
        if self.half_json and answer.status == 200:
            answer = replace(answer, body=answer.body[: len(answer.body) // 2])
        return answer

    def _beyond_window(self) -> float | None:
        """Seconds to wait where the window is full; notes the request either way."""
        most, seconds = self.window or (1, 1.0)
        now = monotonic()
        recent = [at for at in self.accepted if at > now - seconds]
        if len(recent) >= most:
            self.violations.append(now)
            return recent[0] + seconds - now
        self.accepted.append(now)
        return None

    def _wait(self, seconds: float) -> dict[str, str]:
        now = datetime.fromtimestamp(time(), UTC)  # the date a server would write
        until = now + timedelta(seconds=seconds)
        if self.retry_style == "seconds":
            return {"Retry-After": str(max(1, round(seconds + 0.49)))}
        if self.retry_style == "date":
            return {"Retry-After": format_datetime(until + timedelta(seconds=0.99), usegmt=True)}
        if self.retry_style == "epoch":
            reset = str(int(until.timestamp() + 0.99))
            named = {"X-Rate-Limit-Reset": reset, "X-RateLimit-Reset": reset}
            return {**named, "X-Rate-Limit-Remaining": "0", "X-RateLimit-Remaining": "0"}
        return {}


@dataclass(frozen=True)
class Answered:
    """One whole answer before it goes out."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        if b"json" not in dict(self.headers).get(b"content-type", b""):
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def with_json(self, data: Any) -> Answered:
        """The same with another body."""
        return replace(self, body=json.dumps(data, ensure_ascii=False).encode())


Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def deliver(answer: Answered, faults: Faults, send: Send, rest: Callable[[float], Awaitable[None]]) -> None:
    """Send the answer, trickling or breaking off where asked for; breaking off raises ConnectionAbortedError."""
    headers = [(k, v) for k, v in answer.headers if k.lower() != b"content-length"]
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if faults.half_body and answer.body:
        await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        await asyncio.sleep(0.01)  # so that the half leaves before the connection does
        raise ConnectionAbortedError
    if faults.slow_body_s and answer.body:
        for piece in _pieces(answer.body, 20):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await rest(faults.slow_body_s / 20)
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.body", "body": answer.body})


def _pieces(body: bytes, count: int) -> Iterator[bytes]:
    size = max(1, len(body) // count)
    return (body[at : at + size] for at in range(0, len(body), size))


def _emptied(data: Any) -> Any:
    """The page without the entries of its longest list; cursors and totals stay."""
    if isinstance(data, list):
        return []
    if not isinstance(data, dict):
        return data
    lists = [(len(value), key) for key, value in data.items() if isinstance(value, list)]
    if lists:
        return {**data, max(lists)[1]: []}
    return {key: _emptied(value) for key, value in data.items()}


def _misled(answer: Answered, change: Callable[[str], str]) -> Answered:
    """The answer with every next link changed: in the Link header, and below keys that are called next."""
    headers = [
        (k, _LINK.sub(lambda m: f"<{change(m[1])}>{m[2]}", v.decode("latin-1")).encode("latin-1"))
        if k.lower() == b"link"
        else (k, v)
        for k, v in answer.headers
    ]
    answer = replace(answer, headers=headers)
    data = answer.json
    return answer if data is None else answer.with_json(_misled_json(data, change, False))


def _misled_json(data: Any, change: Callable[[str], str], is_next: bool) -> Any:
    if isinstance(data, dict):
        return {
            k: _misled_json(v, change, bool(_NEXT_KEY.search(k)) or (is_next and k == "href")) for k, v in data.items()
        }
    if isinstance(data, list):
        return [_misled_json(v, change, False) for v in data]
    return change(data) if is_next and isinstance(data, str) and (data[:1] == "/" or "://" in data) else data
