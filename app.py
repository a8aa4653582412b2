"""The front door: the dashboard as an ASGI application, with its extra routes and security headers.

Starts as `python app.py`, `streamlit run app.py` or `uvicorn app:app`; `leaverwatch up` and `leaverwatch demo` start it
too. LEAVERWATCH_HOME names the folder it shows; LEAVERWATCH_DASHBOARD (`127.0.0.1:8501`) where it listens.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.pages_manager import PagesManager

from governance.house import install
from jobs import configuring, home
from jobs.routes import ROUTES

POLICY = (
    "default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:;"
    " object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=()",
    b"cross-origin-opener-policy": b"same-origin",
}


class SecurityHeaders:
    """Adds to every answer what keeps the browser from helping an attacker."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; put the headers on what comes back."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(k, v) for k, v in message.get("headers", []) if k.lower() not in HEADERS]
                message["headers"] = [*kept, *HEADERS.items()]
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Open the house when the server starts, close it when it ends."""
    house = home.open_house(home.find_home(os.environ), os.environ, home.clock())
    install(house, configuring.renewal(os.environ))
    yield {}
    house.store.close()


# The folder pages/ beside the script holds modules of ours. Without this the first visitor of a new process who follows
# a link to /findings would be shown that module run as a script of the old multipage kind: an empty page.
PagesManager.uses_pages_directory = False

app = st.App(
    Path(__file__).parent / "governance" / "shell.py",
    routes=ROUTES,
    middleware=[Middleware(SecurityHeaders)],
    lifespan=lifespan,
)

if __name__ == "__main__":
    host, _, port = os.environ.get("LEAVERWATCH_DASHBOARD", "127.0.0.1:8501").rpartition(":")
    app.run(config={"server.address": host or "127.0.0.1", "server.port": int(port)})
