"""Made-up people and accounts by arithmetic, as many as a figure needs, in an application of the sandbox or a file."""

from __future__ import annotations

import csv
import functools
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from connectors.sandbox.model import SandboxApplication
    from connectors.sandbox.workforce import SandboxPerson
    from jobs.bench_vendors import Vendor

DEPARTMENTS: Final = ("Finance", "Sales", "Engineering", "Support", "Legal", "People")
ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Melbourne", None)
COLUMNS: Final = (
    "employee_id", "status", "work_email", "hire_date", "termination_date", "worker_type", "contract_end_date",
    "manager_employee_id", "department", "job_title", "time_zone", "display_name",
)  # fmt: skip
GROUPS: Final = 10
TOKEN: Final = "bench"  # noqa: S105 - the server is this machine's own and holds nothing
_SPREAD: Final = 2_654_435_761  # Knuth's multiplicative hash: spreads neighbours evenly


def application(vendor: Vendor, accounts: int, now: datetime) -> SandboxApplication:
    """The vendor's application with so many accounts or people."""
    from connectors.sandbox.identifiers import vendor_id
    from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement, SandboxGrant

    name = vendor.name
    started = functools.partial(SandboxApplication, name, name, now=lambda: now, token=TOKEN)
    if vendor.source:
        return started(settings={"people": [_person(n) for n in range(accounts)]})
    listed = [
        SandboxAccount(
            id=vendor_id(name, n),
            username=f"p{n}@example.com",
            email=f"p{n}@example.com",
            given="Person",
            family=f"Number{n}",
            status="deactivated" if n % 9 == 0 and vendor.closed else "active",
            created_at=now - timedelta(days=1 + n % 900),
            last_seen_at=now - timedelta(hours=1 + n % 2_000),
            mfa=n % 7 != 0,
            employee_id=f"E{n:06}",
            department=DEPARTMENTS[n % len(DEPARTMENTS)],
        )
        for n in range(1, accounts + 1)
    ]
    groups = [SandboxEntitlement(vendor_id(name, n, "group"), f"Group {n}", "group") for n in range(1, GROUPS + 1)]
    grants = [
        SandboxGrant(account.id, groups[n % GROUPS].id, now - timedelta(days=90)) for n, account in enumerate(listed)
    ]
    settings = dict(vendor.settings)
    return started(accounts=listed, entitlements=groups, grants=grants, settings=settings)


def _person(n: int) -> SandboxPerson:
    """Six of a hundred have left, ten are contractors, most have a manager and a time zone."""
    from connectors.sandbox.workforce import SandboxPerson

    dice = n * _SPREAD % 2**32 >> 8
    left = date(2025, 1, 1) + timedelta(days=dice % 600) if dice % 100 < 6 else None
    contractor = dice % 10 == 7
    return SandboxPerson(
        f"E{n:06}",
        "Person",
        f"Number{n}",
        f"p{n}@example.com",
        status="terminated" if left else "active",
        hire_date=date(2016, 1, 1) + timedelta(days=dice % 3_000),
        termination_date=left,
        contract_end=date(2027, 1, 1) + timedelta(days=dice % 300) if contractor else None,
        worker_type="contingent" if contractor else "employee",
        department=DEPARTMENTS[dice % len(DEPARTMENTS)],
        title=f"Title {dice % 200}",
        manager_employee_id=f"E{n // 10:06}" if n >= 10 else None,
        time_zone=ZONES[dice % len(ZONES)],
        key=str(n + 1),
    )


def written(path: Path, accounts: int) -> None:
    """The same people as a file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for p in map(_person, range(accounts)):
            rows.writerow(
                (
                    p.employee_id,
                    p.status,
                    p.work_email,
                    p.hire_date,
                    p.termination_date,
                    p.worker_type,
                    p.contract_end,
                    p.manager_employee_id,
                    p.department,
                    p.title,
                    p.time_zone,
                    p.name,
                )
            )
