"""BambooHR as the sandbox offers it: List Employees, Get Employee and the list of fields.

People are those of `connectors.sandbox.workforce`. `settings`: `withheld`: fields the key's owner may not see (answered
null and named in `_restrictedFields`); `withheld_of`: only of these people (their ids).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import credential
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.workforce import SandboxPerson, manager_key, people

DEFAULT: Final = ("employeeId", "firstName", "lastName", "preferredName", "jobTitleName", "status")
EMPLOYMENT: Final = {"employee": "Full-Time", "contingent": "Contractor", "intern": "Intern", "vendor": "Contractor"}
FIELDS: Final = {
    "employeeId": "Employee ID", "employeeNumber": "Employee #", "firstName": "First Name", "lastName": "Last Name",
    "displayName": "Display Name", "workEmail": "Work Email", "status": "Status", "hireDate": "Hire Date",
    "terminationDate": "Termination Date", "contractEndDate": "Contract End Date", "departmentName": "Department",
    "jobTitleName": "Job Title", "employmentStatusName": "Employment Status", "reportsToId": "Reporting to",
    "timezone": "Time Zone", "preferredName": "Preferred Name",
}  # fmt: skip


def failure(status: int, words: str) -> Response:
    """A refusal: BambooHR tells its reason in a header too."""
    return JSONResponse({"code": status, "message": words}, status, {"X-BambooHR-Error-Message": words})


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one company."""
    company = _Company(application)
    return [
        Route("/api/v1/employees", company.may(company.list)),
        Route("/api/v1/employees/{id:int}", company.may(company.one)),
        Route("/api/v1/meta/fields", company.may(company.fields)),
    ]


class _Company:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def may(self, call: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """The endpoint, for those with a key."""

        def guarded(request: Request) -> Response:
            if credential(self._application, request.headers) not in ("token", "write_token"):
                return failure(401, "Invalid API key")
            with self._application.lock:
                return call(request)

        return guarded

    def list(self, request: Request) -> Response:
        """Everybody, inactive or not, page by page."""
        everybody = people(self._application)
        try:
            size = int(request.query_params.get("page[limit]", "250"))
            start = _unsealed(request.query_params.get("page[after]", ""))
        except (ValueError, binascii.Error):
            return failure(400, "Bad page")
        if not 1 <= size <= 2500:
            return failure(400, "page[limit] must be between 1 and 2500")
        asked = [f for f in request.query_params.get("fields", "").split(",") if f in FIELDS]
        by_id = {person.employee_id: person for person in everybody}
        part = everybody[start : start + size]
        following = _sealed(start + size) if start + size < len(everybody) else None
        links: dict[str, Any] = {"self": {"href": str(request.url)}}
        if following:
            links["next"] = {"href": str(request.url.include_query_params(**{"page[after]": following}))}
        data = [self._shown(person, by_id, (*DEFAULT, *asked), withheld="null") for person in part]
        meta = {"total": len(everybody), "page": {"nextCursor": following, "prevCursor": None}}
        return JSONResponse({"data": data, "meta": meta, "_links": links})

    def one(self, request: Request) -> Response:
        """One person; what may not be seen is left out without a word."""
        everybody = people(self._application)
        found = next((p for p in everybody if p.id == str(request.path_params["id"])), None)
        if found is None:
            return failure(404, "Employee not found")
        asked = [f for f in request.query_params.get("fields", "").split(",") if f in FIELDS]
        shown = self._shown(found, {p.employee_id: p for p in everybody}, asked, withheld="gone")
        return JSONResponse({"id": found.id, **shown})

    def fields(self, request: Request) -> Response:
        """The names of all fields."""
        named = enumerate(FIELDS.items(), start=1)
        return JSONResponse([{"id": n, "name": name, "type": "text", "alias": alias} for n, (alias, name) in named])

    def _shown(
        self, person: SandboxPerson, by_id: dict[str, SandboxPerson], fields: Any, *, withheld: str
    ) -> dict[str, Any]:
        told: dict[str, Any] = {
            "employeeId": person.id,
            "employeeNumber": person.employee_id,
            "firstName": person.given,
            "lastName": person.family,
            "displayName": person.name,
            "preferredName": None,
            "workEmail": person.work_email or "",
            "status": "Active" if person.status in ("active", "leave") else "Inactive",
            "hireDate": person.hire_date.isoformat(),
            "terminationDate": person.end.isoformat() if person.end else None,
            "contractEndDate": person.contract_end.isoformat() if person.contract_end else None,
            "departmentName": person.department,
            "jobTitleName": person.title or "",
            "employmentStatusName": _employment(person),
            "reportsToId": manager_key(person, by_id),
            "timezone": person.time_zone,
        }
        told = {field: told[field] for field in dict.fromkeys(fields)}
        settings = self._application.settings
        hidden = [f for f in settings.get("withheld", ()) if f in told]
        if person.id not in settings.get("withheld_of", [person.id]):
            hidden = []
        if withheld == "gone":
            return {field: value for field, value in told.items() if field not in hidden}
        return {**told, **dict.fromkeys(hidden), "_restrictedFields": hidden}


def _employment(person: SandboxPerson) -> str:
    special = {"terminated": "Terminated", "leave": "On Leave"}.get(person.status)
    return special or EMPLOYMENT[person.worker_type]


def _sealed(start: int) -> str:
    return base64.urlsafe_b64encode(f"employee:{start}".encode()).decode()


def _unsealed(cursor: str) -> int:
    return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("employee:")) if cursor else 0
