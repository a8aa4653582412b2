"""The front door: the dashboard as an ASGI application, with its extra routes, headers and sign-in.

Starts as `python app.py`, `streamlit run app.py` or `uvicorn app:app`; `leaverwatch up` and `leaverwatch demo` start it
too. LEAVERWATCH_HOME names the folder it shows; LEAVERWATCH_DASHBOARD (`127.0.0.1:8501`) where it listens. Where others
would reach it and nobody could sign in, it does not start.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from governance.house import install
from jobs import configuring, front_door, garbage, home, logs
from jobs.routes import ROUTES

HOST, _, PORT = os.environ.get("LEAVERWATCH_DASHBOARD", "127.0.0.1:8501").rpartition(":")
HOST = HOST.strip("[]") or "127.0.0.1"
logs.keep_lines()
house = home.open_house(home.find_home(os.environ), os.environ, home.clock())
front_door.refuse_open(house.settings, HOST if __name__ == "__main__" else str(st.get_option("server.address") or ""))
if st.get_option("server.allowedHosts") != front_door.hosts(house.settings):
    st.config.set_option("server.allowedHosts", front_door.hosts(house.settings))


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Show the house while the server runs, close it when it ends."""
    install(house, configuring.renewal(os.environ))
    garbage.settle()
    yield {}
    house.store.close()


# The folder pages/ beside the script holds modules of ours. Without this the first visitor of a new process who follows
# a link to /findings would be shown that module run as a script of the old multipage kind: an empty page.
PagesManager.uses_pages_directory = False

app = st.App(
    Path(__file__).parent / "governance" / "shell.py",
    secrets=front_door.secrets_for_streamlit(house, os.environ) or None,
    routes=ROUTES,
    middleware=[Middleware(front_door.FrontDoor, settings=house.settings)],
    lifespan=lifespan,
)

if __name__ == "__main__":
    app.run(config={"server.address": HOST, "server.port": int(PORT)})
