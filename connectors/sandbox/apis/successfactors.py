"""SAP SuccessFactors as the sandbox offers it: the token endpoint, EmpJob and User, OData version 2.

People are those of `connectors.sandbox.workforce`; each has a user id of their own (`key`) and one entry of EmpJob from
their first day on, a second one from the day after their last. `settings`: `certificate`: whose signature the token
endpoint takes (PEM), `client_id` and `company_id` of it; `lacks`: names the data model does not have; `withheld`: what
the role may not see (null).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from lxml import etree
from signxml.exceptions import InvalidInput, InvalidSignature
from signxml.verifier import XMLVerifier
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.apis import credential, sent
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.workforce import SandboxPerson, people

SAML: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
GRANT: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"
MOST: Final = 1000
CODES: Final = {"active": "A", "leave": "P", "terminated": "T", "future": "A"}


def failure(status: int, words: str) -> Response:
    """A refusal in the form of OData version 2."""
    code = {401: "LGN0001", 404: "COE0021", 400: "COE0020"}.get(status, "COE_GENERAL")
    return JSONResponse({"error": {"code": code, "message": {"lang": "en-US", "value": words}}}, status)


def routes(application: SandboxApplication) -> list[Route]:
    """The endpoints of one company."""
    company = _Company(application)
    return [
        Route("/oauth/token", company.grant, methods=["POST"]),
        Route("/odata/v2/EmpJob", company.may(company.jobs)),
        Route("/odata/v2/User", company.may(company.users)),
    ]


class _Company:
    def __init__(self, application: SandboxApplication) -> None:
        self._application = application
        self._issued = f"issued-for-{application.name}-only"

    def may(self, call: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """The endpoint, for those with a token or a password."""

        def guarded(request: Request) -> Response:
            bearer = request.headers.get("authorization", "") == f"Bearer {self._issued}"
            if not bearer and credential(self._application, request.headers) not in ("token", "write_token"):
                return failure(401, "Authentication failed")
            with self._application.lock:
                return call(request)

        return guarded

    def grant(self, request: Request) -> Response:
        """A token for a signed assertion that is meant for here, now and this company's client."""
        form = sent(request) or {}
        settings = self._application.settings
        asked = (form.get("grant_type"), form.get("company_id"), form.get("client_id"))
        if asked != (GRANT, settings.get("company_id"), settings.get("client_id")):
            return JSONResponse({"error": "invalid_client"}, 400)
        try:
            document = base64.b64decode(str(form.get("assertion", "")), validate=True)
            verified = XMLVerifier().verify(document, x509_cert=settings.get("certificate", ""))
            signed = verified.signed_xml if not isinstance(verified, list) else verified[0].signed_xml
        except (binascii.Error, InvalidSignature, InvalidInput, etree.XMLSyntaxError, ValueError):
            return JSONResponse({"error": "invalid_grant"}, 401)
        if signed is None or not self._meant(signed, f"{request.base_url}oauth/token"):
            return JSONResponse({"error": "invalid_grant"}, 401)
        return JSONResponse({"access_token": self._issued, "token_type": "Bearer", "expires_in": 86399})

    def jobs(self, request: Request) -> Response:
        """Entries of job information: those of today, or from a day to a day."""
        today = self._application.now().date()
        first = _date(request, "fromDate") or _date(request, "asOfDate") or today
        last = _date(request, "toDate") or first
        selected = request.query_params.get("$select", "").split(",")
        for name in self._application.settings.get("lacks", ()):
            if name in selected:
                return failure(400, f"[COE0021]Invalid property names: EmpJob/{name}. Please check the property name.")
        inactive = "'f'" in request.query_params.get("$filter", "")
        found: list[tuple[SandboxPerson, date, str, int]] = []
        everybody = people(self._application, today)
        by_number = {person.employee_id: person for person in everybody}
        for person in everybody:
            entries = _slices(person)
            kept = [e for n, e in enumerate(entries) if e[0] <= last and _until(entries, n) >= first]
            if inactive or person.status != "terminated":
                found += [(person, *entry) for entry in kept]
        return self._page(request, "EmpJob", found, lambda entry: self._shown(by_number, *entry))

    def users(self, request: Request) -> Response:
        """Users: active ones alone unless a status is asked for."""
        inactive = "'f'" in request.query_params.get("$filter", "")
        found = [p for p in people(self._application) if inactive or p.status != "terminated"]
        return self._page(request, "User", found, _user)

    def _page(
        self, request: Request, entity: str, everything: list[Any], shape: Callable[[Any], dict[str, Any]]
    ) -> Response:
        asked = request.query_params.get("customPageSize") or request.query_params.get("$top") or ""
        size = min(int(asked), MOST) if asked.isdecimal() and int(asked) else MOST
        try:
            start = int(base64.urlsafe_b64decode(request.query_params.get("$skiptoken", "MA==")).decode())
        except (binascii.Error, ValueError):
            return failure(400, "the $skiptoken is not one of ours")
        told: dict[str, Any] = {"results": [shape(one) for one in everything[start : start + size]]}
        if start + size < len(everything) and "$top" not in request.query_params:
            token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
            link = request.url.include_query_params(**{"$skiptoken": token})
            told["__next"] = f"{request.base_url}odata/v2/{entity}?{link.query}"
        return JSONResponse({"d": told})

    def _shown(
        self, by_number: dict[str, SandboxPerson], person: SandboxPerson, begins: date, code: str, number: int
    ) -> dict[str, Any]:
        settings = self._application.settings
        manager = by_number.get(person.manager_employee_id or "")
        given = {
            "userId": person.id,
            "seqNumber": str(number),
            "startDate": _epoch(begins),
            "jobTitle": person.title or "",
            "emplStatus": "1",
            "managerId": manager.id if manager else "NO_MANAGER",
            "department": person.department or "",
            "contractEndDate": _epoch(person.contract_end),
            "timezone": person.time_zone or "",
        }
        told = {
            **given,
            "userNav": {
                "username": person.id,
                "email": person.work_email or "",
                "firstName": person.given,
                "lastName": person.family,
                "status": "f" if person.status == "terminated" else "t",
            },
            "employmentNav": _employment(person),
            "emplStatusNav": {"externalCode": code},
            "departmentNav": {"name": person.department or ""},
        }
        for name in settings.get("withheld", ()):
            outer, _, inner = name.rpartition("/")
            holder: Any = told[outer] if outer else told
            holder[inner] = None
        return told

    def _meant(self, assertion: Any, token_url: str) -> bool:
        """Whether the assertion is meant for this address and this moment."""
        data = assertion.find(f".//{SAML}SubjectConfirmationData")
        conditions = assertion.find(f"{SAML}Conditions")
        audience = assertion.findtext(f".//{SAML}Audience")
        if data is None or conditions is None or audience != "www.successfactors.com":
            return False
        begins, ends = (datetime.fromisoformat(conditions.get(n)) for n in ("NotBefore", "NotOnOrAfter"))
        return bool(data.get("Recipient") == token_url and begins <= self._application.now() < ends)


def _user(person: SandboxPerson) -> dict[str, Any]:
    return {
        "userId": person.id,
        "username": person.id,
        "email": person.work_email or "",
        "status": "f" if person.status == "terminated" else "t",
        "hireDate": _epoch(person.hire_date),
    }


def _employment(person: SandboxPerson) -> dict[str, Any]:
    told = {
        "personIdExternal": person.employee_id,
        "startDate": _epoch(person.hire_date),
        "endDate": _epoch(person.termination_date if person.status == "terminated" else None),
        "lastDateWorked": _epoch(person.last_day if person.status == "terminated" else None),
        "isContingentWorker": person.worker_type in ("contingent", "vendor"),
    }
    return {name: value for name, value in told.items() if value is not None}


def _slices(person: SandboxPerson) -> list[tuple[date, str, int]]:
    """The entries of job information: first day, status code, number."""
    code = CODES["active" if person.status == "terminated" else person.status]
    entries = [(person.hire_date, code, 1)]
    if person.end is not None:
        entries.append((person.end + timedelta(days=1), "T", 1))
    elif person.status == "terminated":
        entries.append((person.hire_date + timedelta(days=1), "T", 1))
    return entries


def _until(entries: list[tuple[date, str, int]], number: int) -> date:
    return entries[number + 1][0] - timedelta(days=1) if number + 1 < len(entries) else date.max


def _epoch(day: date | None) -> str | None:
    if day is None:
        return None
    return f"/Date({int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)})/"


def _date(request: Request, name: str) -> date | None:
    try:
        return date.fromisoformat(request.query_params[name])
    except (KeyError, ValueError):
        return None
