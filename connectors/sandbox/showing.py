"""What the invented company shows: the files the product reads, and the applications that answer over HTTP."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from connectors.sandbox.feeds import HR, connector_of, spoken
from connectors.sandbox.landscape import landscape
from connectors.sandbox.model import SandboxAccount, SandboxApplication
from connectors.sandbox.people import HR_COLUMNS, Person, malformed
from connectors.sandbox.simulation import BERLIN, Company
from connectors.sandbox.workforce import SandboxPerson

ABROAD: Final = ("Toronto", "Melbourne")  # offices whose people are kept at BambooHR, not in the HR file
_STATUS: Final = {"active": "active", "pending": "pending", "suspended": "suspended"}


def serving(company: Company) -> list[SandboxApplication]:
    """The applications that answer over HTTP, the HR system among them."""
    answering = [company.applications[p.name] for p in landscape().values() if connector_of(p) != "app_csv"]
    if spoken(HR):
        settings = {"people": people_abroad(company)}
        answering.append(SandboxApplication("people", HR, "BambooHR", settings=settings, now=company.now))
    return answering


def people_abroad(company: Company) -> list[SandboxPerson]:
    """Whom the HR system of the offices abroad knows."""
    return [_person(p, company) for p in company.people.values() if _abroad(p) and _listed(p, company)]


def write_files(company: Company, folder: Path) -> dict[str, Path]:
    """The HR file and those of applications without an API, as they stand now: feed -> path."""
    feeds = folder / "feeds"
    feeds.mkdir(parents=True, exist_ok=True)
    today = company.at.astimezone(BERLIN).date()
    files = {"hr": feeds / "hr.csv"}
    people = sorted(company.people.values(), key=lambda p: p.employee_id)
    here = [p for p in people if not (spoken(HR) and _abroad(p)) and _listed(p, company)]
    rows = [row for p in here for row in _rows(p, today, company)]
    bad = malformed(company.story_day) if today >= company.story_day else []
    _write(files["hr"], HR_COLUMNS, [*rows, *bad])
    for plot in landscape().values():
        if connector_of(plot) == "app_csv":
            application = company.applications[plot.name]
            files[plot.name] = feeds / f"{plot.name}.csv"
            shown = [_row(application, a) for a in application.accounts.values() if a.status != "deleted"]
            _write(files[plot.name], plot.columns, shown)
    return files


def _rows(person: Person, today: date, company: Company) -> list[dict[str, str]]:
    """The HR file's rows of somebody: what they are now, whatever the story says they were before."""
    now = {"department": person.department, "display_name": person.name, "work_email": person.email}
    return [row | now for row in person.rows(today, company.story_day)]


def _listed(person: Person, company: Company) -> bool:
    today = company.at.astimezone(BERLIN).date()
    return person.in_file(min(today, company.story_day), company.story_day)


def _abroad(person: Person) -> bool:
    return person.place in ABROAD and person.active_in is None


def _person(person: Person, company: Company) -> SandboxPerson:
    """Somebody as the HR system of the offices abroad knows them."""
    today = company.at.astimezone(BERLIN).date()
    given, _, family = person.name.partition(" ")
    contract = person.contract_end
    left = person.last_day if person.part == "leaver" else None
    return SandboxPerson(
        employee_id=person.employee_id,
        given=given,
        family=family,
        work_email=person.email,
        status="leave" if person.part == "leave" else "terminated" if company.left(person) else "active",
        hire_date=person.hired,
        termination_date=left,
        contract_end=date.fromisoformat(contract) if contract and not contract.startswith("9999") else None,
        worker_type=person.worker_type,
        department=person.department,
        title=person.title,
        manager_employee_id=person.manager_id or None,
        location=person.place,
        time_zone=person.time_zone or None,
        key=str(int(person.employee_id)),
    ).at(today)


def _row(application: SandboxApplication, account: SandboxAccount) -> dict[str, str]:
    names = [application.entitlements[g.entitlement_id] for g in application.held(account.id)]
    return {
        "account_id": account.id,
        "username": account.username,
        "email": account.email or "",
        "display_name": account.name,
        "status": _STATUS.get(account.status, "inactive"),
        "created_at": _time(account.created_at),
        "last_login_at": _time(account.last_seen_at) if account.last_seen_at else "never",
        "employee_id": account.employee_id or "",
        "department": account.department or "",
        "kind": account.kind,
        "mfa": {True: "true", False: "false", None: ""}[account.mfa],
        "entitlements": ";".join(e.name + ("!" if e.privileged else "") for e in names),
    }


def _write(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> None:
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, tuple(columns), restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(beside, path)


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
