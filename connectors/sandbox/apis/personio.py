"""Personio as the sandbox offers it: the token endpoint and the list of employees, version 1.

People are those of `connectors.sandbox.workforce`. `settings`: `readable`: the attributes this credential may read;
`rotate`: every answer hands out a new token and the one before is worthless from then on; `fails`: so many answers say
`success: false` with a 200.
"""

from __future__ import annotations

import hmac
import itertools
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import sent
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.workforce import SandboxPerson, people

MOST: Final = 100
STATUSES: Final = {"active": "active", "leave": "leave", "terminated": "inactive", "future": "onboarding"}
DATES: Final = frozenset({"hire_date", "termination_date", "last_working_day", "contract_end_date"})


def failure(status: int, words: str) -> Response:
    """A refusal in Personio's form."""
    return JSONResponse({"success": False, "error": {"code": status, "message": words}}, status)


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one company."""
    company = _Company(application)
    return [
        Route("/v1/auth", company.grant, methods=["POST"]),
        Route("/v1/company/employees", company.list),
    ]


class _Company:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application
        self._numbers = itertools.count(1)
        self._valid: set[str] = set()

    def grant(self, request: Request) -> Response:
        """A token for whoever knows the secret."""
        body = sent(request)
        secret = body.get("client_secret") if isinstance(body, dict) else None
        if not isinstance(secret, str) or not hmac.compare_digest(secret.encode(), self._application.token.encode()):
            return failure(403, "Wrong credentials")
        return JSONResponse({"success": True, "data": {"token": self._issue()}})

    def list(self, request: Request) -> Response:
        """Everybody, whatever their status, page by page."""
        held = request.headers.get("authorization", "").removeprefix("Bearer ")
        with self._application.lock:
            if held not in self._valid:
                return failure(401, "The token has been blacklisted")
            settings = self._application.settings
            headers = {}
            if settings.get("rotate"):
                self._valid.discard(held)
                headers["authorization"] = f"Bearer {self._issue()}"
            if settings.get("fails", 0) > 0:
                settings["fails"] -= 1
                words = {"code": 500, "message": "Something went wrong"}
                return JSONResponse({"success": False, "error": words}, headers=headers)
            return self._page(request, headers)

    def _page(self, request: Request, headers: dict[str, str]) -> Response:
        everybody = people(self._application)
        limit = _number(request, "limit", 50)
        offset = _number(request, "offset", 0)
        if not 1 <= limit <= MOST:
            return failure(400, f"limit must not be greater than {MOST}")
        asked = request.query_params.getlist("attributes[]")
        readable = self._application.settings.get("readable")
        by_number = {person.employee_id: person for person in everybody}
        data = [
            {
                "type": "Employee",
                "attributes": {
                    name: attribute
                    for name, attribute in _attributes(person, by_number).items()
                    if (not asked or name in asked) and (readable is None or name in readable)
                },
            }
            for person in everybody[offset : offset + limit]
        ]
        total = len(everybody)
        metadata = {"total_elements": total, "current_page": offset // limit, "total_pages": -(-total // limit)}
        told = {"success": True, "metadata": metadata, "offset": offset, "limit": limit, "data": data}
        return JSONResponse(told, headers=headers)

    def _issue(self) -> str:
        token = f"personio-issued-token-{next(self._numbers)}"
        self._valid.add(token)
        return token


def _attributes(person: SandboxPerson, by_number: dict[str, SandboxPerson]) -> dict[str, Any]:
    manager = by_number.get(person.manager_employee_id or "")
    told: dict[str, Any] = {
        "id": _own(person),
        "first_name": person.given,
        "last_name": person.family,
        "email": person.work_email,
        "status": STATUSES[person.status],
        "position": person.title,
        "employment_type": "internal" if person.worker_type in ("employee", "intern") else "external",
        "hire_date": person.hire_date,
        "termination_date": person.termination_date or person.last_day,
        "last_working_day": person.last_day,
        "contract_end_date": person.contract_end,
        "department": _named("Department", person.department),
        "office": _named("Office", person.location),
        "supervisor": {"type": "Employee", "attributes": {"id": _attribute("id", _own(manager))}} if manager else None,
        "dynamic_4711": person.employee_id,
    }
    return {name: _attribute(name, value) for name, value in told.items()}


def _attribute(name: str, value: Any) -> dict[str, Any]:
    if name in DATES and value is not None:
        value = f"{value.isoformat()}T00:00:00+01:00"
    kind = "integer" if name == "id" else "date" if name in DATES else "standard"
    label = name.replace("_", " ").capitalize()
    return {"label": label, "value": value, "type": kind, "universal_id": None if "dynamic" in name else name}


def _own(person: SandboxPerson) -> int | str:
    return int(person.id) if person.id.isdecimal() else person.id


def _named(kind: str, name: str | None) -> dict[str, Any] | None:
    return {"type": kind, "attributes": {"id": len(name), "name": name}} if name else None


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() else default
