"""Campaigns that are begun the same way again and again, ready to be changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Template:
    """A scope and the parts of a plan, with why one would run it. `every_months`: how often, where a norm says."""

    title: str
    about: str
    scope: dict[str, Any]
    plan: dict[str, Any]
    every_months: int | None = None


# PCI DSS 4.0 7.2.4: all accounts and their privileges are reviewed at least once every six months.
# CIS v8 5.1: every active account is validated at least quarterly. NIST AC-2(j), AC-6(7): privileges are reviewed
# periodically. ISO 27001:2022 A.5.18: access rights are reviewed, after changes of a position too.
TEMPLATES: Final[dict[str, Template]] = {
    "quarterly-privileged": Template(
        "Quarterly review of privileged access",
        "Every privileged grant and account, decided by the application's owner and then by the person's manager.",
        {"privileged": True},
        {"levels": [["application_owner"], ["manager"]], "days": 21},
        3,
    ),
    "leavers": Template(
        "Leavers of the quarter",
        "What people who left can still open.",
        {"leavers": True},
        {"levels": [["application_owner", "manager"]], "days": 7},
        3,
    ),
    "contractors": Template(
        "Contractors and guests",
        "Everything people hold who are not employees, decided by who is responsible for them.",
        {"workers": ["contractor", "guest"]},
        {"levels": [["manager", "application_owner"]], "days": 14},
        3,
    ),
    "orphans": Template(
        "Accounts without an owner",
        "Accounts that correlation ties to nobody.",
        {"orphans": True},
        {"levels": [["application_owner"]], "days": 14},
        3,
    ),
    "movers": Template(
        "People who moved",
        "What people hold who changed department, title or manager within ninety days.",
        {"movers_days": 90},
        {"levels": [["manager"]], "days": 14},
        3,
    ),
    "non-human": Template(
        "Programs, bots and shared accounts",
        "Accounts that are nobody's, decided by the application's owner.",
        {"non_human": True},
        {"levels": [["application_owner"]], "days": 21},
        6,
    ),
    "pci-six-monthly": Template(
        "PCI DSS review of all access",
        "Every account and grant, as PCI DSS 7.2.4 asks every six months.",
        {},
        {"levels": [["manager", "application_owner"]], "days": 30},
        6,
    ),
}
