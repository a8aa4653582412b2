"""How fast a connector may ask: a share of the other side's rate limit, as declared and as its answers tell."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from governance.errors import RateLimited

if TYPE_CHECKING:
    from connectors.kit.patience import Deadline

# Okta, GitHub and Atlassian, Slack and Entra write them differently; RateLimit-* is the draft of the standard.
_LIMIT: Final = ("X-Rate-Limit-Limit", "X-RateLimit-Limit", "RateLimit-Limit")
_REMAINING: Final = ("X-Rate-Limit-Remaining", "X-RateLimit-Remaining", "RateLimit-Remaining")
_RESET: Final = ("X-Rate-Limit-Reset", "X-RateLimit-Reset", "RateLimit-Reset")
_EPOCH_S: Final = 10**9  # a larger number is an instant, a smaller one a length of time
_NAME: Final = re.compile(r"[a-z][a-z_.-]*", re.IGNORECASE)


@dataclass(frozen=True)
class RateLimit:
    """What a vendor publishes: so many requests in so many seconds, for paths that hold `match`."""

    requests: int
    per_s: float
    match: str = ""


@dataclass
class _Window:
    """What the other side told about one of its counters, and how often we asked since it began anew."""

    limit: int
    remaining: int
    ends: float  # on this process' own clock
    asked: int = 0


@dataclass
class Pacing:
    """Waits before a request where asking now would take more than our share. Told limits go before declared ones."""

    limits: tuple[RateLimit, ...] = ()
    share: float = 0.5
    _asked: dict[RateLimit, deque[float]] = field(default_factory=dict)
    _told: dict[str, _Window] = field(default_factory=dict)

    def wait(self, path: str, deadline: Deadline, place: str) -> None:
        """Sleep until the request may leave; RateLimited when that is later than the pull may take."""
        while (seconds := self._needed(path)) > 0:
            if seconds >= deadline.left:
                until = deadline.now + timedelta(seconds=seconds)
                raise RateLimited(
                    f"{place}: our share ({self.share:.0%}) of the rate limit is used up for {seconds:.0f} s,"
                    " longer than this pull may take",
                    until,
                )
            time.sleep(seconds)
        self._count(path)

    def heard(self, path: str, headers: Mapping[str, str], now: datetime) -> None:
        """Remember what an answer tells about the limit."""
        limit, remaining, reset = _number(headers, _LIMIT), _number(headers, _REMAINING), _reset(headers)
        if limit is None or limit <= 0 or remaining is None or reset is None:
            return
        ends = time.monotonic() + _until(reset, headers, now)
        known = self._told.get(_family(path))
        if known is None or ends > known.ends + 1:
            self._told[_family(path)] = _Window(limit, remaining, ends, asked=1)
        else:
            known.limit, known.remaining = limit, min(remaining, known.remaining)

    def _needed(self, path: str) -> float:
        now = time.monotonic()
        window = self._told.get(_family(path))
        if window is not None and now < window.ends:
            free = window.remaining > 0 and window.asked < max(1, int(window.limit * self.share))
            return 0.0 if free else window.ends - now
        if window is not None:
            return 0.0  # its time is over; the next answer tells anew
        return max((self._declared(limit, now) for limit in self.limits if limit.match in path), default=0.0)

    def _declared(self, limit: RateLimit, now: float) -> float:
        asked = self._asked.setdefault(limit, deque())
        while asked and asked[0] <= now - limit.per_s:
            asked.popleft()
        most = max(1, int(limit.requests * self.share))
        return 0.0 if len(asked) < most else asked[0] + limit.per_s - now

    def _count(self, path: str) -> None:
        now = time.monotonic()
        for limit in self.limits:
            if limit.match in path:
                self._asked.setdefault(limit, deque()).append(now)
        window = self._told.get(_family(path))
        if window is not None:
            window.asked += 1
            window.remaining -= 1


def reset_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the counter begins anew, as an answer tells; None when it does not."""
    reset = _reset(headers)
    return None if reset is None else _until(reset, headers, now)


def _reset(headers: Mapping[str, str]) -> int | None:
    """When the counter begins anew: a number, or an instant in ISO 8601 as Atlassian writes it."""
    for name in _RESET:
        text = (headers.get(name) or "").strip()
        if "T" in text:
            with suppress(ValueError):
                at = datetime.fromisoformat(text)
                return None if at.tzinfo is None else int(at.timestamp())
    return _number(headers, _RESET)


def _until(reset: int, headers: Mapping[str, str], now: datetime) -> float:
    if reset < _EPOCH_S:
        return float(max(reset, 0))
    with suppress(ValueError):  # the other side's own clock counts, not ours
        now = parsedate_to_datetime(headers.get("Date") or "")
    return max(reset - now.timestamp(), 0.0)


def _number(headers: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    for name in names:
        text = (headers.get(name) or "").partition(",")[0].strip()
        if text.isascii() and text.isdigit():
            return int(text[:12])
    return None


def _family(path: str) -> str:
    """The path without what looks like ids: vendors count by kind of request."""
    return "/".join(part if _NAME.fullmatch(part) else "" for part in path.split("/"))
