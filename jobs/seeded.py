"""A seeded estate of any size for the figures: people, accounts and grants by arithmetic, no file read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from governance.records import Account, Entitlement, Grant, Identity, Record
from governance.settings import Settings, parse

APPLICATIONS: Final = 10
ENTITLEMENTS: Final = 20
DEPARTMENTS: Final = ("Finance", "Sales", "Engineering", "Support", "Legal", "People")
_SPREAD: Final = 2_654_435_761  # Knuth's multiplicative hash: spreads neighbours evenly, the same on every machine


@dataclass(frozen=True)
class Seeded:
    """An estate of `accounts` accounts in ten applications, five grants each, as of one instant."""

    accounts: int
    now: datetime

    @property
    def people(self) -> int:
        """One person has an account in every application."""
        return max(1, self.accounts // APPLICATIONS)

    def settings(self) -> Settings:
        """The feeds, and a role mapping for each department."""
        names = [f"app{n:02d}" for n in range(APPLICATIONS)]
        mapping: list[dict[str, Any]] = [
            {"application": name, "when": {"department": department}, "gives": [f"Role {n:02d}" for n in range(12)]}
            for name in names
            for department in DEPARTMENTS
        ]
        return parse(
            {
                "source": [{"name": "hr", "connector": "hr_csv"}],
                "application": [{"name": name, "connector": "app_csv"} for name in names],
                "role_mapping": mapping,
            }
        )

    def identities(self) -> Iterator[Record]:
        """Three of a hundred have left, most of them lately."""
        for n in range(self.people):
            dice = _dice(n)
            left = dice % 100 < 3
            yield Identity(
                source="hr",
                employee_id=str(n),
                kind="contractor" if dice % 10 == 0 else "employee",
                state="ended" if left else "current",
                ended_at=self.now - timedelta(days=1 + dice % 400, hours=3) if left else None,
                hire_at=self.now - timedelta(days=500 + dice % 3_000),
                display_name=f"Person {n}",
                email=f"p{n}@example.com",
                department=DEPARTMENTS[dice % len(DEPARTMENTS)],
                title="Analyst",
                manager_id=f"hr:{n // 12}",
            )

    def application(self, number: int) -> Iterator[Record]:
        """The accounts of one application: a tenth of the leavers' still open, one of two hundred of nobody."""
        name = f"app{number:02d}"
        for n in range(ENTITLEMENTS):
            yield Entitlement(name, f"r{n}", f"Role {n:02d}", privileged=n >= ENTITLEMENTS - 2)
        for n in range(number, self.accounts, APPLICATIONS):
            person, dice = n // APPLICATIONS % self.people, _dice(n * 31 + 7)
            left, nobody = _dice(person) % 100 < 3, dice % 200 == 0
            used = self.now - timedelta(days=dice % 25 if dice % 20 else 200, minutes=dice % 1_000)
            yield Account(
                application=name,
                account_id=f"a{n}",
                username=f"p{person}",
                email=f"stranger{n}@elsewhere.example" if nobody else f"p{person}@example.com",
                employee_id=None if nobody or dice % 3 == 0 else str(person),
                active=not left or dice % 10 == 0,
                last_seen_at=None if dice % 300 == 1 else used,
                last_seen_known=True,
                created_at=self.now - timedelta(days=500),
                mfa=dice % 50 != 0,
                privileged=dice % 100 == 2,
            )
            for k in range(5):
                beyond = dice % 100 == 2 and k == 4
                yield Grant(name, f"a{n}", f"r{19 if beyond else (dice + k) % 12}", how="direct")


def _dice(n: int) -> int:
    return (n * _SPREAD & 0xFFFFFFFF) >> 7
