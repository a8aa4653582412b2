"""The switchboard of a running sandbox, at `/-/` on loopback: make an application misbehave, move the clock.

    GET    /-/                 applications, their faults, the clock
    POST   /-/faults/NAME      {"rate_limit": 3}: the fields of connectors.sandbox.faults.Faults; replaces what was set
    DELETE /-/faults/NAME      all is well again
    POST   /-/advance          {"days": 30}

Every request but the first needs the header `X-Sandbox: yes`, which no web page of another origin can send.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from connectors.sandbox.faults import Faults
from connectors.sandbox.serving import Sandbox

PORT_FILE: Final = "sandbox/port"  # in the company's folder while it is served
# What can be set from outside; the rest are functions and counters.
SETTABLE: Final = {
    f.name: f
    for f in dataclasses.fields(Faults)
    if f.name in (
        "paths", "after", "times", "rate_limit", "retry_after_s", "retry_style", "fail_status", "unauthorized",
        "forbidden", "redirect_to", "redirect_status", "html_with_200", "half_body", "half_json", "slow_body_s",
        "delay_s", "repeat_page", "lose_page", "lie",
    )
}  # fmt: skip
# Names for what people ask for on the command line.
NAMED: Final[dict[str, dict[str, Any]]] = {
    "429-storm": {"rate_limit": 1_000_000, "retry_after_s": 30},
    "expired-token": {"unauthorized": True},
    "lying-200": {"lie": True},
    "lost-page": {"lose_page": True},
    "repeated-page": {"repeat_page": True},
    "slow-body": {"slow_body_s": 600.0},
    "half-body": {"half_body": True},
    "html": {"html_with_200": True},
    "down": {"fail_status": 503},
    "forbidden": {"forbidden": True},
}


def faults_of(told: dict[str, Any]) -> Faults:
    """Faults from their fields, or from `{"fault": "429-storm"}`; ValueError names what is not understood."""
    told = dict(told)
    name = told.pop("fault", None)
    if name is not None:
        if name not in NAMED:
            raise ValueError(f"{name!r} is no fault; there are: {', '.join(NAMED)}")
        told = {**NAMED[name], **told}
    for key, value in told.items():
        if key not in SETTABLE:
            raise ValueError(f"{key!r} is no field of a fault; there are: {', '.join(SETTABLE)}")
        default = getattr(Faults(), key)
        kinds = (int, float) if isinstance(default, float) else (int, type(None)) if default is None else type(default)
        if not isinstance(value, kinds) and not (key == "redirect_to" and isinstance(value, str)):
            raise ValueError(f"{key}: expected something like {default!r}")
    return Faults(**told)


def switchboard(sandbox: Callable[[], Sandbox], advance: Callable[[timedelta], Any]) -> Router:
    """The routes below `/-/`; `advance` moves the clock and says what a reader is told."""

    async def shown(request: Request) -> Response:
        running = sandbox()
        told = {name: _told(running.faults.get(name)) for name in sorted(running.applications)}
        return JSONResponse({"applications": told})

    async def fault(request: Request) -> Response:
        running, name = sandbox(), request.path_params["name"]
        if name not in running.applications:
            return JSONResponse({"error": f"there is no application {name!r}"}, 404)
        if request.method == "DELETE":
            running.faults.pop(name, None)
            return JSONResponse({})
        try:
            running.faults[name] = faults_of(json.loads(await request.body()))
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(_told(running.faults[name]))

    async def forward(request: Request) -> Response:
        try:
            days = json.loads(await request.body())["days"]
        except (ValueError, TypeError, KeyError):
            days = None
        if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= 3650:
            return JSONResponse({"error": 'expected {"days": a number above 0}'}, 400)
        return JSONResponse(await run_in_threadpool(advance, timedelta(days=days)))

    def guarded(endpoint: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if request.headers.get("x-sandbox") != "yes":
                return JSONResponse({"error": "the header X-Sandbox: yes is missing"}, 403)
            answer: Response = await endpoint(request)
            return answer

        return guarded

    return Router(
        [
            Route("/", shown),
            Route("/faults/{name}", guarded(fault), methods=["POST", "DELETE"]),
            Route("/advance", guarded(forward), methods=["POST"]),
        ]
    )


def _told(faults: Faults | None) -> dict[str, Any]:
    if faults is None:
        return {}
    return {name: getattr(faults, name) for name, f in SETTABLE.items() if getattr(faults, name) != f.default}


def ask(folder: Path, what: str, body: dict[str, Any] | None) -> Any:
    """What the sandbox that serves this folder answers; None when none does. ValueError in its own words."""
    import requests

    try:
        port = int((folder / PORT_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    session = requests.Session()
    session.trust_env = False  # never through a proxy
    with session:
        try:
            told = session.request(
                "DELETE" if body is None else "POST",
                f"http://127.0.0.1:{port}/-/{what}",
                json=body,
                headers={"X-Sandbox": "yes"},
                timeout=120,
            )
        except requests.ConnectionError:
            return None
    data = told.json()
    if told.status_code != 200:
        raise ValueError(str(data.get("error", told.status_code)))
    return data
