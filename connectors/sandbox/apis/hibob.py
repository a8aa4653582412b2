"""HiBob as the sandbox offers it: the search for people, and the fields there are.

People are those of `connectors.sandbox.workforce`. `settings`: `withheld`: fields the service user may not see, which
are left out without a word, as Bob does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import credential, sent
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.workforce import SandboxPerson, people

LIFECYCLE: Final = {
    "active": "Employed",
    "leave": "Parental leave",
    "terminated": "Terminated",
    "future": "Hired",
}
TYPES: Final = {"employee": "Permanent", "contingent": "Contractor", "intern": "Internship", "vendor": "Contractor"}
FIELDS: Final = (
    "root.id", "root.email", "root.displayName", "root.firstName", "root.surname", "work.startDate", "work.department",
    "work.title", "work.reportsTo", "work.employeeIdInCompany", "work.site", "internal.status",
    "internal.lifecycleStatus", "internal.terminationDate", "payroll.employment.type",
)  # fmt: skip
BASIC: Final = ("root.id", "root.email", "root.displayName", "work.startDate", "work.department", "work.title")


def failure(status: int, words: str) -> Response:
    """A refusal in Bob's form."""
    return JSONResponse({"error": words, "key": f"http.{status}"}, status)


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one company."""
    company = _Company(application)
    return [
        Route("/people/search", company.may(company.search), methods=["POST"]),
        Route("/company/people/fields", company.may(company.fields)),
    ]


class _Company:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def may(self, call: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """The endpoint, for a service user."""

        def guarded(request: Request) -> Response:
            if credential(self._application, request.headers) not in ("token", "write_token"):
                return failure(401, "Unauthorized")
            with self._application.lock:
                return call(request)

        return guarded

    def search(self, request: Request) -> Response:
        """Everybody at once; those who are not active only when asked for."""
        body = sent(request)
        body = body if isinstance(body, dict) else {}
        fields = body.get("fields") or BASIC
        if not isinstance(fields, list | tuple) or len(fields) > 400:
            return failure(400, "at most 400 fields")
        hidden = self._application.settings.get("withheld", ())
        everybody = people(self._application)
        by_number = {person.employee_id: person for person in everybody}
        shown = [p for p in everybody if body.get("showInactive") is True or p.status == "active"]
        kept = [field for field in fields if field in FIELDS and field not in hidden]
        return JSONResponse({"employees": [_shown(person, by_number, kept) for person in shown]})

    def fields(self, request: Request) -> Response:
        """What there is, whoever may see it."""
        listed = [
            {
                "id": name,
                "category": name.partition(".")[0],
                "name": name.rpartition(".")[2],
                "type": "date" if name.endswith("Date") else "text",
                "jsonPath": name.removeprefix("root."),
            }
            for name in FIELDS
        ]
        return JSONResponse(listed)


def _shown(person: SandboxPerson, by_number: dict[str, SandboxPerson], fields: list[str]) -> dict[str, Any]:
    manager = by_number.get(person.manager_employee_id or "")
    number = person.employee_id
    told: dict[str, Any] = {
        "root.id": person.id,
        "root.email": person.work_email,
        "root.displayName": person.name,
        "root.firstName": person.given,
        "root.surname": person.family,
        "work.startDate": person.hire_date.isoformat(),
        "work.department": person.department,
        "work.title": person.title,
        "work.reportsTo": {"id": manager.id, "email": manager.work_email or "", "displayName": manager.name}
        if manager
        else None,
        "work.employeeIdInCompany": int(number) if number.isdecimal() and number[0] != "0" else number,
        "work.site": person.location,
        "internal.status": "Active" if person.status == "active" else "Inactive",
        "internal.lifecycleStatus": LIFECYCLE[person.status],
        "internal.terminationDate": person.end.isoformat() if person.end else None,
        "payroll.employment.type": TYPES[person.worker_type],
    }
    out: dict[str, Any] = {}
    for field in fields:
        if told[field] is None:
            continue
        *path, name = field.removeprefix("root.").split(".")
        holder = out
        for step in path:
            holder = holder.setdefault(step, {})
        holder[name] = told[field]
    return out
