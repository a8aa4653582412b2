"""People of an invented company, as its HR system knows them; each HR vendor's module shows the same ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from weakref import WeakKeyDictionary

from connectors.sandbox.model import SandboxAccount, SandboxApplication

_WORKER_TYPES: Final = {"contractor": "contingent"}
# What was listed last and as of which day: a list of a hundred thousand is read in a thousand pages.
_READ: Final[WeakKeyDictionary[SandboxApplication, tuple[date, list[SandboxPerson], list[SandboxPerson]]]] = (
    WeakKeyDictionary()
)


@dataclass(frozen=True)
class SandboxPerson:
    """One engagement of one person. `status` and the dates agree; `key` is the HR system's own id."""

    employee_id: str
    given: str
    family: str
    work_email: str | None = None
    status: str = "active"  # active, leave, terminated or future
    hire_date: date = date(2024, 1, 15)
    termination_date: date | None = None  # the last day employed; that of somebody who is still here lies ahead
    last_day: date | None = None  # the last day of work, where it is another
    contract_end: date | None = None
    worker_type: str = "employee"  # employee, contingent, intern or vendor
    department: str | None = None
    title: str | None = None
    manager_employee_id: str | None = None
    location: str | None = None
    time_zone: str | None = None
    key: str = ""

    @property
    def id(self) -> str:
        """The HR system's own id; the employee id where it has no other."""
        return self.key or self.employee_id

    @property
    def name(self) -> str:
        """The name as it is shown."""
        return f"{self.given} {self.family}".strip()

    @property
    def end(self) -> date | None:
        """The last day, of work or of the engagement."""
        return self.last_day or self.termination_date

    def at(self, today: date) -> SandboxPerson:
        """The same as of a day: an engagement that begins or ends by then has begun or ended."""
        status = self.status
        if self.hire_date > today:
            status = "future"
        elif self.end is not None and self.end < today:
            status = "terminated"
        elif status == "future" or (status == "terminated" and self.end is not None):
            status = "active"
        return self if status == self.status else replace(self, status=status)


def people(application: SandboxApplication, today: date | None = None) -> list[SandboxPerson]:
    """Everybody as of a day (today): from `settings["people"]`, else one for each account of the application."""
    today = today or application.now().date()
    listed = application.settings.get("people")
    if listed is None:
        listed = [_person(a, application) for a in application.accounts.values() if a.status != "deleted"]
        return [person.at(today) for person in listed]
    before = _READ.get(application)
    if before is None or before[0] != today or before[1] != listed:
        before = _READ[application] = (today, list(listed), [person.at(today) for person in listed])
    return before[2].copy()


def manager_key(person: SandboxPerson, everybody: dict[str, SandboxPerson]) -> str | None:
    """The HR system's own id of somebody's manager."""
    manager = everybody.get(person.manager_employee_id or "")
    return manager.id if manager else None


def _person(account: SandboxAccount, application: SandboxApplication) -> SandboxPerson:
    """The person behind an account; dates that are not told follow from its status."""
    more, today = account.more, application.now().date()
    manager = application.accounts.get(account.manager_id or "")
    hired = _day(more, "hire_date") or account.created_at.date()
    last = _day(more, "last_day")
    status = {"suspended": "leave", "deactivated": "terminated", "pending": "future"}.get(account.status, "active")
    away, back = _day(more, "leave_from"), _day(more, "leave_until")
    if status == "active" and away and away <= today and (back is None or today <= back):
        status = "leave"
    if status == "terminated" and last is None:
        last = max(hired, today - timedelta(days=100))
    if status == "future" and hired <= today:
        hired = today + timedelta(days=14)
    return SandboxPerson(
        employee_id=account.employee_id or account.id,
        given=account.given,
        family=account.family,
        work_email=account.email,
        status=status,
        hire_date=hired,
        termination_date=last,
        contract_end=_day(more, "contract_end"),
        worker_type=_WORKER_TYPES.get(str(more.get("employee_type", "")), "employee"),
        department=account.department,
        title=account.title,
        manager_employee_id=(manager.employee_id or manager.id) if manager else None,
        location=more.get("location"),
        time_zone=more.get("time_zone"),
        key=account.id,
    )


def _day(more: dict[str, Any], name: str) -> date | None:
    value = more.get(name)
    return date.fromisoformat(value[:10]) if isinstance(value, str) and value else None
