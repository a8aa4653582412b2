"""What stands between the network and the pages: headers, cookies, and a closed door where nobody could sign in."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from governance import secrets
from governance.errors import ConfigurationError
from governance.house import House
from governance.sessions import AGAIN
from governance.settings import ProviderSettings, Settings
from jobs import home

POLICY: Final = (
    "default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:;"
    " object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    b"content-security-policy": POLICY.encode(),
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",  # other hosts learn nothing; the way to signing in tells which page was asked
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=()",
    b"cross-origin-opener-policy": b"same-origin",
}
LOGIN, LOGOUT, CALLBACK = "/auth/login", "/auth/logout", "/oauth2callback"  # Streamlit's own
ASKED: Final = "leaverwatch_asked"  # the page somebody asked for before signing in
ASKED_S: Final = 600
IDENTITY: Final = re.compile(r"_streamlit_user(_tokens)?(__?\d+)?")
NOWHERE: Final = b"/no-such-page"  # which no page is called
_PARTS: Final = ("/_stcore/", "/auth/", "/component/", "/media/", "/app/")  # Streamlit's own, below one another
_PAGE: Final = re.compile(r"/(?![/\\])[^\s\\]*")


def loopback(address: str) -> bool:
    """Whether only this machine reaches that address."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def refuse_open(settings: Settings, address: str) -> None:
    """ConfigurationError when others would reach the dashboard and nobody could sign in."""
    if not settings.sign_in.provider and not loopback(address):
        raise ConfigurationError(
            f"the dashboard is not started on {address or 'every interface'}: others reach it there, and nobody can"
            " sign in. Name a [[sign_in.provider]] in leaverwatch.toml, or stay on 127.0.0.1"
        )


def hosts(settings: Settings) -> list[str]:
    """The names under which the dashboard answers a browser; pages of another name cannot talk to it."""
    own = urlsplit(settings.sign_in.address or "").hostname
    return [*dict.fromkeys(("localhost", "127.0.0.1", *([own] if own else [])))]


def secrets_for_streamlit(house: House, environ: Mapping[str, str]) -> dict[str, Any]:
    """What `st.login` needs, made of our own settings; empty without a provider.

    Every provider stands there twice: asked as usual, and asked to prove anew who somebody is (prompt=login). max_age
    makes a provider tell when that was (auth_time; OpenID Connect Core 1.0, section 3.1.2.1).
    """
    settings = house.settings.sign_in
    if not settings.provider:
        return {}
    auth: dict[str, Any] = {
        "redirect_uri": f"{(settings.address or '').rstrip('/')}{CALLBACK}",
        "cookie_secret": secrets.derived(house.home, house.key, "cookies of the dashboard"),
    }
    longest = str(int(settings.longest.total_seconds()))
    for one in settings.provider:
        secret = home.secret(one.client_secret, house.home, environ, house.store, f"sign_in.{one.name}.client_secret")
        auth[one.name] = _client(one, secret, longest, "select_account")
        auth[f"{one.name}{AGAIN}"] = _client(one, secret, longest, "login")
    return {"auth": auth}


def _client(one: ProviderSettings, secret: str, longest: str, prompt: str) -> dict[str, Any]:
    return {
        "client_id": one.client_id,
        "client_secret": secret,
        "server_metadata_url": one.metadata_url,
        "client_kwargs": {"scope": one.scope, "prompt": prompt, "code_challenge_method": "S256"},
        "authorize_params": {"max_age": longest},
    }


class FrontDoor:
    """Adds to every answer what keeps the browser from helping an attacker, and guards the cookies of signing in.

    Without a provider only this machine is answered. With one, cookies are Secure where the address is encrypted and
    live no longer than a session; the tokens, which only signing out needs, go to that one address; and whoever signs
    in comes back to the page they asked for.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.closed = not settings.sign_in.provider
        self.secure = (settings.sign_in.address or "").startswith("https://")
        self.longest = settings.sign_in.longest
        self.headers = dict(HEADERS)
        if self.secure:
            self.headers[b"strict-transport-security"] = b"max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; put headers and cookies right on what comes back."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        if self.closed and not _from_here(scope, asked):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await PlainTextResponse("Sign-in is not configured: only this machine is answered.", 403)(
                    scope, receive, send
                )
            return

        led = False

        async def guarded(message: Message) -> None:
            nonlocal led
            if message["type"] == "http.response.start":
                if led := _is_no_page(scope["path"], message):
                    gone = [(b"location", NOWHERE), (b"cache-control", b"no-cache"), (b"content-length", b"0")]
                    message = {**message, "status": 307, "headers": gone}
                message["headers"] = self._guarded(scope["path"], asked, message.get("headers", []))
            elif led:
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)

    def _guarded(self, path: str, asked: Headers, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        kept = [(k, self._cookie(v) if k.lower() == b"set-cookie" else v) for k, v in given]
        kept = [(k, v) for k, v in kept if k.lower() not in self.headers]
        if path == LOGIN and (page := page_before(asked)):
            kept.append((b"set-cookie", self._asked(quote(page), ASKED_S)))
        elif path == CALLBACK and (told := cookie_parser(asked.get("cookie", "")).get(ASKED)):
            page = unquote(told)
            kept = [(k, page.encode() if k.lower() == b"location" and _PAGE.fullmatch(page) else v) for k, v in kept]
            kept.append((b"set-cookie", self._asked("", 0)))
        return [*kept, *self.headers.items()]

    def _asked(self, value: str, seconds: int) -> bytes:
        secure = "; Secure" if self.secure else ""
        return f"{ASKED}={value}; Path={CALLBACK}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}".encode()

    def _cookie(self, header: bytes) -> bytes:
        return narrowed(header.decode("latin-1"), self.secure, self.longest).encode("latin-1")


def narrowed(cookie: str, secure: bool, longest: timedelta) -> str:
    """A Set-Cookie header with as little reach as it needs."""
    pair, *attributes = [part.strip() for part in cookie.split(";")]
    found = IDENTITY.fullmatch(pair.partition("=")[0])
    if found:
        seconds = int(longest.total_seconds())
        attributes = [
            re.sub(r"(?i)^max-age=(\d+)$", lambda a: f"Max-Age={min(int(a[1]), seconds)}", a) for a in attributes
        ]
        if "max-age=0" not in (a.lower() for a in attributes):
            attributes = [a for a in attributes if not a.lower().startswith("expires=")]
        if found[1]:
            attributes = [f"Path={LOGOUT}" if a.lower().startswith("path=") else a for a in attributes]
    if secure and "secure" not in (a.lower() for a in attributes):
        attributes.append("Secure")
    return "; ".join((pair, *attributes))


def page_before(asked: Headers) -> str | None:
    """The page of ours, with its query, from which somebody went to sign in; None for anywhere else."""
    before = urlsplit(asked.get("referer", ""))
    if not before.netloc or before.netloc != asked.get("host"):
        return None
    page = (before.path or "/") + (f"?{before.query}" if before.query else "")
    within = _PAGE.fullmatch(page) and not page.startswith((CALLBACK, "/auth/", "/_stcore/"))
    return page if within and len(page) <= 2000 else None


def _is_no_page(path: str, answer: Message) -> bool:
    """Whether the frame of the pages is answered where it can't work: below one segment none of its parts is found."""
    kind = dict(answer.get("headers", ())).get(b"content-type", b"")
    deep = "/" in path.strip("/") and not path.startswith(_PARTS)
    return deep and answer["status"] == 200 and bytes(kind).startswith(b"text/html")


def _from_here(scope: Scope, asked: Headers) -> bool:
    """Whether a request comes from this machine itself, and not through a proxy on it."""
    client = scope.get("client")
    through = any(name in asked for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
    return client is not None and loopback(client[0]) and not through
