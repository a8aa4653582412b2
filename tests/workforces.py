"""Small companies of people for the HR vendors' tests, and what one pull of them gives."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from connectors.kit.contract import Circumstances, Connector, connector_class
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.serving import Sandbox
from connectors.sandbox.workforce import SandboxPerson
from governance.records import Identity
from governance.settings import SourceSettings
from tests.sandbox_company import NOW

Person = SandboxPerson
# One of every fate, at noon of 23 November 2026 minus some hours (sandbox_company.NOW).
PEOPLE: tuple[SandboxPerson, ...] = (
    Person("00017", "Ada", "Amaral", "ada@nwl.example", key="1", title="Head", department="Sales",
           time_zone="Europe/Berlin"),
    Person("10002", "Bruno", "Berg", "bruno@nwl.example", status="terminated", key="2",
           termination_date=date(2026, 10, 31), manager_employee_id="00017", time_zone="Australia/Melbourne"),
    Person("10003", "Chioma", "Cole", "chioma@nwl.example", key="3", termination_date=date(2026, 12, 31),
           manager_employee_id="00017"),
    Person("10004", "Dmitri", "Dahl", "dmitri@nwl.example", status="leave", key="4", manager_employee_id="10003"),
    Person("10005", "Esra", "Ek", "esra@nwl.example", status="future", key="5", hire_date=date(2027, 1, 4)),
    Person("10006", "Farid", "Falk", "farid@partner.example", key="6", worker_type="contingent",
           contract_end=date(2026, 11, 15)),
    Person("10007", "Gwen", "Gray", None, key="7"),
    Person("10008", "Hana", "Hoshi", "hana@nwl.example", status="terminated", key="8"),  # nobody wrote down when
)  # fmt: skip


def as_employees(application: SandboxApplication) -> None:
    """Makes every account of a small application a person whose employee id is the account's."""
    for account in application.accounts.values():
        account.employee_id = account.id


def company(vendor: str, people: tuple[SandboxPerson, ...] = PEOPLE, name: str = "", **settings: Any):
    """An HR system with these people in it."""
    return SandboxApplication(name or vendor, vendor, now=lambda: NOW, settings={"people": list(people), **settings})


def hr_connector(
    vendor: str, options: dict[str, Any], secrets: dict[str, str], *, now=NOW, deadline_s: float = 10.0
) -> Connector:
    """The vendor's connector as a source named `hr`."""
    places = {name: {"env": name.upper()} for name in secrets}
    feed = SourceSettings(name="hr", connector=vendor, **places, **options)
    given = Circumstances(now, Path("/nowhere"), secrets, deadline_s=deadline_s, limit_share=1.0)
    return connector_class(vendor)(feed, given)


def identities(connector: Connector) -> dict[str, Identity]:
    """Everybody one pull tells of, by employee id."""
    try:
        return {record.employee_id: record for record in connector.records()}
    finally:
        connector.close()


def running(*applications: SandboxApplication) -> Sandbox:
    """A sandbox with these applications."""
    return Sandbox(applications)
