"""Workday as the sandbox offers it: one custom report as a web service, and the token endpoint.

People are those of `connectors.sandbox.workforce`, as of today or as of the prompt Effective_as_of_Date: who begins
later is not in the report, and an end that lies after that day is not told. `settings`: `offset`: days carry an offset
(2018-10-01-07:00); `columns`: {ours: theirs} where the author named them otherwise; `hide_terminated`: the report has
the usual data source; `refresh_token`: what the token endpoint wants besides the secret.
"""

from __future__ import annotations

import hmac
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import credential, sent
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.workforce import SandboxPerson, people


def failure(status: int, words: str) -> Response:
    """A refusal."""
    return JSONResponse({"code": status, "message": words}, status)


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one tenant."""
    tenant = _Tenant(application)
    return [
        Route("/ccx/oauth2/{tenant}/token", tenant.grant, methods=["POST"]),
        Route("/ccx/service/customreport2/{tenant}/{owner}/{report}", tenant.report),
    ]


class _Tenant:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application
        self._issued = f"issued-for-{application.name}-only"

    def grant(self, request: Request) -> Response:
        """A token for a refresh token and the client's secret."""
        form = sent(request) or {}
        wanted = {"client_secret": self._application.token, "refresh_token": self._refresh}
        if any(not hmac.compare_digest(str(form.get(k, "")).encode(), v.encode()) for k, v in wanted.items()):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": self._issued, "token_type": "Bearer"})

    def report(self, request: Request) -> Response:
        """Everybody as of a day, in one answer."""
        used = credential(self._application, request.headers)
        bearer = request.headers.get("authorization", "") == f"Bearer {self._issued}"
        if used not in ("token", "write_token") and not bearer:
            return failure(401, "invalid username or password")
        if request.query_params.get("format") != "json":
            return failure(400, "the sandbox has the report as JSON alone")
        with self._application.lock:
            today = self._application.now().date()
            asked = request.query_params.get("Effective_as_of_Date", today.isoformat())
            try:
                as_of = date.fromisoformat(asked[:10])
            except ValueError:
                return failure(400, "Effective_as_of_Date is no date")
            hides = self._application.settings.get("hide_terminated")
            listed = [p for p in people(self._application, as_of) if p.status != "future"]
            rows = [self._row(p, as_of) for p in listed if not (hides and p.status == "terminated")]
        return JSONResponse({"Report_Entry": rows} if rows else {})

    @property
    def _refresh(self) -> str:
        return str(self._application.settings.get("refresh_token", "no refresh token is set"))

    def _row(self, person: SandboxPerson, as_of: date) -> dict[str, Any]:
        gone = person.status == "terminated"
        told = {
            "Employee_ID": person.employee_id,
            "Worker": person.name,
            "Email_-_Primary_Work": person.work_email,
            "Active_Status": "0" if gone else "1",
            "On_Leave": "1" if person.status == "leave" else "0",
            "Hire_Date": self._day(person.hire_date),
            "Termination_Date": self._day(person.termination_date) if gone else None,
            "Last_Day_of_Work": self._day(person.last_day) if gone else None,
            "Contract_End_Date": self._day(person.contract_end),
            "Worker_Type": "Contingent Worker" if person.worker_type in ("contingent", "vendor") else "Employee",
            "Manager_Employee_ID": person.manager_employee_id,
            "Department": person.department,
            "Business_Title": person.title,
            "Time_Zone": person.time_zone,
        }
        names = self._application.settings.get("columns", {})
        return {
            names.get(name, name): value for name, value in told.items() if value is not None
        }  # empty ones are not sent

    def _day(self, day: date | None) -> str | None:
        if day is None:
            return None
        return f"{day.isoformat()}{self._application.settings.get('offset', '')}"
