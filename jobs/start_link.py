"""The address behind the one-time link: looking at it shows a button, only pressing that uses the link up."""

from __future__ import annotations

import html
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from governance import sessions
from governance.house import House, installed
from jobs import home
from jobs.front_door import loopback

PATH: Final = "/start"
HELD: Final = "leaverwatch_local"  # the cookie of the local administrator
_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Leaverwatch</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><style>
:root {{ color-scheme: light dark; --ground: #f6f7f9; --panel: #fff; --text: #1c2230; --line: #e4e7ec;
 --accent: #3b5bdb }}
@media (prefers-color-scheme: dark) {{ :root {{ --ground: #0f1218; --panel: #161a22; --text: #e6e9ef; --line: #262c38;
 --accent: #516ce4 }} }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground);
 color: var(--text); font: 15px/1.5 Inter, system-ui, sans-serif }}
main {{ background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 2rem;
 width: min(22rem, calc(100vw - 6rem)) }}
h1 {{ font-size: 1.3rem; margin: 0 0 .5rem }} p {{ margin: 0 0 1.25rem }}
button {{ width: 100%; padding: .6rem; border: 0; border-radius: 6px; background: var(--accent); color: #fff;
 font: inherit; font-weight: 600; cursor: pointer }}
</style></head><body><main>{body}</main></body></html>"""
_ASK: Final = (
    "<h1>First start of Leaverwatch</h1><p>This link makes you the local administrator, once, on this machine.</p>"
    '<form method="post" action="{path}"><input type="hidden" name="token" value="{token}">'
    '<button type="submit">Become the local administrator</button></form>'
)
_GONE: Final = (
    "<h1>This link does not open any more</h1><p>A link opens once and within 15 minutes.</p>"
    "<p><code>leaverwatch sessions link</code> prints a new one.</p>"
)


async def show(request: Request) -> Response:
    """GET /start: a button, and nothing is done."""
    if not _here(request):
        return _page(_GONE, 403)
    token = request.query_params.get("token", "")
    return _page(_ASK.format(path=PATH, token=html.escape(token, quote=True)))


async def use(request: Request) -> Response:
    """POST /start: the link is used up and this browser holds the session."""
    if not _here(request) or int(request.headers.get("content-length") or 0) > 1_000:
        return _page(_GONE, 403)
    form = await request.form()
    held = await run_in_threadpool(lambda: _opened(installed(), str(form.get("token") or "")))
    if held is None:
        return _page(_GONE, 403)
    answer = RedirectResponse("/", 303)
    longest = int(installed().settings.sign_in.longest.total_seconds())
    answer.set_cookie(HELD, held, max_age=longest, httponly=True, samesite="strict")
    return answer


def _opened(house: House, token: str) -> str | None:
    return sessions.open_link(house, home.clock(), token)


def _here(request: Request) -> bool:
    """Whether the browser runs on this machine and asked for it by its own name (no DNS rebinding)."""
    return bool(request.client and loopback(request.client.host) and loopback(request.url.hostname or ""))


def _page(body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(body=body), status, headers={"cache-control": "no-store"})


ROUTES: Final = [Route(PATH, show, methods=["GET"]), Route(PATH, use, methods=["POST"])]
