"""The addresses beside the pages: is it alive, can it work (they tell no more), and the link of the first start."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from governance.errors import LeaverwatchError
from governance.house import House, installed
from jobs import start_link


def healthy() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


def readiness(house: House | None) -> JSONResponse:
    """200 when the store can be read, else 503. Nobody is signed in here, so no reason is given: `doctor` gives it."""
    if house is None:
        return JSONResponse({"status": "starting"}, 503)
    try:
        with house.store.read() as session:
            session.connection().execute(text("SELECT 1"))
    except LeaverwatchError:
        return JSONResponse({"status": "the store cannot be read"}, 503)
    return JSONResponse({"status": "ready"})


async def healthz(_request: Request) -> JSONResponse:
    """GET /healthz."""
    return healthy()


async def readyz(_request: Request) -> JSONResponse:
    """GET /readyz."""
    return await run_in_threadpool(lambda: readiness(_house()))


def _house() -> House | None:
    try:
        return installed()
    except IndexError:
        return None


# What app.py puts beside the pages.
ROUTES: Final = [
    Route("/healthz", healthz, methods=["GET"]),
    Route("/readyz", readyz, methods=["GET"]),
    *start_link.ROUTES,
]
