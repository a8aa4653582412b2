"""Rate limits over real HTTP (FAULTS.md C5): never more than our share, told or declared, and others keep theirs."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import NOW

from connectors.kit.addresses import check_base
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from connectors.kit.pacing import Pacing, RateLimit, reset_after
from governance.errors import RateLimited

WINDOW_S = 1.0


class Limited:
    """A server that counts requests in fixed windows and tells its limit the way one vendor does."""

    def __init__(self, limit: int, style: str) -> None:
        self.limit, self.style = limit, style
        self.by_window: Counter[int] = Counter()
        self.ours: Counter[int] = Counter()
        self.violations: Counter[int] = Counter()
        self.lock = threading.Lock()

    def answer(self, who: str) -> tuple[int, dict[str, str]]:
        with self.lock:
            now = time.time()
            window = int(now / WINDOW_S)
            self.by_window[window] += 1
            self.ours[window] += who == "leaverwatch"
            left = self.limit - self.by_window[window]
            ends = (window + 1) * WINDOW_S
            headers = {"Date": formatdate(now, usegmt=True)}
            if self.style == "epoch":
                headers |= self._told("X-Rate-Limit-", left, str(int(ends) + 0))
            elif self.style == "seconds":
                headers |= self._told("RateLimit-", left, str(max(1, round(ends - now))))
            if left >= 0:
                return 200, headers
            self.violations[window] += 1
            return 429, headers | {"Retry-After": "1"}

    def _told(self, prefix: str, left: int, reset: str) -> dict[str, str]:
        return {f"{prefix}Limit": str(self.limit), f"{prefix}Remaining": str(max(left, 0)), f"{prefix}Reset": reset}


@contextmanager
def serving(limited: Limited) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers = limited.answer(self.headers.get("User-Agent", ""))
            self.send_response_only(status)
            for name, value in {**headers, "Content-Type": "application/json", "Content-Length": "2"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def http(url: str, *limits: RateLimit, share: float = 0.5, deadline_s: float = 30) -> Http:
    given = Circumstances(now=NOW, home=Path(), deadline_s=deadline_s, limit_share=share)
    return Http(check_base(url, "test"), given, "one", limits=limits)


def test_a_declared_limit_is_used_to_its_share_and_no_further() -> None:
    limited = Limited(20, "silent")
    with serving(limited) as url:
        asking = http(url, RateLimit(20, WINDOW_S))
        begun = time.monotonic()
        for _ in range(31):
            asking.get("things")
        took = time.monotonic() - begun
        asking.close()
    assert not limited.violations
    assert took >= 3 * WINDOW_S  # ten in each second, the 31st begins the fourth
    # Windows of the server and ours do not begin together: two of ours may touch one of the server's.
    assert max(limited.ours.values()) <= 20


@pytest.mark.parametrize("style", ["epoch", "seconds"])
def test_a_told_limit_is_used_to_its_share_and_others_keep_theirs(style: str) -> None:
    limited = Limited(20, style)
    stop, others = threading.Event(), Counter[int]()
    with serving(limited) as url:

        def somebody_else() -> None:
            while not stop.is_set():  # eight in each window: less than the half that is theirs
                others[requests.get(url + "things", timeout=5).status_code] += 1
                stop.wait(WINDOW_S / 8)

        other = threading.Thread(target=somebody_else)
        other.start()
        asking = http(url)
        for _ in range(40):
            asking.get("things")
        asking.close()
        stop.set()
        other.join()
    assert max(limited.violations.values(), default=0) <= 1
    assert others[429] <= sum(limited.violations.values())
    # One window of slack: the reset is told in whole seconds.
    assert sum(limited.ours.values()) / len([n for n in limited.ours.values() if n]) <= 0.5 * limited.limit + 1


def test_when_the_share_is_used_up_for_longer_than_the_pull_may_take_it_says_until_when() -> None:
    limited = Limited(100, "silent")
    with serving(limited) as url:
        asking = http(url, RateLimit(4, 3600))
        asking.get("things")
        asking.get("things")
        with pytest.raises(RateLimited, match="our share") as refusal:
            asking.get("things")
        asking.close()
    assert refusal.value.until is not None
    assert (refusal.value.until - NOW).total_seconds() > 3000


def test_limits_of_some_paths_do_not_slow_the_others() -> None:
    limited = Limited(1000, "silent")
    with serving(limited) as url:
        asking = http(url, RateLimit(2, 3600, "/logs"))
        asking.get("logs")
        took: list[float] = []
        while min(took, default=1) >= 1 and len(took) < 5:  # a busy machine may make some late, not all
            begun = time.monotonic()
            for _ in range(20):
                asking.get("users")
            took.append(time.monotonic() - begun)
        assert min(took) < 1
        with pytest.raises(RateLimited):
            asking.get("logs")
        asking.close()


def test_ids_in_paths_share_one_counter() -> None:
    pacing = Pacing(share=0.5)
    pacing.heard(
        "/api/v1/users/00u1ab9/factors",
        {"X-Rate-Limit-Limit": "10", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "60"},
        NOW,
    )
    assert pacing._needed("/api/v1/users/00u2cd8/factors") > 50
    assert pacing._needed("/api/v1/groups") == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"X-Rate-Limit-Reset": "soon"}, None),
        ({"X-RateLimit-Reset": "17"}, 17.0),
        ({"X-Rate-Limit-Reset": str(int(NOW.timestamp()) + 30)}, 30.0),
        ({"X-Rate-Limit-Reset": str(int(NOW.timestamp()) - 30)}, 0.0),
        # The other side's clock is an hour ahead of ours: its own Date counts.
        (
            {
                "X-Rate-Limit-Reset": str(int(NOW.timestamp()) + 3630),
                "Date": formatdate(NOW.timestamp() + 3600, usegmt=True),
            },
            30.0,
        ),
        ({"RateLimit-Reset": "-5"}, None),
    ],
)
def test_a_reset_is_read_as_a_length_or_an_instant(headers: dict[str, str], seconds: float | None) -> None:
    assert reset_after(headers, NOW) == seconds
