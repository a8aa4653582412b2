"""Those who left before the HR system's memory begins: nobody knows them any more but applications that keep accounts.

Salesforce cannot delete a user, Slack and Atlassian keep who was deactivated, and files tell whoever was there once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from connectors.sandbox.identifiers import vendor_id
from connectors.sandbox.landscape import landscape
from connectors.sandbox.model import SandboxAccount
from connectors.sandbox.people import address, unused_names
from connectors.sandbox.simulation import Company, Mind

FORMER: Final = 66  # people
KEPT: Final = {  # of whom each keeps this share
    "okta": 0.5,
    "slack": 1.0,
    "jira": 0.95,
    "salesforce": 0.95,
    "expenses": 0.9,
    "datadog": 0.6,
    "zendesk": 0.6,
}


def remember_former(company: Company) -> None:
    """Leave their closed accounts where they are kept; nothing is wrong with them."""
    names = unused_names(company.chance("former"), {person.name for person in company.people.values()})
    taken = {person.email for person in company.people.values()}
    for number in range(FORMER):
        email = next(made for name in names if (made := address(name, full=True)) not in taken)
        taken.add(email)
        _accounts(company, number, email)


def _accounts(company: Company, number: int, email: str) -> None:
    luck = company.chance("former", number)
    left = company.built_at - timedelta(days=luck.randint(400, 1500), hours=luck.randint(1, 8))
    came = left - timedelta(days=luck.randint(120, 1200))
    given, _, family = email.partition("@")[0].partition(".")
    for name, share in KEPT.items():
        plot = landscape()[name]
        if company.chance("former", number, name).random() >= share:
            continue
        account = SandboxAccount(
            id=vendor_id(plot.vendor, 800_000 + number, "account", salt=name),
            username=email,
            email=email,
            given=given.title(),
            family=family.title(),
            status="deactivated",
            created_at=came,
            last_seen_at=left,
            mfa=True,
            managed_by="imported",
        )
        company.keep(name, account, Mind(None, abandoned=True))
