"""How long to wait and how often to ask again, never beyond the deadline of the whole pull."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from connectors.kit.pacing import reset_after
from governance.errors import RateLimited, Unavailable

TRIES: Final = 3  # beyond the first
RATE_LIMIT_WAITS: Final = 10
MOST_WAIT_S: Final = 6 * 3600.0
IDEMPOTENT: Final = frozenset({"GET", "HEAD"})
PASSING: Final = frozenset({429, 502, 503, 504})
_TOO_MANY: Final = frozenset({403, 429})  # a 403 gets here only with Retry-After


class Deadline:
    """Seconds that are left, and what time it is by now. Measured, not read from the clock of the wall."""

    def __init__(self, seconds: float, now: datetime) -> None:
        self.seconds = seconds
        self._now = now
        self._begun = time.monotonic()

    @property
    def left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self.seconds - (time.monotonic() - self._begun)

    @property
    def now(self) -> datetime:
        """The time the pull was started with, plus what has passed since."""
        return self._now + timedelta(seconds=time.monotonic() - self._begun)


@contextmanager
def hanging_up(deadline: Deadline, line: Callable[[], socket.socket | int | None]) -> Iterator[None]:
    """Break the line when the time is up: who waits on it for an answer, or reads one that trickles, ends then."""

    def hang_up() -> None:
        found = line()
        if found is None:
            return
        with suppress(OSError), socket.socket(fileno=os.dup(found if isinstance(found, int) else found.fileno())) as it:
            it.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(deadline.left, 0), hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Patience(Retry):
    """urllib3's Retry within a deadline: 429, 502, 503 and 504, a GET also after 500; waits as long as it is told."""

    deadline: Deadline
    place: str = ""
    retry_500: bool = True

    @classmethod
    def begin(cls, deadline: Deadline, place: str, *, method: str, idempotent: bool, retry_500: bool) -> Self:
        """Patience for one request."""
        methods = IDEMPOTENT | ({method} if idempotent else frozenset())
        patience = cls(
            total=TRIES + RATE_LIMIT_WAITS,
            connect=TRIES,
            read=TRIES,
            status=TRIES,
            other=0,
            redirect=False,
            allowed_methods=methods,
            status_forcelist=PASSING,
            backoff_factor=0.25,
            backoff_jitter=0.25,
            backoff_max=30,
            raise_on_status=False,
            respect_retry_after_header=True,
        )
        return patience._carry(deadline, place, retry_500)

    def new(self, **kw: Any) -> Self:
        """The next state, with what Retry does not know of."""
        return super().new(**kw)._carry(self.deadline, self.place, self.retry_500)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether to ask again after this answer."""
        if status_code == 500:
            return self.retry_500 and self._is_method_retryable(method)
        passing = status_code in PASSING or (status_code == 403 and has_retry_after)  # GitHub's secondary limits
        return passing and self._is_method_retryable(method)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        *args: Any,
        **more: Any,
    ) -> Self:
        """Count a try; being asked to wait does not count as a failure of the other side."""
        state = self
        if response is not None and response.status in _TOO_MANY and self.status is not None:
            state = self.new(status=self.status + 1)
        return Retry.increment(state, method, url, response, *args, **more)

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait before the next try; RateLimited when that would be longer than the pull may take."""
        wait = self.wait_for(response)
        if wait < self.deadline.left:
            time.sleep(wait)
        elif response is not None and response.status in _TOO_MANY:
            until = self.deadline.now + timedelta(seconds=wait)
            raise RateLimited(
                f"{self.place}: {response.status}: asks to wait {wait:.0f} s, longer than this pull may take", until
            )
        else:
            said = f"answered {response.status}" if response is not None else "no connection or no answer"
            raise Unavailable(f"{self.place}: {said}, and no time left to ask again")

    def wait_for(self, response: BaseHTTPResponse | None) -> float:
        """Seconds to wait: what the other side asks for, else longer from try to try with a random part."""
        told = retry_after(response.headers, self.deadline.now) if response is not None else None
        if told is None and response is not None and response.status == 429:
            told = reset_after(response.headers, self.deadline.now)
        if told is not None:
            return max(told, 0.1) + random.uniform(0, 0.1)  # noqa: S311 - spreads load, guards nothing
        return self.get_backoff_time()

    def _carry(self, deadline: Deadline, place: str, retry_500: bool) -> Self:
        self.deadline, self.place, self.retry_500 = deadline, place, retry_500
        return self


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Retry-After in seconds; a date counts from the other side's own clock where it tells it."""
    text = (headers.get("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), MOST_WAIT_S))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    with suppress(ValueError):
        now = parsedate_to_datetime(headers.get("Date") or "")
    if until.tzinfo is None or now.tzinfo is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), MOST_WAIT_S)
